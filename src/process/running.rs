//! A child that was started and may not have ended: waiting for it, killing it, and not leaving a zombie behind.

use super::exit::Hint;
use super::orphans;
use crate::signal::unix::SignalKind;
use rustix::process::{Pid, Signal, kill_process};
use std::io;
use std::process::{self, ExitStatus};

/// A child, and how to hear of its end.
#[derive(Debug)]
pub(super) struct Running {
    /// `None` only once the drop has handed it on.
    child: Option<process::Child>,
    hint: Hint,
    /// How it ended, once that is known.
    status: Option<ExitStatus>,
    kill_on_drop: bool,
}

impl Running {
    /// # Errors
    ///
    /// If there is no way to hear of the child's end. It is killed then.
    pub(super) fn new(mut child: process::Child, kill_on_drop: bool) -> io::Result<Self> {
        match Hint::new(&child) {
            Ok(hint) => Ok(Self {
                child: Some(child),
                hint,
                status: None,
                kill_on_drop,
            }),
            Err(error) => {
                // Nobody would hear of it: it must not run unknown to all.
                let _ = child.kill();
                orphans::adopt(child);
                Err(error)
            }
        }
    }

    /// The number of the process, until its end is known.
    pub(super) fn id(&self) -> Option<u32> {
        match self.status {
            Some(_) => None,
            None => self.child.as_ref().map(process::Child::id),
        }
    }

    /// How it ended, if it has.
    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.status = self.child_mut().try_wait()?;
        }
        Ok(self.status)
    }

    /// Waits until it has ended.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            self.hint.wait().await?;
        }
    }

    /// Kills it.
    pub(super) fn start_kill(&mut self) -> io::Result<()> {
        self.is_left_to("kill")?;
        self.child_mut().kill()
    }

    /// Sends it a signal.
    pub(super) fn send_signal(&mut self, kind: SignalKind) -> io::Result<()> {
        self.is_left_to("send a signal to")?;
        let Some(signal) = Signal::from_named_raw(kind.as_raw_value()) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("cannot send {kind:?}: only signals that have a name can be sent"),
            ));
        };
        // It has not been waited for, so the number is its own still.
        Ok(kill_process(Pid::from_child(self.child_mut()), signal)?)
    }

    /// Refuses to do what needs a process that has not been waited for.
    fn is_left_to(&self, what: &str) -> io::Result<()> {
        match self.status {
            None => Ok(()),
            Some(status) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("cannot {what} a child that has ended ({status})"),
            )),
        }
    }

    fn child_mut(&mut self) -> &mut process::Child {
        match &mut self.child {
            Some(child) => child,
            None => unreachable!("only the drop takes it out"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        if self.status.is_some() {
            return;
        }
        if self.kill_on_drop {
            // It fails if there is nothing to kill any more.
            let _ = child.kill();
        } else {
            runtime_core::unwaited_child(child.id());
        }
        orphans::adopt(child);
    }
}
