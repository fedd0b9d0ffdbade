//! What went wrong, as a sentence for the user and an exit code for a script.

use std::fmt;
use std::process::ExitCode;

/// Why the program ends without a table.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments cannot be carried out: exit code 2.
    Usage(String),
    /// Something failed on the way: exit code 1.
    Run(String),
}

impl Failure {
    /// The code for the calling program.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Run(_) => ExitCode::from(1),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => write!(f, "{message} (--help shows the usage)"),
            Self::Run(message) => f.write_str(message),
        }
    }
}

/// Puts what was being done in front of an error.
pub(crate) trait Context<T> {
    /// Turns an error `e` into `Failure::Run("{doing}: {e}")`.
    fn context(self, doing: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn context(self, doing: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::Run(format!("{doing}: {error}")))
    }
}
