//! The roster: threads as the operating system's objects. Starts them, names them, runs their hooks, joins them.
//!
//! Knows nothing of jobs or of who is idle. A thread that ends puts its own handle aside, and the next who starts, ends
//! or joins a thread joins it; so ended threads do not pile up. It does so as the very last thing, after the destructors of its
//! thread-local places: whoever joins it then never waits for user code.
//!
//! # Invariants
//!
//! - R1. The lock is held from before a thread is started until its handle is in `running`; so the thread finds its
//!   handle there when it ends.
//! - R2. No thread is started once the roster is closed; so who joins after closing sees every thread.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::priority;
use crate::config::PoolConfig;
use crate::job::contained;
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{AtomicU64, Condvar, Mutex, Ordering, keep_to_the_end};

/// All threads of a crew.
#[derive(Debug)]
pub(super) struct Roster {
    state: Mutex<State>,
    /// Notified when a thread ends, or begins to wait in `join`.
    changed: Condvar,
    /// How many threads have been started; written under the lock.
    started: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// Threads that have not ended, by number.
    running: HashMap<u64, JoinHandle<()>>,
    /// Threads that are about to return, to be joined by somebody.
    ended: Vec<JoinHandle<()>>,
    /// The number, and part of the name, of the next thread.
    next: u64,
    /// Threads of this roster that wait in `join` themselves. They do not wait for each other.
    joining: usize,
    /// Set once, by `close`.
    closed: bool,
}

/// Why no thread was started.
#[derive(Debug)]
pub(super) enum NotStarted {
    /// The roster is closed.
    Closed,
    /// The operating system refused.
    Refused(io::Error),
}

/// Runs a thread's last hook, however its life ends.
struct Hooked {
    config: Arc<PoolConfig>,
}

/// Ends a thread's entry when dropped, as the last thing on the thread.
struct Entry {
    roster: Arc<Roster>,
    number: u64,
}

impl Roster {
    pub(super) fn new() -> Self {
        let state = State {
            running: HashMap::new(),
            ended: Vec::new(),
            next: 0,
            joining: 0,
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            started: AtomicU64::new(0),
        }
    }

    /// Starts a thread that runs the hooks around `life`.
    pub(super) fn start(
        self: &Arc<Self>,
        config: &Arc<PoolConfig>,
        life: impl FnOnce() + Send + 'static,
    ) -> Result<(), NotStarted> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(NotStarted::Closed);
        }
        let number = state.next;
        let mut builder = thread::Builder::new().name(format!("{}-{number}", config.thread_name));
        if let Some(bytes) = config.stack_size {
            builder = builder.stack_size(bytes);
        }
        let (roster, config) = (Arc::clone(self), Arc::clone(config));
        // The entry is made on the thread: a refused closure is dropped here, under the lock that an
        // entry's end takes.
        let started = builder.spawn(move || {
            let _entry = keep_to_the_end(Entry { roster, number });
            Hooked { config }.run(life);
        });
        let handle = match started {
            Ok(handle) => handle,
            Err(error) => return Err(NotStarted::Refused(error)),
        };
        state.next += 1;
        // ORDERING: Relaxed, a count that nothing else hangs on.
        self.started.store(state.next, Ordering::Relaxed);
        state.running.insert(number, handle);
        let ended = std::mem::take(&mut state.ended);
        drop(state);
        join_all(ended);
        Ok(())
    }

    /// Starts no more threads.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
    }

    /// Waits until all threads have ended or the deadline is past, joins those that have, and gives the number of those
    /// that have not. A thread of this roster that calls this is neither waited for nor counted.
    pub(super) fn join(&self, deadline: Option<Instant>) -> usize {
        let caller = thread::current().id();
        let mut state = self.state.lock();
        let own = usize::from(
            state
                .running
                .values()
                .any(|handle| handle.thread().id() == caller),
        );
        state.joining += own;
        self.changed.notify_all();
        // Each such thread waits for those that do not wait; any other caller waits for all.
        let unawaited = |state: &State| if own == 1 { state.joining } else { 0 };
        while state.running.len() > unawaited(&state) {
            match deadline {
                None => self.changed.wait(&mut state),
                Some(deadline) => {
                    if self.changed.wait_until(&mut state, deadline).timed_out() {
                        break;
                    }
                }
            }
        }
        let still_busy = state.running.len().saturating_sub(unawaited(&state));
        state.joining -= own;
        let ended = std::mem::take(&mut state.ended);
        drop(state);
        join_all(ended);
        still_busy
    }

    /// What the threads are called that have not ended, but for the calling one; the oldest first.
    pub(super) fn names(&self) -> Vec<String> {
        let caller = thread::current().id();
        let state = self.state.lock();
        let mut numbers: Vec<_> = state
            .running
            .iter()
            .filter(|(_, handle)| handle.thread().id() != caller)
            .collect();
        numbers.sort_by_key(|(number, _)| **number);
        numbers
            .into_iter()
            .filter_map(|(_, handle)| handle.thread().name().map(str::to_owned))
            .collect()
    }

    /// Threads that have been started so far.
    pub(super) fn started(&self) -> u64 {
        // ORDERING: Relaxed, a count that nothing else hangs on.
        self.started.load(Ordering::Relaxed)
    }

    /// Puts the calling thread's handle aside, and joins those that ended before it.
    fn end(&self, number: u64) {
        let mut state = self.state.lock();
        let others = std::mem::take(&mut state.ended);
        let own = state.running.remove(&number);
        state.ended.extend(own);
        drop(state);
        self.changed.notify_all();
        join_all(others);
    }
}

impl Hooked {
    fn run(self, life: impl FnOnce()) {
        if self.config.low_priority {
            priority::lower();
        }
        if let Some(hook) = &self.config.on_thread_start {
            contained(|| hook());
        }
        life();
    }
}

impl Drop for Hooked {
    fn drop(&mut self) {
        if let Some(hook) = &self.config.on_thread_stop {
            contained(|| hook());
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.roster.end(self.number);
    }
}

/// Waits for threads that have ended but for their last few instructions.
fn join_all(ended: Vec<JoinHandle<()>>) {
    for handle in ended {
        // A thread's panics are contained; one that yet came through has been reported by the panic hook.
        let _panicked = handle.join();
    }
}
