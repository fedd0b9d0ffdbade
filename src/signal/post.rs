//! The post: who listens for which kind of signal, and the thread that tells them. One a process.
//!
//! ```text
//!   handler ──▶ thread ──▶ deliver(kind) ──▶ every listener of the kind: heard, wake
//!                               │
//!                               └ nobody, or nobody answers: the default action
//! ```
//!
//! # Invariants
//!
//! * I1 — `unattended` of a kind is true exactly while nobody listens for it; it changes under the post's lock. The
//!   handler reads it without, and does the default action if it is true.
//! * I2 — A listener is on the list before `listen` returns, so it hears what comes from then on.
//! * I3 — Wakers are cloned before the lock is taken, and woken and dropped after it is released.
//!
//! # Rejected
//!
//! A descriptor in the reactor of each runtime that listens: a listener would end with its runtime and be deaf while a
//! current-thread runtime does something else, and nobody could end a program whose workers are all stuck.

use super::before::{self, Before};
use super::kind::SignalKind;
use crate::lone_thread;
use signal_hook::iterator::{Handle, Signals};
use signal_hook::{flag, low_level};
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// So long may a listener that is [`Claim::Once`] leave a signal untaken before the program counts as hung.
const HUNG_AFTER: Duration = Duration::from_secs(1);

/// What a listener wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// One signal.
    Once,
    /// Every signal, whatever becomes of it.
    Every,
}

/// A place on the list of listeners; dropping it gives it up.
#[derive(Debug)]
pub(super) struct Place {
    number: i32,
    id: u64,
}

static POST: Mutex<Post> = Mutex::new(Post {
    handlers: None,
    kinds: BTreeMap::new(),
    next_id: 0,
});

struct Post {
    /// Installs handlers whose signals come to the thread; `None` before the first listener.
    handlers: Option<Handle>,
    /// The kinds that somebody has listened for, by number.
    kinds: BTreeMap<i32, Kind>,
    next_id: u64,
}

/// One kind of signal.
struct Kind {
    before: Before,
    /// Whether nobody listens; the handler reads it.
    unattended: Arc<AtomicBool>,
    listeners: BTreeMap<u64, Listener>,
}

struct Listener {
    claim: Claim,
    /// When the first signal came that it has not taken yet.
    heard: Option<Instant>,
    waker: Option<Waker>,
}

/// The lock is never held while other people's code runs, so nothing is broken when a panic has passed through.
fn lock() -> MutexGuard<'static, Post> {
    POST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts a new listener on the list.
///
/// # Errors
///
/// If the kind cannot be listened for, or the operating system refuses the handler, the descriptors, or the thread.
pub(super) fn listen(kind: SignalKind, claim: Claim) -> io::Result<Place> {
    kind.check()?;
    let number = kind.as_raw_value();
    let mut post = lock();
    post.attend(number).map_err(|error| {
        let text = format!("cannot listen for {kind:?}: {error}");
        io::Error::new(error.kind(), text)
    })?;
    let id = post.next_id;
    post.next_id += 1;
    let listener = Listener {
        claim,
        heard: None,
        waker: None,
    };
    if let Some(kind) = post.kinds.get_mut(&number) {
        kind.listeners.insert(id, listener);
        // ORDERING: SeqCst, for the handler on any thread (I1); nothing else depends on it.
        kind.unattended.store(false, Ordering::SeqCst);
    }
    Ok(Place { number, id })
}

impl Post {
    /// Sees to it that signals of this kind come here.
    fn attend(&mut self, number: i32) -> io::Result<()> {
        if self.kinds.contains_key(&number) {
            return Ok(());
        }
        let handlers = match &self.handlers {
            Some(handlers) => handlers,
            None => self.handlers.insert(start_thread()?),
        };
        let before = before::look(number);
        let unattended = Arc::new(AtomicBool::new(true));
        // The default action first: until somebody is on the list, nothing has changed for the process.
        if before == Before::Default && low_level::signal_name(number).is_some() {
            flag::register_conditional_default(number, Arc::clone(&unattended))?;
        }
        handlers.add_signal(number)?;
        let kind = Kind {
            before,
            unattended,
            listeners: BTreeMap::new(),
        };
        self.kinds.insert(number, kind);
        Ok(())
    }
}

fn start_thread() -> io::Result<Handle> {
    let mut signals = Signals::new(std::iter::empty::<i32>())?;
    let handle = signals.handle();
    lone_thread::start("gristmill-sig", move || signals.forever().for_each(deliver))?;
    Ok(handle)
}

/// Tells every listener of the kind; on the post's thread.
fn deliver(number: i32) {
    let mut woken = Vec::new();
    let mut is_left = false;
    if let Some(kind) = lock().kinds.get_mut(&number) {
        let now = Instant::now();
        is_left = kind.before == Before::Default && kind.is_given_up(now);
        for listener in kind.listeners.values_mut() {
            listener.heard.get_or_insert(now);
            woken.extend(listener.waker.take());
        }
    }
    if is_left {
        // It fails for kinds without a known default action, which are ignored.
        let _ = low_level::emulate_default_handler(number);
    }
    for waker in woken {
        // A waker that panics has said so through the panic hook; the others are to be woken all the same.
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}

impl Kind {
    /// Whether everyone has gone since the handler ran, or has left an earlier signal untaken for too long.
    fn is_given_up(&self, now: Instant) -> bool {
        self.listeners.values().all(|listener| {
            let is_overdue = |heard| now.duration_since(heard) >= HUNG_AFTER;
            listener.claim == Claim::Once && listener.heard.is_some_and(is_overdue)
        })
    }
}

impl Place {
    /// Takes what was heard; if nothing was, the waker is woken by the next signal.
    pub(super) fn poll_heard(&self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut displaced = Some(waker);
        let mut outcome = Poll::Pending;
        if let Some(listener) = lock()
            .kinds
            .get_mut(&self.number)
            .and_then(|kind| kind.listeners.get_mut(&self.id))
        {
            if listener.heard.take().is_some() {
                outcome = Poll::Ready(());
            } else {
                std::mem::swap(&mut listener.waker, &mut displaced);
            }
        }
        drop(displaced);
        outcome
    }
}

impl Place {
    /// Nobody waits any more; what is heard stays.
    pub(super) fn forget_waker(&self) {
        let own = lock()
            .kinds
            .get_mut(&self.number)
            .and_then(|kind| kind.listeners.get_mut(&self.id))
            .and_then(|listener| listener.waker.take());
        drop(own);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut gone = None;
        if let Some(kind) = lock().kinds.get_mut(&self.number) {
            gone = kind.listeners.remove(&self.id);
            if kind.listeners.is_empty() {
                // ORDERING: SeqCst, for the handler on any thread (I1); nothing else depends on it.
                kind.unattended.store(true, Ordering::SeqCst);
            }
        }
        drop(gone);
    }
}
