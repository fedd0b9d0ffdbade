//! An open file: what was written is read, wherever the cursor is, and small operations cost no thread each.

mod common;

use common::temp_dir::TempDir;
use common::{CountingWaker, Occupied, on_each, one_blocking_thread, panic_text, within};
use gristmill::fs::{File, OpenOptions};
use gristmill::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, SeekFrom,
};
use gristmill::runtime::Builder;
use gristmill::task::unconstrained;
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

async fn open_both_ways(path: &std::path::Path) -> File {
    let mut options = File::options();
    options.read(true).write(true).create(true);
    options.open(path).await.expect("opened")
}

/// What a future gives at once, however often this was asked before.
#[track_caller]
fn at_once<F: Future>(future: F) -> F::Output {
    match CountingWaker::new().poll(&mut pin!(unconstrained(future))) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("waits for a thread"),
    }
}

#[test]
fn what_was_written_is_read_back() {
    on_each(|runtime| {
        let folder = TempDir::new();
        runtime.block_on(async {
            for size in [0, 1, 1_000, 64 * 1024, 64 * 1024 + 1, 5_000_000] {
                let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
                let mut file = File::create(folder.join("file")).await.expect("made");
                file.write_all(&bytes).await.expect("written");
                file.flush().await.expect("flushed");
                let mut file = File::open(folder.join("file")).await.expect("opened");
                let mut found = Vec::new();
                file.read_to_end(&mut found).await.expect("read");
                assert!(found == bytes, "{size} bytes");
            }
        });
    });
}

#[test]
fn a_flushed_write_is_in_the_file() {
    on_each(|runtime| {
        let folder = TempDir::new();
        runtime.block_on(async {
            let path = folder.join("file");
            let mut file = File::create(&path).await.expect("made");
            for n in 1..=100 {
                file.write_all(b"x").await.expect("written");
                file.flush().await.expect("flushed");
                assert_eq!(std::fs::read(&path).expect("read").len(), n);
            }
            file.write_all(b"y").await.expect("written");
            file.close().await.expect("closed");
            assert_eq!(std::fs::read(&path).expect("read").len(), 101);
        });
    });
}

#[test]
fn a_thousand_small_reads_take_one_job() {
    within("reads", || {
        let runtime = one_blocking_thread();
        let folder = TempDir::new();
        let path = folder.file("file", [7; 1_000]);
        runtime.block_on(async {
            let mut file = File::open(path).await.expect("opened");
            let mut byte = [0];
            file.read_exact(&mut byte).await.expect("read");
            // From here on no thread is to be had.
            let occupied = Occupied::new(runtime.handle());
            for _ in 1..1_000 {
                byte = [0];
                at_once(file.read_exact(&mut byte)).expect("read");
                assert_eq!(byte, [7]);
            }
            assert_eq!(runtime.metrics().blocking_queue_depth(), 0);
            drop(occupied);
            assert_eq!(file.read(&mut byte).await.expect("read"), 0, "the end");
        });
    });
}

#[test]
fn a_thousand_small_writes_take_one_job() {
    within("writes", || {
        let runtime = one_blocking_thread();
        let folder = TempDir::new();
        let path = folder.join("file");
        runtime.block_on(async {
            let mut file = File::create(&path).await.expect("made");
            let occupied = Occupied::new(runtime.handle());
            for _ in 0..1_000 {
                at_once(file.write_all(b"x")).expect("taken");
            }
            assert_eq!(runtime.metrics().blocking_queue_depth(), 1);
            drop(occupied);
            file.flush().await.expect("flushed");
            assert_eq!(std::fs::read(&path).expect("read"), [b'x'; 1_000]);
        });
    });
}

