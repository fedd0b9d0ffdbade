//! The three ways to do the same work.
//!
//! Each one serves the files over TCP on the loopback address, fetches every item of the ledger,
//! digests it, enters the digest, and keeps a heartbeat going all the while. What differs is what
//! waits and what computes: tasks and pools ([`runtime`]), threads ([`threads`]), or processes
//! ([`processes`]).
//!
//! A way that fails returns at once and leaves what it has started to the end of its process,
//! which follows.

pub(crate) mod processes;
mod runtime;
mod threads;

use std::sync::Arc;

use crate::failure::Failure;
use crate::heartbeat::Figures;
use crate::ledger::Ledger;

/// A way to do the work.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// Tasks of gristmill, its blocking pool and its compute pool.
    Runtime,
    /// A thread per end of a connection.
    Threads,
    /// A process per core.
    Processes,
}

/// What is known at the end of a way, besides the ledger.
pub(crate) struct Outcome {
    /// The waiting times.
    pub(crate) heartbeat: Figures,
    /// The sum of the peaks of the memory of child processes, in bytes.
    pub(crate) children_memory: u64,
}

impl Way {
    /// All of them, in the order in which they are compared.
    pub(crate) const ALL: [Self; 3] = [Self::Runtime, Self::Threads, Self::Processes];

    /// The name in the table and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Threads => "threads",
            Self::Processes => "processes",
        }
    }

    /// The way with a name.
    pub(crate) fn from_name(name: &str) -> Result<Self, String> {
        let way = Self::ALL.into_iter().find(|way| way.name() == name);
        way.ok_or_else(|| format!("there is no way of {name}"))
    }

    /// Does all of the work of the ledger.
    pub(crate) fn go(self, ledger: &Arc<Ledger>) -> Result<Outcome, Failure> {
        match self {
            Self::Runtime => runtime::go(ledger),
            Self::Threads => threads::go(ledger),
            Self::Processes => processes::go(ledger),
        }
    }
}
