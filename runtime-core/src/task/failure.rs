//! Which outputs of a task are failures that somebody should have seen.
//!
//! A panic is. Whether an output is an error is not to be known in general, since the type is the user's and need not say;
//! it is known of `Result<(), E>` for the few `E` that most programs end their detached tasks with. The comparison of
//! types is decided at compile time.

use super::JoinError;
use std::any::Any;
use std::error::Error;
use std::fmt::Display;
use std::io;

/// A failure that is about to be dropped without having been seen.
pub(crate) enum Unobserved<'a> {
    Panic(&'a JoinError),
    Error(&'a dyn Display),
}

impl<'a> Unobserved<'a> {
    /// What is known of an output.
    pub(super) fn in_output<T: 'static>(output: &'a Result<T, JoinError>) -> Option<Self> {
        match output {
            Ok(value) => error_in(value).map(Self::Error),
            Err(error) if error.is_panic() => Some(Self::Panic(error)),
            Err(error) if error.io_error().is_some() => Some(Self::Error(error)),
            Err(_) => None,
        }
    }
}

fn error_in<T: 'static>(value: &T) -> Option<&dyn Display> {
    fn of<E: Display + 'static>(value: &dyn Any) -> Option<&dyn Display> {
        let result = value.downcast_ref::<Result<(), E>>()?;
        result.as_ref().err().map(|error| error as &dyn Display)
    }
    of::<io::Error>(value)
        .or_else(|| of::<Box<dyn Error + Send + Sync>>(value))
        .or_else(|| of::<Box<dyn Error + Send>>(value))
        .or_else(|| of::<JoinError>(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Id;

    fn text<T: 'static>(output: Result<T, JoinError>) -> Option<String> {
        Unobserved::in_output(&output).map(|failure| match failure {
            Unobserved::Panic(error) => format!("panic: {error}"),
            Unobserved::Error(error) => error.to_string(),
        })
    }

    #[test]
    fn errors_of_common_types_are_known() {
        assert_eq!(
            text(Ok(Err::<(), _>(io::Error::other("oh")))),
            Some("oh".into())
        );
        let boxed: Box<dyn Error + Send + Sync> = "boxed".into();
        assert_eq!(text(Ok(Err::<(), _>(boxed))), Some("boxed".into()));
    }

    #[test]
    fn what_is_no_failure_is_left_alone() {
        assert_eq!(text(Ok(Ok::<(), io::Error>(()))), None);
        assert_eq!(text(Ok(7)), None);
        assert_eq!(text::<()>(Err(JoinError::shut_down(Id::next()))), None);
    }
}
