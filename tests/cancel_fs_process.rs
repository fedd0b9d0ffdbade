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

/// What makes names, in an empty folder.
async fn make(folder: Arc<TempDir>) -> io::Result<()> {
    fs::create_dir(folder.join("dir")).await?;
    fs::create_dir_all(folder.join("dir/a/b")).await?;
    DirBuilder::new().create(folder.join("dir/c")).await?;
    fs::write(folder.join("text"), "hello").await
}

/// What makes names of other names.
async fn make_more(folder: Arc<TempDir>) -> io::Result<()> {
    folder.file("text", "hello");
    fs::copy(folder.join("text"), folder.join("copy")).await?;
    fs::rename(folder.join("copy"), folder.join("moved")).await?;
    fs::hard_link(folder.join("moved"), folder.join("hard")).await?;
    fs::symlink(folder.join("moved"), folder.join("soft")).await?;
    let permissions = std::fs::metadata(folder.join("moved"))?.permissions();
    fs::set_permissions(folder.join("moved"), permissions).await
}

/// What changes nothing.
async fn ask(folder: Arc<TempDir>) -> io::Result<()> {
    let text = folder.file("text", "hello");
    std::os::unix::fs::symlink(&text, folder.join("soft"))?;
    assert_eq!(fs::read(&text).await?, b"hello");
    assert_eq!(fs::read_to_string(&text).await?, "hello");
    assert_eq!(fs::read_link(folder.join("soft")).await?, text);
    assert!(fs::canonicalize(&text).await?.ends_with("text"));
    assert_eq!(fs::metadata(folder.join("soft")).await?.len(), 5);
    let link = fs::symlink_metadata(folder.join("soft")).await?;
    assert!(link.is_symlink());
    assert!(fs::try_exists(&text).await?);
    let mut names = fs::read_dir(folder.path()).await?;
    while let Some(entry) = names.next_entry().await? {
        entry.metadata().await?;
        entry.file_type().await?;
    }
    Ok(())
}

/// What takes names away.
async fn remove(folder: Arc<TempDir>) -> io::Result<()> {
    std::fs::create_dir_all(folder.join("dir/a/b"))?;
    std::fs::create_dir(folder.join("empty"))?;
    fs::remove_file(folder.file("text", "hello")).await?;
    fs::remove_dir(folder.join("empty")).await?;
    fs::remove_dir_all(folder.join("dir")).await
}

/// Gives up what is done in a folder; what was begun is done soon, and what it writes is whole.
fn give_up<F>(work: fn(Arc<TempDir>) -> F)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    at_every_end(move |end| {
        let folder = Arc::new(TempDir::new());
        if let Some(outcome) = end.of_woken(work(Arc::clone(&folder)), |_| {}) {
            outcome.expect("done");
        }
        for name in ["text", "copy", "moved", "hard"] {
            eventually("the file is whole", || {
                std::fs::read(folder.join(name)).map_or(true, |bytes| bytes == b"hello")
            });
        }
    });
}

#[test]
fn what_is_done_with_names_is_done_wholly_or_not_at_all() {
    give_up(make);
    give_up(make_more);
    give_up(remove);
}

#[test]
fn questions_about_names_that_are_given_up_leave_nothing() {
    give_up(ask);
}

/// Opening in each way.
async fn open(path: PathBuf) -> io::Result<()> {
    drop(File::create_new(&path).await?);
    drop(File::create(&path).await?);
    drop(File::open(&path).await?);
    let mut options = OpenOptions::new();
    let file = options.write(true).open(&path).await?;
    drop(file.into_std().await);
    Ok(())
}

/// What is written, and what is known of it.
async fn write(path: PathBuf) -> io::Result<()> {
    let mut file = File::from_std(std::fs::File::create(path)?);
    file.write_all(b"0123456789").await?;
    file.flush().await?;
    file.sync_data().await?;
    file.sync_all().await?;
    file.set_len(8).await?;
    let metadata = file.metadata().await?;
    assert_eq!(metadata.len(), 8);
    file.set_permissions(metadata.permissions()).await?;
    drop(file.try_clone().await?);
    file.close().await
}

/// Reading here and there.
async fn read(path: PathBuf) -> io::Result<()> {
    std::fs::write(&path, "01234567")?;
    let mut file = File::from_std(std::fs::File::open(path)?);
    let mut two = [0; 2];
    file.read_exact(&mut two).await?;
    assert_eq!(file.stream_position().await?, 2);
    assert_eq!(file.seek(io::SeekFrom::Current(2)).await?, 4);
    let mut rest = Vec::new();
    file.read_to_end(&mut rest).await?;
    file.rewind().await?;
    assert_eq!((&two, &*rest), (b"01", &b"4567"[..]));
    Ok(())
}

/// Gives up what is done with a file; what was begun is done soon.
fn give_up_file<F>(work: fn(PathBuf) -> F)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    at_every_end(move |end| {
        let folder = TempDir::new();
        let path = folder.join("file");
        if let Some(outcome) = end.of_woken(work(path.clone()), |_| {}) {
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
fn what_is_done_with_a_file_is_done_wholly_or_not_at_all() {
    give_up_file(open);
    give_up_file(write);
    give_up_file(read);
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
