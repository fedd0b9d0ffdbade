//! Who is in a group, who failed, who may run.
//!
//! # Invariants
//!
//! - I1. No user code runs, no task is aborted and nobody is woken while the state is locked: aborting a task of a runtime that
//!   is gone drops its future, whose ticket locks the state.
//! - I2. A child is in `members`, is `joining`, or has ended and was settled; one that is being spawned is `arriving`.
//! - I3. Once `is_closed` is set no further child begins, and every member has been aborted or will be by whoever enrols it; but
//!   for `join`, which closes when there is no child.
//! - I4. A child that was not admitted is in `waiting`; at most `limit` others have not ended.

use super::error::{GroupError, GroupFailure};
use crate::task::{AbortHandle, Id, JoinError, JoinHandle};
use futures_util::FutureExt;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

/// Members are looked through for ended ones when there are this many, and then at twice the number that is left.
const SWEEP_AT: usize = 64;

/// What the group, its handles and its children share.
pub(super) struct Shared<E> {
    state: Mutex<State<E>>,
    /// How many children may run at a time.
    limit: Option<usize>,
    /// Children that have not ended.
    living: AtomicUsize,
    /// The task that made the group.
    pub(super) parent: Option<Id>,
}

struct State<E> {
    is_closed: bool,
    has_failed: bool,
    /// In the order in which they happened.
    failures: Vec<Failure<E>>,
    /// Where among the failures those children are that panic and whose end was not settled yet.
    panicking: BTreeMap<usize, usize>,
    /// The number of the next child.
    next: usize,
    /// Children between their number and their place among the members.
    arriving: usize,
    members: VecDeque<Member>,
    /// The member whose end is awaited just now.
    joining: Option<(usize, AbortHandle)>,
    sweep_at: usize,
    /// Whoever waits for a failure, or for a child that is arriving.
    watcher: Option<Waker>,
    /// Children that were admitted and have not ended; counted only where there is a limit.
    running: usize,
    waiting: BTreeMap<usize, Option<Waker>>,
}

enum Failure<E> {
    Known(GroupFailure<E>),
    /// The panic itself comes with the end of the task.
    Panicking,
}

/// A child, and how to await its end.
pub(super) struct Member {
    pub(super) index: usize,
    pub(super) handle: JoinHandle<()>,
}

/// What there is to join.
pub(super) enum Next {
    Member(Member),
    /// Somebody is spawning; the watcher will be woken.
    Arriving,
    /// Nobody is left; the group is closed.
    Nobody,
}

