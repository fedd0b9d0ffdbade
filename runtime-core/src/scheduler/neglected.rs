//! Branches whose worker does not come to look.
//!
//! A worker looks at its own poller whenever it runs dry, and once in 61 polls. If its polls are long, what its sources have to say
//! would wait, while a sibling may be idle. So the reactor thread grafts a branch that was not looked at for a whole tick onto
//! the shared poller, where whoever waits finds it: J5 of [`branch`](crate::reactor::branch).

use super::lane::Lane;
use crate::reactor::registry::Registry;

/// A grafted branch is left to its worker again once it has looked between so many ticks in a row: 16 to 64 ms. A program that
/// blocks again and again is not to wait for a tick each time.
const ATTENDED_ENOUGH: u32 = 32;

/// What was seen of the branches at the last tick.
pub(super) struct Neglected(Vec<Sight>);

#[derive(Clone, Copy, Default)]
struct Sight {
    looks: u64,
    /// Ticks in a row at which the worker had looked, or slept.
    attended: u32,
}

impl Neglected {
    pub(super) fn new(registry: &Registry) -> Self {
        Self(vec![Sight::default(); registry.branches.len()])
    }

    /// Grafts and prunes. Whether some branch was neglected.
    pub(super) fn look_after(&mut self, registry: &Registry, lanes: &[Lane]) -> bool {
        let mut any = false;
        let branches = registry.branches.iter().zip(lanes);
        for (worker, ((branch, lane), sight)) in branches.zip(&mut self.0).enumerate() {
            let looks = branch.looks();
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
                any |= registry.graft(worker);
            }
        }
        any
    }
}
