//! The standard streams, of a process of its own: this program once more, with one test alone.

mod common;

use common::{CountingWaker, Flavour, eventually, within};
use gristmill::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, stderr, stdin, stdout,
};
use gristmill::stream::StreamExt;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::pin::pin;
use std::process::{Child, Command, ExitStatus, Stdio};

/// Names the test that a process is to run the inner half of.
const INSIDE: &str = "GRISTMILL_STDIO_INSIDE";

/// Whether this process is the inner half of a test.
fn is_inside(test: &str) -> bool {
    std::env::var_os(INSIDE).is_some_and(|inside| inside == test)
}

/// The inner half of a test, with pipes to it; ended with the value, if it has not.
struct Inside(Child);

impl Inside {
    fn start(test: &str) -> Self {
        let own = std::env::current_exe().expect("a path");
        let child = Command::new(own)
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(INSIDE, test)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self(child.expect("started"))
    }

    fn say(&mut self, text: &str) {
        let stream = self.0.stdin.as_mut().expect("open");
        stream.write_all(text.as_bytes()).expect("it reads");
        stream.flush().expect("it reads");
    }

    fn hang_up(&mut self) {
        self.0.stdin = None;
    }

    /// All that it says until this has been said, which the test harness' own words come before and after.
    fn hear(&mut self, awaited: &str) -> String {
        let stream = self.0.stdout.as_mut().expect("open");
        let mut heard = Vec::new();
        let mut byte = [0];
        while !heard.ends_with(awaited.as_bytes()) {
            let count = stream.read(&mut byte).expect("readable");
            let text = String::from_utf8_lossy(&heard);
            assert_eq!(count, 1, "it said no {awaited:?}: {text}");
            heard.push(byte[0]);
        }
        String::from_utf8(heard).expect("text")
    }

