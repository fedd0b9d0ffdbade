//! The life of one runtime, from its start until nothing of it is left.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use gristmill::runtime::{Builder, Runtime};
use gristmill::task::{JoinError, JoinHandle};
use gristmill::time::sleep;

use super::ending::Ending;
use super::lanes::{self, Lane};
use super::ledger::{self, TASKS};
use super::loads::{self, outsiders};
use super::stage::{Flavour, Setting, Stage};
use super::ticket::Ticket;
use super::verdict::{set_ending, violation};
use super::watchdog;
use crate::peer::workers;

/// Threads that spawn from outside.
const OUTSIDERS: usize = 2;

/// One runtime, and what is done with it.
pub(super) struct Era {
    pub(super) flavour: Flavour,
    pub(super) ending: Ending,
    pub(super) length: Duration,
    restful: bool,
    dice: fastrand::Rng,
}

impl Era {
    /// Draws one. Every flavour has its turn with every ending; the rest is chance.
    pub(super) fn draw(number: usize, dice: &mut fastrand::Rng, most: Duration) -> Self {
        let (flavour, ending) = turn(number);
        // Some end before they are well under way.
        let most = if number % 5 == 4 {
            Duration::from_millis(20)
        } else {
            most
        };
        Self {
            flavour,
            ending,
            length: most.mul_f64(0.3 + 0.7 * dice.f64()),
            restful: dice.bool(),
            dice: dice.fork(),
        }
    }

    pub(super) fn describe(&self) -> String {
        format!(
            "{:?}, {}, {:.2} s, ends {:?}",
            self.flavour,
            if self.restful { "restful" } else { "busy" },
            self.length.as_secs_f64(),
            self.ending
        )
    }

    /// Runs it, and waits until everything that was started has ended.
    pub(super) fn run(mut self, folder: PathBuf, lane: &Lane) -> io::Result<()> {
        lane.at("starting a runtime");
        fs::create_dir(&folder)?;
        let setting = Setting::new(self.flavour, self.restful, folder.clone());
        let runtime = match self.flavour {
            Flavour::MultiThread => Builder::new().worker_threads(workers()),
            Flavour::CurrentThread => Builder::new_current_thread(),
        }
        .build()?;
        watchdog::enter_era(&self.describe(), runtime.metrics());
        let outsiders: Vec<_> = (0..OUTSIDERS)
            .map(|_| {
                let handle = runtime.handle().clone();
                outsiders::start(handle, Arc::clone(&setting), self.dice.fork())
            })
            .collect();
        let running = self.start_loads(&runtime, &setting);
        lane.at("in the middle of an era");
        runtime.block_on(sleep(self.length));
        set_ending(true);
        self.end(runtime, &setting, running, lane);
        watchdog::leave_era();
        lane.at("awaiting outsiders");
        setting.stop.store(true, SeqCst);
        for outsider in outsiders {
            if outsider.join().is_err() {
                violation("a thread that spawns from outside panicked");
            }
        }
        self.settle(lane);
        set_ending(false);
        fs::remove_dir_all(folder)
    }

    fn start_loads(&mut self, runtime: &Runtime, setting: &Arc<Setting>) -> Vec<JoinHandle<()>> {
        let mut running = Vec::new();
        for load in loads::ALL {
            for number in 0..load.lanes {
                let stage = Stage {
                    setting: Arc::clone(setting),
                    dice: self.dice.fork(),
                    lane: Lane::new(format!("{} {number}", load.name)),
                };
                let ticket = Ticket::new(&TASKS);
                let load = (load.run)(stage);
                running.push(runtime.spawn(async move {
                    load.await;
                    super::ticket::output(ticket).take();
                }));
            }
        }
        running
    }

    fn end(&self, runtime: Runtime, setting: &Setting, running: Vec<JoinHandle<()>>, lane: &Lane) {
        if self.ending == Ending::InOrder {
            lane.at("awaiting the loads");
            // ORDERING: SeqCst, as every access to it.
            setting.stop.store(true, SeqCst);
            for load in running {
                check_load(runtime.block_on(load), false);
            }
            self.ending.end(runtime, lane);
            return;
        }
        self.ending.end(runtime, lane);
        if self.ending.is_complete() {
            lane.at("awaiting the handles of loads");
            for load in running {
                check_load(futures_lite::future::block_on(load), true);
            }
        }
    }

    /// Waits until every account is even. After a complete ending they are already.
    fn settle(&self, lane: &Lane) {
        lane.at("awaiting the end of everything");
        let start = Instant::now();
        loop {
            let uneven = ledger::uneven();
            if uneven.is_empty() && lanes::count() == 1 {
                break;
            }
            let over = start.elapsed() > watchdog::PATIENCE / 2;
            if self.ending.is_complete() || over {
                violation(format!(
                    "after {}: not everything has ended: {} loads are left; {}",
                    self.describe(),
                    lanes::count() - 1,
                    uneven.join("; ")
                ));
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        loads::check_leftovers();
        let (tasks, outputs) = (TASKS.balance(), ledger::OUTPUTS.balance());
        let jobs = ledger::JOBS.balance().completed + ledger::COMPUTATIONS.balance().completed;
        if tasks.completed + jobs != outputs.started {
            violation(format!(
                "{} tasks and jobs gave {} outputs",
                tasks.completed + jobs,
                outputs.started
            ));
        }
    }
}

/// Whose turn it is: the flavours one after the other, and an ending for each round of them.
fn turn(number: usize) -> (Flavour, Ending) {
    const ROUND: [Flavour; 3] = [
        Flavour::MultiThread,
        Flavour::CurrentThread,
        Flavour::MultiThread,
    ];
    let (round, place) = (number / ROUND.len(), number % ROUND.len());
    (ROUND[place], Ending::ALL[round % Ending::ALL.len()])
}

fn check_load(result: Result<(), JoinError>, may_be_cancelled: bool) {
    match result {
        Err(error) if !error.is_cancelled() || !may_be_cancelled => {
            violation(format!("a load: {error}"));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flavour_ends_in_every_way() {
        let turns: Vec<_> = (0..18).map(turn).collect();
        for flavour in [Flavour::MultiThread, Flavour::CurrentThread] {
            for ending in Ending::ALL {
                assert!(turns.contains(&(flavour, ending)), "{flavour:?} {ending:?}");
            }
        }
    }
}
