//! The scoped form: a body and its children end together.

use super::error::GroupError;
use super::handle::GroupHandle;
use super::owner::TaskGroup;
use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::Poll;

/// Runs `body` with a new [`TaskGroup`], and returns when it and every child have ended: what `async with TaskGroup()` does.
///
/// The body runs on this task, and may borrow. When a child fails, the body is dropped where it stands and the siblings are
/// aborted; when the body gives `Err`, the children are aborted. In each case the end of all is awaited first. For
/// a limit, or children that are named, see [`TaskGroup::with_limit`], [`TaskGroup::scope`] and [`GroupHandle::spawn_with`].
///
/// # Examples
///
/// ```
/// use gristmill::task::group;
///
/// async fn length(text: &'static str) -> std::io::Result<usize> {
///     Ok(text.len())
/// }
///
/// gristmill::run(async {
///     let sum = group(async |g| {
///         let one = g.spawn(length("one"));
///         let other = g.spawn(length("other"));
///         Ok::<_, std::io::Error>(one.await? + other.await?)
///     })
///     .await;
///     assert_eq!(sum.unwrap(), 8);
/// });
/// ```
///
/// # Errors
///
/// If the body gave an error or a child failed, with all failures in the order in which they happened.
///
/// # Panics
///
/// If the body panics, with its panic, after the children were aborted and have ended. A panic of a child is an error.
///
/// # Cancel safety
///
/// Dropping the future drops the body and aborts the children.
pub async fn group<R, E, F, B>(body: F) -> Result<R, GroupError<E>>
where
    F: FnOnce(GroupHandle<E>) -> B,
    B: Future<Output = Result<R, E>>,
    E: Send + 'static,
{
    TaskGroup::new().scope(body).await
}

impl<E: Send + 'static> TaskGroup<E> {
    /// Runs `body` with a handle to the group, as [`group`] does, and joins the group.
    ///
    /// # Errors
    ///
    /// As of [`group`].
    ///
    /// # Panics
    ///
    /// As of [`group`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the body and aborts the children.
    pub async fn scope<R, F, B>(mut self, body: F) -> Result<R, GroupError<E>>
    where
        F: FnOnce(GroupHandle<E>) -> B,
        B: Future<Output = Result<R, E>>,
    {
        let end = self.run_body(body).await;
        let output = match end {
            BodyEnd::Returned(Ok(output)) => Some(output),
            BodyEnd::Returned(Err(error)) => {
                self.shared.fail_body(error);
                None
            }
            BodyEnd::GivenUp => None,
            BodyEnd::Panicked(payload) => {
                self.abort_all();
                // The panic comes before whatever the children have to say.
                let _ = self.join().await;
                resume_unwind(payload)
            }
        };
        self.join().await?;
        match output {
            Some(output) => Ok(output),
            None => unreachable!("a body ends without an output only after a failure"),
        }
    }

    /// Runs the body to its end, or until a child fails. The body is gone afterwards.
    async fn run_body<R, F, B>(&self, body: F) -> BodyEnd<R, E>
    where
        F: FnOnce(GroupHandle<E>) -> B,
        B: Future<Output = Result<R, E>>,
    {
        let handle = self.handle();
        let started = catch_unwind(AssertUnwindSafe(|| body(handle)));
        let mut body = match started {
            Ok(body) => pin!(body),
            Err(payload) => return BodyEnd::Panicked(payload),
        };
        poll_fn(|cx| {
            if self.shared.poll_failed(cx.waker()).is_ready() {
                return Poll::Ready(BodyEnd::GivenUp);
            }
            match catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(cx))) {
                Ok(output) => output.map(BodyEnd::Returned),
                Err(payload) => Poll::Ready(BodyEnd::Panicked(payload)),
            }
        })
        .await
    }
}

/// How the body of a scope ended.
enum BodyEnd<R, E> {
    Returned(Result<R, E>),
    /// A child failed first.
    GivenUp,
    Panicked(Box<dyn Any + Send>),
}
