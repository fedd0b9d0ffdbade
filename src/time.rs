//! Sleeps, timeouts, intervals, and a clock that tests can pause.
//!
//! A timer never fires early. It fires within some tens of microseconds of its deadline on a worker that is free, and within
//! a few milliseconds if every worker is busy: the reactor thread sees to that. A deadline too far away to be represented is as
//! far away as can be.
//!
//! # Examples
//!
//! ```
//! use gristmill::time::{Duration, sleep, timeout};
//!
//! gristmill::run(async {
//!     let late = timeout(Duration::from_millis(5), sleep(Duration::from_secs(3600))).await;
//!     assert!(late.is_err());
//!
//!     let in_time = timeout(Duration::from_secs(3600), async { 7 }).await;
//!     assert_eq!(in_time, Ok(7));
//! });
//! ```
//!
//! In tests the clock of a current-thread runtime can stand still. It then jumps to the next deadline whenever there is nothing
//! else to do, so that hours pass in no time:
//!
//! ```
//! use gristmill::runtime::Builder;
//! use gristmill::time::{Duration, Instant, sleep};
//!
//! let runtime = Builder::new_current_thread().start_paused(true).build()?;
//! runtime.block_on(async {
//!     let start = Instant::now();
//!     sleep(Duration::from_secs(3600)).await;
//!     assert_eq!(start.elapsed(), Duration::from_secs(3600));
//! });
//! # Ok::<(), std::io::Error>(())
//! ```

pub use runtime_timer::{
    Instant, Interval, MissedTickBehavior, Sleep, Timeout, advance, error, interval, interval_at,
    pause, resume, sleep, sleep_until, timeout, timeout_at,
};
pub use std::time::Duration;
