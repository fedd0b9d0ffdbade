//! What goes wrong with files: whoever asked is told, nothing hangs, and nothing that was taken is lost.

mod common;

use common::temp_dir::TempDir;
use common::{CountingWaker, Flavour, Occupied, eventually, on_each, one_blocking_thread, within};
use gristmill::fs::{self, File};
use gristmill::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

#[track_caller]
fn kind<T>(result: io::Result<T>) -> ErrorKind {
    match result {
        Ok(_) => panic!("no error"),
        Err(error) => error.kind(),
    }
}

#[test]
fn what_is_missing_is_not_found() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let (gone, to) = (folder.join("gone"), folder.join("to"));
        runtime.block_on(async {
            assert_eq!(kind(File::open(&gone).await), ErrorKind::NotFound);
            assert_eq!(kind(fs::read(&gone).await), ErrorKind::NotFound);
            assert_eq!(kind(fs::read_to_string(&gone).await), ErrorKind::NotFound);
            assert_eq!(kind(fs::read_dir(&gone).await), ErrorKind::NotFound);
            assert_eq!(kind(fs::metadata(&gone).await), ErrorKind::NotFound);
            assert_eq!(kind(fs::symlink_metadata(&gone).await), ErrorKind::NotFound);
            assert_eq!(kind(fs::canonicalize(&gone).await), ErrorKind::NotFound);
            assert_eq!(kind(fs::remove_file(&gone).await), ErrorKind::NotFound);
            assert_eq!(kind(fs::remove_dir(&gone).await), ErrorKind::NotFound);
            assert_eq!(kind(fs::remove_dir_all(&gone).await), ErrorKind::NotFound);
            assert_eq!(kind(fs::rename(&gone, &to).await), ErrorKind::NotFound);
            assert_eq!(kind(fs::copy(&gone, &to).await), ErrorKind::NotFound);
            assert_eq!(kind(fs::hard_link(&gone, &to).await), ErrorKind::NotFound);
            assert_eq!(kind(fs::read_link(&gone).await), ErrorKind::NotFound);
            assert_eq!(
                kind(File::create(gone.join("in")).await),
                ErrorKind::NotFound
            );
        });
    });
}

#[test]
fn a_folder_is_no_file_and_a_file_no_folder() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let file = folder.file("file", b"\xff no text");
        runtime.block_on(async {
            let mut opened = File::open(folder.path()).await.expect("can be opened");
            let mut byte = [0];
            for _ in 0..3 {
                let error = opened.read(&mut byte).await;
                assert_eq!(kind(error), ErrorKind::IsADirectory);
            }
            assert_eq!(
                kind(File::create(folder.path()).await),
                ErrorKind::IsADirectory
            );
            assert_eq!(kind(fs::read(folder.path()).await), ErrorKind::IsADirectory);
            assert_eq!(kind(fs::read_dir(&file).await), ErrorKind::NotADirectory);
            assert_eq!(kind(fs::create_dir(&file).await), ErrorKind::AlreadyExists);
            assert_eq!(
                kind(fs::read_to_string(&file).await),
                ErrorKind::InvalidData
            );
        });
    });
}

#[test]
fn access_that_the_file_was_not_opened_for_is_refused() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let path = folder.file("file", b"text");
        runtime.block_on(async {
            let mut reader = File::open(&path).await.expect("opened");
            reader.write_all(b"x").await.expect("taken");
            assert!(reader.flush().await.is_err());
            reader.flush().await.expect("told once");
            let mut text = String::new();
            reader.read_to_string(&mut text).await.expect("still reads");
            assert_eq!(text, "text");
            let mut options = File::options();
            let mut writer = options.write(true).open(&path).await.expect("opened");
            assert!(writer.read(&mut [0]).await.is_err());
            writer.write_all(b"T").await.expect("still writes");
            writer.flush().await.expect("still writes");
            assert_eq!(std::fs::read(&path).expect("read"), b"Text");
        });
    });
}

