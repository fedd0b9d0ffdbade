//! The sweep: drops what a shutdown finds left, the jobs that no thread had started and the futures that no worker drops.
//!
//! Destructors are the user's, and may never return. So wherever there is something to drop, a thread is started for it, and the one
//! that ends the runtime waits for that as long as it wants to. Where there is nothing, or no thread to be had, it goes through the
//! motions itself.

use super::context;
use super::house::House;
use crate::sync::Arc;

/// What workers leave to be dropped, and who does it.
pub(crate) struct Sweeping {
    house: Arc<House>,
    by: Option<Sweeper>,
}

/// Who drops what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sweeper {
    /// Whoever called.
    Caller,
    /// A thread of its own.
    Thread,
}

/// What the sweeper does after the sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// Nothing: the caller goes on.
    Nothing,
    /// [`House::finish`]: the caller has gone.
    Finish,
}

impl Sweeping {
    pub(crate) fn new(house: &Arc<House>) -> Self {
        Self {
            house: Arc::clone(house),
            by: None,
        }
    }

    /// Who sweeps, or has swept.
    pub(crate) fn by(&self) -> Option<Sweeper> {
        self.by
    }

    /// Sweeps on this thread, unless somebody does already.
    pub(crate) fn here(&mut self) {
        if self.by.is_none() {
            self.by = Some(Sweeper::Caller);
            let _inside = context::enter(&self.house);
            sweep(&self.house);
        }
    }

    /// Sweeps on a thread of its own where a destructor may run, unless somebody does already. Where there is nothing to drop, or no
    /// thread to be had, this thread does it.
    pub(crate) fn elsewhere(&mut self, afterwards: Afterwards) {
        let has_runnables = !self.house.engine.injector.is_empty();
        let is_needed =
            !self.house.unrun.are_dropped() || self.house.alive_tasks() > 0 || has_runnables;
        if self.by.is_some() || !is_needed {
            self.here();
            return;
        }
        if afterwards == Afterwards::Finish {
            // The report will not wait for the sweeper to get to them.
            self.house.tell_of_tasks();
        }
        let house = Arc::clone(&self.house);
        let started = self.house.staff.start_sweeper(&self.house, move || {
            let _inside = context::enter(&house);
            sweep(&house);
            if afterwards == Afterwards::Finish {
                house.finish();
            }
        });
        match started {
            Ok(()) => self.by = Some(Sweeper::Thread),
            Err(_) => self.here(),
        }
    }
}

/// Drops jobs, futures, and what the queues hold.
fn sweep(house: &Arc<House>) {
    house.unrun.drop_all(&house.engine.leftovers);
    house.retire_core();
    house.end_tasks(0);
    house.engine.leave_unattended();
}
