//! Several items of a stream at a time, by the combinators of `futures-util`.

use futures_core::Stream;
use futures_util::StreamExt as Combinators;

pub use futures_util::stream::{BufferUnordered, Buffered, ForEachConcurrent};

/// Works on several items of a stream at a time; in scope, its methods are there on every stream.
///
/// All that is in progress is polled by the task that polls the stream. Spawn inside of the futures to use several workers, as in
/// the example.
///
/// # Examples
///
/// ```
/// use gristmill::stream::{self, ConcurrentExt, StreamExt};
///
/// gristmill::run(async {
///     let mut sums: Vec<u64> = stream::iter(1..=10_u64)
///         .map(|n| gristmill::spawn_compute(move || (1..=n).sum::<u64>()))
///         .buffer_unordered(3)
///         .map(|sum| sum.expect("no panic"))
///         .collect()
///         .await;
///     sums.sort_unstable();
///     assert_eq!(sums[9], 55);
/// });
/// ```
pub trait ConcurrentExt: Stream {
    /// Awaits up to `limit` futures of the stream at a time, and gives their outputs as they come.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    ///
    /// # Cancel safety
    ///
    /// Giving up a `next` loses nothing.
    #[track_caller]
    fn buffer_unordered(self, limit: usize) -> BufferUnordered<Self>
    where
        Self: Sized,
        Self::Item: Future,
    {
        check(limit);
        Combinators::buffer_unordered(self, limit)
    }

    /// Awaits up to `limit` futures of the stream at a time, and gives their outputs in the order of the futures.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    ///
    /// # Cancel safety
    ///
    /// Giving up a `next` loses nothing.
    #[track_caller]
    fn buffered(self, limit: usize) -> Buffered<Self>
    where
        Self: Sized,
        Self::Item: Future,
    {
        check(limit);
        Combinators::buffered(self, limit)
    }

    /// Calls `f` with each item, and awaits up to `limit` of the futures that it gives at a time; all at once if that is `None`.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops what is in progress, and the items with it.
    #[track_caller]
    fn for_each_concurrent<F, W>(
        self,
        limit: impl Into<Option<usize>>,
        f: F,
    ) -> ForEachConcurrent<Self, W, F>
    where
        Self: Sized,
        F: FnMut(Self::Item) -> W,
        W: Future<Output = ()>,
    {
        let limit = limit.into();
        if let Some(limit) = limit {
            check(limit);
        }
        Combinators::for_each_concurrent(self, limit, f)
    }
}

impl<S: Stream + ?Sized> ConcurrentExt for S {}

#[track_caller]
fn check(limit: usize) {
    assert!(
        limit > 0,
        "a stream that may do nothing at a time never ends: the limit is at least 1"
    );
}
