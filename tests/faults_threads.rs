//! Threads that the operating system refuses: an error to whoever needed one, no job lost, and all goes on once there are some.
//!
//! Limits are the process's, and hold for ordinary users only, so each test runs in a process of its own that is one. Refusals
//! to a whole runtime, to its workers and to relief workers are in `os_limits`.
#![cfg(target_os = "linux")]

mod common;
mod shortage;

use common::temp_dir::TempDir;
use common::{
    FLAVOURS, Flavour, Occupied, PATIENCE, eventually, in_own_process, one_blocking_thread,
    threads_named, within,
};
use gristmill::executor::{BlockingPool, ComputePool};
use gristmill::fs::{self, File};
use gristmill::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom};
use gristmill::net::lookup_host;
use gristmill::process::Command;
use gristmill::runtime::{Builder, Runtime};
use gristmill::signal::unix::{SignalKind, signal};
use gristmill::task::{JoinError, block_in_place};
use rustix::io::Errno;
use shortage::{become_ordinary, short_of_threads};
use std::io;
use std::sync::mpsc;

/// Runs the test on each flavour, in a process that can be kept from starting threads.
#[track_caller]
fn on_each_ordinary(name: &str, test: fn(&Runtime)) {
    in_own_process(name, || {
        become_ordinary();
        for flavour in FLAVOURS {
            within(format!("{flavour:?}"), move || test(&flavour.runtime()));
        }
    });
}

/// What says that a thread was refused names the fix.
#[track_caller]
fn says<T>(outcome: io::Result<T>) {
    let text = outcome.err().expect("no thread to be had").to_string();
    assert!(text.contains("RLIMIT_NPROC"), "{text}");
}

#[track_caller]
fn is_refusal<T>(outcome: Result<T, JoinError>) {
    let error = outcome.err().expect("no thread to be had");
    assert!(error.io_error().is_some(), "{error}");
    says::<T>(Err(error.into()));
}

#[test]
fn files_without_any_thread_take_writes_and_refuse_the_rest_in_words() {
    on_each_ordinary(
        "files_without_any_thread_take_writes_and_refuse_the_rest_in_words",
        |runtime| {
            let folder = TempDir::new();
            let path = folder.file("file", b"old text");
            let mut options = std::fs::File::options();
            let plain = options.read(true).write(true).open(&path).expect("opened");
            runtime.block_on(async {
                let mut file = File::from_std(plain);
                let shortage = short_of_threads();
                says(File::open(&path).await);
                says(fs::read(&path).await);
                says(fs::write(folder.join("other"), b"x").await);
                says(fs::metadata(&path).await);
                says(fs::read_dir(folder.path()).await);
                says(file.read(&mut [0]).await);
                says(file.seek(SeekFrom::Start(1)).await);
                says(file.metadata().await);
                says(file.sync_all().await);
                // Taken is written, on this thread if there is no other.
                file.write_all(b"new").await.expect("taken");
                file.flush().await.expect("written");
                assert_eq!(std::fs::read(&path).expect("read"), b"new text");
                drop(shortage);

                let mut text = String::new();
                file.read_to_string(&mut text).await.expect("read");
                assert_eq!(text, " text", "each refusal left the cursor");
                assert_eq!(fs::read(&path).await.expect("read"), b"new text");
                assert!(!fs::try_exists(folder.join("other")).await.expect("known"));
            });
        },
    );
}

#[test]
fn both_pools_refuse_the_first_job_and_take_the_next() {
    on_each_ordinary(
        "both_pools_refuse_the_first_job_and_take_the_next",
        |runtime| {
            let (blocking, compute) = (BlockingPool::default(), ComputePool::default());
            runtime.block_on(async {
                let shortage = short_of_threads();
                is_refusal(gristmill::spawn_blocking(|| 1).await);
                is_refusal(gristmill::spawn_compute(|| 2).await);
                is_refusal(gristmill::run_in_executor(Some(&blocking), || 3).await);
                is_refusal(gristmill::run_in_executor(Some(&compute), || 4).await);
                drop(shortage);
                assert_eq!(gristmill::spawn_blocking(|| 1).await.expect("a thread"), 1);
                assert_eq!(gristmill::spawn_compute(|| 2).await.expect("a thread"), 2);
                let job = gristmill::run_in_executor(Some(&blocking), || 3).await;
                assert_eq!(job.expect("a thread"), 3);
                let job = gristmill::run_in_executor(Some(&compute), || 4).await;
                assert_eq!(job.expect("a thread"), 4);
            });
        },
    );
}

#[test]
fn jobs_wait_for_the_one_thread_that_there_is_and_none_is_lost() {
    on_each_ordinary(
        "jobs_wait_for_the_one_thread_that_there_is_and_none_is_lost",
        |runtime| {
            let occupied = Occupied::new(runtime.handle());
            let _shortage = short_of_threads();
            let jobs: Vec<_> = (0..100)
                .map(|n| runtime.spawn_blocking(move || n))
                .collect();
            assert_eq!(jobs.iter().filter(|job| job.is_finished()).count(), 0);
            drop(occupied);
            for (n, job) in jobs.into_iter().enumerate() {
                assert_eq!(runtime.block_on(job).expect("it runs"), n);
            }
        },
    );
}

