//! Why a task has no output.

use super::Id;
use super::aborts::Abort;
use super::panic_place::{self, PanicLocation};
use crate::sync::Mutex;
use std::any::Any;
use std::fmt;
use std::io;
use std::panic::Location;

/// The reason why a task or job ended without an output: it was cancelled, it panicked, or it could
/// not be started.
///
/// Its text says which, by whom and where as far as that is known: `task 7 was cancelled: aborted by task 3 at
/// src/main.rs:10:5`, `task 7 panicked at src/main.rs:20:9: no such mill`.
pub struct JoinError {
    id: Id,
    cause: Cause,
}

enum Cause {
    Aborted(Abort),
    /// Ended by the shutdown of its runtime.
    ShutDown,
    /// Its runnable was dropped.
    Undone,
    /// Spawned on a runtime that has shut down.
    TooLate,
    /// Boxed, so that every task's place for its output is not larger for it.
    Panicked(Box<Panicked>),
    Refused(Box<io::Error>),
}

struct Panicked {
    /// Behind a lock only to make the error `Sync`, which panic payloads need not be.
    payload: Mutex<Box<dyn Any + Send + 'static>>,
    location: Option<PanicLocation>,
}

impl JoinError {
    pub(super) fn aborted(id: Id, abort: Abort) -> Self {
        let cause = Cause::Aborted(abort);
        Self { id, cause }
    }

    pub(crate) fn shut_down(id: Id) -> Self {
        let cause = Cause::ShutDown;
        Self { id, cause }
    }

    pub(super) fn undone(id: Id) -> Self {
        let cause = Cause::Undone;
        Self { id, cause }
    }

    pub(super) fn too_late(id: Id) -> Self {
        let cause = Cause::TooLate;
        Self { id, cause }
    }

    /// The task panicked just now, on this thread.
    pub(super) fn panicked(id: Id, payload: Box<dyn Any + Send + 'static>) -> Self {
        let location = panic_place::take(id, &*payload);
        let payload = Mutex::new(payload);
        let cause = Cause::Panicked(Box::new(Panicked { payload, location }));
        Self { id, cause }
    }

    pub(super) fn refused(id: Id, error: io::Error) -> Self {
        let cause = Cause::Refused(Box::new(error));
        Self { id, cause }
    }

    /// Whether the task was aborted, dropped by the shutdown of its runtime, or spawned after it.
    pub fn is_cancelled(&self) -> bool {
        match self.cause {
            Cause::Aborted(_) | Cause::ShutDown | Cause::Undone | Cause::TooLate => true,
            Cause::Panicked(_) | Cause::Refused(_) => false,
        }
    }

    /// Where the task was aborted: the call of `abort`, `abort_all` or their like. Of several calls it is the first.
    ///
    /// `None` if it was not aborted but ended by its runtime, or if it panicked or was refused.
    ///
    /// # Examples
    ///
    /// ```
    /// # let runtime = gristmill::runtime::Builder::new_current_thread().build()?;
    /// # runtime.block_on(async {
    /// let task = gristmill::spawn(std::future::pending::<()>());
    /// task.abort();
    /// let error = task.await.unwrap_err();
    /// let place = error.aborted_at().expect("it was aborted");
    /// assert!(error.to_string().ends_with(&format!("was cancelled: aborted at {place}")));
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn aborted_at(&self) -> Option<&'static Location<'static>> {
        self.abort().map(|abort| abort.site)
    }

    /// The task or job that aborted this one; `None` also if something else did, such as the future of `block_on`.
    pub fn aborted_by(&self) -> Option<Id> {
        self.abort().and_then(|abort| abort.by)
    }

