//! So many at a time, and in which order the others get their turn.

use super::permits::{Permits, Refusal};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A number of permits; who holds one may go on, the others wait.
///
/// Fair: permits go to those who wait in the order in which they first polled, and whoever waits for many is not overtaken by those
/// who want few.
///
/// # Examples
///
/// ```
/// use gristmill::sync::Semaphore;
/// use gristmill::task::JoinSet;
/// use std::sync::Arc;
///
/// gristmill::run(async {
///     let two_at_a_time = Arc::new(Semaphore::new(2));
///     let mut downloads = JoinSet::new();
///     for page in 0..10 {
///         let limit = Arc::clone(&two_at_a_time);
///         downloads.spawn(async move {
///             let _permit = limit.acquire().await?;
///             // … the download; the permit goes back at the end.
///             Ok::<_, gristmill::sync::AcquireError>(page)
///         });
///     }
///     assert_eq!(downloads.join_all().await.len(), 10);
///     assert_eq!(two_at_a_time.available_permits(), 2);
/// });
/// ```
#[derive(Debug)]
#[doc(alias = "BoundedSemaphore")]
pub struct Semaphore {
    permits: Permits,
}

impl Semaphore {
    /// The most permits that a semaphore can have.
    pub const MAX_PERMITS: usize = Permits::MAX;

    /// A semaphore with `permits` permits; 0 is allowed.
    ///
    /// # Panics
    ///
    /// If that is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    pub const fn new(permits: usize) -> Self {
        Self {
            permits: Permits::new(permits),
        }
    }

    /// As [`new`](Self::new), under the name that it has elsewhere for statics.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    pub const fn const_new(permits: usize) -> Self {
        Self::new(permits)
    }

    /// How many permits are free at this moment.
    pub fn available_permits(&self) -> usize {
        self.permits.available()
    }

    /// Adds permits.
    ///
    /// # Panics
    ///
    /// If there were more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[doc(alias = "release")]
    #[track_caller]
    pub fn add_permits(&self, count: usize) {
        self.permits.give(count);
    }

    /// Takes away up to `count` free permits for good, and says how many.
    pub fn forget_permits(&self, count: usize) -> usize {
        self.permits.take_some(count)
    }

    /// Waits for a permit. It goes back when it is dropped.
    ///
    /// # Errors
    ///
    /// If the semaphore is [closed](Self::close).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no permit is lost, only the place in the queue.
    pub async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.acquire_many(1).await
    }

    /// Waits for `count` permits at once.
    ///
    /// Those that come free are set aside until there are enough. More than there will ever be are waited for in vain.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    ///
    /// As [`acquire`](Self::acquire).
    pub async fn acquire_many(&self, count: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        match self.permits.take(count as usize).await {
            true => Ok(SemaphorePermit {
                semaphore: self,
                count,
            }),
            false => Err(AcquireError(())),
        }
    }

    /// Takes a permit if one is free and nobody waits.
    ///
    /// # Errors
    ///
    /// If none is free, or the semaphore is closed.
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes `count` permits if they are free and nobody waits.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    pub fn try_acquire_many(&self, count: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.permits.try_take(count as usize)?;
        Ok(SemaphorePermit {
            semaphore: self,
            count,
        })
    }

    /// As [`acquire`](Self::acquire), for a permit that keeps the semaphore alive and may move to another task.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    ///
    /// As [`acquire`](Self::acquire).
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.acquire_many_owned(1).await
    }

    /// As [`acquire_many`](Self::acquire_many), for permits that keep the semaphore alive.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    ///
    /// As [`acquire`](Self::acquire).
    pub async fn acquire_many_owned(
        self: Arc<Self>,
        count: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        match self.permits.take(count as usize).await {
            true => Ok(OwnedSemaphorePermit {
                semaphore: self,
                count,
            }),
            false => Err(AcquireError(())),
        }
    }

    /// As [`try_acquire`](Self::try_acquire), for a permit that keeps the semaphore alive.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// As [`try_acquire_many`](Self::try_acquire_many), for permits that keep the semaphore alive.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        count: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.permits.try_take(count as usize)?;
        Ok(OwnedSemaphorePermit {
            semaphore: self,
            count,
        })
    }

    /// Refuses everybody from now on, and all who wait. Permits that are held stay valid.
    pub fn close(&self) {
        self.permits.close();
    }

    /// Whether it has been closed.
    pub fn is_closed(&self) -> bool {
        self.permits.is_closed()
    }
}

/// Declares a kind of permit; both are the same but for how they hold the semaphore.
macro_rules! permit {
    ($(#[$attribute:meta])* $name:ident $(<$life:lifetime>)?, $semaphore:ty, $same:path, $clone:path) => {
        $(#[$attribute])*
        #[derive(Debug)]
        #[must_use = "the permit goes back when this is dropped"]
        #[clippy::has_significant_drop]
        pub struct $name $(<$life>)? {
            semaphore: $semaphore,
            count: u32,
        }

        impl $(<$life>)? $name $(<$life>)? {
            /// Keeps the permits from ever going back.
            pub fn forget(mut self) {
                self.count = 0;
            }

            /// How many permits this holds.
            pub fn num_permits(&self) -> usize {
                self.count as usize
            }

            /// Takes over the permits of another.
            ///
            /// # Panics
            ///
            /// If it is of another semaphore.
            #[track_caller]
            pub fn merge(&mut self, mut other: Self) {
                assert!(
                    $same(&self.semaphore, &other.semaphore),
                    "permits of different semaphores cannot be merged"
                );
                self.count += std::mem::take(&mut other.count);
            }

            /// Splits off `count` permits; `None` if this holds fewer.
            pub fn split(&mut self, count: usize) -> Option<Self> {
                let count = u32::try_from(count).ok().filter(|count| *count <= self.count)?;
                self.count -= count;
                Some(Self { semaphore: $clone(&self.semaphore), count })
            }
        }

        impl $(<$life>)? Drop for $name $(<$life>)? {
            fn drop(&mut self) {
                self.semaphore.permits.give(self.count as usize);
            }
        }
    };
}

permit! {
    /// Permits of a semaphore, which go back when this is dropped; made by [`Semaphore::acquire`].
    SemaphorePermit<'a>, &'a Semaphore, same, Clone::clone
}

permit! {
    /// Permits of a semaphore that it keeps alive; made by [`Semaphore::acquire_owned`].
    OwnedSemaphorePermit, Arc<Semaphore>, Arc::ptr_eq, Clone::clone
}

fn same(one: &&Semaphore, other: &&Semaphore) -> bool {
    std::ptr::eq(*one, *other)
}

impl OwnedSemaphorePermit {
    /// The semaphore whose permits these are.
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }
}

/// The semaphore is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcquireError(());

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the semaphore is closed")
    }
}

impl Error for AcquireError {}

/// Why [`Semaphore::try_acquire`] got no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryAcquireError {
    /// The semaphore is closed.
    Closed,
    /// Too few permits are free.
    NoPermits,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the semaphore is closed",
            Self::NoPermits => "no permits are free: use acquire to wait for one",
        })
    }
}

impl Error for TryAcquireError {}

impl From<Refusal> for TryAcquireError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Closed => Self::Closed,
            Refusal::NotNow => Self::NoPermits,
        }
    }
}
