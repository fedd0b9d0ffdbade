//! What the poller reports for a source: an index into the table of sources, and above it a generation.
//!
//! The generation tells a source from the one that had its index before (invariant G1 of the [`registry`](super::registry)).

/// Names one registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(usize);

/// Half of a key is index; on 32-bit systems that is room for 65,535 descriptors.
const INDEX_BITS: u32 = usize::BITS / 2;

impl Key {
    /// All indices are below this.
    pub(super) const INDEX_END: usize = (1 << INDEX_BITS) - 1;

    pub(super) fn new(index: usize, generation: usize) -> Self {
        // The top bit stays clear, so no key is one of the poller's own.
        Self(index | (generation << INDEX_BITS) & (usize::MAX >> 1))
    }

    pub(super) fn from_raw(raw: usize) -> Self {
        Self(raw)
    }

    pub(super) fn raw(self) -> usize {
        self.0
    }

    pub(super) fn index(self) -> usize {
        self.0 & Self::INDEX_END
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn the_index_comes_back_and_the_generation_makes_the_difference() {
        for index in [0, 1, Key::INDEX_END - 1] {
            for generation in [1, 2, usize::MAX] {
                let key = Key::new(index, generation);
                assert_eq!(key.index(), index);
                assert_ne!(key, Key::new(index, generation.wrapping_add(1)));
                assert!(key.raw() <= usize::MAX >> 1, "the poller's own are above");
            }
        }
    }
}
