//! Operations on files that are dropped before they are done, and files that are: no byte is lost or written in part.

mod common;

use common::temp_dir::TempDir;
use common::{CountingWaker, Flavour, Occupied, eventually, on_each, one_blocking_thread, within};
use gristmill::fs::{self, File};
use gristmill::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use std::io::Write;
use std::pin::pin;
use std::sync::Arc;

/// Polls once, finds it pending, and drops it.
#[track_caller]
fn begin_and_drop<F: Future>(future: F) {
    let polled = CountingWaker::new().poll(&mut pin!(future));
    assert!(polled.is_pending(), "done at once");
}

#[test]
fn a_read_that_is_dropped_loses_nothing() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let path = folder.named_pipe("pipe");
        runtime.block_on(async {
            // For both, so that neither end waits for the other to be opened.
            let mut options = std::fs::File::options();
            let mut writer = options.read(true).write(true).open(&path).expect("opened");
            let mut reader = File::open(&path).await.expect("opened");
            for round in 0..20 {
                let mut buffer = [0; 4];
                begin_and_drop(reader.read(&mut buffer));
                begin_and_drop(reader.read(&mut buffer));
                writer
                    .write_all(format!("{round:04}").as_bytes())
                    .expect("written");
                reader.read_exact(&mut buffer).await.expect("read");
                assert_eq!(std::str::from_utf8(&buffer), Ok(&*format!("{round:04}")));
            }
        });
    });
}

#[test]
fn a_read_that_is_dropped_leaves_the_cursor_where_it_was() {
    within("cursor", || {
        let runtime = one_blocking_thread();
        let folder = TempDir::new();
        let path = folder.file("file", b"0123456789");
        runtime.block_on(async {
            let mut file = File::open(&path).await.expect("opened");
            let mut two = [0; 2];
            let occupied = Occupied::new(runtime.handle());
            begin_and_drop(file.read(&mut two));
            drop(occupied);
            assert_eq!(file.stream_position().await.expect("told"), 0);
            file.read_exact(&mut two).await.expect("read");
            assert_eq!(&two, b"01");
        });
    });
}

#[test]
fn a_read_that_runs_when_its_runtime_ends_goes_to_the_next_runtime() {
    for flavour in common::FLAVOURS {
        within(format!("{flavour:?}"), move || {
            let folder = TempDir::new();
            let path = folder.named_pipe("pipe");
            let mut options = std::fs::File::options();
            let mut writer = options.read(true).write(true).open(&path).expect("opened");
            let runtime = flavour.runtime();
            let mut file = runtime.block_on(async {
                let mut file = File::open(&path).await.expect("opened");
                begin_and_drop(file.read(&mut [0]));
                file
            });
            // Queued or running: whichever it is, it is not lost.
            runtime.shutdown_background();
            writer.write_all(b"text").expect("written");
            let mut text = [0; 4];
            let other = Flavour::CurrentThread.runtime();
            let outcome = other.block_on(async {
                match file.read_exact(&mut text).await {
                    Err(error) if error.to_string().contains("shut down") => {
                        file.read_exact(&mut text).await
                    }
                    outcome => outcome,
                }
            });
            outcome.expect("read");
            assert_eq!(&text, b"text");
        });
    }
}

#[test]
fn a_write_is_taken_wholly_or_not_at_all() {
    within("wholly", || {
        let runtime = one_blocking_thread();
        let folder = TempDir::new();
        let path = folder.join("file");
        runtime.block_on(async {
            let mut file = File::create(&path).await.expect("made");
            file.set_max_buf_size(8);
            let occupied = Occupied::new(runtime.handle());
            assert_eq!(file.write(b"01234").await.expect("taken"), 5);
            begin_and_drop(file.write(b"dropped"));
            assert_eq!(file.write(b"567").await.expect("fits"), 3);
            begin_and_drop(file.write(b"x"));
            begin_and_drop(file.flush());
            drop(occupied);
            assert_eq!(
                file.write(b"longer than the room").await.expect("a part"),
                8
            );
            file.flush().await.expect("flushed");
            assert_eq!(std::fs::read(&path).expect("read"), b"01234567longer t");
        });
    });
}

