#![expect(
    unsafe_code,
    reason = "a handler that lets system calls end early cannot be installed otherwise"
)]
//! Signals that interrupt system calls: whatever is going on goes on, and nobody hears of it.
//!
//! Each thread of the process is sent a signal some thousand times a second, whose handler does not ask for calls to be
//! restarted (no `SA_RESTART`): so each call that waits ends with `EINTR` again and again. Handlers are the process's, so each
//! test runs in a process of its own.
#![cfg(target_os = "linux")]

mod child;
mod common;
mod wire;

use common::temp_dir::TempDir;
use common::{in_own_process, on_each, within};
use futures_lite::StreamExt;
use gristmill::fs::{self, File};
use gristmill::io::{Async, AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use gristmill::net::protocol::{Protocol, Transport, serve};
use gristmill::net::{TcpListener, TcpStream, UdpSocket, UnixStream, lookup_host};
use gristmill::process::{Command, Stdio};
use gristmill::runtime::Runtime;
use gristmill::signal::unix::{SignalKind, signal};
use gristmill::task::JoinSet;
use gristmill::time::{Duration, Instant, interval, sleep};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use rustix::process::{Pid, kill_process};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use wire::{Pairs, echo, forget_when_dropped, pattern};

/// How often the handler has run.
static INTERRUPTIONS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_: i32) {
    INTERRUPTIONS.fetch_add(1, Ordering::Relaxed);
}

