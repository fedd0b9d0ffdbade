//! Branches whose worker does not come to look.
//!
//! A worker looks at its own poller whenever it runs dry, and once in 61 polls. If its polls are long, what its sources have to say
//! would wait, while a sibling may be idle. So the reactor thread grafts a branch that was not looked at for a whole tick onto
//! the shared poller, where whoever waits finds it: J5 of [`branch`](crate::reactor::branch). Where the system refuses that, it looks
//! there itself.

use super::lane::Lane;
use crate::reactor::branch::Graft;
use crate::reactor::inbox::Anywhere;
use crate::reactor::poller::Events;
use crate::reactor::registry::Registry;
use std::task::Waker;

/// A grafted branch is left to its worker again once it has looked between so many ticks in a row: 16 to 64 ms. A program that
/// blocks again and again is not to wait for a tick each time.
const ATTENDED_ENOUGH: u32 = 32;

/// What was seen of the branches at the last tick.
pub(super) struct Neglected {
    sights: Vec<Sight>,
    /// Room for what the reactor thread finds itself.
    fetched: Events,
}

#[derive(Clone, Copy, Default)]
struct Sight {
    looks: u64,
    /// Ticks in a row at which the worker had looked, or slept.
    attended: u32,
}

impl Neglected {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            sights: vec![Sight::default(); registry.branches.len()],
            fetched: Events::new(),
        }
    }

    /// Grafts and prunes, or looks itself and collects the wakers. Whether some branch was neglected.
    pub(super) fn look_after(
        &mut self,
        registry: &Registry,
        lanes: &[Lane],
        woken: &mut Vec<Waker>,
    ) -> bool {
        let mut any = false;
        let branches = registry.branches.iter().zip(lanes);
        for (worker, ((branch, lane), sight)) in branches.zip(&mut self.sights).enumerate() {
            let looks = lane.stats.looks.get();
            // A worker that says itself that it will be long has looked before.
            let is_attended = (looks != sight.looks || lane.sleeps()) && !lane.is_stuck();
            if is_attended {
                *sight = Sight {
                    looks,
                    attended: sight.attended.saturating_add(1),
                };
                if sight.attended >= ATTENDED_ENOUGH {
                    registry.prune(worker);
                }
            } else {
                sight.looks = looks;
                sight.attended = 0;
                any |= match registry.graft(worker) {
                    Graft::New => true,
                    Graft::NotNew => false,
                    Graft::Refused => {
                        // An error will come up again, and be reported, when the worker looks.
                        if branch.look_for_worker(&mut self.fetched).is_ok() {
                            registry.dispatch(self.fetched.iter(), &mut Anywhere, woken);
                        }
                        true
                    }
                };
            }
        }
        any
    }
}