#[test]
fn writes_that_race_with_the_job_are_all_made_in_order() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let path = folder.join("file");
        let (mut file, mut expected) =
            runtime.block_on(async { (File::create(&path).await.expect("made"), Vec::new()) });
        file.set_max_buf_size(64);
        let task = runtime.spawn(async move {
            for n in 0..20_000_u32 {
                file.write_all(&n.to_le_bytes()).await.expect("taken");
                expected.extend(n.to_le_bytes());
            }
            file.flush().await.expect("flushed");
            expected
        });
        let expected = runtime.block_on(task).expect("no panic");
        assert!(std::fs::read(&path).expect("read") == expected);
    });
}

#[test]
fn a_task_that_reads_from_memory_gives_way_to_others() {
    within("budget", || {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let folder = TempDir::new();
        let path = folder.file("file", [7; 10_000]);
        runtime.block_on(async {
            let mut file = File::open(path).await.expect("opened");
            let mut byte = [0];
            file.read_exact(&mut byte).await.expect("read");
            let mut rest = Box::pin(async {
                for _ in 1..10_000 {
                    file.read_exact(&mut byte).await.expect("read");
                }
            });
            let waker = CountingWaker::new();
            assert!(waker.poll(&mut rest).is_pending(), "all in one poll");
            assert_eq!(waker.wakes(), 1, "it goes on at once");
            rest.await;
        });
    });
}

#[test]
fn a_write_after_a_read_goes_to_where_the_reader_is() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let path = folder.file("file", b"0123456789");
        runtime.block_on(async {
            let mut file = open_both_ways(&path).await;
            let mut four = [0; 4];
            file.read_exact(&mut four).await.expect("read");
            file.write_all(b"ab").await.expect("written");
            file.read_exact(&mut four).await.expect("read");
            assert_eq!(&four, b"6789");
            assert_eq!(std::fs::read(&path).expect("read"), b"0123ab6789");
        });
    });
}

#[test]
fn a_seek_counts_from_what_was_read() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let path = folder.file("file", b"0123456789");
        runtime.block_on(async {
            let mut file = File::open(&path).await.expect("opened");
            let mut two = [0; 2];
            file.read_exact(&mut two).await.expect("read");
            let place = file.seek(SeekFrom::Current(3)).await.expect("sought");
            assert_eq!(place, 5);
            file.read_exact(&mut two).await.expect("read");
            assert_eq!(&two, b"56");
            assert_eq!(file.seek(SeekFrom::End(-1)).await.expect("sought"), 9);
            assert_eq!(file.seek(SeekFrom::Current(0)).await.expect("sought"), 9);
            assert_eq!(file.seek(SeekFrom::Current(0)).await.expect("sought"), 9);
            let error = file.seek(SeekFrom::Current(-10)).await.expect_err("before");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert_eq!(file.read(&mut two).await.expect("read"), 1);
            assert_eq!(two[0], b'9', "the cursor has stayed");
            assert_eq!(file.seek(SeekFrom::Start(1)).await.expect("sought"), 1);
            file.read_exact(&mut two).await.expect("read");
            assert_eq!(&two, b"12");
        });
    });
}

#[test]
fn any_order_of_operations_does_what_a_plain_file_does() {
    on_each(|runtime| {
        let folder = TempDir::new();
        runtime.block_on(async {
            for seed in 1..=8_u64 {
                let mut file = open_both_ways(&folder.join(&format!("ours{seed}"))).await;
                let (ours, other) = (folder.join(&format!("ours{seed}")), folder.join("plain"));
                let mut options = std::fs::File::options();
                options.read(true).write(true).create(true).truncate(true);
                let mut plain = options.open(&other).expect("opened");
                if seed % 2 == 0 {
                    file.set_max_buf_size(seed as usize);
                }
                let mut random = seed;
                for _ in 0..300 {
                    step(&mut file, &mut plain, &mut random).await;
                }
                file.flush().await.expect("flushed");
                assert_eq!(
                    std::fs::read(ours).expect("read"),
                    std::fs::read(other).expect("read")
                );
            }
        });
    });
}

