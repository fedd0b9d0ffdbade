//! A multi-threaded work-stealing async runtime with executors for CPU-bound and blocking calls.
//!
//! Write `async`/`await`, link `gristmill`, and get: workers, one a core, that steal tasks from each other; a separate
//! reactor thread that guarantees that sockets and timers never wait for a busy worker; and executors that take calls which
//! block or compute off the workers.
//!
//! ```
//! use gristmill::time::{Duration, sleep};
//!
//! gristmill::run(async {
//!     let slow = gristmill::spawn(async {
//!         sleep(Duration::from_millis(20)).await;
//!         "slept"
//!     });
//!     let heavy = gristmill::spawn_compute(|| (1..=20u64).product::<u64>());
//!     assert_eq!(heavy.await?, 2_432_902_008_176_640_000);
//!     assert_eq!(slow.await?, "slept");
//!     Ok::<(), gristmill::task::JoinError>(())
//! })
//! # .unwrap();
//! ```
//!
//! # Where things are
//!
//! | module | what |
//! |---|---|
//! | [`runtime`] | making, configuring, reaching and measuring a runtime |
//! | [`mod@task`] | tasks: spawning, joining, aborting, naming, sets, task-local values |
//! | [`time`] | sleeps, timeouts, intervals, and a clock that tests can pause |
//! | [`net`] | TCP, UDP and Unix sockets, name look-up |
//! | [`io`] | reading and writing, and any other descriptor |
//! | [`stream`] | values that come one after the other, and functions that yield them |
//! | [`fs`] | files and folders |
//! | [`sync`] | locks, channels, queues, signals between tasks |
//! | [`executor`] | pools for blocking and for computing closures |
//! | [`process`] | child processes: their pipes, their end |
//! | [`sim`] | deterministic simulation: a program under a thousand schedules, each of which replays |
//! | [`signal`] | Ctrl-C and the other signals, and ending in order |
//!
//! Several futures at a time, in one task: [`join!`], [`try_join!`], [`select!`]; as tasks: [`task::gather`],
//! [`task::TaskGroup`], [`task::JoinSet`].
//!
//! # Features
//!
//! None is on by default, and none changes what is there without it.
//!
//! | feature | adds |
//! |---|---|
//! | `codec` | `io::codec`: streams of bytes cut into frames, by length or by line |
//! | `hyper` | `hyper`: what hyper 1 needs to serve and to speak HTTP on this runtime |
//! | `tracing` | the reports of debug mode ([`runtime::Builder::debug`]) as events of `tracing` |
//! | `tokio-io` | the traits `tokio::io::{AsyncRead, AsyncWrite}` for streams, pipes and files, and `io::Compat` for the rest |

#![forbid(unsafe_code)]

pub mod runtime;
pub mod sync;
pub mod task;
pub mod time;

pub mod executor;

mod desk;
mod lone_thread;
mod scratch;

pub mod fs;

pub mod io;
pub mod net;

pub mod stream;

pub mod signal;

pub mod sim;

pub mod process;

#[cfg(feature = "hyper")]
pub mod hyper;

#[doc(hidden)]
pub mod expansion;

pub use executor::run_in_executor;
pub use runtime::run;
pub use runtime_macros::{join, main, select, test, try_join};
pub use task::{spawn, spawn_blocking, spawn_compute};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/from-asyncio.md")]
struct FromAsyncio;

#[cfg(doctest)]
#[doc = include_str!("../docs/from-tokio.md")]
struct FromTokio;

#[cfg(doctest)]
#[doc = include_str!("../docs/simulation.md")]
struct Simulation;
