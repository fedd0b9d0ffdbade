//! Who fetches what next, and what has been found out so far.
//!
//! # Invariants
//!
//! - I1. Each item is handed out once. Item `i` is file `i % files`.
//! - I2. The digests of all passes over a file are equal, or [`Ledger::enter`] has said so.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::digest::Digest;
use crate::failure::Failure;
use crate::plan::Plan;

/// Shared by everyone who works on a plan.
pub(crate) struct Ledger {
    /// The plan that it is about.
    pub(crate) plan: Plan,
    /// The next item to hand out (I1).
    next: AtomicUsize,
    /// How many items are done.
    done: AtomicUsize,
    /// What is known of each file.
    digests: Mutex<Vec<Option<Digest>>>,
}

impl Ledger {
    /// An empty ledger for a plan.
    pub(crate) fn new(plan: Plan) -> Self {
        let digests = Mutex::new(vec![None; plan.files.len()]);
        Self {
            plan,
            next: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            digests,
        }
    }

    /// The next file to fetch, or `None` when all have been handed out.
    pub(crate) fn next(&self) -> Option<usize> {
        self.next_chunk(1).first().copied()
    }

    /// The next files to fetch, at most `count`; none when all have been handed out.
    pub(crate) fn next_chunk(&self, count: usize) -> Vec<usize> {
        // ORDERING: Relaxed. The counter hands out numbers and publishes nothing; the plan that
        // they are about was shared before.
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        let end = first.saturating_add(count).min(self.plan.items());
        (first..end)
            .map(|item| item % self.plan.files.len())
            .collect()
    }

    /// Enters what has been found out about a file.
    pub(crate) fn enter(&self, file: usize, digest: Digest) -> Result<(), Failure> {
        // ORDERING: Relaxed. It is read to show progress only.
        self.done.fetch_add(1, Ordering::Relaxed);
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        match &digests[file] {
            Some(before) if *before != digest => {
                let name = &self.plan.files[file];
                Err(Failure::Run(format!(
                    "{name} was changed meanwhile, or the way is broken: {before} before, {digest} now"
                )))
            }
            Some(_) => Ok(()),
            None => {
                digests[file] = Some(digest);
                Ok(())
            }
        }
    }

    /// How many items are done.
    pub(crate) fn done(&self) -> usize {
        // ORDERING: Relaxed. It is read to show progress only.
        self.done.load(Ordering::Relaxed)
    }

    /// The digests of all files, once all items are done.
    pub(crate) fn digests(&self) -> Result<Vec<Digest>, Failure> {
        let (done, items) = (self.done(), self.plan.items());
        let digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Option<Vec<Digest>> = digests.iter().cloned().collect();
        all.filter(|_| done == items)
            .ok_or_else(|| Failure::Run(format!("only {done} of {items} files were digested")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(files: usize, passes: usize) -> Ledger {
        let files = (0..files).map(|file| file.to_string()).collect();
        Ledger::new(Plan {
            files,
            passes,
            connections: 1,
            cores: 1,
            progress: false,
        })
    }

    #[test]
    fn every_file_is_handed_out_once_a_pass() {
        let ledger = ledger(3, 2);
        assert_eq!(ledger.next_chunk(4), [0, 1, 2, 0]);
        assert_eq!(ledger.next(), Some(1));
        assert_eq!(ledger.next_chunk(4), [2]);
        assert_eq!(ledger.next(), None);
        assert!(ledger.next_chunk(4).is_empty());
    }

    #[test]
    fn passes_that_disagree_are_an_error() {
        let ledger = ledger(1, 2);
        ledger.enter(0, Digest::of(b"before")).unwrap();
        ledger.enter(0, Digest::of(b"before")).unwrap();
        let error = ledger.enter(0, Digest::of(b"after")).unwrap_err();
        assert!(error.to_string().contains("changed meanwhile"), "{error}");
    }

    #[test]
    fn digests_are_given_only_when_all_items_are_done() {
        let ledger = ledger(1, 2);
        ledger.enter(0, Digest::of(b"body")).unwrap();
        assert!(ledger.digests().is_err());
        ledger.enter(0, Digest::of(b"body")).unwrap();
        assert_eq!(ledger.digests().unwrap(), [Digest::of(b"body")]);
    }
}