/// The same operation on both, any one.
async fn step(file: &mut File, plain: &mut std::fs::File, random: &mut u64) {
    // Xorshift: all that matters is that it repeats.
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    let size = (*random >> 8) as usize % 100;
    match *random % 8 {
        0 | 1 => {
            let (mut ours, mut theirs) = (vec![0; size], vec![0; size]);
            let count = file.read(&mut ours).await.expect("read");
            plain.read_exact(&mut theirs[..count]).expect("as many");
            assert_eq!(ours[..count], theirs[..count]);
            assert!(count > 0 || size == 0 || plain.read(&mut theirs).expect("read") == 0);
        }
        2..=4 => {
            let bytes = vec![size as u8; size];
            file.write_all(&bytes).await.expect("written");
            plain.write_all(&bytes).expect("written");
        }
        5 => {
            let size = size as i64 - 50;
            let to = [
                SeekFrom::Start(size.unsigned_abs()),
                SeekFrom::Current(size),
                SeekFrom::End(size),
            ][(*random >> 16) as usize % 3];
            let found = file.seek(to).await.map_err(|error| error.kind());
            assert_eq!(
                found,
                plain.seek(to).map_err(|error| error.kind()),
                "{to:?}"
            );
        }
        6 => {
            file.set_len(size as u64 * 4).await.expect("set");
            plain.set_len(size as u64 * 4).expect("set");
        }
        _ => {
            let found = file.metadata().await.expect("known").len();
            assert_eq!(found, plain.metadata().expect("known").len());
        }
    }
}

#[test]
fn what_is_appended_goes_behind_everything() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let path = folder.file("file", b"first,");
        runtime.block_on(async {
            let mut options = OpenOptions::new();
            options.append(true);
            let mut one = options.open(&path).await.expect("opened");
            let mut other = options.clone().open(&path).await.expect("opened");
            for file in [&mut one, &mut other] {
                file.write_all(b"more,").await.expect("written");
                file.flush().await.expect("flushed");
            }
            one.write_all(b"last").await.expect("written");
            one.sync_data().await.expect("synced");
            assert_eq!(std::fs::read(&path).expect("read"), b"first,more,more,last");
        });
    });
}

#[test]
fn what_is_cut_off_is_not_read_although_it_was_read_ahead() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let path = folder.file("file", b"0123456789");
        runtime.block_on(async {
            let mut file = open_both_ways(&path).await;
            let mut two = [0; 2];
            file.read_exact(&mut two).await.expect("read");
            file.set_len(3).await.expect("cut");
            let mut rest = Vec::new();
            file.read_to_end(&mut rest).await.expect("read");
            assert_eq!(rest, b"2");
            file.set_len(5).await.expect("extended");
            file.read_to_end(&mut rest).await.expect("read");
            assert_eq!(rest, [b'2', 0, 0]);
        });
    });
}

#[test]
fn two_handles_share_one_cursor() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let path = folder.file("file", b"0123456789");
        runtime.block_on(async {
            let mut file = File::open(&path).await.expect("opened");
            let mut two = [0; 2];
            file.read_exact(&mut two).await.expect("read");
            let mut clone = file.try_clone().await.expect("cloned");
            clone.read_exact(&mut two).await.expect("read");
            assert_eq!(&two, b"23");
        });
    });
}

#[test]
fn the_standard_librarys_file_has_the_cursor_of_ours() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let path = folder.file("file", b"0123456789");
        runtime.block_on(async {
            let mut two = [0; 2];
            let mut file = File::from(std::fs::File::open(&path).expect("opened"));
            file.read_exact(&mut two).await.expect("read");
            let mut plain = file.into_std().await;
            plain.read_exact(&mut two).expect("read");
            assert_eq!(&two, b"23");
            let mut file = File::from_std(plain);
            file.read_exact(&mut two).await.expect("read");
            let mut plain = file.try_into_std().expect("idle");
            plain.read_exact(&mut two).expect("read");
            assert_eq!(&two, b"67");
        });
    });
}

