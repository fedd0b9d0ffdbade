//! The attribute macros of gristmill: an `async fn` that starts its own runtime.
//!
//! This crate knows the names `::gristmill::runtime::Builder` and its setters, and nothing else of
//! the runtime. A use of an attribute goes through three steps, one file each:
//!
//! ```text
//!   #[gristmill::main(worker_threads = 4)]      async fn main() -> io::Result<()> { … }
//!                     └── options ──┐                 └── entry ──┐
//!                                   └────────── expand ───────────┘
//! ```
//!
//! - `options` reads what stands in the parentheses and refuses what the runtime could not be
//!   built with;
//! - `entry` reads the function and refuses what cannot start a program or a test;
//! - `expand` writes the ordinary function that builds a runtime and blocks on the body.
//!
//! Each error points at the tokens that have to change and says what to write instead.

mod entry;
mod expand;
mod options;

use proc_macro::TokenStream;

use crate::options::Attribute;

/// Turns an `async fn` into an ordinary function that builds a runtime and runs the body on it.
///
/// The function keeps its name, visibility, attributes and return type. When the body has ended,
/// the runtime is dropped, which drops the tasks that are left, before the function returns.
///
/// # Options
///
/// | option | default | effect |
/// |---|---|---|
/// | `flavor` | `"multi_thread"` | `"multi_thread"`: workers that steal tasks from each other; `"current_thread"`: every task runs on the calling thread |
/// | `worker_threads` | one for each core | number of workers, at least 1; only with `"multi_thread"` |
/// | `start_paused` | `false` | `true`: the clock stands still and jumps to the next deadline when all tasks wait |
///
/// # Examples
///
/// ```
/// # use gristmill::time::{Duration, sleep};
/// #[gristmill::main]
/// async fn main() -> std::io::Result<()> {
///     sleep(Duration::from_millis(1)).await;
///     Ok(())
/// }
/// ```
///
/// With options:
///
/// ```
/// #[gristmill::main(worker_threads = 2)]
/// async fn main() {
///     let answer = gristmill::spawn(async { 6 * 7 }).await;
///     assert_eq!(answer.unwrap(), 42);
/// }
/// ```
///
/// # Panics
///
/// The function panics with the reason when the runtime cannot be built, for example because the
/// system refuses a thread, and when it is called from a task of a running runtime.
///
/// # Errors
///
/// It is a compile error if the function is not `async`, takes arguments or `self`, is generic,
/// `const` or `unsafe`, and if an option is unknown, given twice, or out of its range.
#[doc(alias = "run")]
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Attribute::Main, options.into(), item.into()).into()
}

/// Turns an `async fn` into a test that runs on a runtime of its own.
///
/// The function keeps its attributes, so `#[should_panic]` and `#[ignore]` work as on any test,
/// and its return type, so a test may return a `Result`. `#[test]` is added and must not be
/// written as well.
///
/// # Options
///
/// | option | default | effect |
/// |---|---|---|
/// | `flavor` | `"current_thread"` | `"current_thread"`: every task runs on the thread of the test; `"multi_thread"`: workers that steal tasks from each other |
/// | `worker_threads` | one for each core | number of workers, at least 1; only with `"multi_thread"` |
/// | `start_paused` | `false` | `true`: the clock stands still and jumps to the next deadline when all tasks wait |
///
/// # Examples
///
/// ```
/// # use gristmill::time::{Duration, Instant, sleep};
/// #[gristmill::test(start_paused = true)]
/// async fn an_hour_passes_at_once_while_the_clock_is_paused() {
///     let start = Instant::now();
///     sleep(Duration::from_secs(3600)).await;
///     assert!(start.elapsed() >= Duration::from_secs(3600));
/// }
///
/// #[gristmill::test(flavor = "multi_thread", worker_threads = 2)]
/// async fn a_spawned_task_gives_its_value() -> Result<(), gristmill::task::JoinError> {
///     assert_eq!(gristmill::spawn(async { 7 }).await?, 7);
///     Ok(())
/// }
/// ```
///
/// # Panics
///
/// The test fails with the reason when the runtime cannot be built.
///
/// # Errors
///
/// As for [`macro@main`].
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Attribute::Test, options.into(), item.into()).into()
}
