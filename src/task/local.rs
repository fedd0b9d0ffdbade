//! Values that belong to a task.
//!
//! The value lives in the future that [`LocalKey::scope`] makes. While that future is polled it is swapped into a
//! thread-local place, and out again afterwards; so it moves with the task from worker to worker.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::LocalKey as ThreadKey;

/// Declares values that belong to a task, like [`std::thread_local!`] for threads.
///
/// # Examples
///
/// ```
/// gristmill::task_local! {
///     /// Who asked.
///     pub static REQUEST: u32;
/// }
///
/// gristmill::run(async {
///     let doubled = REQUEST.scope(21, async { REQUEST.with(|id| id * 2) }).await;
///     assert_eq!(doubled, 42);
/// });
/// ```
#[doc(alias = "contextvars")]
#[macro_export]
macro_rules! task_local {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $value:ty; $($rest:tt)*) => {
        $crate::task_local!($(#[$attribute])* $visibility static $name: $value);
        $crate::task_local!($($rest)*);
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $value:ty) => {
        $(#[$attribute])*
        $visibility static $name: $crate::task::LocalKey<$value> = {
            ::std::thread_local! {
                static PLACE: ::std::cell::RefCell<::std::option::Option<$value>> =
                    const { ::std::cell::RefCell::new(::std::option::Option::None) };
            }
            $crate::task::LocalKey::__new(&PLACE)
        };
    };
}

/// A value that belongs to a task; made by [`task_local!`](crate::task_local).
pub struct LocalKey<T: 'static> {
    place: &'static ThreadKey<RefCell<Option<T>>>,
}

impl<T: 'static> LocalKey<T> {
    /// For the macro.
    #[doc(hidden)]
    pub const fn __new(place: &'static ThreadKey<RefCell<Option<T>>>) -> Self {
        Self { place }
    }

    /// Runs `future` with the value set to `value`. Scopes nest; tasks that the future spawns do not inherit the value.
    ///
    /// # Cancel safety
    ///
    /// As that of the future.
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> TaskLocalFuture<T, F> {
        TaskLocalFuture {
            key: self,
            value: Some(value),
            future: Some(future),
        }
    }

    /// Calls `f` with the value set to `value`.
    ///
    /// # Panics
    ///
    /// If `f` panics; the value is taken back all the same.
    pub fn sync_scope<R>(&'static self, value: T, f: impl FnOnce() -> R) -> R {
        let mut value = Some(value);
        self.swapped(&mut value, f)
    }

    /// Calls `f` with the value.
    ///
    /// # Panics
    ///
    /// If this is not called inside of [`scope`](Self::scope); see [`try_with`](Self::try_with).
    #[track_caller]
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        match self.try_with(f) {
            Ok(result) => result,
            Err(error) => panic!("{error}"),
        }
    }

    /// Calls `f` with the value.
    ///
    /// # Errors
    ///
    /// If this is not called inside of [`scope`](Self::scope).
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let found = self.place.try_with(|place| place.borrow().as_ref().map(f));
        found.ok().flatten().ok_or(AccessError(()))
    }

    /// A copy of the value.
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// Swaps the value with what is in the place.
    fn swap(&'static self, value: &mut Option<T>) {
        // A thread that is past its destructors polls no futures any more; the value stays where it is.
        let _ = self.place.try_with(|place| match place.try_borrow_mut() {
            Ok(mut held) => std::mem::swap(&mut *held, value),
            Err(_) => {
                panic!("a task-local value was set anew while LocalKey::with was looking at it")
            }
        });
    }

    /// Runs `f` with `value` swapped into the place.
    fn swapped<R>(&'static self, value: &mut Option<T>, f: impl FnOnce() -> R) -> R {
        /// Swaps back, also when `f` panics.
        struct SwapBack<'a, T: 'static> {
            key: &'static LocalKey<T>,
            value: &'a mut Option<T>,
        }
        impl<T: 'static> Drop for SwapBack<'_, T> {
            fn drop(&mut self) {
                self.key.swap(self.value);
            }
        }
        self.swap(value);
        let _swap_back = SwapBack { key: self, value };
        f()
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

pin_project_lite::pin_project! {
    /// A future with a task-local value; made by [`LocalKey::scope`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct TaskLocalFuture<T: 'static, F> {
        key: &'static LocalKey<T>,
        value: Option<T>,
        #[pin]
        future: Option<F>,
    }

    impl<T: 'static, F> PinnedDrop for TaskLocalFuture<T, F> {
        fn drop(this: Pin<&mut Self>) {
            // The future may look at the value while it is dropped.
            let this = this.project();
            let mut future = this.future;
            this.key.swapped(this.value, || future.set(None));
        }
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut future = this.future;
        this.key
            .swapped(this.value, || match future.as_mut().as_pin_mut() {
                Some(running) => {
                    let output = running.poll(cx);
                    if output.is_ready() {
                        future.set(None);
                    }
                    output
                }
                None => panic!("TaskLocalFuture polled after completion"),
            })
    }
}

impl<T: 'static, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocalFuture").finish_non_exhaustive()
    }
}

/// A task-local value was asked for outside of its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessError(());

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a task-local value was read outside of its scope: wrap the future in LocalKey::scope",
        )
    }
}

impl Error for AccessError {}