#[cfg(target_os = "linux")]
#[test]
fn what_may_not_be_opened_is_refused() {
    on_each(|runtime| {
        // Not even the superuser may write here.
        let path = Path::new("/proc/sys/kernel/osrelease");
        let error = runtime.block_on(File::options().write(true).open(path));
        assert_eq!(kind(error), ErrorKind::PermissionDenied);
    });
}

#[cfg(target_os = "linux")]
async fn full_disk() -> File {
    let mut options = File::options();
    options.read(true).write(true);
    options.open("/dev/full").await.expect("opened")
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_once_by_whatever_comes_first() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut file = full_disk().await;
            file.write_all(b"text").await.expect("taken");
            assert_eq!(kind(file.flush().await), ErrorKind::StorageFull);
            file.flush().await.expect("told once");
            file.write_all(b"text").await.expect("taken");
            assert_eq!(kind(file.close().await), ErrorKind::StorageFull);
            file.write_all(b"text").await.expect("taken");
            assert_eq!(kind(file.sync_all().await), ErrorKind::StorageFull);
            file.write_all(b"text").await.expect("taken");
            assert_eq!(kind(file.sync_data().await), ErrorKind::StorageFull);
            file.write_all(b"text").await.expect("taken");
            assert_eq!(
                kind(file.seek(SeekFrom::Start(0)).await),
                ErrorKind::StorageFull
            );
            file.write_all(b"text").await.expect("taken");
            file.metadata()
                .await
                .expect("what has nothing to do with it");
            assert_eq!(kind(file.write(b"more").await), ErrorKind::StorageFull);
            file.seek(SeekFrom::Start(0)).await.expect("told once");
            file.write_all(b"text").await.expect("taken");
            let mut byte = [1];
            file.read_exact(&mut byte).await.expect("zeroes are there");
            assert_eq!(kind(file.flush().await), ErrorKind::StorageFull);
        });
    });
}

#[cfg(target_os = "linux")]
#[test]
fn writing_to_a_full_disk_ends() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut file = full_disk().await;
            let bytes = vec![0; 10_000_000];
            assert_eq!(kind(file.write_all(&bytes).await), ErrorKind::StorageFull);
        });
    });
}

#[test]
fn what_has_no_cursor_keeps_what_was_read_ahead_beside_a_write() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let path = folder.named_pipe("pipe");
        runtime.block_on(async {
            let mut options = std::fs::File::options();
            let mut plain = options.read(true).write(true).open(&path).expect("opened");
            plain.write_all(b"0123").expect("written");
            let mut file = File::from_std(plain);
            let mut one = [0];
            file.read_exact(&mut one).await.expect("read");
            file.write_all(b"4567").await.expect("taken");
            file.flush().await.expect("flushed");
            let mut rest = [0; 7];
            file.read_exact(&mut rest).await.expect("read");
            assert_eq!((&one, &rest), (b"0", b"1234567"));
            assert_eq!(
                kind(file.seek(SeekFrom::Start(0)).await),
                ErrorKind::NotSeekable
            );
        });
    });
}

#[test]
fn the_end_of_the_runtime_loses_nothing_that_was_taken() {
    for flavour in common::FLAVOURS {
        for in_background in [false, true] {
            within(format!("{flavour:?}, {in_background}"), move || {
                let runtime = flavour.builder().max_blocking_threads(1);
                let runtime = runtime.build().expect("a runtime");
                let folder = TempDir::new();
                let path = folder.join("file");
                let occupied = runtime.block_on(async {
                    let mut file = File::create(&path).await.expect("made");
                    let occupied = Occupied::new(runtime.handle());
                    file.write_all(b"queued when it ended")
                        .await
                        .expect("taken");
                    occupied
                });
                if in_background {
                    runtime.shutdown_background();
                } else {
                    runtime.shutdown_timeout(Duration::from_millis(1));
                }
                let written = std::fs::read(&path).expect("read");
                assert_eq!(written, b"queued when it ended");
                drop(occupied);
            });
        }
    }
}

