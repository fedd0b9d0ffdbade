//! The model checker's atomics, so watched that it tries what it should.
//!
//! `loom` decides which interleavings differ by the accesses to each word, and remembers only the last one of a word, or the last
//! that was no load. So a thread that loads a word and then writes to it hides, with its own load, the loads that others did
//! before: that the write might come before those is never tried. Almost every protocol looks before it writes.
//!
//! So every access here touches a second word first, with an exchange, after which `loom` takes any two accesses for a pair
//! whose order matters. The exchange is Relaxed, and nobody reads what comes of it, so it orders nothing.

pub(crate) use loom::sync::atomic::{Ordering, fence};

use loom::sync::atomic as checked;
use std::fmt;

/// The word that shows `loom` each access to another one.
#[derive(Debug)]
struct Shown(checked::AtomicUsize);

impl Shown {
    fn new() -> Self {
        Self(checked::AtomicUsize::new(0))
    }

    fn access(&self) {
        // An exchange that fails: it counts as one all the same, and leaves no new value behind.
        let _ = self
            .0
            .compare_exchange(1, 1, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// What all atomics have.
macro_rules! shown {
    ($name:ident, $of:ty) => {
        #[derive(Debug)]
        pub(crate) struct $name {
            shown: Shown,
            word: checked::$name,
        }

        #[allow(dead_code, reason = "the same face for all widths")]
        impl $name {
            pub(crate) fn new(value: $of) -> Self {
                Self {
                    shown: Shown::new(),
                    word: checked::$name::new(value),
                }
            }

            shown!(@methods $of);
        }
    };
    (@methods $of:ty) => {
        pub(crate) fn load(&self, order: Ordering) -> $of {
            self.shown.access();
            self.word.load(order)
        }

        pub(crate) fn store(&self, value: $of, order: Ordering) {
            self.shown.access();
            self.word.store(value, order);
        }

        pub(crate) fn swap(&self, value: $of, order: Ordering) -> $of {
            self.shown.access();
            self.word.swap(value, order)
        }

        pub(crate) fn compare_exchange(
            &self,
            current: $of,
            new: $of,
            success: Ordering,
            failure: Ordering,
        ) -> Result<$of, $of> {
            self.shown.access();
            self.word.compare_exchange(current, new, success, failure)
        }

        /// Never fails without a reason: that would only loop once more.
        pub(crate) fn compare_exchange_weak(
            &self,
            current: $of,
            new: $of,
            success: Ordering,
            failure: Ordering,
        ) -> Result<$of, $of> {
            self.compare_exchange(current, new, success, failure)
        }

        pub(crate) fn fetch_update(
            &self,
            set: Ordering,
            fetch: Ordering,
            mut step: impl FnMut($of) -> Option<$of>,
        ) -> Result<$of, $of> {
            let mut seen = self.load(fetch);
            while let Some(next) = step(seen) {
                match self.compare_exchange(seen, next, set, fetch) {
                    Ok(before) => return Ok(before),
                    Err(now) => seen = now,
                }
            }
            Err(seen)
        }
    };
}

/// What those for numbers have besides.
macro_rules! shown_number {
    ($name:ident, $of:ty) => {
        shown!($name, $of);

        shown_number!(@arithmetic $name, $of, fetch_add fetch_sub fetch_or fetch_and fetch_xor fetch_max);
    };
    (@arithmetic $name:ident, $of:ty, $($method:ident)*) => {
        #[allow(dead_code, reason = "the same face for all widths")]
        impl $name {
            $(
                pub(crate) fn $method(&self, value: $of, order: Ordering) -> $of {
                    self.shown.access();
                    self.word.$method(value, order)
                }
            )*
        }
    };
}

shown_number!(AtomicUsize, usize);
shown_number!(AtomicU64, u64);
shown_number!(AtomicU32, u32);
shown_number!(AtomicU8, u8);
shown!(AtomicBool, bool);

pub(crate) struct AtomicPtr<T> {
    shown: Shown,
    word: checked::AtomicPtr<T>,
}

#[allow(dead_code, reason = "the same face for all")]
impl<T> AtomicPtr<T> {
    pub(crate) fn new(value: *mut T) -> Self {
        Self {
            shown: Shown::new(),
            word: checked::AtomicPtr::new(value),
        }
    }

    shown!(@methods *mut T);
}

impl<T> fmt::Debug for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.word.fmt(f)
    }
}
