//! Asking tasks to stop, whole trees of them.
//!
//! A token is a counted reference to a node. A node keeps its parent alive and is known to it by a weak reference, under a key
//! that it takes out when it goes. Nobody holds the locks of two nodes at once.

use super::waiters::{Key, Waiters, Wakers};
use parking_lot::Mutex;
use pin_project_lite::pin_project;
use slab::Slab;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

/// Asks tasks to stop; clones ask the same ones, children can be asked on their own.
///
/// Cancelling a token cancels its children, theirs, and so on, but never its parent. It cannot be undone.
///
/// # Examples
///
/// ```
/// use gristmill::sync::CancellationToken;
/// use std::future::pending;
///
/// gristmill::run(async {
///     let server = CancellationToken::new();
///     let connection = server.child_token();
///     let task = gristmill::spawn({
///         let connection = connection.clone();
///         async move { connection.run_until_cancelled(pending::<()>()).await }
///     });
///     server.cancel();
///     assert!(connection.is_cancelled());
///     assert_eq!(task.await?, None);
///     # Ok::<(), gristmill::task::JoinError>(())
/// })
/// # .unwrap();
/// ```
#[derive(Clone)]
pub struct CancellationToken {
    node: Arc<Node>,
}

struct Node {
    /// Written under the lock.
    is_cancelled: AtomicBool,
    state: Mutex<State>,
    parent: Option<Parent>,
}

struct Parent {
    node: Arc<Node>,
    /// Its key there.
    key: usize,
}

#[derive(Default)]
struct State {
    /// Empty for good once the node is cancelled.
    children: Slab<Weak<Node>>,
    waiters: Waiters<()>,
}

impl Node {
    fn new(is_cancelled: bool, parent: Option<Parent>) -> Self {
        Self {
            is_cancelled: AtomicBool::new(is_cancelled),
            state: Mutex::default(),
            parent,
        }
    }

    fn is_cancelled(&self) -> bool {
        // ORDERING: Acquire, pairs with `cancel`: whoever sees it cancelled sees what was done before.
        self.is_cancelled.load(Ordering::Acquire)
    }

    /// Cancels this one. Its children remain to be cancelled, without its lock.
    fn cancel(&self, wakers: &mut Wakers) -> Slab<Weak<Self>> {
        let mut state = self.state.lock();
        // ORDERING: Release, read by `is_cancelled`.
        self.is_cancelled.store(true, Ordering::Release);
        state.waiters.call_all_into(wakers);
        mem::take(&mut state.children)
    }
}

impl Drop for Node {
    /// Level by level, since a long line of ancestors that ends here must not become a deep recursion.
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(Parent { node, key }) = next {
            let own = node.state.lock().children.try_remove(key);
            drop(own);
            next = Arc::into_inner(node).and_then(|mut node| node.parent.take());
        }
    }
}

impl CancellationToken {
    /// A token without a parent, not cancelled.
    pub fn new() -> Self {
        Self {
            node: Arc::new(Node::new(false, None)),
        }
    }

    /// A token that is cancelled with this one, and can be cancelled on its own.
    ///
    /// If this one is cancelled already, so is the child.
    pub fn child_token(&self) -> Self {
        // Under the lock, so that a cancellation either finds the child or is found here.
        let mut state = self.node.state.lock();
        if self.node.is_cancelled() {
            drop(state);
            return Self {
                node: Arc::new(Node::new(true, None)),
            };
        }
        let entry = state.children.vacant_entry();
        let parent = Parent {
            node: Arc::clone(&self.node),
            key: entry.key(),
        };
        let node = Arc::new(Node::new(false, Some(parent)));
        entry.insert(Arc::downgrade(&node));
        drop(state);
        Self { node }
    }

    /// Cancels this token and all below it, and wakes who waits for that.
    ///
    /// Once this returns, every token below is cancelled. Cancelling again does nothing.
    pub fn cancel(&self) {
        let mut wakers = Wakers::new();
        let mut levels = vec![self.node.cancel(&mut wakers)];
        while let Some(children) = levels.pop() {
            for (_, child) in &children {
                let below = child.upgrade().map(|child| child.cancel(&mut wakers));
                levels.extend(below.filter(|below| !below.is_empty()));
            }
        }
        // After all are cancelled, so that whoever is woken sees the whole tree cancelled.
        wakers.wake();
    }

