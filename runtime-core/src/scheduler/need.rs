//! How long a relief worker is needed.
//!
//! It stays for a while after there was last anything to do, so that a program which blocks again and again does not stall each time; and goes
//! where it only does what others could, or keeps them from a processor. Figures in `docs/decisions/relief-by-need.md`.

use super::engine::Engine;
use super::worker::Worker;
use crate::sync::now;
use std::time::{Duration, Instant};

/// How long a relief worker stays without work.
pub(super) const LINGER: Duration = Duration::from_secs(1);

/// How long a relief worker stays while all that move are busy, more than there are ordinary ones, and none gets stuck. Longer than it
/// takes to find out that one is.
const SURPLUS: Duration = Duration::from_millis(100);

/// How long a relief worker has not been needed.
pub(super) struct Need {
    /// How many tasks it had polled by `since`.
    polls: u64,
    since: Instant,
    /// How long more workers moved than there are processors for, all of them busy, since one last slept in a poll or said that it would;
    /// and how often one had by then.
    surplus: Duration,
    times: u64,
    /// How long others slept at every look, and none got stuck.
    quiet: Duration,
}

/// A longer time between two rounds says nothing of what went on in it, but that there was little for this worker to do.
const ONE_ROUND: Duration = Duration::from_millis(10);

impl Need {
    pub(super) fn new(polls: u64) -> Self {
        Self {
            polls,
            since: now(),
            surplus: Duration::ZERO,
            times: 0,
            quiet: Duration::ZERO,
        }
    }

    /// Whether the worker has polled nothing for a while, or only what others slept beside, or others moved for a while who would have the
    /// processor to themselves without it.
    pub(super) fn is_over(&mut self, worker: &Worker) -> bool {
        let polls = worker.polls();
        if polls == self.polls {
            return self.since.elapsed() >= LINGER;
        }
        self.polls = polls;
        let before = std::mem::replace(&mut self.since, now());
        self.count(worker.engine(), self.since.duration_since(before));
        self.surplus >= SURPLUS || self.quiet >= LINGER
    }

    /// Counts the time since the last round. A worker that is marked as stuck and computes, or lacks a processor, only interrupts the
    /// count: it takes a processor itself.
    fn count(&mut self, engine: &Engine, round: Duration) {
        let times = engine.stuck.times();
        let is_quiet = engine.idle.counts().parked() > 0;
        if times != self.times || is_quiet {
            self.surplus = Duration::ZERO;
        } else if engine.moving() > engine.workers {
            self.surplus += round.min(ONE_ROUND);
        }
        self.quiet = match is_quiet && times == self.times {
            true => self.quiet.saturating_add(round),
            false => Duration::ZERO,
        };
        self.times = times;
    }
}
