//! Waits for a hint that a child may have ended, from whichever source there is.

use super::descriptor::ExitDescriptor;
use crate::signal::unix::{Signal, SignalKind, signal};
use std::io;
use std::process::Child;

/// Where hints come from.
#[derive(Debug)]
pub(in crate::process) enum Hint {
    Descriptor(ExitDescriptor),
    /// The descriptor has given its one hint, be it that its runtime is gone.
    Spent,
    Signal(Signal),
}

impl Hint {
    /// Whatever happens to the child from now on gives a hint.
    ///
    /// # Errors
    ///
    /// What the operating system says if not even signals can be had.
    pub(in crate::process) fn new(child: &Child) -> io::Result<Self> {
        match ExitDescriptor::new(child) {
            Ok(descriptor) => Ok(Self::Descriptor(descriptor)),
            Err(_) => Self::by_signal(),
        }
    }

    fn by_signal() -> io::Result<Self> {
        signal(SignalKind::child()).map(Self::Signal)
    }

    /// Waits until it is worth while to look.
    ///
    /// # Errors
    ///
    /// What the operating system says if hints have to come from elsewhere from now on, and cannot.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a hint is not used up before this returns.
    pub(in crate::process) async fn wait(&mut self) -> io::Result<()> {
        match self {
            Self::Descriptor(descriptor) => {
                // An error is that the runtime is gone. Then, too, a look is all that can be done.
                let _ = descriptor.ended().await;
                *self = Self::Spent;
            }
            // There was nothing to see after all: a debugger may see the end first. Signals come from now on, so look once more.
            Self::Spent => *self = Self::by_signal()?,
            Self::Signal(signal) => {
                signal.recv().await;
            }
        }
        Ok(())
    }
}
