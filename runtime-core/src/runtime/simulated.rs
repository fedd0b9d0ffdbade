//! Simulated runtimes: how to make one, and how to look for the seed under which a program fails.

use super::{Builder, Runtime};
use crate::scheduler::house::Flavor;
use std::env;

/// The environment variable that has [`check`] replay one seed.
const SEED_VARIABLE: &str = "GRISTMILL_SEED";

impl Builder {
    /// The settings of a runtime whose schedule is a function of a seed, for tests that look for rare orders of events.
    ///
    /// Its tasks run on the thread that calls [`Runtime::block_on`], as with [`new_current_thread`](Self::new_current_thread), and
    ///
    /// * what runs next is drawn from all that could run: every task, the root future, every job whose moment has come;
    /// * time is virtual: it stands still while anything can run, and then jumps to the next timer or job. Timers that are due
    ///   together fire in an order that is drawn. A program that is never idle is charged 1 ms for every 10,000 steps;
    /// * jobs of every executor run on the same thread, each as one step, after 1 µs to 10 ms of virtual time. A job may not wait
    ///   for what the runtime does; one that sleeps by `std::thread::sleep` really does;
    /// * `select!` and everybody else who draws from `fastrand` on this thread gets the same numbers for the same seed.
    ///
    /// The same seed gives the same schedule, in the same build of a program that draws on nothing from outside. Sockets, child
    /// processes, signals and wake-ups by other threads work, but come when they come.
    ///
    /// If a panic leaves `block_on`, the seed is printed to standard error. So it is if nothing can run and nothing is left that
    /// would change that, which is a panic too: its message names the tasks that wait. Other threads have a second of
    /// real time to wake somebody before that; registered descriptors have all the time.
    ///
    /// The page `docs/simulation.md` says more; `sim::check` of the facade goes through many seeds.
    ///
    /// # Examples
    ///
    /// ```
    /// use gristmill::runtime::Builder;
    /// use std::sync::{Arc, Mutex};
    ///
    /// let order = |seed| {
    ///     let runtime = Builder::new_simulated(seed).build()?;
    ///     let order = Arc::new(Mutex::new(Vec::new()));
    ///     runtime.block_on(async {
    ///         let tasks = [1, 2, 3].map(|number| {
    ///             let order = Arc::clone(&order);
    ///             gristmill::spawn(async move { order.lock().unwrap().push(number) })
    ///         });
    ///         for task in tasks {
    ///             task.await.unwrap();
    ///         }
    ///     });
    ///     let order = order.lock().unwrap().clone();
    ///     Ok::<_, std::io::Error>(order)
    /// };
    /// assert_eq!(order(7)?, order(7)?);
    /// let orders: std::collections::BTreeSet<_> = (0..100).map(|seed| order(seed).unwrap()).collect();
    /// assert_eq!(orders.len(), 6);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new_simulated(seed: u64) -> Self {
        let mut builder = Self::with_flavor(Flavor::CurrentThread);
        builder.seed = Some(seed);
        builder
    }
}

/// Runs a future on a simulated runtime, once under each seed.
///
/// Each run has a runtime of its own, see [`Builder::new_simulated`], which is shut down afterwards. `make` is called inside of it.
/// If the environment variable `GRISTMILL_SEED` is set, to a number like `42` or `0x2a`, that seed is run instead of `seeds`.
///
/// # Panics
///
/// With the panic of the first run that panics, after its seed was printed to standard error. A task that panics and whose handle
/// nobody has awaited counts as a failure too. Also if there are no seeds, if `GRISTMILL_SEED` is no number, inside of async
/// code, and if the operating system refuses a runtime.
///
/// # Examples
///
/// Two tasks read, wait, and write; the update of one is lost under most seeds:
///
/// ```should_panic
/// use gristmill::sim::check;
/// use gristmill::spawn;
/// use gristmill::task::yield_now;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
///
/// check(0..1_000, async || {
///     let count = Arc::new(AtomicU32::new(0));
///     let tasks = [(); 2].map(|()| {
///         let count = Arc::clone(&count);
///         spawn(async move {
///             let seen = count.load(SeqCst);
///             yield_now().await;
///             count.store(seen + 1, SeqCst);
///         })
///     });
///     for task in tasks {
///         task.await.unwrap();
///     }
///     assert_eq!(count.load(SeqCst), 2);
/// });
/// ```
#[track_caller]
pub fn check(seeds: impl IntoIterator<Item = u64>, mut make: impl AsyncFnMut()) {
    let replayed = replayed_seed();
    let mut count = 0_u64;
    for seed in seeds {
        let seed = replayed.unwrap_or(seed);
        let runtime = start(seed);
        runtime.block_on(async { make().await });
        fail_for_lost_panics(runtime);
        count += 1;
        if replayed.is_some() {
            break;
        }
    }
    assert!(
        count > 0,
        "check() was given no seeds, so it would hold whatever the program does: give it a range such as 0..1_000"
    );
}

fn start(seed: u64) -> Runtime {
    match Builder::new_simulated(seed).build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("cannot start a simulated runtime: {error}"),
    }
}

/// Shuts down, and looks whether tasks have panicked unseen.
#[track_caller]
fn fail_for_lost_panics(runtime: Runtime) {
    let handle = runtime.handle().clone();
    drop(runtime);
    let panics = handle.metrics().unobserved_panics();
    if panics > 0 {
        if let Some(script) = &handle.house.simulation {
            script.tell_failure();
        }
        panic!(
            "{panics} of the simulated tasks panicked without anybody having awaited their handle; what they said stands above"
        );
    }
}

/// The seed that the environment asks for.
fn replayed_seed() -> Option<u64> {
    let text = env::var_os(SEED_VARIABLE)?;
    let seed = text.to_str().and_then(parse_seed);
    if seed.is_none() {
        panic!(
            "{SEED_VARIABLE} is {text:?}, which is no seed: set it to a number such as 42 or 0x2a, or unset it"
        );
    }
    seed
}

/// A number, in hexadecimal digits behind `0x` or else decimal.
fn parse_seed(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(all(test, not(gristmill_loom)))]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_read_as_they_are_printed() {
        for seed in [0, 1, 0x2a, u64::MAX] {
            assert_eq!(parse_seed(&format!("{seed:#x}")), Some(seed));
            assert_eq!(parse_seed(&format!(" {seed} ")), Some(seed));
        }
        for text in ["", "0x", "seven", "-1", "0x10000000000000000", "1.5"] {
            assert_eq!(parse_seed(text), None, "{text}");
        }
    }
}
