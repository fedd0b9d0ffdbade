//! One operation of the runtime, repeated: a program to be counted, not timed.
//!
//! ```text
//!   counts list                 the operations
//!   counts OPERATION TIMES      does it TIMES times, and exits at once
//! ```
//!
//! Under callgrind two runs that differ in TIMES alone differ in the instructions of the operation alone, since whatever
//! comes before is the same in both and nothing comes after. `ci/bench-guard.sh` does that, and compares.
//!
//! The runtime has one worker, and no stall rescue: that would help a worker out that callgrind slows down. Other threads of
//! the runtime go by the clock, so the guard counts the one worker: the thread with by far the most instructions.

mod spawn;
mod switch;
mod timer;

use std::env;
use std::pin::Pin;
use std::process::{self, ExitCode};

/// The most times that an operation can be asked for. Operations that need something ready for each time make this much
/// ready whatever is asked for.
const MOST: usize = 20_000;

/// What is done in a row before the worker turns to what it made runnable.
const ROW: usize = 100;

/// A task that does an operation so many times.
type Repeated = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Name and operation.
type Entry = (&'static str, fn(usize) -> Repeated);

const ALL: &[Entry] = &[
    ("spawn", |times| Box::pin(spawn::detached(times))),
    ("spawn_join", |times| Box::pin(spawn::joined(times))),
    ("wake", |times| Box::pin(switch::wake(times))),
    ("yield", |times| Box::pin(switch::yields(times))),
    ("timer_insert", |times| Box::pin(timer::insert(times))),
    ("timer_cancel", |times| Box::pin(timer::cancel(times))),
    ("timer_fire", |times| Box::pin(timer::fire(times))),
];

fn main() -> ExitCode {
    let words: Vec<_> = env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match *words.as_slice() {
        ["list"] => {
            for (name, _) in ALL {
                println!("{name}");
            }
            ExitCode::SUCCESS
        }
        [wanted, times] => {
            let entry = ALL.iter().find(|(name, _)| *name == wanted);
            // Rows are whole, so that every time counts the same.
            let times = times
                .parse()
                .ok()
                .filter(|&times: &usize| times <= MOST && times.is_multiple_of(ROW));
            match (entry, times) {
                (Some((_, operation)), Some(times)) => run(operation(times)),
                _ => usage(),
            }
        }
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: counts list | counts OPERATION TIMES, with TIMES a multiple of {ROW} up to {MOST}"
    );
    ExitCode::FAILURE
}

/// Runs the task on the one worker.
fn run(repeated: Repeated) -> ExitCode {
    let runtime = gristmill::runtime::Builder::new()
        .worker_threads(1)
        .stall_threshold(None)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let task = runtime.spawn(async {
        repeated.await;
        // At once: dropping what is left would be counted.
        process::exit(0);
    });
    // Comes back only if the task panicked, which has been reported.
    drop(runtime.block_on(task));
    ExitCode::FAILURE
}
