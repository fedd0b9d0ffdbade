//! The macros of gristmill: an `async fn` that starts its own runtime, and several futures at a time.
//!
//! This crate knows the names `::gristmill::runtime::Builder` with its setters and `::gristmill::expansion`, and nothing
//! else of the runtime. `select` and `join` have a folder each. A use of an attribute goes through three steps, one file each:
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
mod join;
mod options;
mod select;

use proc_macro::TokenStream;

use crate::join::Until;
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

/// Awaits several futures at a time, and runs the handler of the first that is ready.
///
/// ```text
/// select! {
///     pattern = future => handler,
///     pattern = future, if condition => handler,
///     else => handler,
/// }
/// ```
///
/// All futures are polled by this one task; no task is spawned. When one is ready and its output matches the pattern, all the
/// futures are dropped, and then its handler runs, whose value is that of the whole expression. Handlers may use `?`, `.await`,
/// `return`, `break` and `continue` as the code around them, and what the futures had borrowed.
///
/// A branch whose condition is false is *disabled*: its future is made, but not polled. One whose output does not match its
/// pattern is disabled from then on. When all are disabled the handler of `else` runs.
///
/// The order of events: all conditions, in order; all future expressions, in order; polling; dropping the futures; the handler.
/// The handler needs no comma if it is a block.
///
/// # Fairness
///
/// Each poll begins with a random branch and goes on in the order in which they are written, so that a future that is always
/// ready cannot keep the others from their turn. With `biased;` before the first branch each poll begins with the first: put
/// what has to win, such as a stop signal, before what may always be ready.
///
/// # Examples
///
/// ```
/// use gristmill::time::{Duration, sleep};
///
/// gristmill::run(async {
///     let mut work = gristmill::spawn(async { 6 * 7 });
///     let answer = gristmill::select! {
///         answer = &mut work => answer.unwrap(),
///         _ = sleep(Duration::from_secs(3600)) => panic!("an hour is enough"),
///     };
///     assert_eq!(answer, 42);
/// });
/// ```
///
/// In a loop, with a timer that goes on from round to round, until both sources have ended:
///
/// ```
/// use gristmill::stream::{self, StreamExt};
/// use gristmill::time::{Duration, sleep};
/// use std::pin::pin;
///
/// gristmill::run(async {
///     let mut odd = stream::iter([1, 3, 5]);
///     let mut even = stream::iter([2, 4, 6]);
///     let mut late = pin!(sleep(Duration::from_secs(3600)));
///     let mut is_late = false;
///     let mut sum = 0;
///     while !is_late {
///         gristmill::select! {
///             _ = &mut late, if sum < 6 => is_late = true,
///             Some(n) = odd.next() => sum += n,
///             Some(n) = even.next() => sum += n,
///             else => break,
///         }
///     }
///     assert_eq!(sum, 21);
/// });
/// ```
///
/// # Panics
///
/// If all branches are disabled and there is no `else`.
///
/// # Errors
///
/// It is a compile error if there is no branch, if there are more than 64, or if one is not written as above.
///
/// # Cancel safety
///
/// The futures that were not ready are dropped: use only such whose documentation says "cancel safe" in a loop, or make the
/// future before the loop and pass `&mut future`. No output is lost by `select!` itself: once one was ready, no other future
/// is polled.
#[doc(alias = "FIRST_COMPLETED")]
#[doc(alias = "race")]
#[proc_macro]
pub fn select(input: TokenStream) -> TokenStream {
    select::select(input.into()).into()
}

/// Awaits several futures at a time, until all are ready, and gives their outputs as a tuple.
///
/// The futures may have different types and may borrow. All are polled by this one task, so they take turns instead of running in
/// parallel, and nothing is allocated; for tasks of their own see [`gather`](../gristmill/task/fn.gather.html). A future is
/// dropped as soon as it is ready.
///
/// # Fairness
///
/// Each poll begins with another future, so that the first cannot use up the budget of the task each time. With `biased;` before
/// the first future each poll goes through them in the order in which they are written.
///
/// # Examples
///
/// ```
/// use gristmill::time::{Duration, sleep};
///
/// gristmill::run(async {
///     let text = "seven".to_owned();
///     let (number, length, ()) = gristmill::join!(
///         async { 7 },
///         async { text.len() },
///         sleep(Duration::from_millis(1)),
///     );
///     assert_eq!((number, length), (7, 5));
/// });
/// ```
///
/// # Cancel safety
///
/// Dropping it drops the futures and the outputs that are there.
#[doc(alias = "gather")]
#[proc_macro]
pub fn join(input: TokenStream) -> TokenStream {
    join::join(Until::AllReady, input.into()).into()
}

/// Awaits several futures at a time, until all have given `Ok` or one has given `Err`.
///
/// Gives `Ok` with a tuple of the values, or the first error; the futures that were not ready are dropped then. In all else like
/// [`macro@join`]. The futures have different types of values and one type of error.
///
/// # Examples
///
/// ```
/// async fn parse<T: std::str::FromStr>(text: &str) -> Result<T, String> {
///     text.parse().map_err(|_| format!("{text:?} does not fit"))
/// }
///
/// gristmill::run(async {
///     let both = gristmill::try_join!(parse::<u8>("200"), parse::<char>("x"));
///     assert_eq!(both, Ok((200, 'x')));
///
///     let failed = gristmill::try_join!(parse::<u8>("300"), std::future::pending::<Result<(), _>>());
///     assert_eq!(failed, Err("\"300\" does not fit".to_owned()));
/// });
/// ```
///
/// # Cancel safety
///
/// As of [`macro@join`].
#[proc_macro]
pub fn try_join(input: TokenStream) -> TokenStream {
    join::join(Until::FirstError, input.into()).into()
}