#[test]
fn jobs_that_were_left_waiting_get_threads_with_the_next_one() {
    on_each_ordinary(
        "jobs_that_were_left_waiting_get_threads_with_the_next_one",
        |runtime| {
            let occupied = Occupied::new(runtime.handle());
            let shortage = short_of_threads();
            let mut jobs: Vec<_> = (0..9).map(|n| runtime.spawn_blocking(move || n)).collect();
            drop(shortage);
            jobs.push(runtime.spawn_blocking(|| 9));
            for (n, job) in jobs.into_iter().enumerate() {
                // Though the first thread is still stuck.
                assert_eq!(runtime.block_on(job).expect("it runs"), n);
            }
            drop(occupied);
        },
    );
}

#[test]
fn a_name_is_not_looked_up_without_a_thread_and_an_address_needs_none() {
    on_each_ordinary(
        "a_name_is_not_looked_up_without_a_thread_and_an_address_needs_none",
        |runtime| {
            runtime.block_on(async {
                let shortage = short_of_threads();
                says(lookup_host("localhost:80").await.map(drop));
                let mut found = lookup_host("127.0.0.1:80").await.expect("an address");
                assert_eq!(found.next(), "127.0.0.1:80".parse().ok());
                drop(shortage);
                let mut found = lookup_host("localhost:80").await.expect("a name");
                assert!(found.next().is_some());
            });
        },
    );
}

#[test]
fn blocking_in_place_goes_on_without_relief_and_relief_comes_later() {
    in_own_process(
        "blocking_in_place_goes_on_without_relief_and_relief_comes_later",
        || {
            become_ordinary();
            within("block_in_place", || {
                let runtime = Flavour::OneWorker.runtime();
                let shortage = short_of_threads();
                let blocking = runtime.spawn(async move {
                    let (say, heard) = mpsc::channel();
                    let other = gristmill::spawn(async move { say.send(7).expect("heard") });
                    block_in_place(|| {
                        assert!(heard.try_recv().is_err(), "nobody could run it");
                        drop(shortage);
                        assert_eq!(heard.recv_timeout(PATIENCE), Ok(7));
                    });
                    other.await.expect("no panic");
                });
                runtime.block_on(blocking).expect("no panic");
            });
        },
    );
}

#[test]
fn debug_mode_without_its_thread_is_an_error_of_the_build() {
    in_own_process(
        "debug_mode_without_its_thread_is_an_error_of_the_build",
        || {
            become_ordinary();
            for flavour in FLAVOURS {
                let builder = || flavour.builder().debug(true).thread_name("nodebug");
                let shortage = short_of_threads();
                says(Builder::build(builder()));
                drop(shortage);
                eventually("no thread is left", || threads_named("nodebug") == 0);
                let runtime = builder().build().expect("threads");
                assert_eq!(runtime.block_on(async { 7 }), 7);
            }
        },
    );
}

#[test]
fn a_signal_cannot_be_listened_for_without_a_thread_and_later_it_can() {
    let name = "a_signal_cannot_be_listened_for_without_a_thread_and_later_it_can";
    in_own_process(name, || {
        become_ordinary();
        within("signals", || {
            Flavour::CurrentThread.runtime().block_on(async {
                let kind = SignalKind::user_defined1();
                let shortage = short_of_threads();
                says(signal(kind).map(drop));
                says(gristmill::signal::ctrl_c().await);
                drop(shortage);
                let mut listener = signal(kind).expect("a thread");
                let own = rustix::process::getpid();
                rustix::process::kill_process(own, rustix::process::Signal::USR1).expect("ours");
                assert_eq!(listener.recv().await, Some(()));
            });
        });
    });
}

#[test]
fn the_standard_input_is_not_read_without_a_thread_and_later_it_is() {
    let name = "the_standard_input_is_not_read_without_a_thread_and_later_it_is";
    in_own_process(name, || {
        become_ordinary();
        within("stdin", || {
            Flavour::CurrentThread.runtime().block_on(async {
                let mut input = gristmill::io::stdin();
                let shortage = short_of_threads();
                for _ in 0..2 {
                    says(input.read(&mut [0]).await);
                }
                drop(shortage);
                // There is nothing in it here.
                assert_eq!(input.read(&mut [0]).await.expect("the end"), 0);
            });
        });
    });
}

#[test]
fn children_are_refused_waited_for_and_reaped_without_threads() {
    let name = "children_are_refused_waited_for_and_reaped_without_threads";
    on_each_ordinary(name, |runtime| {
        runtime.block_on(async {
            let mut before = Command::new("cat");
            before.stdin(gristmill::process::Stdio::piped());
            let mut waited = before.spawn().expect("a child");
            let dropped = before.spawn().expect("a child");
            let zombie = dropped.id().expect("it runs");
            let shortage = short_of_threads();
            let error = Command::new("true").spawn().expect_err("no process");
            assert_eq!(Errno::from_io_error(&error), Some(Errno::AGAIN));
            drop(dropped);
            drop(waited.stdin.take());
            assert!(waited.wait().await.expect("an end").success());
            drop(shortage);
            let exists = || std::path::Path::new(&format!("/proc/{zombie}")).exists();
            while exists() {
                // Each child that is started looks after those that were left.
                Command::new("true").status().await.expect("a child");
            }
        });
    });
}

#[test]
fn a_pool_that_is_short_of_threads_still_ends() {
    in_own_process("a_pool_that_is_short_of_threads_still_ends", || {
        become_ordinary();
        within("the end", || {
            let runtime = one_blocking_thread();
            let occupied = Occupied::new(runtime.handle());
            let shortage = short_of_threads();
            let waiting = runtime.spawn_blocking(|| 7);
            drop(occupied);
            assert_eq!(runtime.block_on(waiting).expect("it runs"), 7);
            drop(runtime);
            drop(shortage);
        });
    });
}
