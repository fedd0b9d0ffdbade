//! Which timers this thread uses, and which shard of them.
//!
//! Set by the scheduler on its workers and by those who enter a runtime; read by futures on their
//! first poll. No foreign code runs while the thread's cell is borrowed, save the closure of
//! [`with_current`].

use std::cell::RefCell;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use crate::sync::{Arc, thread_local};
use crate::{Spares, Timers};

/// The timers of a thread and the index of its shard.
type Current = Option<(Spares<Timers>, usize)>;

thread_local! {
    static CURRENT: RefCell<Current> = const { RefCell::new(None) };
}

/// The message for a timer that is polled where there is no runtime.
const NO_RUNTIME: &str = "there is no gristmill runtime on this thread: run this inside gristmill::run, \
                          Runtime::block_on or Handle::enter";

/// Makes `timers` the current ones of this thread until the guard is dropped. Timers that tasks of
/// this thread start go to `shard`.
///
/// Guards nest, and have to be dropped in reverse order.
///
/// # Panics
/// If `timers` has no such shard.
pub fn enter(timers: Arc<Timers>, shard: usize) -> EnterGuard {
    assert!(
        shard < timers.shards(),
        "shard {shard} is out of range: there are {}",
        timers.shards()
    );
    EnterGuard {
        previous: replace(Some((Spares::new(timers), shard))),
        not_send: PhantomData,
    }
}

/// Keeps timers current; made by [`enter`].
#[derive(Debug)]
#[must_use = "the timers are current only until the guard is dropped"]
pub struct EnterGuard {
    /// What was current before, to become so again.
    previous: Current,
    /// The guard belongs to the thread whose cell it restores.
    not_send: PhantomData<*const ()>,
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        drop(replace(self.previous.take()));
    }
}

/// Sets the thread's cell and returns what it held, so that it is dropped after the borrow has
/// ended.
fn replace(new: Current) -> Current {
    // A thread that is past its destructors has no current timers to restore.
    CURRENT
        .try_with(|current| current.replace(new))
        .unwrap_or(None)
}

/// Calls `f` with the timers and the shard of this thread; with `None` if there are none.
///
/// `f` must not [`enter`] anything.
pub fn with_current<R>(f: impl FnOnce(Option<(&Arc<Timers>, usize)>) -> R) -> R {
    let mut f = Some(f);
    let known = CURRENT.try_with(|current| {
        let current = current.borrow();
        let f = f.take()?;
        Some(f(current
            .as_ref()
            .map(|(spares, shard)| (spares.to(), *shard))))
    });
    match (known, f) {
        (Ok(Some(result)), _) => result,
        (_, Some(f)) => f(None),
        (_, None) => unreachable!("the closure is taken only where its result is returned"),
    }
}

/// The timers and the shard of this thread.
///
/// # Panics
/// If there are none.
#[inline]
#[track_caller]
pub(crate) fn expect_current() -> (Arc<Timers>, usize) {
    let found = CURRENT.try_with(|current| {
        let current = current.borrow();
        let (spares, shard) = current.as_ref()?;
        Some((spares.take(), *shard))
    });
    found.ok().flatten().expect(NO_RUNTIME)
}

/// Takes the reference of a timer that is over: kept for the next one, if these are this thread's timers.
#[inline]
pub(crate) fn let_go(timers: Arc<Timers>) {
    let left = CURRENT.try_with(|current| match &*current.borrow() {
        Some((spares, _)) => spares.keep(timers).err(),
        None => Some(timers),
    });
    // Out here: it may be the last, and end more than itself.
    drop(left);
}

/// Spends budget for a timer that is over, and takes its reference.
pub(crate) fn poll_proceed(timers: Arc<Timers>, cx: &mut Context<'_>) -> Poll<()> {
    let proceeds = timers.host().poll_proceed(cx);
    let_go(timers);
    proceeds
}

/// The shard of `timers` that this thread starts timers in: its own, or the outside one.
pub(crate) fn shard_here(timers: &Arc<Timers>) -> usize {
    with_current(|current| match current {
        Some((own, shard)) if Arc::ptr_eq(own, timers) => shard,
        _ => timers.outside(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn current_shard() -> Option<usize> {
        with_current(|current| current.map(|(_, shard)| shard))
    }

    #[test]
    fn guards_nest_and_restore_what_was_current_before() {
        let (timers, _) = testing::paused_timers(3);
        assert_eq!(current_shard(), None);

        let outer = enter(Arc::clone(&timers), 0);
        let inner = enter(Arc::clone(&timers), 2);
        assert_eq!(current_shard(), Some(2));
        drop(inner);
        assert_eq!(current_shard(), Some(0));
        drop(outer);

        assert_eq!(current_shard(), None);
        assert_eq!(Arc::strong_count(&timers), 1);
    }

    #[test]
    #[should_panic(expected = "shard 3 is out of range")]
    fn a_shard_that_does_not_exist_is_refused() {
        let (timers, _) = testing::paused_timers(3);

        let _guard = enter(timers, 3);
    }
}
