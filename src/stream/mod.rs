//! Values that come one after the other, and functions that yield them.
//!
//! A [`Stream`] is to a future what an iterator is to a value. The trait and its combinators are those of the ecosystem; [`stream!`]
//! and [`try_stream!`] make a stream of a block that yields. What is this crate's own:
//!
//! * [`ConcurrentExt`] — several items at a time
//! * [`TimeoutExt`] — a bound on how long to wait for an item
//!
//! # Coming from asyncio
//!
//! | Python | here |
//! |---|---|
//! | `async def` with `yield` | [`stream!`]; with `?` inside, [`try_stream!`] |
//! | `async for x in xs:` | `while let Some(x) = xs.next().await` |
//! | `[f(x) async for x in xs if p(x)]` | `xs.filter(p).map(f).collect::<Vec<_>>().await` |
//! | `anext(xs)` | `xs.next().await`, with [`StreamExt`] in scope |
//! | `aclosing(xs)` | nothing: dropping the stream drops what its block holds |
//! | `async with resource as r:` | `let r = …;`: it is released where `r` goes out of scope, by `Drop`. If releasing has to wait, call it by name (`r.close().await`), or use a function that takes the body, such as [`task::group`](crate::task::group()) |
//!
//! A stream that is made by a macro is polled in place: pin it, with [`std::pin::pin!`] or [`StreamExt::boxed`].
//!
//! Other streams: [`Interval`](crate::time::Interval), what arrives at a listener (`incoming`), the lines of a reader
//! ([`AsyncBufReadExt::lines`](crate::io::AsyncBufReadExt::lines)), the receivers of [`mpsc`](crate::sync::mpsc),
//! [`Signal`](crate::signal::unix::Signal), [`ReadDir`](crate::fs::ReadDir), [`as_completed`](crate::task::as_completed).
//! Anything that has an `async fn` for the next item becomes one with [`unfold`], or with [`stream!`] as in the example.
//!
//! # Examples
//!
//! ```
//! use gristmill::stream::{Stream, StreamExt, stream};
//! use gristmill::time::{Duration, sleep};
//! use std::pin::pin;
//!
//! /// Counts down, a millisecond a number.
//! fn countdown(from: u32) -> impl Stream<Item = u32> {
//!     stream! {
//!         for n in (0..from).rev() {
//!             sleep(Duration::from_millis(1)).await;
//!             yield n;
//!         }
//!     }
//! }
//!
//! gristmill::run(async {
//!     let mut numbers = pin!(countdown(3));
//!     while let Some(n) = numbers.next().await {
//!         println!("{n}");
//!     }
//!     let even: Vec<u32> = countdown(5).filter(|n| n % 2 == 0).collect().await;
//!     assert_eq!(even, [4, 2, 0]);
//! });
//! ```
//!
//! A queue as a stream that ends when the queue is shut down:
//!
//! ```
//! use gristmill::stream::{Stream, StreamExt, stream};
//! use gristmill::sync::Queue;
//!
//! fn items<T>(queue: &Queue<T>) -> impl Stream<Item = T> {
//!     stream! {
//!         while let Ok(item) = queue.get().await {
//!             yield item;
//!         }
//!     }
//! }
//!
//! gristmill::run(async {
//!     let queue = Queue::unbounded();
//!     for n in 1..=3 {
//!         queue.put(n).await.expect("it is open");
//!     }
//!     queue.shutdown();
//!     assert_eq!(items(&queue).collect::<Vec<i32>>().await, [1, 2, 3]);
//! });
//! ```

mod concurrent;
mod timeout;

/// A stream from a block that yields: an async generator.
///
/// The block may await; `yield value` hands a value out and goes on when the next one is asked for. It borrows from around it, or
/// takes with `move`-like effect what it owns.
///
/// # Examples
///
/// ```
/// use gristmill::stream::{StreamExt, stream};
///
/// gristmill::run(async {
///     let squares = stream! {
///         for n in 1..4 {
///             yield n * n;
///         }
///     };
///     assert_eq!(squares.collect::<Vec<_>>().await, [1, 4, 9]);
/// });
/// ```
///
/// # Cancel safety
///
/// Giving up a `next` leaves the block where it awaits; the next `next` goes on from there. Dropping the stream drops what the
/// block holds.
#[doc(alias = "async generator")]
pub use async_stream::stream;
/// As [`stream!`], for a block that uses `?`: the items are results, and the stream ends after an error.
///
/// # Examples
///
/// ```
/// use gristmill::stream::{Stream, StreamExt, try_stream};
/// use std::num::ParseIntError;
///
/// fn numbers(texts: &[&str]) -> impl Stream<Item = Result<u32, ParseIntError>> {
///     try_stream! {
///         for text in texts {
///             let number: u32 = text.parse()?;
///             yield number;
///         }
///     }
/// }
///
/// gristmill::run(async {
///     let parsed: Vec<_> = numbers(&["1", "two", "3"]).collect().await;
///     assert_eq!(parsed.len(), 2);
///     assert!(parsed[1].is_err());
/// });
/// ```
///
/// # Cancel safety
///
/// As of [`stream!`].
pub use async_stream::try_stream;

pub use concurrent::{BufferUnordered, Buffered, ConcurrentExt, ForEachConcurrent};
pub use futures_core::Stream;
pub use futures_lite::StreamExt;
pub use futures_lite::stream::{
    empty, iter, once, once_future, or, pending, poll_fn, race, repeat, repeat_with,
    stop_after_future, try_unfold, unfold,
};
pub use timeout::{Timeout, TimeoutExt};
