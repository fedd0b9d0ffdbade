//! Accounts of what was started and how it ended.
//!
//! # Invariants
//!
//! * L1 — An account is even when as many have ended as were started and the sums of their serials' marks are the same: one that
//!   never ended and another that ended twice do not make up for each other.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// How something ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// It did what it was for.
    Completed,
    /// It was dropped before.
    Cancelled,
    /// It ended with an error or a panic that was planned.
    Failed,
}

/// All things of one kind.
pub(super) struct Account {
    pub(super) name: &'static str,
    /// What the three ends are called in the table.
    pub(super) ends: [&'static str; 3],
    started: AtomicU64,
    ended: [AtomicU64; 3],
    /// The marks of all that were started, less those of all that ended; wraps.
    open_marks: AtomicU64,
}

/// A reading of an account.
#[derive(Clone, Copy)]
pub(super) struct Balance {
    pub(super) started: u64,
    pub(super) completed: u64,
    pub(super) cancelled: u64,
    pub(super) failed: u64,
    open_marks: u64,
}

macro_rules! accounts {
    ($($constant:ident = $name:literal [$completed:literal, $cancelled:literal, $failed:literal];)*) => {
        $(pub(super) static $constant: Account = Account::new($name, [$completed, $cancelled, $failed]);)*
        /// All of them.
        pub(super) static ALL: &[&Account] = &[$(&$constant),*];
    };
}

accounts! {
    TASKS = "tasks" ["output", "cancelled", "panicked"];
    OUTPUTS = "outputs of tasks" ["taken", "dropped", ""];
    HANDLES = "handles" ["result", "dropped", ""];
    JOBS = "blocking jobs" ["ran", "never ran", "panicked"];
    COMPUTATIONS = "computations" ["ran", "never ran", "panicked"];
    TIMERS = "timers" ["fired", "cancelled", ""];
    STREAMS = "stream ends" ["all bytes", "dropped", "reset"];
    ITEMS = "channel items" ["received", "dropped", ""];
    PERMITS = "permits held" ["returned", "dropped", ""];
    CHILDREN = "child processes" ["awaited", "dropped", ""];
    FILES = "files" ["read back", "dropped", ""];
}

impl Account {
    const fn new(name: &'static str, ends: [&'static str; 3]) -> Self {
        Self {
            name,
            ends,
            started: AtomicU64::new(0),
            ended: [const { AtomicU64::new(0) }; 3],
            open_marks: AtomicU64::new(0),
        }
    }

    /// Enters one that starts; its serial.
    pub(super) fn start(&self) -> u64 {
        // ORDERING: SeqCst throughout, so that a balance which is read at rest is exact.
        let serial = self.started.fetch_add(1, SeqCst);
        self.open_marks.fetch_add(mark(serial), SeqCst);
        serial
    }

    /// Enters the end of the one with this serial.
    pub(super) fn end(&self, serial: u64, end: End) {
        self.open_marks.fetch_sub(mark(serial), SeqCst);
        self.ended[end as usize].fetch_add(1, SeqCst);
    }

    pub(super) fn balance(&self) -> Balance {
        let of = |end: End| self.ended[end as usize].load(SeqCst);
        Balance {
            completed: of(End::Completed),
            cancelled: of(End::Cancelled),
            failed: of(End::Failed),
            open_marks: self.open_marks.load(SeqCst),
            started: self.started.load(SeqCst),
        }
    }
}

impl Balance {
    pub(super) fn ended(self) -> u64 {
        self.completed + self.cancelled + self.failed
    }

    /// Whether each has ended, once.
    pub(super) fn is_even(self) -> bool {
        self.started == self.ended() && self.open_marks == 0
    }
}

/// A number that tells a serial from all others even in a sum.
fn mark(serial: u64) -> u64 {
    let mut x = serial.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// What is not even, a line each.
pub(super) fn uneven() -> Vec<String> {
    ALL.iter()
        .filter_map(|account| {
            let balance = account.balance();
            (!balance.is_even()).then(|| {
                format!(
                    "{}: {} started, {} ended ({} {}, {} {}, {} {}){}",
                    account.name,
                    balance.started,
                    balance.ended(),
                    balance.completed,
                    account.ends[0],
                    balance.cancelled,
                    account.ends[1],
                    balance.failed,
                    account.ends[2],
                    if balance.started == balance.ended() {
                        "; as many, but not the same"
                    } else {
                        ""
                    }
                )
            })
        })
        .collect()
}
