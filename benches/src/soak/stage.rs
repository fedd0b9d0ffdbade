//! What a load is given.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use gristmill::time;

use super::lanes::Lane;

/// Which runtime an era has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flavour {
    MultiThread,
    CurrentThread,
}

/// What all loads of an era share.
pub(super) struct Setting {
    pub(super) flavour: Flavour,
    /// Whether loads rest between their rounds, so that workers go to sleep and wake up.
    pub(super) restful: bool,
    /// A folder of this era's own.
    pub(super) folder: PathBuf,
    /// Set once; loads end their round then.
    pub(super) stop: AtomicBool,
    /// Numbers for streams.
    numbers: AtomicU64,
}

/// What one lane of a load is given.
pub(super) struct Stage {
    pub(super) setting: Arc<Setting>,
    pub(super) dice: fastrand::Rng,
    pub(super) lane: Lane,
}

impl Setting {
    pub(super) fn new(flavour: Flavour, restful: bool, folder: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            flavour,
            restful,
            folder,
            stop: AtomicBool::new(false),
            numbers: AtomicU64::new(1),
        })
    }

    /// A number that nobody of this era has.
    pub(super) fn number(&self) -> u64 {
        // ORDERING: SeqCst here and below; nothing hangs on its price.
        self.numbers.fetch_add(1, SeqCst)
    }

    pub(super) fn is_over(&self) -> bool {
        self.stop.load(SeqCst)
    }
}

impl Stage {
    /// Between two rounds: rests, if this is a restful era. Whether there is another round.
    pub(super) async fn goes_on(&mut self) -> bool {
        self.lane.at("between two rounds");
        if self.setting.restful {
            let rest = Duration::from_micros(self.dice.u64(0..8_000));
            time::sleep(rest).await;
        } else {
            gristmill::task::yield_now().await;
        }
        !self.setting.is_over()
    }

    /// Once in so many times.
    pub(super) fn once_in(&mut self, times: u32) -> bool {
        self.dice.u32(0..times) == 0
    }

    pub(super) fn micros(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_micros(self.dice.u64(range))
    }
}