    /// The rest of what it says, and how it ends; its standard input stays as it is.
    fn end(mut self) -> (String, String, ExitStatus) {
        let (mut out, mut err) = (String::new(), String::new());
        let mut streams = (self.0.stdout.take(), self.0.stderr.take());
        if let Some(stream) = &mut streams.0 {
            stream.read_to_string(&mut out).expect("text");
        }
        if let Some(stream) = &mut streams.1 {
            stream.read_to_string(&mut err).expect("text");
        }
        let status = self.0.wait().expect("it ends");
        assert!(status.success(), "{status}\n{out}\n{err}");
        (out, err, status)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs one half of a test or the other.
fn halves(test: &'static str, inside: fn(), outside: fn(Inside)) {
    if is_inside(test) {
        within("inside", inside);
    } else {
        within(test, move || outside(Inside::start(test)));
    }
}

async fn say(text: &str) {
    let mut out = stdout();
    out.write_all(text.as_bytes()).await.expect("written");
    out.flush().await.expect("flushed");
}

#[test]
fn lines_are_answered_as_they_come() {
    halves(
        "lines_are_answered_as_they_come",
        || {
            gristmill::run(async {
                let mut lines = BufReader::new(stdin()).lines();
                say("ready.").await;
                while let Some(line) = lines.next().await {
                    say(&format!("{}!", line.expect("text").to_uppercase())).await;
                }
                say("over.").await;
            });
        },
        |mut inside| {
            inside.hear("ready.");
            for word in ["one", "two", "three"] {
                inside.say(&format!("{word}\n"));
                assert_eq!(inside.hear("!"), format!("{}!", word.to_uppercase()));
            }
            inside.say("unended");
            inside.hang_up();
            inside.hear("UNENDED!");
            inside.hear("over.");
            inside.end();
        },
    );
}

#[test]
fn a_runtime_ends_although_nobody_types() {
    halves(
        "a_runtime_ends_although_nobody_types",
        || {
            for flavour in common::FLAVOURS {
                let runtime = flavour.runtime();
                runtime.block_on(async {
                    let mut input = stdin();
                    let mut byte = [0];
                    let mut read = pin!(input.read(&mut byte));
                    assert!(CountingWaker::new().poll(&mut read).is_pending());
                });
                drop(runtime);
            }
            println!("ended.");
        },
        |mut inside| {
            inside.hear("ended.");
            // And so does the process, with the pipe still open.
            let input = inside.0.stdin.take();
            inside.end();
            drop(input);
        },
    );
}

#[test]
fn a_read_that_is_dropped_loses_no_input() {
    halves(
        "a_read_that_is_dropped_loses_no_input",
        || {
            let runtime = Flavour::OneWorker.runtime();
            let waker = CountingWaker::new();
            runtime.block_on(async {
                let mut input = stdin();
                let mut byte = [0; 64];
                let mut read = pin!(input.read(&mut byte));
                assert!(waker.poll(&mut read).is_pending());
            });
            println!("dropped.");
            eventually("the input is there", || waker.wakes() > 0);
            drop(runtime);
            let other = Flavour::CurrentThread.runtime();
            other.block_on(async {
                let mut two = [0; 2];
                stdin().read_exact(&mut two).await.expect("read");
                assert_eq!(&two, b"al");
                let mut rest = String::new();
                stdin().read_to_string(&mut rest).await.expect("read");
                assert_eq!(rest, "l of it");
                assert_eq!(stdin().read(&mut two).await.expect("the end"), 0);
                assert_eq!(stdin().read(&mut []).await.expect("nothing"), 0);
            });
        },
        |mut inside| {
            inside.hear("dropped.");
            inside.say("all of it");
            inside.hang_up();
            inside.end();
        },
    );
}

/// What each of the writers writes, and how often.
const WRITERS: usize = 8;
const LINES: usize = 200;

#[test]
fn lines_of_several_tasks_do_not_mix_and_the_end_waits_for_them() {
    halves(
        "lines_of_several_tasks_do_not_mix_and_the_end_waits_for_them",
        || {
            println!();
            gristmill::run(async {
                let writers = (0..WRITERS).map(|writer| {
                    gristmill::spawn(async move {
                        let filling = "x".repeat(1_000);
                        for line in 0..LINES {
                            let text = format!("{writer} {line} {filling}.\n");
                            stdout().write_all(text.as_bytes()).await.expect("written");
                        }
                    })
                });
                for writer in writers.collect::<Vec<_>>() {
                    writer.await.expect("no panic");
                }
                // No flush.
            });
        },
        |inside| {
            let (out, ..) = inside.end();
            let filling = "x".repeat(1_000);
            let mut next = [0; WRITERS];
            for line in out.lines().filter(|line| line.contains(&filling)) {
                let mut parts = line.split(' ');
                let mut number = || parts.next()?.parse::<usize>().ok();
                let (writer, count) = (number().expect("intact"), number().expect("intact"));
                assert_eq!(line, format!("{writer} {count} {filling}."));
                assert_eq!(count, next[writer], "in order");
                next[writer] += 1;
            }
            assert_eq!(next, [LINES; WRITERS], "none is lost");
        },
    );
}

#[test]
fn a_reader_that_has_gone_is_told_to_the_writer() {
    halves(
        "a_reader_that_has_gone_is_told_to_the_writer",
        || {
            gristmill::run(async {
                say("ready.").await;
                let mut word = String::new();
                stdin().read_to_string(&mut word).await.expect("read");
                stdout().write_all(b"to nobody").await.expect("taken");
                let error = stdout().flush().await.expect_err("nobody reads");
                assert_eq!(error.kind(), ErrorKind::BrokenPipe);
                stdout().flush().await.expect("told once");
                let text = format!("told: {:?}\n", error.kind());
                stderr().write_all(text.as_bytes()).await.expect("written");
                stderr().flush().await.expect("flushed");
            });
            // The harness has things to say to nobody, which would fail the test.
            std::process::exit(0);
        },
        |mut inside| {
            inside.hear("ready.");
            inside.0.stdout = None;
            inside.hang_up();
            let (_, err, _) = inside.end();
            assert!(err.contains("told: BrokenPipe"), "{err}");
        },
    );
}

#[test]
fn more_than_the_room_goes_out_whole() {
    halves(
        "more_than_the_room_goes_out_whole",
        || {
            gristmill::run(async {
                let bytes = "0123456789".repeat(100_000);
                stdout().write_all(bytes.as_bytes()).await.expect("written");
                stdout().close().await.expect("flushed");
                // Closing has not closed it for others.
                stdout().write_all(b"end.").await.expect("written");
                stdout().flush().await.expect("flushed");
            });
        },
        |inside| {
            let (out, ..) = inside.end();
            assert!(out.contains(&("0123456789".repeat(100_000) + "end.")));
        },
    );
}

#[test]
fn flushed_output_is_out_before_the_process_is_killed() {
    halves(
        "flushed_output_is_out_before_the_process_is_killed",
        || {
            gristmill::run(async {
                say("half a line").await;
                stderr().write_all(b"an error").await.expect("written");
                stderr().flush().await.expect("flushed");
                std::process::exit(0);
            });
        },
        |inside| {
            let (out, err, _) = inside.end();
            assert!(out.ends_with("half a line"), "{out}");
            assert!(err.ends_with("an error"), "{err}");
        },
    );
}

#[test]
fn the_streams_have_the_usual_descriptors() {
    assert_eq!(stdin().as_raw_fd(), 0);
    assert_eq!(stdout().as_raw_fd(), 1);
    assert_eq!(stderr().as_raw_fd(), 2);
}

#[test]
fn without_a_runtime_output_says_what_is_missing() {
    futures_lite::future::block_on(async {
        let error = stdout().write(b"x").await.expect_err("no runtime");
        assert!(error.to_string().contains("gristmill::run"), "{error}");
    });
}
