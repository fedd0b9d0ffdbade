//! Locks, channels, queues and signals between tasks.
//!
//! | to … | there is |
//! |---|---|
//! | protect data across `.await` | [`Mutex`], [`RwLock`], [`OnceCell`] |
//! | limit how many do something at a time | [`Semaphore`] |
//! | tell others that something has happened | [`Notify`], [`Event`], [`Condvar`], [`Barrier`] |
//! | hand over one value | [`mod@oneshot`], [`Promise`] |
//! | hand over many values | [`mpsc`] (to one), [`broadcast`] (to all), [`watch`] (the latest to all) |
//! | spread work, and wait until it is done | [`Queue`], [`LifoQueue`], [`PriorityQueue`] |
//! | ask tasks to stop | [`CancellationToken`] |
//!
//! All of these work on any runtime and on none. On this one, waiting for something that is there already counts as work, so that a
//! task whose channel is never empty does not keep its worker from the others.
//!
//! Whoever waits is served in order: first come, first served. Dropping a future that waits loses nothing but its place; the
//! functions say so under "Cancel safety".
//!
//! # How it is built
//!
//! ```text
//!   Mutex  RwLock  Semaphore  OnceCell  mpsc  Queue      Notify  Event  Condvar  Barrier  watch  broadcast  CancellationToken
//!        └───────────┬───────────────────┘                  └───────────────┬───────────────────┘
//!                 permits    a count, and who waits for some of it           │      oneshot, Promise: one value, two wakers
//!                    └────────────────── waiters ───────────────────────────┘
//!                                   a list in the order in which they came
//! ```
//!
//! Whatever calls user code (a waker, the drop of an item, a closure) does so without a lock, except where a value is borrowed or
//! compared in its place, which the functions say.

mod waiters;

mod permits;

mod mutex;
mod once_cell;
mod rwlock;
mod semaphore;

mod barrier;
mod condvar;
mod event;
mod notify;

pub mod oneshot;

pub mod broadcast;
pub mod mpsc;
pub mod watch;

mod queue;

mod cancellation;
mod promise;

pub use barrier::{Barrier, BarrierWait, BarrierWaitResult};
pub use cancellation::{
    CancellationToken, DropGuard, DropGuardRef, WaitForCancellationFuture,
    WaitForCancellationFutureOwned,
};
pub use condvar::Condvar;
pub use event::{Event, EventWait};
pub use mutex::{Mutex, MutexGuard, OwnedMutexGuard, TryLockError};
pub use notify::{Notified, Notify, OwnedNotified};
pub use once_cell::{OnceCell, SetError};
pub use promise::{Promise, PromiseError, Promised};
pub use queue::{LifoQueue, PriorityQueue, Queue, QueueShutDown, TryGetError, TryPutError};
pub use rwlock::{
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{
    AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError,
};