#[test]
fn what_no_thread_has_begun_when_the_runtime_ends_says_so() {
    within("never ran", || {
        let folder = TempDir::new();
        let path = folder.file("file", b"text");
        let runtime = one_blocking_thread();
        let mut file = runtime.block_on(File::open(&path)).expect("opened");
        let occupied = Occupied::new(runtime.handle());
        let mut byte = [0];
        {
            let mut read = pin!(file.read(&mut byte));
            let waker = CountingWaker::new();
            let inside = runtime.enter();
            assert!(waker.poll(&mut read).is_pending());
            drop(inside);
            runtime.shutdown_background();
            eventually("the reader is woken", || waker.wakes() > 0);
            let Poll::Ready(Err(error)) = waker.poll(&mut read) else {
                panic!("nobody will read");
            };
            assert!(error.to_string().contains("shut down"), "{error}");
        }
        drop(occupied);
        let other = Flavour::CurrentThread.runtime();
        other
            .block_on(file.read_exact(&mut byte))
            .expect("another runtime will do");
        assert_eq!(&byte, b"t");
    });
}

#[test]
fn a_runtime_that_has_ended_does_nothing_and_says_so() {
    within("ended", || {
        let folder = TempDir::new();
        let path = folder.file("file", b"text");
        let runtime = one_blocking_thread();
        let mut options = File::options();
        options.read(true).write(true);
        let mut file = runtime.block_on(options.open(&path)).expect("opened");
        let handle = runtime.handle().clone();
        drop(runtime);
        let _inside = handle.enter();
        let other = Flavour::CurrentThread.runtime();
        drop(other);
        futures_lite::future::block_on(async {
            assert!(file.read(&mut [0]).await.is_err());
            assert!(file.seek(SeekFrom::Start(0)).await.is_err());
            assert!(file.sync_all().await.is_err());
            assert!(fs::read(&path).await.is_err());
            // Taken is written, on this thread if on no other.
            file.write_all(b"T").await.expect("taken");
            file.flush().await.expect("flushed");
            assert_eq!(std::fs::read(&path).expect("read"), b"Text");
        });
    });
}

#[test]
fn without_a_runtime_every_operation_says_what_is_missing() {
    fn says<T>(result: io::Result<T>) {
        let error = result.err().expect("there is no runtime here");
        assert!(error.to_string().contains("gristmill::run"), "{error}");
    }
    within("no runtime", || {
        let folder = TempDir::new();
        let plain = std::fs::File::create(folder.join("file")).expect("made");
        let mut file = File::from_std(plain);
        futures_lite::future::block_on(async {
            says(File::open(folder.join("file")).await);
            says(fs::read(folder.join("file")).await);
            says(fs::create_dir(folder.join("folder")).await);
            says(fs::read_dir(folder.path()).await);
            for _ in 0..2 {
                says(file.read(&mut [0]).await);
                says(file.write(b"x").await);
                says(file.seek(SeekFrom::Start(1)).await);
                says(file.sync_all().await);
                says(file.metadata().await);
            }
            file.flush().await.expect("nothing was taken");
            let metadata = file.into_std().await.metadata().expect("known");
            assert_eq!(metadata.len(), 0, "nothing was written");
        });
    });
}

#[test]
fn a_file_outlives_its_runtime() {
    within("outlives", || {
        let folder = TempDir::new();
        let path = folder.join("file");
        let mut file = None;
        for text in ["one,", "two,", "three"] {
            for flavour in common::FLAVOURS {
                let runtime = flavour.runtime();
                runtime.block_on(async {
                    let open = match file.take() {
                        Some(file) => file,
                        None => File::create(&path).await.expect("made"),
                    };
                    let file = file.insert(open);
                    file.write_all(text.as_bytes()).await.expect("taken");
                });
            }
        }
        let expected = "one,one,one,two,two,two,threethreethree";
        assert_eq!(std::fs::read(&path).expect("read"), expected.as_bytes());
    });
}
