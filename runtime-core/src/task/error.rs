//! Why a task has no output.

use super::Id;
use crate::sync::Mutex;
use std::any::Any;
use std::fmt;
use std::io;

/// The reason why a task or job ended without an output: it was cancelled, it panicked, or it could
/// not be started.
pub struct JoinError {
    id: Id,
    cause: Cause,
}

enum Cause {
    Cancelled,
    /// Spawned on a runtime that has shut down.
    TooLate,
    /// Behind a lock only to make the error `Sync`, which panic payloads need not be.
    Panicked(Mutex<Box<dyn Any + Send + 'static>>),
    Refused(Box<io::Error>),
}

impl JoinError {
    pub(crate) fn cancelled(id: Id) -> Self {
        Self {
            id,
            cause: Cause::Cancelled,
        }
    }

    pub(crate) fn too_late(id: Id) -> Self {
        Self {
            id,
            cause: Cause::TooLate,
        }
    }

    pub(crate) fn panicked(id: Id, payload: Box<dyn Any + Send + 'static>) -> Self {
        Self {
            id,
            cause: Cause::Panicked(Mutex::new(payload)),
        }
    }

    pub(crate) fn refused(id: Id, error: io::Error) -> Self {
        Self {
            id,
            cause: Cause::Refused(Box::new(error)),
        }
    }

    /// Whether the task was aborted, dropped by the shutdown of its runtime, or spawned after it.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.cause, Cause::Cancelled | Cause::TooLate)
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.cause, Cause::Panicked(_))
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
            Cause::Panicked(payload) => Ok(payload.into_inner()),
            cause => Err(Self { id: self.id, cause }),
        }
    }

    /// The id of the task that this is about.
    pub fn id(&self) -> Id {
        self.id
    }

    /// The panic's message, if it is text as with `panic!`.
    pub(crate) fn panic_message(&self) -> Option<String> {
        let Cause::Panicked(payload) = &self.cause else {
            return None;
        };
        let payload = payload.lock();
        if let Some(text) = payload.downcast_ref::<&'static str>() {
            Some((*text).to_owned())
        } else {
            payload.downcast_ref::<String>().cloned()
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Cancelled => write!(f, "task {} was cancelled", self.id),
            Cause::TooLate => write!(
                f,
                "task {} was cancelled: its runtime has shut down and starts nothing any more; \
                 keep the Runtime alive for as long as something is spawned on it",
                self.id
            ),
            Cause::Panicked(_) => match self.panic_message() {
                Some(message) => write!(f, "task {} panicked: {message}", self.id),
                None => write!(f, "task {} panicked", self.id),
            },
            Cause::Refused(error) => write!(f, "job {} could not start: {error}", self.id),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Cancelled => write!(f, "JoinError::Cancelled({:?})", self.id),
            Cause::TooLate => write!(f, "JoinError::TooLate({:?})", self.id),
            Cause::Panicked(_) => {
                write!(
                    f,
                    "JoinError::Panic({:?}, {:?})",
                    self.id,
                    self.panic_message()
                )
            }
            Cause::Refused(error) => write!(f, "JoinError::Refused({:?}, {error:?})", self.id),
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
    fn message_of_a_panic_is_part_of_the_text() {
        let error = JoinError::panicked(Id::next(), Box::new("wheels came off"));
        assert!(error.is_panic() && !error.is_cancelled());
        assert!(error.to_string().ends_with("panicked: wheels came off"));
        let payload = error.into_panic();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"wheels came off"));
    }

    #[test]
    fn a_cancelled_task_has_no_panic_to_give() {
        let error = JoinError::cancelled(Id::next());
        assert!(
            error
                .try_into_panic()
                .expect_err("no payload")
                .is_cancelled()
        );
    }
}
