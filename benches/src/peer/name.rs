//! What the runtimes are called, and which of them run here.

use std::str::FromStr;

/// A runtime, or what people use in place of one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Runtime {
    Gristmill,
    /// gristmill without its watch over stuck workers.
    GristmillUnwatched,
    Tokio,
    Smol,
    /// tokio, and rayon for what computes.
    TokioRayon,
    /// A single-threaded tokio for each worker; nothing goes from one to another.
    TokioPerCore,
    /// A monoio on io_uring for each worker; nothing goes from one to another.
    Monoio,
    Rayon,
    /// The standard library's threads, blocking.
    Threads,
    /// Worker processes, and threads that talk to them.
    Processes,
}

impl Runtime {
    pub(crate) const ALL: [Self; 10] = [
        Self::Gristmill,
        Self::GristmillUnwatched,
        Self::Tokio,
        Self::Smol,
        Self::TokioRayon,
        Self::TokioPerCore,
        Self::Monoio,
        Self::Rayon,
        Self::Threads,
        Self::Processes,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gristmill => "gristmill",
            Self::GristmillUnwatched => "gristmill-unwatched",
            Self::Tokio => "tokio",
            Self::Smol => "smol",
            Self::TokioRayon => "tokio+rayon",
            Self::TokioPerCore => "tokio-percore",
            Self::Monoio => "monoio",
            Self::Rayon => "rayon",
            Self::Threads => "threads",
            Self::Processes => "processes",
        }
    }

    /// Why it cannot run on this machine, if it cannot.
    pub(crate) fn obstacle(self) -> Option<&'static str> {
        let missing = self == Self::Monoio && !monoio::utils::detect_uring();
        missing.then_some("io_uring is missing or forbidden here")
    }
}

impl FromStr for Runtime {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|runtime| runtime.name() == name)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                format!("there is no runtime `{name}`; there are {names}")
            })
    }
}
