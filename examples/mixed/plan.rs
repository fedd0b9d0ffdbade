//! The work that each way is given: the same for all of them.

use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::files::Files;
use crate::plain::Reference;
use crate::progress::Progress;

/// How much work a way should have at least, measured by the plain loop.
const WORK: Duration = Duration::from_secs(2);
/// What fetching a file costs besides digesting it, roughly. It only keeps the number of passes
/// over tiny files within reason.
const EXCHANGE: Duration = Duration::from_micros(50);
/// How many clients fetch at the same time.
const CONNECTIONS: usize = 64;

/// What a way has to do. The process that it runs in stands in DIR, so that the names are paths.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The files, by the names that they have below DIR.
    pub(crate) files: Vec<String>,
    /// How often each file is fetched.
    pub(crate) passes: usize,
    /// How many clients fetch at the same time, where a way has clients.
    pub(crate) connections: usize,
    /// How many processes work, where a way has processes.
    pub(crate) cores: usize,
    /// Whether to tell how far the work is.
    pub(crate) progress: bool,
}

impl Plan {
    /// How many files are fetched in all.
    pub(crate) fn items(&self) -> usize {
        self.files.len() * self.passes
    }
}

/// Divides two seconds of work by the work of one pass.
pub(crate) fn plan(files: &Files, reference: &Reference, progress: &Progress) -> Plan {
    let count = u32::try_from(files.names.len()).unwrap_or(u32::MAX);
    let pass = reference.work.max(EXCHANGE.saturating_mul(count));
    Plan {
        files: files.names.clone(),
        passes: WORK
            .as_nanos()
            .div_ceil(pass.as_nanos())
            .try_into()
            .unwrap_or(1),
        connections: CONNECTIONS,
        cores: thread::available_parallelism().map_or(1, usize::from),
        progress: progress.is_shown(),
    }
}
