//! The three orders, and what their users call.

use super::core::{Core, Store};
use super::error::{QueueShutDown, TryGetError, TryPutError};
use futures_core::Stream;
use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;

struct Fifo<T>(VecDeque<T>);

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Store for Fifo<T> {
    type Item = T;

    fn push(&mut self, item: T) {
        self.0.push_back(item);
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

struct Lifo<T>(Vec<T>);

impl<T> Default for Lifo<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Store for Lifo<T> {
    type Item = T;

    fn push(&mut self, item: T) {
        self.0.push(item);
    }

    fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// Smallest first; among equals the first that came.
struct Heap<T> {
    items: BinaryHeap<Reverse<Ranked<T>>>,
    /// How many have come.
    count: u64,
}

struct Ranked<T> {
    item: T,
    number: u64,
}

impl<T: Ord> Ord for Ranked<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_item = self.item.cmp(&other.item);
        by_item.then(self.number.cmp(&other.number))
    }
}

impl<T: Ord> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Ranked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Ord> Eq for Ranked<T> {}

impl<T: Ord> Default for Heap<T> {
    fn default() -> Self {
        Self {
            items: BinaryHeap::new(),
            count: 0,
        }
    }
}

impl<T: Ord> Store for Heap<T> {
    type Item = T;

    fn push(&mut self, item: T) {
        let number = self.count;
        self.count += 1;
        self.items.push(Reverse(Ranked { item, number }));
    }

    fn pop(&mut self) -> Option<T> {
        self.items.pop().map(|Reverse(ranked)| ranked.item)
    }

    fn len(&self) -> usize {
        self.items.len()
    }
}

/// Declares a queue over a store.
macro_rules! queue {
    ($(#[$attribute:meta])* $name:ident $([$bound:ident])?, $store:ident) => {
        $(#[$attribute])*
        pub struct $name<T $(: $bound)?> {
            core: Core<$store<T>>,
        }

        impl<T $(: $bound)?> $name<T> {
            /// A queue that holds at most `bound` items.
            ///
            /// # Panics
            ///
            /// If the bound is 0 or more than [`Semaphore::MAX_PERMITS`](crate::sync::Semaphore::MAX_PERMITS).
            #[track_caller]
            #[doc(alias = "maxsize")]
            pub fn bounded(bound: usize) -> Self {
                assert!(
                    bound > 0,
                    "a queue with a bound of 0 could never hold an item: give it at least 1, or use unbounded()"
                );
                Self { core: Core::new(Some(bound)) }
            }

            /// A queue that holds as many items as the memory does.
            pub fn unbounded() -> Self {
                Self { core: Core::new(None) }
            }

            /// Puts an item into the queue, waiting for a place first.
            ///
            /// Fair: places go to those who wait in the order in which they first polled.
            ///
            /// # Errors
            ///
            /// If the queue is shut down, also while this waits; the item comes back.
            ///
            /// # Cancel safety
            ///
            /// If it is dropped before it ends, nothing was put, and the item is dropped with it.
            pub async fn put(&self, item: T) -> Result<(), QueueShutDown<T>> {
                self.core.put(item).await
            }

            /// Puts an item into the queue if there is a place and nobody waits for one.
            ///
            /// # Errors
            ///
            /// If there is none, or the queue is shut down; the item comes back.
            #[doc(alias = "put_nowait")]
            pub fn try_put(&self, item: T) -> Result<(), TryPutError<T>> {
                self.core.try_put(item)
            }

            /// Takes the item whose turn it is, waiting for one first.
            ///
            /// Fair: items go to those who wait in the order in which they first polled.
            ///
            /// # Errors
            ///
            /// If the queue is shut down and nothing is left.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: no item is lost.
            pub async fn get(&self) -> Result<T, QueueShutDown> {
                self.core.get().await
            }

            /// Takes the item whose turn it is, if there is one that nobody waits for.
            ///
            /// # Errors
            ///
            /// If there is none, or the queue is shut down and nothing is left.
            #[doc(alias = "get_nowait")]
            pub fn try_get(&self) -> Result<T, TryGetError> {
                self.core.try_get()
            }

            /// The items, until the queue is shut down and nothing is left.
            pub fn stream(&self) -> impl Stream<Item = T> + '_ {
                futures_lite::stream::unfold(self, |queue| async move {
                    let item = queue.get().await.ok()?;
                    Some((item, queue))
                })
            }

            /// Says that the work for one item that was got is done. [`join`](Self::join) waits for that.
            ///
            /// # Panics
            ///
            /// If it is called more often than items were put.
            #[track_caller]
            pub fn task_done(&self) {
                self.core.task_done();
            }

            /// Waits until [`task_done`](Self::task_done) has been called for every item that was put; at once if it has.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe.
            pub async fn join(&self) {
                self.core.join().await;
            }

            /// Lets nothing more in. What is left can be got, and then `get` is an error.
            ///
            /// Those who wait in `put` get an error now, and so do those who wait in `get`.
            pub fn shutdown(&self) {
                self.core.shut_down();
            }

            /// As [`shutdown`](Self::shutdown), and drops what is left as if it were done.
            #[doc(alias = "immediate")]
            pub fn shutdown_now(&self) {
                self.core.shut_down_now();
            }

            /// Whether it has been shut down.
            pub fn is_shutdown(&self) -> bool {
                self.core.is_shut_down()
            }

            /// How many items it holds.
            #[doc(alias = "qsize")]
            pub fn len(&self) -> usize {
                self.core.len()
            }

            /// Whether it holds nothing.
            #[doc(alias = "empty")]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Whether it holds as many items as it can.
            #[doc(alias = "full")]
            pub fn is_full(&self) -> bool {
                self.core.bound().is_some_and(|bound| self.len() >= bound)
            }

            /// How many items it can hold; `None` without a bound.
            pub fn capacity(&self) -> Option<usize> {
                self.core.bound()
            }

            /// For how many items that were put [`task_done`](Self::task_done) has not been called yet.
            pub fn unfinished(&self) -> usize {
                self.core.unfinished()
            }
        }

        impl<T $(: $bound)?> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.core).finish()
            }
        }
    };
}

