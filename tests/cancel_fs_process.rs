//! Operations on files, waits for children and for signals that are given up, wherever they wait, are done wholly or not at all.
#![cfg(target_os = "linux")]

mod child;
mod common;

use child::{exists, raise};
use common::ends::at_every_end;
use common::eventually;
use common::temp_dir::TempDir;
use gristmill::fs::{self, DirBuilder, File, OpenOptions};
use gristmill::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use gristmill::process::{Command, Stdio};
use gristmill::signal::unix::{SignalKind, signal};
use gristmill::signal::{ctrl_c, shutdown_signal};
use gristmill::sync::Mutex;
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is awaited by `&mut`, lent to a future that may be a task.
fn lent<T>(value: T) -> (Arc<Mutex<T>>, Arc<Mutex<T>>) {
    let lent = Arc::new(Mutex::new(value));
    (Arc::clone(&lent), lent)
}

/// What was lent, once whoever had it is gone.
fn back<T>(lent: Arc<Mutex<T>>) -> T {
    let Ok(lent) = Arc::try_unwrap(lent) else {
        panic!("somebody still has it");
    };
    lent.into_inner()
}

/// Every function that works on names, one after the other; leaves the folder empty.
async fn use_names(folder: &Path) -> io::Result<()> {
    let path = |name: &str| folder.join(name);
    fs::create_dir(path("dir")).await?;
    fs::create_dir_all(path("dir/a/b")).await?;
    DirBuilder::new().create(path("dir/c")).await?;
    fs::write(path("dir/text"), "hello").await?;
    assert_eq!(fs::read(path("dir/text")).await?, b"hello");
    assert_eq!(fs::read_to_string(path("dir/text")).await?, "hello");
    assert_eq!(fs::copy(path("dir/text"), path("copy")).await?, 5);
    fs::rename(path("copy"), path("moved")).await?;
    fs::hard_link(path("moved"), path("hard")).await?;
    fs::symlink(path("moved"), path("soft")).await?;
    assert_eq!(fs::read_link(path("soft")).await?, path("moved"));
    assert!(fs::canonicalize(path("soft")).await?.ends_with("moved"));
    let permissions = fs::metadata(path("soft")).await?.permissions();
    assert!(fs::symlink_metadata(path("soft")).await?.is_symlink());
    fs::set_permissions(path("moved"), permissions).await?;
    assert!(fs::try_exists(path("hard")).await?);
    let mut names = fs::read_dir(folder).await?;
    while let Some(entry) = names.next_entry().await? {
        entry.metadata().await?;
        entry.file_type().await?;
    }
    for name in ["moved", "hard", "soft"] {
        fs::remove_file(path(name)).await?;
    }
    fs::remove_dir(path("dir/c")).await?;
    fs::remove_dir_all(path("dir")).await
}

#[test]
fn what_is_done_with_names_is_done_wholly_or_not_at_all() {
    at_every_end(|end| {
        let folder = Arc::new(TempDir::new());
        let own = Arc::clone(&folder);
        let got = end.of_woken(async move { use_names(own.path()).await }, |_| {});
        if let Some(outcome) = got {
            outcome.expect("done");
            assert!(is_empty(folder.path()));
        }
        // Whatever was begun is done soon, and what it wrote is whole.
        let is_whole =
            |name: &str| std::fs::read(folder.join(name)).map_or(true, |bytes| bytes == b"hello");
        for name in ["dir/text", "copy", "moved", "hard"] {
            eventually("the file is whole", || is_whole(name));
        }
    });
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut names| names.next().is_none())
}

/// Every function of an open file, one after the other.
async fn use_file(path: PathBuf) -> io::Result<()> {
    drop(File::create_new(&path).await?);
    drop(File::create(&path).await?);
    drop(File::open(&path).await?);
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).open(&path).await?;
    file.write_all(b"0123456789").await?;
    file.flush().await?;
    file.sync_data().await?;
    file.sync_all().await?;
    file.set_len(8).await?;
    let metadata = file.metadata().await?;
    assert_eq!(metadata.len(), 8);
    file.set_permissions(metadata.permissions()).await?;
    drop(file.try_clone().await?);
    assert_eq!(file.stream_position().await?, 10);
    file.rewind().await?;
    let mut two = [0; 2];
    file.read_exact(&mut two).await?;
    assert_eq!(file.seek(io::SeekFrom::Current(2)).await?, 4);
    let mut rest = Vec::new();
    file.read_to_end(&mut rest).await?;
    assert_eq!((&two, &*rest), (b"01", &b"4567"[..]));
    file.close().await?;
    drop(file.into_std().await);
    Ok(())
}

#[test]
fn what_is_done_with_a_file_is_done_wholly_or_not_at_all() {
    at_every_end(|end| {
        let folder = TempDir::new();
        let path = folder.join("file");
        let got = end.of_woken(use_file(path.clone()), |_| {});
        if let Some(outcome) = got {
            outcome.expect("done");
        }
        eventually("the file is whole", || {
            let found = std::fs::read(&path);
            let bytes = found.as_deref().unwrap_or_default();
            [&b""[..], b"0123456789", b"01234567"].contains(&bytes)
        });
    });
}

