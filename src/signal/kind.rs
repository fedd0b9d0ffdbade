//! Which signal.

use signal_hook::consts;
use std::fmt;
use std::io;

/// A kind of signal, by the number that the operating system has for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignalKind(i32);

/// A number from here on cannot be a signal's on any system.
const NUMBERS: i32 = 128;

impl SignalKind {
    /// The kind with this number, such as a real-time signal.
    pub const fn from_raw(number: i32) -> Self {
        Self(number)
    }

    /// The number.
    #[doc(alias = "as_raw")]
    pub const fn as_raw_value(&self) -> i32 {
        self.0
    }

    /// `SIGALRM`: a timer of the process has run out.
    pub const fn alarm() -> Self {
        Self(consts::SIGALRM)
    }

    /// `SIGCHLD`: a child process has ended, stopped or gone on. Ignored unless listened for.
    pub const fn child() -> Self {
        Self(consts::SIGCHLD)
    }

    /// `SIGHUP`: the terminal is gone; for programs without one, by custom, "read your settings again".
    pub const fn hangup() -> Self {
        Self(consts::SIGHUP)
    }

    /// `SIGINFO`: somebody at the terminal asks how things are.
    #[cfg(any(
        target_os = "macos",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "dragonfly"
    ))]
    pub const fn info() -> Self {
        Self(consts::SIGINFO)
    }

    /// `SIGINT`: Ctrl-C at the terminal.
    pub const fn interrupt() -> Self {
        Self(consts::SIGINT)
    }

    /// `SIGIO`: a descriptor is ready, if it was asked to say so.
    pub const fn io() -> Self {
        Self(consts::SIGIO)
    }

    /// `SIGPIPE`: a write to a pipe that nobody reads. Rust programs ignore it and get an error from the write.
    pub const fn pipe() -> Self {
        Self(consts::SIGPIPE)
    }

    /// `SIGQUIT`: Ctrl-\ at the terminal.
    pub const fn quit() -> Self {
        Self(consts::SIGQUIT)
    }

    /// `SIGTERM`: the polite request to end.
    pub const fn terminate() -> Self {
        Self(consts::SIGTERM)
    }

    /// `SIGUSR1`: whatever the program makes of it.
    pub const fn user_defined1() -> Self {
        Self(consts::SIGUSR1)
    }

    /// `SIGUSR2`: whatever the program makes of it.
    pub const fn user_defined2() -> Self {
        Self(consts::SIGUSR2)
    }

    /// `SIGWINCH`: the terminal has another size. Ignored unless listened for.
    pub const fn window_change() -> Self {
        Self(consts::SIGWINCH)
    }

    fn name(self) -> Option<&'static str> {
        signal_hook::low_level::signal_name(self.0)
    }

    /// Refuses what cannot be listened for.
    pub(super) fn check(self) -> io::Result<()> {
        let reason = match self.0 {
            consts::SIGKILL | consts::SIGSTOP => {
                "the operating system lets no process handle it; clean up on SIGTERM instead"
            }
            number if consts::FORBIDDEN.contains(&number) => {
                "it reports a fault of the very instruction that runs, which no task can answer"
            }
            number if !(1..NUMBERS).contains(&number) => {
                "no signal has this number; SignalKind has a constructor for each usual one"
            }
            _ => return Ok(()),
        };
        let text = format!("cannot listen for {self:?}: {reason}");
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }
}

impl From<i32> for SignalKind {
    fn from(number: i32) -> Self {
        Self::from_raw(number)
    }
}

impl From<SignalKind> for i32 {
    fn from(kind: SignalKind) -> Self {
        kind.0
    }
}

impl fmt::Debug for SignalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}