queue! {
    /// A queue for any number of producers and consumers: first in, first out.
    ///
    /// It counts the items whose work is not done, and [`join`](Self::join) waits for that. Everything works on `&self`; share it in
    /// an [`Arc`](std::sync::Arc).
    ///
    /// # Examples
    ///
    /// ```
    /// use gristmill::sync::Queue;
    /// use std::sync::Arc;
    ///
    /// gristmill::run(async {
    ///     let jobs = Arc::new(Queue::bounded(2));
    ///     for _ in 0..3 {
    ///         let jobs = Arc::clone(&jobs);
    ///         gristmill::spawn(async move {
    ///             while let Ok(_job) = jobs.get().await {
    ///                 // … the work.
    ///                 jobs.task_done();
    ///             }
    ///         });
    ///     }
    ///     for job in 0..10 {
    ///         jobs.put(job).await?;
    ///     }
    ///     jobs.join().await;
    ///     // The workers end.
    ///     jobs.shutdown();
    ///     assert!(jobs.get().await.is_err());
    ///     # Ok::<(), gristmill::sync::QueueShutDown<i32>>(())
    /// })
    /// # .unwrap();
    /// ```
    Queue, Fifo
}

queue! {
    /// A queue for any number of producers and consumers: last in, first out. For the rest as [`Queue`].
    ///
    /// # Examples
    ///
    /// ```
    /// use gristmill::sync::LifoQueue;
    ///
    /// let stack = LifoQueue::unbounded();
    /// stack.try_put(1).unwrap();
    /// stack.try_put(2).unwrap();
    /// assert_eq!(stack.try_get(), Ok(2));
    /// assert_eq!(stack.try_get(), Ok(1));
    /// ```
    LifoQueue, Lifo
}

queue! {
    /// A queue for any number of producers and consumers: the smallest item first, and among equals the one that came first. For
    /// the rest as [`Queue`]. For the greatest first put [`Reverse`]s.
    ///
    /// Items are compared while the queue is locked; comparing must not use the queue.
    ///
    /// # Examples
    ///
    /// ```
    /// use gristmill::sync::PriorityQueue;
    ///
    /// let urgent_first = PriorityQueue::unbounded();
    /// urgent_first.try_put((2, "read")).unwrap();
    /// urgent_first.try_put((1, "breathe")).unwrap();
    /// assert_eq!(urgent_first.try_get(), Ok((1, "breathe")));
    /// ```
    PriorityQueue[Ord], Heap
}
