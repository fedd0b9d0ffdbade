//! Task identities.

use crate::sync::static_atomic::{AtomicU64, Ordering};
use std::fmt;
use std::num::NonZeroU64;

/// Identifies a task, or a job of an executor, among all of this process.
///
/// Ids are never reused while the process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(NonZeroU64);

/// How many ids a thread takes from the shared counter at once, so that spawning threads do not
/// contend for its cache line.
const BLOCK: u64 = 1024;

static NEXT_BLOCK: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The next id of this thread's block, and where the block ends.
    static LOCAL: std::cell::Cell<(u64, u64)> = const { std::cell::Cell::new((0, 0)) };
}

impl Id {
    /// Takes the next id.
    #[inline]
    pub(crate) fn next() -> Self {
        let taken = LOCAL.try_with(|local| {
            let (next, end) = local.get();
            if next == end {
                let start = take_block();
                local.set((start + 1, start + BLOCK));
                start
            } else {
                local.set((next + 1, end));
                next
            }
        });
        // While a thread's locals are being destroyed it takes a block for a single id.
        let value = taken.unwrap_or_else(|_| take_block());
        Self(NonZeroU64::new(value).unwrap_or(NonZeroU64::MIN))
    }

    /// The id as a number, which is not zero.
    #[inline]
    pub(crate) fn number(self) -> u64 {
        self.0.get()
    }

    /// The id of this number; none for zero.
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }
}

#[cold]
fn take_block() -> u64 {
    // ORDERING: Relaxed; uniqueness needs only the atomicity of the addition.
    NEXT_BLOCK.fetch_add(BLOCK, Ordering::Relaxed) + 1
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_many_threads_are_all_different() {
        let threads: Vec<_> = (0..8)
            .map(|_| std::thread::spawn(|| (0..5_000).map(|_| Id::next()).collect::<Vec<_>>()))
            .collect();
        let mut all: Vec<Id> = threads
            .into_iter()
            .flat_map(|t| t.join().expect("no panic"))
            .collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 40_000);
    }
}