#[test]
fn no_name_is_lost_with_a_wait_for_the_next() {
    // More than one job fetches.
    const NAMES: usize = 300;
    let folder = TempDir::new();
    for n in 0..NAMES {
        folder.file(&n.to_string(), "");
    }
    at_every_end(move |end| {
        let read = fs::read_dir(folder.path());
        let names = end.runtime().block_on(read).expect("a folder");
        let (own, lent) = lent((names, BTreeSet::new()));
        let all = async move {
            let (names, seen) = &mut *lent.lock().await;
            while let Some(entry) = names.next_entry().await.expect("a name") {
                assert!(seen.insert(entry.file_name()), "twice");
            }
        };
        // The job that fetches keeps the waker.
        end.may_keep_waker().of_woken(all, |_| {});
        let (mut names, mut seen) = back(own);
        while let Some(entry) = end.runtime().block_on(names.next_entry()).expect("a name") {
            assert!(seen.insert(entry.file_name()), "twice");
        }
        assert_eq!(seen.len(), NAMES);
    });
}

#[test]
fn a_wait_for_a_child_that_is_given_up_can_be_asked_again() {
    at_every_end(|end| {
        let spawned = Command::new("cat").stdin(Stdio::piped()).spawn();
        let child = spawned.expect("a child");
        let id = child.id().expect("running");
        let (own, lent) = lent(child);
        let wait = async move { lent.lock().await.wait().await };
        let got = end.of_woken(wait, |_| {});
        assert!(got.is_none_or(|got| got.expect("waited for").success()));
        let mut child = back(own);
        let again = end.runtime().block_on(child.wait());
        assert!(again.expect("waited for").success());
        assert!(!exists(id));
    });
    at_every_end(|end| {
        let spawned = Command::new("sleep").arg("1000").spawn();
        let child = spawned.expect("a child");
        let id = child.id().expect("running");
        let (own, lent) = lent(child);
        let kill = async move { lent.lock().await.kill().await };
        let got = end.of_woken(kill, |_| {});
        let mut child = back(own);
        if let Some(outcome) = got {
            outcome.expect("killed");
        }
        // In case it had not been polled so far.
        let _ = child.start_kill();
        end.runtime().block_on(child.wait()).expect("waited for");
        assert!(!exists(id));
    });
}

#[test]
fn a_wait_for_what_a_child_writes_that_is_given_up_leaves_no_zombie() {
    at_every_end(|end| {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = command.spawn().expect("a child");
        let id = child.id().expect("running");
        // The pipes are the future's own, and go with it.
        let got = end.of_woken(child.wait_with_output(), |_| {});
        assert!(got.is_none_or(|got| got.expect("waited for").status.success()));
        eventually("it is reaped", || !exists(id));
    });
    at_every_end(|end| {
        let folder = TempDir::new();
        let written = says_who_it_is(&folder.join("first")).output();
        let got = end.of_woken(written, |_| {});
        assert!(got.is_none_or(|got| got.expect("waited for").stdout == b"done\n"));
        assert_is_reaped(&folder.join("first"));
    });
    at_every_end(|end| {
        let folder = TempDir::new();
        let ended = says_who_it_is(&folder.join("second")).status();
        let got = end.of_woken(ended, |_| {});
        assert!(got.is_none_or(|got| got.expect("waited for").success()));
        assert_is_reaped(&folder.join("second"));
    });
}

/// A child that leaves its number in a file, and then says that it is done.
fn says_who_it_is(file: &Path) -> Command {
    const SCRIPT: &str = "echo $$ > \"$0.new\"; mv \"$0.new\" \"$0\"; echo done";
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT]).arg(file).stdin(Stdio::null());
    command.stdout(Stdio::null());
    command
}

fn assert_is_reaped(file: &Path) {
    eventually("it says who it is", || file.exists());
    let id = std::fs::read_to_string(file).expect("written");
    let id = id.trim().parse().expect("a number");
    eventually("it is reaped", || !exists(id));
}

#[test]
fn a_wait_for_a_signal_that_is_given_up_loses_none() {
    // While it lives, the signal does nothing else.
    let _guard = signal(SignalKind::user_defined1()).expect("a listener");
    at_every_end(|end| {
        let listener = signal(SignalKind::user_defined1()).expect("a listener");
        let (own, lent) = lent(listener);
        let mut was_raised = false;
        let receive = async move { lent.lock().await.recv().await };
        let got = end.of_woken(receive, |_| {
            raise(Signal::USR1);
            was_raised = true;
        });
        let mut listener = back(own);
        if got.is_none() && was_raised {
            end.runtime().block_on(listener.recv()).expect("heard");
        }
    });
}

#[test]
fn a_wait_for_the_request_to_end_that_is_given_up_listens_no_more() {
    let _guards = [SignalKind::interrupt(), SignalKind::terminate()]
        .map(|kind| signal(kind).expect("a listener"));
    at_every_end(|end| {
        let got = end.of_woken(ctrl_c(), |_| raise(Signal::INT));
        assert!(got.is_none_or(|got| got.is_ok()));
    });
    at_every_end(|end| {
        let got = end.of_woken(shutdown_signal(), |_| raise(Signal::TERM));
        let kind = SignalKind::terminate();
        assert!(got.is_none_or(|got| got.expect("heard") == kind));
    });
}
