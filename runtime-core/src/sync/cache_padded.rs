//! Keeps a value on cache lines of its own.
//!
//! Two threads that write to neighbouring words slow each other down although they share no data.
//! 64 bytes is the line of the machines this is measured on; the pair prefetcher of some chips would
//! want 128, which costs memory for every worker and showed no gain.

use std::mem::MaybeUninit;
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

/// As many bytes as a cache line has, which nobody uses. Between two of them a value shares its lines with nothing else, and two such values
/// in a row do not lie on lines next to each other: some processors fetch the next line of each that they touch.
///
/// For what is allocated often: an allocator takes longer for an alignment than for some bytes more.
#[derive(Debug)]
pub(crate) struct Gap {
    _unused: MaybeUninit<[u8; 64]>,
}

impl Gap {
    pub(crate) const fn new() -> Self {
        Self {
            _unused: MaybeUninit::uninit(),
        }
    }
}
