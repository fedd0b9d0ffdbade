//! The names in a folder, fetched many at a time.

use super::DirEntry;
use crate::desk::{ask_pool, poll_budget};
use crate::runtime::Handle;
use crate::task::JoinHandle;
use futures_core::Stream;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// How many names one job fetches.
const BATCH: usize = 128;

/// Opens a folder, to see what it holds.
///
/// # Examples
///
/// ```
/// gristmill::run(async {
///     let mut folder = gristmill::fs::read_dir(".").await?;
///     let mut names = Vec::new();
///     while let Some(entry) = folder.next_entry().await? {
///         names.push(entry.file_name());
///     }
///     assert!(names.iter().any(|name| name == "Cargo.toml"));
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// As [`std::fs::read_dir`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Cancel safe: nothing is changed.
#[doc(alias = "listdir")]
#[doc(alias = "scandir")]
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let path = path.as_ref().to_owned();
    let batch = ask_pool(move || std::fs::read_dir(path).map(Batch::fetch)).await?;
    Ok(ReadDir(Stage::Idle(batch)))
}

/// What a folder holds, in no order, without `.` and `..`; made by [`read_dir`](fn@read_dir).
///
/// A stream of entries, too. 128 names are fetched by one job, so that most cost no hand-over to a thread. What is added to the
/// folder or removed meanwhile may or may not be seen.
pub struct ReadDir(Stage);

enum Stage {
    Idle(Batch),
    Fetching(JoinHandle<Batch>),
}

/// Names that were fetched, and where more come from.
struct Batch {
    entries: VecDeque<io::Result<DirEntry>>,
    /// `None` at the end of the folder.
    rest: Option<std::fs::ReadDir>,
}

impl Batch {
    /// Fetches names, on a thread that may block.
    fn fetch(mut rest: std::fs::ReadDir) -> Self {
        let mut entries = VecDeque::with_capacity(BATCH);
        while entries.len() < BATCH {
            match rest.next() {
                Some(entry) => entries.push_back(entry.map(DirEntry::new)),
                None => {
                    return Self {
                        entries,
                        rest: None,
                    };
                }
            }
        }
        Self {
            entries,
            rest: Some(rest),
        }
    }

    fn empty() -> Self {
        Self {
            entries: VecDeque::new(),
            rest: None,
        }
    }
}

impl ReadDir {
    /// The next name, or `None` at the end.
    ///
    /// # Errors
    ///
    /// As the iteration of [`std::fs::ReadDir`]; and [those of every operation here](crate::fs#errors), after which the end
    /// comes.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no name is lost.
    pub async fn next_entry(&mut self) -> io::Result<Option<DirEntry>> {
        poll_fn(|cx| self.poll_next_entry(cx)).await
    }

    /// Polls for the next name, as [`next_entry`](Self::next_entry) awaits it.
    ///
    /// # Errors
    ///
    /// As [`next_entry`](Self::next_entry).
    pub fn poll_next_entry(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<DirEntry>>> {
        ready!(poll_budget(cx));
        loop {
            match &mut self.0 {
                Stage::Idle(batch) => {
                    if let Some(entry) = batch.entries.pop_front() {
                        return Poll::Ready(entry.map(Some));
                    }
                    let Some(rest) = batch.rest.take() else {
                        return Poll::Ready(Ok(None));
                    };
                    let runtime = Handle::try_current().map_err(io::Error::other)?;
                    self.0 = Stage::Fetching(runtime.spawn_blocking(|| Batch::fetch(rest)));
                }
                Stage::Fetching(job) => {
                    let fetched = ready!(Pin::new(job).poll(cx));
                    // Without a batch the folder is gone with the job.
                    self.0 = Stage::Idle(Batch::empty());
                    self.0 = Stage::Idle(fetched?);
                }
            }
        }
    }
}

impl Stream for ReadDir {
    type Item = io::Result<DirEntry>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_next_entry(cx).map(Result::transpose)
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadDir").finish_non_exhaustive()
    }
}