impl<E> Shared<E> {
    pub(super) fn new(limit: Option<usize>, parent: Option<Id>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                is_closed: false,
                has_failed: false,
                failures: Vec::new(),
                panicking: BTreeMap::new(),
                next: 0,
                arriving: 0,
                members: VecDeque::new(),
                joining: None,
                sweep_at: SWEEP_AT,
                watcher: None,
                running: 0,
                waiting: BTreeMap::new(),
            }),
            limit,
            living: AtomicUsize::new(0),
            parent,
        })
    }

    /// How many children have not ended.
    pub(super) fn living(&self) -> usize {
        // ORDERING: Relaxed; a count of this moment.
        self.living.load(Ordering::Relaxed)
    }

    /// A number for a child that is about to be spawned; `None` if the group is closed.
    pub(super) fn reserve(self: &Arc<Self>) -> Option<Ticket<E>> {
        let mut state = self.state.lock();
        if state.is_closed {
            return None;
        }
        let index = state.next;
        state.next += 1;
        state.arriving += 1;
        let mut is_admitted = true;
        if let Some(limit) = self.limit {
            if state.running < limit {
                state.running += 1;
            } else {
                state.waiting.insert(index, None);
                is_admitted = false;
            }
        }
        drop(state);
        // ORDERING: Relaxed; a count for users, nothing hangs on it.
        self.living.fetch_add(1, Ordering::Relaxed);
        Some(Ticket {
            shared: Arc::clone(self),
            index,
            is_admitted,
        })
    }

    /// Takes the spawned child in.
    pub(super) fn enrol(&self, index: usize, handle: JoinHandle<()>) {
        let abort = handle.abort_handle();
        let mut state = self.state.lock();
        state.arriving -= 1;
        state.members.push_back(Member { index, handle });
        let ended = state.sweep();
        let is_closed = state.is_closed;
        let watcher = state.watcher.take();
        drop(state);
        if is_closed {
            abort.abort();
        }
        for member in ended {
            self.settle_ended(member);
        }
        if let Some(watcher) = watcher {
            watcher.wake();
        }
    }

    /// Notes the end of a member that has ended.
    fn settle_ended(&self, Member { index, mut handle }: Member) {
        if let Some(end) = crate::task::unconstrained(&mut handle).now_or_never() {
            self.settle(index, end);
        }
    }

    /// The next member whose end is to be awaited.
    pub(super) fn next_member(&self, waker: &Waker) -> Next {
        let waker = waker.clone();
        let mut state = self.state.lock();
        if let Some(member) = state.members.pop_front() {
            state.joining = Some((member.index, member.handle.abort_handle()));
            return Next::Member(member);
        }
        if state.arriving > 0 {
            let old = state.watcher.replace(waker);
            drop(state);
            drop(old);
            return Next::Arriving;
        }
        state.is_closed = true;
        Next::Nobody
    }

    /// Notes how a member has ended. One that was aborted has not failed.
    pub(super) fn settle(&self, index: usize, end: Result<(), JoinError>) {
        let mut state = self.state.lock();
        let joined = state.joining.take_if(|(joining, _)| *joining == index);
        let announced = state.panicking.remove(&index);
        match (end, announced) {
            (Err(panic), Some(place)) => {
                state.failures[place] = Failure::Known(GroupFailure::panicked(panic));
                drop(state);
            }
            // Not in the poll but in the drop of the child's future.
            (Err(panic), None) if panic.is_panic() => {
                drop(state);
                let failure = Failure::Known(GroupFailure::panicked(panic));
                self.fail(index, failure);
            }
            _ => drop(state),
        }
        drop(joined);
    }

    /// Notes the error of a scope's body, and aborts the children.
    pub(super) fn fail_body(&self, error: E) {
        let failure = Failure::Known(GroupFailure::returned(None, error));
        self.fail(usize::MAX, failure);
    }

    /// Notes a failure. The first one aborts all but the child that it comes from.
    fn fail(&self, index: usize, failure: Failure<E>) {
        let mut state = self.state.lock();
        if let Failure::Panicking = failure {
            let place = state.failures.len();
            state.panicking.insert(index, place);
        }
        state.failures.push(failure);
        if state.has_failed {
            return;
        }
        state.has_failed = true;
        state.is_closed = true;
        let siblings = state.all_but(index);
        let watcher = state.watcher.take();
        drop(state);
        siblings.iter().for_each(AbortHandle::abort);
        if let Some(watcher) = watcher {
            watcher.wake();
        }
    }

    /// Aborts all children, and lets no further one run.
    #[track_caller]
    pub(super) fn abort_all(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        let children = state.all_but(usize::MAX);
        drop(state);
        // In a loop and not in `for_each`, so that the place is that of the caller.
        for child in children {
            child.abort();
        }
    }

    /// Aborts all children and lets go of them, and of whoever waited for them.
    pub(super) fn abandon(&self) {
        self.abort_all();
        let mut state = self.state.lock();
        let members = std::mem::take(&mut state.members);
        let watcher = state.watcher.take();
        drop(state);
        drop((members, watcher));
    }

    /// Ready when a child has failed.
    pub(super) fn poll_failed(&self, waker: &Waker) -> Poll<()> {
        let waker = waker.clone();
        let mut state = self.state.lock();
        if state.has_failed {
            return Poll::Ready(());
        }
        let old = state.watcher.replace(waker);
        drop(state);
        drop(old);
        Poll::Pending
    }

    /// All failures, once every child was settled.
    pub(super) fn take_failures(&self) -> Option<GroupError<E>> {
        let failures = std::mem::take(&mut self.state.lock().failures);
        let known = failures.into_iter().filter_map(|failure| match failure {
            Failure::Known(failure) => Some(failure),
            Failure::Panicking => None,
        });
        GroupError::new(known.collect())
    }

    /// Lets as many children run as may; those who have asked are to be woken. In a closed group nobody may (I3): a child whose
    /// abort is on its way must not begin meanwhile.
    fn admit(&self, state: &mut State<E>) -> Vec<Waker> {
        let mut wakers = Vec::new();
        let has_room = |running| self.limit.is_some_and(|limit| running < limit);
        while !state.is_closed && has_room(state.running) {
            let Some((_, waker)) = state.waiting.pop_first() else {
                break;
            };
            state.running += 1;
            wakers.extend(waker);
        }
        wakers
    }
}

impl<E> State<E> {
    /// Takes members that have ended out, every now and then: a group that lives for long does not hold on to them.
    fn sweep(&mut self) -> VecDeque<Member> {
        if self.members.len() < self.sweep_at {
            return VecDeque::new();
        }
        let (ended, living): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.members)
            .into_iter()
            .partition(|member| member.handle.is_finished());
        self.sweep_at = (2 * living.len()).max(SWEEP_AT);
        self.members = living;
        ended
    }

    fn all_but(&self, index: usize) -> Vec<AbortHandle> {
        let members = self.members.iter().filter(|member| member.index != index);
        let joining = self.joining.iter().filter(|(joining, _)| *joining != index);
        members
            .map(|member| member.handle.abort_handle())
            .chain(joining.map(|(_, abort)| abort.clone()))
            .collect()
    }
}

/// A child's place in its group; given back on drop, at the end of the child.
pub(super) struct Ticket<E> {
    shared: Arc<Shared<E>>,
    pub(super) index: usize,
    is_admitted: bool,
}

impl<E> Ticket<E> {
    /// Ready when the limit lets this child run.
    pub(super) fn poll_admitted(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.is_admitted {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let mut state = self.shared.state.lock();
        match state.waiting.get_mut(&self.index) {
            Some(place) => {
                let old = place.replace(waker);
                drop(state);
                drop(old);
                Poll::Pending
            }
            None => {
                self.is_admitted = true;
                Poll::Ready(())
            }
        }
    }

    /// The child returns an error.
    pub(super) fn failed(&self, error: E) {
        let failure = GroupFailure::returned(crate::task::try_id(), error);
        self.shared.fail(self.index, Failure::Known(failure));
    }

    /// The child panics.
    pub(super) fn panicking(&self) {
        self.shared.fail(self.index, Failure::Panicking);
    }
}

impl<E> Drop for Ticket<E> {
    fn drop(&mut self) {
        // ORDERING: Relaxed, as in `reserve`.
        self.shared.living.fetch_sub(1, Ordering::Relaxed);
        if self.shared.limit.is_none() {
            return;
        }
        let mut state = self.shared.state.lock();
        if state.waiting.remove(&self.index).is_none() {
            state.running -= 1;
        }
        let wakers = self.shared.admit(&mut state);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}