/// Interrupts all threads of the process until it is dropped.
struct Pest {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Pest {
    fn new() -> Self {
        let action = SigAction::new(
            SigHandler::Handler(count),
            SaFlags::empty(),
            SigSet::empty(),
        );
        // SAFETY: the handler only changes an atomic, and nobody else has one for this signal.
        unsafe { sigaction(Signal::SIGALRM, &action) }.expect("a handler");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::SeqCst) {
                for task in std::fs::read_dir("/proc/self/task").expect("mounted") {
                    let name = task.expect("an entry").file_name();
                    let id = name.to_str().and_then(|name| name.parse().ok());
                    // The number of a thread sends the signal to the process, and there to that thread first.
                    let thread = Pid::from_raw(id.expect("a number")).expect("not zero");
                    // A thread may have ended since.
                    let _ = kill_process(thread, rustix::process::Signal::ALARM);
                }
                thread::sleep(Duration::from_micros(200));
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Pest {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no panic");
        }
    }
}

/// Runs the test on each flavour while every thread is interrupted, again until that has been often enough. Nothing may be said
/// about it, either.
#[track_caller]
fn on_each_interrupted(name: &str, test: fn(&Runtime)) {
    const OFTEN: usize = 300;
    in_own_process(name, || {
        let pest = Pest::new();
        let said = what_is_said(|| {
            for flavour in common::FLAVOURS {
                within(format!("{flavour:?}"), move || {
                    let runtime = flavour.runtime();
                    let before = INTERRUPTIONS.load(Ordering::Relaxed);
                    while INTERRUPTIONS.load(Ordering::Relaxed) - before < OFTEN {
                        test(&runtime);
                    }
                });
            }
        });
        drop(pest);
        assert_eq!(said, "");
    });
}

/// What comes out of the standard error stream meanwhile.
fn what_is_said(body: impl FnOnce()) -> String {
    let folder = TempDir::new();
    let file = std::fs::File::create(folder.join("said")).expect("made");
    let before = rustix::io::dup(rustix::stdio::stderr()).expect("a duplicate");
    rustix::stdio::dup2_stderr(file).expect("exchanged");
    let outcome = catch_unwind(AssertUnwindSafe(body));
    rustix::stdio::dup2_stderr(before).expect("exchanged");
    let said = std::fs::read_to_string(folder.join("said")).expect("read");
    if let Err(payload) = outcome {
        eprintln!("{said}");
        resume_unwind(payload);
    }
    said
}

#[test]
fn sockets_carry_everything_while_calls_are_interrupted() {
    on_each_interrupted(
        "sockets_carry_everything_while_calls_are_interrupted",
        |runtime| {
            runtime.block_on(async {
                let pairs = Pairs::new().await;
                let mut tasks = JoinSet::new();
                for _ in 0..4 {
                    let (stream, other) = pairs.next().await;
                    forget_when_dropped(&stream);
                    drop(gristmill::spawn(echo(other)));
                    let (reader, writer) = stream.into_split();
                    tasks.spawn(there_and_back(reader, writer));
                    let (stream, other) = UnixStream::pair().expect("a pair");
                    drop(gristmill::spawn(echo(other)));
                    let (reader, writer) = stream.into_split();
                    tasks.spawn(there_and_back(reader, writer));
                }
                tasks.spawn(datagrams());
                tasks.spawn(relayed());
                while let Some(outcome) = tasks.join_next().await {
                    outcome.expect("no panic");
                }
            });
        },
    );
}

/// Sends bytes while it reads what comes back.
async fn there_and_back(
    mut reader: impl AsyncReadExt + Unpin + Send + 'static,
    mut writer: impl AsyncWriteExt + Unpin + Send + 'static,
) {
    let sent = pattern(300_000);
    let bytes = sent.clone();
    let writing = gristmill::spawn(async move {
        writer.write_all(&bytes).await.expect("a write");
        writer.close().await.expect("a close");
    });
    let mut received = Vec::new();
    reader.read_to_end(&mut received).await.expect("the end");
    writing.await.expect("no panic");
    assert!(received == sent);
}

async fn datagrams() {
    let one = UdpSocket::bind("127.0.0.1:0").await.expect("free");
    let other = UdpSocket::bind("127.0.0.1:0").await.expect("free");
    let to = other.local_addr().expect("an address");
    one.connect(to).await.expect("connected");
    other
        .connect(one.local_addr().expect("an address"))
        .await
        .expect("connected");
    let mut buffer = [0; 16];
    for number in 0_u32..200 {
        one.send(&number.to_be_bytes()).await.expect("sent");
        let count = other.recv(&mut buffer).await.expect("received");
        other.send(&buffer[..count]).await.expect("sent");
        let count = one.recv(&mut buffer).await.expect("received");
        assert_eq!(buffer[..count], number.to_be_bytes());
    }
}

async fn relayed() {
    let (mut client, mut near) = UnixStream::pair().expect("a pair");
    let (mut far, server) = UnixStream::pair().expect("a pair");
    drop(gristmill::spawn(echo(server)));
    let relaying = gristmill::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
    let sent = pattern(50_000);
    client.write_all(&sent).await.expect("a write");
    client.close().await.expect("a close");
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.expect("the end");
    assert!(received == sent);
    relaying.await.expect("no panic").expect("both ends");
}

#[test]
fn connections_come_to_be_while_calls_are_interrupted() {
    struct Echo(Option<Transport>);

    impl Protocol for Echo {
        fn connection_made(&mut self, transport: Transport) {
            self.0 = Some(transport);
        }
        fn data_received(&mut self, data: &[u8]) {
            self.0.as_ref().expect("made").write(data);
        }
    }

    on_each_interrupted(
        "connections_come_to_be_while_calls_are_interrupted",
        |runtime| {
            runtime.block_on(async {
                let mut found = lookup_host("localhost:80").await.expect("a name");
                assert!(found.next().is_some());
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
                let server = serve(listener, || Echo(None));
                let address = server.local_addr().ip().expect("TCP");
                for _ in 0..30 {
                    let mut stream = TcpStream::connect(address).await.expect("a connection");
                    forget_when_dropped(&stream);
                    stream.write_all(b"anybody?").await.expect("a write");
                    let mut answer = [0; 8];
                    stream.read_exact(&mut answer).await.expect("the echo");
                    assert_eq!(&answer, b"anybody?");
                }
            });
        },
    );
}

#[test]
fn files_and_pipes_carry_everything_while_calls_are_interrupted() {
    on_each_interrupted(
        "files_and_pipes_carry_everything_while_calls_are_interrupted",
        |runtime| {
            let folder = TempDir::new();
            runtime.block_on(async {
                let bytes = pattern(500_000);
                let mut file = File::create(folder.join("one")).await.expect("made");
                for piece in bytes.chunks(7_777) {
                    file.write_all(piece).await.expect("a write");
                }
                file.sync_all().await.expect("on the disk");
                let copied = fs::copy(folder.join("one"), folder.join("two")).await;
                assert_eq!(copied.expect("a copy"), bytes.len() as u64);
                let mut file = File::open(folder.join("two")).await.expect("opened");
                let mut read = Vec::new();
                file.read_to_end(&mut read).await.expect("the end");
                assert!(read == bytes);
                let mut entries = fs::read_dir(folder.path()).await.expect("a folder");
                let mut count = 0;
                while entries.next_entry().await.expect("an entry").is_some() {
                    count += 1;
                }
                assert_eq!(count, 2);

                let (reader, writer) = std::io::pipe().expect("a pipe");
                let (reader, writer) = (Async::new(reader), Async::new(writer));
                there_and_back_through(reader.expect("a pipe"), writer.expect("a pipe")).await;
            });
            // Threads of the blocking pool that wait in `open`, `read` and `write`.
            let path = folder.named_pipe("pipe");
            let sent = pattern(300_000);
            let (to, bytes) = (path.clone(), sent.clone());
            let writing = runtime.spawn(async move {
                let mut options = File::options();
                let mut pipe = options.write(true).open(to).await.expect("opened");
                for piece in bytes.chunks(30_000) {
                    // The reader has to wait for each.
                    sleep(Duration::from_millis(3)).await;
                    pipe.write_all(piece).await.expect("a write");
                    pipe.flush().await.expect("all written");
                }
            });
            runtime.block_on(async {
                let mut pipe = File::open(path).await.expect("opened");
                let mut received = Vec::new();
                pipe.read_to_end(&mut received).await.expect("the end");
                assert!(received == sent);
                writing.await.expect("no panic");
            });
        },
    );
}

/// What goes into a pipe comes out.
async fn there_and_back_through(
    mut reader: impl AsyncReadExt + Unpin,
    mut writer: impl AsyncWriteExt + Unpin + Send + 'static,
) {
    let sent = pattern(300_000);
    let bytes = sent.clone();
    let writing = gristmill::spawn(async move {
        writer.write_all(&bytes).await.expect("a write");
    });
    let mut received = Vec::new();
    reader.read_to_end(&mut received).await.expect("the end");
    writing.await.expect("no panic");
    assert!(received == sent);
}

#[test]
fn children_are_started_fed_and_waited_for_while_calls_are_interrupted() {
    on_each_interrupted(
        "children_are_started_fed_and_waited_for_while_calls_are_interrupted",
        |runtime| {
            runtime.block_on(async {
                let mut child = Command::new("cat")
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .expect("a child");
                let writer = child.stdin.take().expect("a pipe");
                let reader = child.stdout.take().expect("a pipe");
                there_and_back_through(reader, writer).await;
                assert!(child.wait().await.expect("an end").success());
                let output = Command::new("sh").args(["-c", "echo out; exit 3"]).output();
                let output = output.await.expect("a child");
                assert_eq!(
                    (output.status.code(), &*output.stdout),
                    (Some(3), &b"out\n"[..])
                );
            });
        },
    );
}

#[test]
fn timers_jobs_and_signals_keep_their_promises_while_calls_are_interrupted() {
    on_each_interrupted(
        "timers_jobs_and_signals_keep_their_promises_while_calls_are_interrupted",
        |runtime| {
            runtime.block_on(async {
                let mut tasks = JoinSet::new();
                for millis in 0..20 {
                    tasks.spawn(async move {
                        let (begin, time) = (Instant::now(), Duration::from_millis(millis));
                        sleep(time).await;
                        assert!(begin.elapsed() >= time, "early");
                    });
                    drop(tasks.spawn_blocking(|| thread::sleep(Duration::from_millis(2))));
                }
                let mut ticks = interval(Duration::from_millis(2));
                for _ in 0..10 {
                    ticks.next().await.expect("it does not end");
                }
                let sum = gristmill::spawn_compute(|| (0..100_000_u64).sum::<u64>());
                assert_eq!(sum.await.expect("no panic"), 4_999_950_000);
                let mut listener = signal(SignalKind::user_defined1()).expect("a listener");
                for _ in 0..10 {
                    child::raise(rustix::process::Signal::USR1);
                    listener.recv().await.expect("it does not end");
                }
                while let Some(outcome) = tasks.join_next().await {
                    outcome.expect("no panic");
                }
            });
        },
    );
}

#[test]
fn a_runtime_starts_and_ends_while_calls_are_interrupted() {
    on_each_interrupted(
        "a_runtime_starts_and_ends_while_calls_are_interrupted",
        |_| {
            on_each(|runtime| {
                let task = runtime
                    .spawn(async { gristmill::spawn_blocking(|| 7).await.expect("a thread") });
                assert_eq!(runtime.block_on(task).expect("no panic"), 7);
            });
        },
    );
}