#[test]
fn an_operation_that_is_dropped_is_carried_to_its_end() {
    within("carried", || {
        let runtime = one_blocking_thread();
        let folder = TempDir::new();
        let path = folder.file("file", b"0123456789");
        runtime.block_on(async {
            let mut options = File::options();
            let file = options.write(true).open(&path).await.expect("opened");
            let occupied = Occupied::new(runtime.handle());
            begin_and_drop(file.set_len(4));
            begin_and_drop(fs::write(folder.join("other"), "text"));
            drop(occupied);
            assert_eq!(file.metadata().await.expect("known").len(), 4);
            let written = || std::fs::read(folder.join("other")).is_ok_and(|text| text == b"text");
            eventually("the other is written", written);
        });
    });
}

#[test]
fn a_file_that_is_dropped_writes_what_it_has_taken() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let path = folder.join("file");
        let bytes = vec![b'x'; 1_000_000];
        runtime.block_on(async {
            let mut file = File::create(&path).await.expect("made");
            file.write_all(&bytes).await.expect("taken");
        });
        eventually("all is written", || {
            std::fs::metadata(&path).expect("known").len() == 1_000_000
        });
    });
}

#[test]
fn a_question_that_is_dropped_before_a_thread_has_begun_it_keeps_none() {
    within("questions", || {
        let runtime = one_blocking_thread();
        let folder = TempDir::new();
        let pipe = folder.named_pipe("pipe");
        let _entered = runtime.enter();
        let occupied = Occupied::new(runtime.handle());
        // Whoever opened this would wait for a writer for ever.
        begin_and_drop(fs::read(&pipe));
        begin_and_drop(fs::read_to_string(&pipe));
        begin_and_drop(fs::metadata(&pipe));
        begin_and_drop(fs::symlink_metadata(&pipe));
        begin_and_drop(fs::try_exists(&pipe));
        begin_and_drop(fs::canonicalize(&pipe));
        begin_and_drop(fs::read_link(&pipe));
        begin_and_drop(fs::read_dir(folder.path()));
        begin_and_drop(gristmill::net::lookup_host("localhost:80"));
        drop(occupied);
        let answer = runtime.block_on(runtime.spawn_blocking(|| 7));
        assert_eq!(answer.expect("the thread is free"), 7);
    });
}

#[test]
fn operations_on_a_file_that_is_stuck_leave_one_waker_at_most_when_they_are_dropped() {
    within("stuck", || {
        let runtime = Flavour::OneWorker.runtime();
        let folder = TempDir::new();
        let path = folder.named_pipe("pipe");
        let _entered = runtime.enter();
        let mut options = std::fs::File::options();
        let mut writer = options.read(true).write(true).open(&path).expect("opened");
        let mut reader = runtime.block_on(File::open(&path)).expect("opened");
        let wakers: Vec<_> = (0..50).map(|_| CountingWaker::new()).collect();
        for waker in &wakers {
            assert!(waker.poll(&mut pin!(reader.read(&mut [0]))).is_pending());
            assert!(waker.poll(&mut pin!(reader.metadata())).is_pending());
            assert!(waker.poll(&mut pin!(reader.sync_all())).is_pending());
        }
        let kept = wakers.iter().filter(|waker| Arc::strong_count(waker) > 1);
        assert_eq!(kept.count(), 1, "that of the last reader");
        writer.write_all(b"x").expect("written");
        eventually("the last reader is woken", || wakers[49].wakes() == 1);
        assert_eq!(
            wakers[..49]
                .iter()
                .map(|waker| waker.wakes())
                .sum::<usize>(),
            0
        );
    });
}