    fn abort(&self) -> Option<&Abort> {
        match &self.cause {
            Cause::Aborted(abort) => Some(abort),
            _ => None,
        }
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.cause, Cause::Panicked(_))
    }

    /// What the task's panic said, if it is text, as with `panic!`; `None` also if the task did not panic.
    pub fn panic_message(&self) -> Option<String> {
        let Cause::Panicked(panic) = &self.cause else {
            return None;
        };
        panic_place::message(&**panic.payload.lock()).map(str::to_owned)
    }

    /// Where the task panicked, as far as that is known; `None` also if the task did not panic.
    ///
    /// It is known of panics that pass the panic hook which the first runtime of the process puts before the program's own; see
    /// [`Builder::build`](crate::Builder::build). It is not known of panics that were caught and raised again
    /// with [`resume_unwind`](std::panic::resume_unwind), in another task or with another payload.
    pub fn panicked_at(&self) -> Option<&PanicLocation> {
        match &self.cause {
            Cause::Panicked(panic) => panic.location.as_ref(),
            _ => None,
        }
    }

    /// What the operating system said if the job could not be started for want of a thread.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &self.cause {
            Cause::Refused(error) => Some(error),
            _ => None,
        }
    }

    /// The payload of the task's panic, to be passed to [`std::panic::resume_unwind`].
    ///
    /// # Panics
    ///
    /// If the task did not panic; see [`try_into_panic`](Self::try_into_panic).
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(error) => panic!("into_panic called on an error that is not a panic: {error}"),
        }
    }

    /// The payload of the task's panic.
    ///
    /// # Errors
    ///
    /// Gives the error back if the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, Self> {
        match self.cause {
            Cause::Panicked(panic) => Ok(panic.payload.into_inner()),
            cause => Err(Self { id: self.id, cause }),
        }
    }

    /// The id of the task that this is about.
    pub fn id(&self) -> Id {
        self.id
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        match &self.cause {
            Cause::Aborted(Abort { site, by: None }) => {
                write!(f, "task {id} was cancelled: aborted at {site}")
            }
            Cause::Aborted(Abort { site, by: Some(by) }) => {
                write!(f, "task {id} was cancelled: aborted by task {by} at {site}")
            }
            Cause::ShutDown => write!(
                f,
                "task {id} was cancelled: its runtime shut down before it ended"
            ),
            Cause::Undone => write!(
                f,
                "task {id} was cancelled: its runtime or executor shut down before it ran"
            ),
            Cause::TooLate => write!(
                f,
                "task {id} was cancelled: its runtime has shut down and starts nothing any more; \
                 keep the Runtime alive for as long as something is spawned on it (or a panic has ended it, if \
                 Builder::unhandled_panic says so)"
            ),
            Cause::Panicked(panic) => {
                write!(f, "task {id} panicked")?;
                panic
                    .location
                    .iter()
                    .try_for_each(|place| write!(f, " at {place}"))?;
                self.panic_message()
                    .iter()
                    .try_for_each(|text| write!(f, ": {text}"))
            }
            Cause::Refused(error) => write!(f, "job {id} could not start: {error}"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        match &self.cause {
            Cause::Aborted(Abort { site, .. }) => {
                write!(f, "JoinError::Cancelled({id:?}, aborted at {site})")
            }
            Cause::ShutDown => write!(f, "JoinError::Cancelled({id:?}, shut down)"),
            Cause::Undone => write!(f, "JoinError::Cancelled({id:?}, never ran)"),
            Cause::TooLate => write!(f, "JoinError::TooLate({id:?})"),
            Cause::Panicked(_) => {
                write!(f, "JoinError::Panic({id:?}, {:?})", self.panic_message())
            }
            Cause::Refused(error) => write!(f, "JoinError::Refused({id:?}, {error:?})"),
        }
    }
}

impl std::error::Error for JoinError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.io_error().map(|error| error as _)
    }
}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> Self {
        io::Error::other(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_no_larger_than_four_words() {
        assert!(size_of::<JoinError>() <= 4 * size_of::<u64>());
    }

    #[test]
    fn message_of_a_panic_is_part_of_the_text() {
        let error = JoinError::panicked(Id::next(), Box::new("wheels came off"));
        assert!(error.is_panic() && !error.is_cancelled());
        assert!(error.to_string().ends_with("panicked: wheels came off"));
        let payload = error.into_panic();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"wheels came off"));
    }

    #[test]
    fn a_cancelled_task_has_no_panic_to_give() {
        let error = JoinError::shut_down(Id::next());
        assert!(
            error
                .try_into_panic()
                .expect_err("no payload")
                .is_cancelled()
        );
    }
}