    /// Whether this token, or one above it, has been cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.node.is_cancelled()
    }

    /// Waits until this token is cancelled; at once if it is.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        WaitForCancellationFuture {
            token: self,
            key: None,
        }
    }

    /// As [`cancelled`](Self::cancelled), with a future that owns the token.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn cancelled_owned(self) -> WaitForCancellationFutureOwned {
        WaitForCancellationFutureOwned {
            token: self,
            key: None,
        }
    }

    /// Runs a future until it ends or the token is cancelled; `None` if the token was first.
    ///
    /// The future is polled first: one that ends in the moment of the cancellation gives its output. It is dropped together with
    /// the future that this returns.
    ///
    /// # Cancel safety
    ///
    /// As that of the future.
    pub async fn run_until_cancelled<F: Future>(&self, future: F) -> Option<F::Output> {
        RunUntilCancelled {
            future,
            cancelled: self.cancelled(),
        }
        .await
    }

    /// As [`run_until_cancelled`](Self::run_until_cancelled), owning the token.
    ///
    /// # Cancel safety
    ///
    /// As that of the future.
    pub async fn run_until_cancelled_owned<F: Future>(self, future: F) -> Option<F::Output> {
        self.run_until_cancelled(future).await
    }

    /// A guard that cancels this token when it is dropped.
    pub fn drop_guard(self) -> DropGuard {
        DropGuard { token: Some(self) }
    }

    /// As [`drop_guard`](Self::drop_guard), with a guard that borrows the token.
    pub fn drop_guard_ref(&self) -> DropGuardRef<'_> {
        DropGuardRef { token: Some(self) }
    }

    fn poll_cancelled(&self, key: &mut Option<Key>, cx: &mut Context<'_>) -> Poll<()> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        if self.is_cancelled() {
            spent.made_progress();
            return Poll::Ready(());
        }
        let mut state = self.node.state.lock();
        // Once more: it may have been cancelled before the lock was had.
        if self.is_cancelled() {
            drop(state);
            spent.made_progress();
            return Poll::Ready(());
        }
        let old = state.waiters.wait(key, cx);
        drop(state);
        drop(old);
        Poll::Pending
    }

    fn forget(&self, key: &mut Option<Key>) {
        if key.is_some() {
            let own = self.node.state.lock().waiters.forget(key);
            drop(own);
        }
    }
}

impl Default for CancellationToken {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationToken")
            .field("is_cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

/// Waits for a token to be cancelled; made by [`CancellationToken::cancelled`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct WaitForCancellationFuture<'a> {
    token: &'a CancellationToken,
    key: Option<Key>,
}

/// Waits for a token of its own to be cancelled; made by [`CancellationToken::cancelled_owned`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct WaitForCancellationFutureOwned {
    token: CancellationToken,
    key: Option<Key>,
}

/// What both do.
macro_rules! wait_for_cancellation {
    ($($wait:ty),*) => {$(
        impl Future for $wait {
            type Output = ();

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
                let this = self.get_mut();
                this.token.poll_cancelled(&mut this.key, cx)
            }
        }

        impl Drop for $wait {
            fn drop(&mut self) {
                self.token.forget(&mut self.key);
            }
        }
    )*};
}

wait_for_cancellation!(
    WaitForCancellationFuture<'_>,
    WaitForCancellationFutureOwned
);

pin_project! {
    /// A future, until a token is cancelled.
    struct RunUntilCancelled<'a, F> {
        #[pin]
        future: F,
        cancelled: WaitForCancellationFuture<'a>,
    }
}

impl<F: Future> Future for RunUntilCancelled<'_, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Some(output));
        }
        Pin::new(this.cancelled).poll(cx).map(|()| None)
    }
}

/// Cancels its token when it is dropped; made by [`CancellationToken::drop_guard`].
#[derive(Debug)]
#[must_use = "the token is cancelled when this is dropped"]
pub struct DropGuard {
    /// `None` once it is disarmed.
    token: Option<CancellationToken>,
}

impl DropGuard {
    /// Gives the token back without cancelling it.
    pub fn disarm(mut self) -> CancellationToken {
        self.token.take().expect("only this takes it, and once")
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            token.cancel();
        }
    }
}

/// Cancels a token when it is dropped; made by [`CancellationToken::drop_guard_ref`].
#[derive(Debug)]
#[must_use = "the token is cancelled when this is dropped"]
pub struct DropGuardRef<'a> {
    /// `None` once it is disarmed.
    token: Option<&'a CancellationToken>,
}

impl<'a> DropGuardRef<'a> {
    /// Gives the token back without cancelling it.
    pub fn disarm(mut self) -> &'a CancellationToken {
        self.token.take().expect("only this takes it, and once")
    }
}

impl Drop for DropGuardRef<'_> {
    fn drop(&mut self) {
        if let Some(token) = self.token {
            token.cancel();
        }
    }
}
