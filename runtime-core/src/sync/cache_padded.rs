//! Keeps a value on cache lines of its own.
//!
//! Two threads that write to neighbouring words slow each other down although they share no data.
//! 64 bytes is the line of the machines this is measured on; the pair prefetcher of some chips would
//! want 128, which costs memory for every worker and showed no gain.

use std::ops::Deref;

/// A value that shares its cache line with nothing else.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct CachePadded<T>(pub(crate) T);

impl<T> Deref for CachePadded<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}
