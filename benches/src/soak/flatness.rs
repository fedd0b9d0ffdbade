//! Whether a runtime that has ended left anything behind: descriptors, threads, child processes, memory.
//!
//! Descriptors, threads and children have to come back to what they were after the first eras, exactly. Memory does not: an allocator
//! keeps what it was given back, in as many arenas as there were threads at a time, and how much that is goes up and down by some tens
//! of MiB from era to era. What a leak does, and an allocator does not, is to raise the floor. So the least that was resident after any of
//! the last twelve eras is bound by the most that was resident in the warm-up and a small allowance, and each single era by the
//! same and a large one. 16 bytes lost for each task break the first bound within some ten seconds.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::verdict::violation;
use crate::measure::resident_bytes;

/// Eras before which nothing is compared: each flavour and each ending has had its turn.
pub(super) const WARM_UP: usize = 12;

/// The floor of so many eras is what must not rise.
const WINDOW: usize = 12;

/// How much higher than the most of the warm-up the floor may be.
const FLOOR_ALLOWANCE: u64 = 16 << 20;

/// How much more than in the warm-up may be resident at any time.
const ALLOWANCE: u64 = 128 << 20;

/// Threads of a runtime that was not waited for may take so long to go.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);

/// What is there between two eras.
#[derive(Clone, Copy, Debug)]
pub(super) struct Footprint {
    pub(super) descriptors: usize,
    pub(super) threads: usize,
    pub(super) children: usize,
    pub(super) resident: u64,
}

/// What was there after the eras so far.
#[derive(Default)]
pub(super) struct Flatness {
    eras: usize,
    /// Before the first era, when nothing has been started yet that stays.
    pub(super) first: Option<Footprint>,
    /// The most of each in the warm-up.
    warm: Option<Footprint>,
    pub(super) last: Option<Footprint>,
    /// What was resident after the latest eras.
    latest: VecDeque<u64>,
}

impl Footprint {
    fn now() -> io::Result<Self> {
        Ok(Self {
            descriptors: entries("/proc/self/fd")? - 1,
            threads: entries("/proc/self/task")?,
            children: children()?,
            resident: resident_bytes()?,
        })
    }

    fn most(self, other: Self) -> Self {
        Self {
            descriptors: self.descriptors.max(other.descriptors),
            threads: self.threads.max(other.threads),
            children: self.children.max(other.children),
            resident: self.resident.max(other.resident),
        }
    }

    /// Whether no more is there than in `other`, memory apart.
    fn is_within(self, other: Self) -> bool {
        self.descriptors <= other.descriptors
            && self.threads <= other.threads
            && self.children <= other.children
    }
}

impl Flatness {
    /// Looks before the first era.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        self.first = Some(Footprint::now()?);
        Ok(())
    }

    /// Looks after an era, whose runtime is gone or about to go.
    pub(super) fn look(&mut self, era: &str) -> io::Result<()> {
        let now = self.settled()?;
        self.last = Some(now);
        self.eras += 1;
        if self.eras <= WARM_UP {
            self.warm = Some(self.warm.map_or(now, |warm| warm.most(now)));
            return Ok(());
        }
        let Some(warm) = self.warm else {
            return Ok(());
        };
        if !now.is_within(warm) {
            violation(format!(
                "after {era}: {} descriptors, {} threads, {} children, where there were {}, {}, {} after the warm-up{}",
                now.descriptors,
                now.threads,
                now.children,
                warm.descriptors,
                warm.threads,
                warm.children,
                names()
            ));
        }
        self.check_memory(era, now.resident, warm.resident);
        Ok(())
    }

    fn check_memory(&mut self, era: &str, now: u64, warm: u64) {
        self.latest.push_back(now);
        if self.latest.len() > WINDOW {
            self.latest.pop_front();
        }
        if now > warm + ALLOWANCE {
            violation(format!(
                "after {era}: {} MiB are resident, where there were {} MiB after the warm-up",
                now >> 20,
                warm >> 20
            ));
        }
        if let Some(floor) = self.floor()
            && floor > warm + FLOOR_ALLOWANCE
        {
            violation(format!(
                "after {era}: at least {} MiB were resident after each of the last {WINDOW} runtimes, where there were at most {} MiB \
                 in the warm-up",
                floor >> 20,
                warm >> 20
            ));
        }
    }

    /// The least that was resident after any of the latest eras, if there were enough.
    pub(super) fn floor(&self) -> Option<u64> {
        let full = self.latest.len() == WINDOW;
        self.latest.iter().copied().min().filter(|_| full)
    }

    /// The most that was resident in the warm-up.
    pub(super) fn warm_resident(&self) -> Option<u64> {
        Some(self.warm?.resident)
    }

    /// What is there when nothing more goes away: the goal is what was there before.
    fn settled(&self) -> io::Result<Footprint> {
        let goal = self.warm.or(self.first);
        let start = Instant::now();
        loop {
            let now = Footprint::now()?;
            let is_settled = goal.is_none_or(|goal| now.is_within(goal));
            // In the warm-up something may be started that stays, such as the thread of the signals.
            let patience = if self.eras < WARM_UP {
                Duration::from_millis(300)
            } else {
                SETTLES_WITHIN
            };
            if is_settled || start.elapsed() > patience {
                return Ok(now);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn entries(folder: &str) -> io::Result<usize> {
    Ok(fs::read_dir(folder)?.count())
}

/// Processes that this one has started and nobody has reaped. None are known of where the system does not tell.
fn children() -> io::Result<usize> {
    let mut count = 0;
    for task in fs::read_dir("/proc/self/task")? {
        // A thread that ends meanwhile has handed its children on.
        let list = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        count += list.split_ascii_whitespace().count();
    }
    Ok(count)
}

/// What the threads are called and the descriptors lead to; for the report.
fn names() -> String {
    let read = |folder: &str, name: fn(fs::DirEntry) -> String| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(name).collect::<Vec<_>>().join(", ")
    };
    let threads = read("/proc/self/task", |entry| {
        fs::read_to_string(entry.path().join("comm"))
            .unwrap_or_default()
            .trim()
            .to_owned()
    });
    let descriptors = read("/proc/self/fd", |entry| {
        fs::read_link(entry.path())
            .map(|path| path.display().to_string())
            .unwrap_or_default()
    });
    format!("\n  threads: {threads}\n  descriptors: {descriptors}")
}