#[test]
fn a_file_with_work_under_way_is_not_given_away_before_its_end() {
    within("given away", || {
        let runtime = one_blocking_thread();
        let folder = TempDir::new();
        let path = folder.join("file");
        runtime.block_on(async {
            let mut file = File::create(&path).await.expect("made");
            let occupied = Occupied::new(runtime.handle());
            file.write_all(b"under way").await.expect("taken");
            let file = file.try_into_std().expect_err("busy");
            drop(occupied);
            drop(file.into_std().await);
            assert_eq!(std::fs::read(&path).expect("read"), b"under way");
        });
    });
}

#[test]
fn every_task_that_waits_for_one_file_gets_its_turn() {
    on_each(|runtime| {
        let folder = TempDir::new();
        runtime.block_on(async {
            let mut file = File::create(folder.join("file")).await.expect("made");
            file.write_all(b"0123456789").await.expect("written");
            let file = Arc::new(file);
            let tasks = (0..16).map(|n| {
                let file = Arc::clone(&file);
                gristmill::spawn(async move {
                    match n % 3 {
                        0 => file.sync_all().await.expect("synced"),
                        1 => file.sync_data().await.expect("synced"),
                        _ => assert_eq!(file.metadata().await.expect("known").len(), 10),
                    }
                })
            });
            for task in tasks.collect::<Vec<_>>() {
                task.await.expect("no panic");
            }
        });
    });
}

#[test]
fn choices_reach_the_operating_system() {
    on_each(|runtime| {
        let folder = TempDir::new();
        runtime.block_on(async {
            let path = folder.join("file");
            let mut options = OpenOptions::default();
            options.read(true).write(true).create_new(true).mode(0o600);
            let file = options.open(&path).await.expect("made");
            let mode = file.metadata().await.expect("known").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let permissions = std::fs::Permissions::from_mode(0o640);
            file.set_permissions(permissions).await.expect("set");
            let mode = std::fs::metadata(&path)
                .expect("known")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o640);

            let error = File::create_new(&path).await.expect_err("exists");
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
            let error = OpenOptions::new().open(&path).await.expect_err("no access");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);

            std::os::unix::fs::symlink(&path, folder.join("link")).expect("linked");
            let no_follow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
            let mut options = OpenOptions::new();
            options.read(true).custom_flags(no_follow);
            assert!(options.open(folder.join("link")).await.is_err());
            assert!(options.open(&path).await.is_ok());

            file_is_emptied_by(options.read(false).write(true).truncate(true), &path).await;
        });
    });
}

async fn file_is_emptied_by(options: &OpenOptions, path: &std::path::Path) {
    std::fs::write(path, "something").expect("written");
    drop(options.open(path).await.expect("opened"));
    assert_eq!(std::fs::read(path).expect("read"), b"");
}

#[test]
fn lines_of_a_file_come_one_by_one() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let text: String = (0..1_000).map(|n| format!("line {n}\n")).collect();
        let path = folder.file("file", text);
        runtime.block_on(async {
            let mut reader = BufReader::new(File::open(path).await.expect("opened"));
            let mut line = String::new();
            for n in 0..1_000 {
                line.clear();
                reader.read_line(&mut line).await.expect("read");
                assert_eq!(line, format!("line {n}\n"));
            }
            line.clear();
            assert_eq!(reader.read_line(&mut line).await.expect("read"), 0);
        });
    });
}

#[test]
fn a_buffer_without_room_is_refused() {
    within("refused", || {
        let runtime = one_blocking_thread();
        let folder = TempDir::new();
        let mut file = runtime
            .block_on(File::create(folder.join("file")))
            .expect("made");
        let text = panic_text(|| file.set_max_buf_size(0));
        assert!(text.contains("at least 1 byte"), "{text}");
        file.set_max_buf_size(5);
        assert_eq!(file.max_buf_size(), 5);
    });
}
