//! Disks without room: whoever wrote is told, once; the file holds what came before the error, in order, and all goes on.
//!
//! A disk is never full here, but files may not grow: the limit on their size is the process's, so each test that sets it runs in
//! a process of its own. What `/dev/full` says to each operation is in `fs_faults`.
#![cfg(target_os = "linux")]

mod common;
mod shortage;
mod wire;

use common::temp_dir::TempDir;
use common::{in_own_process, on_each};
use gristmill::fs::{self, File};
use gristmill::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufWriter, SeekFrom};
use gristmill::runtime::Runtime;
use gristmill::signal::unix::{SignalKind, signal};
use nix::sys::resource::Resource;
use rustix::io::Errno;
use shortage::limited;
use std::io::{self, ErrorKind};
use wire::pattern;

/// How long a file may become.
const ROOM: usize = 100_000;

/// Runs the test on each flavour, in a process in which what would write beyond [`ROOM`] is an error instead of the end.
#[track_caller]
fn on_each_unharmed(name: &str, test: fn(&Runtime)) {
    in_own_process(name, || {
        let beyond = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        // For good: a signal that arrives when the listener is gone would end the process after all.
        std::mem::forget(signal(beyond).expect("a listener"));
        on_each(test);
    });
}

fn short_of_room() -> impl Drop {
    limited(Resource::RLIMIT_FSIZE, ROOM as u64)
}

#[track_caller]
fn is_too_large<T>(outcome: io::Result<T>) {
    let error = outcome.err().expect("no room");
    assert_eq!(error.kind(), ErrorKind::FileTooLarge, "{error}");
}

#[test]
fn a_file_holds_what_was_written_before_the_error_and_nothing_behind_it() {
    on_each_unharmed(
        "a_file_holds_what_was_written_before_the_error_and_nothing_behind_it",
        |runtime| {
            let folder = TempDir::new();
            let bytes = pattern(3 * ROOM);
            for step in [1_000, 999, 64 * 1024, 3 * ROOM] {
                let path = folder.join(&step.to_string());
                runtime.block_on(async {
                    let mut file = File::create(&path).await.expect("made");
                    let shortage = short_of_room();
                    let mut taken = 0;
                    let error = loop {
                        let end = bytes.len().min(taken + step);
                        match file.write(&bytes[taken..end]).await {
                            Ok(0) => break file.flush().await.expect_err("no room"),
                            Ok(count) => taken += count,
                            Err(error) => break error,
                        }
                    };
                    drop(shortage);
                    is_too_large::<()>(Err(error));
                    assert!(taken > ROOM, "what was taken is not all there");
                    // The cursor tells where it stopped.
                    let place = file.stream_position().await.expect("told once");
                    assert_eq!(place, ROOM as u64);
                    // From there it goes on.
                    file.write_all(&bytes[ROOM..]).await.expect("taken");
                    file.sync_all().await.expect("there is room again");
                    assert!(std::fs::read(&path).expect("read") == bytes);
                });
            }
        },
    );
}

#[test]
fn an_error_after_the_write_has_returned_waits_for_whatever_comes_next() {
    on_each_unharmed(
        "an_error_after_the_write_has_returned_waits_for_whatever_comes_next",
        |runtime| {
            let folder = TempDir::new();
            let path = folder.file("file", b"what was there");
            runtime.block_on(async {
                let _shortage = short_of_room();
                let too_much = pattern(ROOM + 1);
                let mut options = File::options();
                options.read(true).write(true);
                for operation in 0..8 {
                    let mut file = options.open(&path).await.expect("opened");
                    file.write_all(&too_much).await.expect("taken");
                    // Reading and looking do not use the error up.
                    file.metadata().await.expect("beside it");
                    assert_eq!(file.read(&mut [0]).await.expect("the end"), 0);
                    match operation {
                        0 => is_too_large(file.write(b"x").await),
                        1 => is_too_large(file.flush().await),
                        2 => is_too_large(file.close().await),
                        3 => is_too_large(file.seek(SeekFrom::Start(0)).await),
                        4 => is_too_large(file.sync_all().await),
                        5 => is_too_large(file.sync_data().await),
                        6 => is_too_large(file.set_len(1).await),
                        _ => is_too_large(file.try_clone().await.map(drop)),
                    }
                    file.flush().await.expect("told once");
                    assert_eq!(file.metadata().await.expect("known").len(), ROOM as u64);
                    file.seek(SeekFrom::Start(0)).await.expect("in order");
                    file.write_all(b"still").await.expect("taken");
                    file.flush().await.expect("there is room in front");
                    assert!(std::fs::read(&path).expect("read").starts_with(b"still"));
                }
            });
        },
    );
}

#[test]
fn operations_that_need_room_at_once_say_that_there_is_none() {
    on_each_unharmed(
        "operations_that_need_room_at_once_say_that_there_is_none",
        |runtime| {
            let folder = TempDir::new();
            let large = folder.file("large", pattern(ROOM + 1));
            runtime.block_on(async {
                let _shortage = short_of_room();
                let path = folder.join("new");
                is_too_large(fs::write(&path, pattern(ROOM + 1)).await);
                is_too_large(fs::copy(&large, &path).await);
                let file = File::create(&path).await.expect("made");
                is_too_large(file.set_len(ROOM as u64 + 1).await);
                file.set_len(ROOM as u64).await.expect("that much");

                let mut source = File::open(&large).await.expect("opened");
                let mut copy = File::create(&path).await.expect("made");
                let copied = async {
                    gristmill::io::copy(&mut source, &mut copy).await?;
                    copy.flush().await
                };
                is_too_large(copied.await);

                // What is buffered on top is told the same way.
                let mut buffered = BufWriter::new(File::create(&path).await.expect("made"));
                let written = async {
                    buffered.write_all(&pattern(ROOM + 1)).await?;
                    buffered.close().await
                };
                is_too_large(written.await);
            });
        },
    );
}

#[test]
fn a_file_that_is_full_leaves_the_others_alone() {
    on_each_unharmed("a_file_that_is_full_leaves_the_others_alone", |runtime| {
        let folder = TempDir::new();
        runtime.block_on(async {
            let _shortage = short_of_room();
            let mut tasks = Vec::new();
            for number in 0..16 {
                let path = folder.join(&number.to_string());
                tasks.push(gristmill::spawn(async move {
                    let mut file = File::create(&path).await?;
                    let length = if number % 2 == 0 { ROOM } else { ROOM + 1 };
                    for chunk in pattern(length).chunks(7_000) {
                        file.write_all(chunk).await?;
                    }
                    file.flush().await
                }));
            }
            for (number, task) in tasks.into_iter().enumerate() {
                let outcome = task.await.expect("no panic");
                if number % 2 == 0 {
                    outcome.expect("it fits");
                } else {
                    is_too_large(outcome);
                }
                let length = std::fs::metadata(folder.join(&number.to_string()));
                assert_eq!(length.expect("known").len(), ROOM as u64);
            }
        });
    });
}

#[test]
fn a_standard_output_without_room_is_an_error_and_no_panic() {
    in_own_process(
        "a_standard_output_without_room_is_an_error_and_no_panic",
        || {
            on_each(|runtime| {
                let full = std::fs::File::options().write(true).open("/dev/full");
                let before = rustix::io::dup(rustix::stdio::stdout()).expect("a duplicate");
                rustix::stdio::dup2_stdout(full.expect("there")).expect("exchanged");
                let outcomes = runtime.block_on(async {
                    let mut out = gristmill::io::stdout();
                    let mut outcomes = Vec::new();
                    for _ in 0..2 {
                        out.write_all(b"text\n").await.expect("taken");
                        outcomes.push(out.flush().await);
                        outcomes.push(out.flush().await);
                    }
                    outcomes
                });
                // The test runner has something to say, too.
                rustix::stdio::dup2_stdout(before).expect("exchanged");
                for pair in outcomes.chunks(2) {
                    let error = pair[0].as_ref().expect_err("full");
                    assert_eq!(Errno::from_io_error(error), Some(Errno::NOSPC));
                    assert!(pair[1].is_ok(), "told once");
                }
            });
        },
    );
}
