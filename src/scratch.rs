//! One buffer a thread for reads whose bytes are handed on at once, so that whatever waits for bytes holds no memory for them.

use std::cell::Cell;

/// The most that one read gives.
const SIZE: usize = 64 * 1024;

thread_local! {
    /// `None` while in use, and before the first use.
    static BUFFER: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Lends this thread's buffer to `body`. What is in it is left over from others.
///
/// `body` may run code of users, even such that comes here again: that finds a new buffer.
pub(crate) fn with_buffer<R>(body: impl FnOnce(&mut [u8]) -> R) -> R {
    let taken = BUFFER.try_with(Cell::take).ok().flatten();
    let mut buffer = taken.unwrap_or_else(|| vec![0; SIZE].into());
    let answer = body(&mut buffer);
    // A thread that ends has no place for it any more.
    let _ = BUFFER.try_with(|place| place.set(Some(buffer)));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_inside_of_a_use_gets_another_buffer() {
        with_buffer(|outer| {
            outer[0] = 1;
            with_buffer(|inner| inner[0] = 2);
            assert_eq!(outer[0], 1);
        });
    }

    #[test]
    fn a_panic_leaves_the_next_use_in_order() {
        let panicked = std::panic::catch_unwind(|| with_buffer(|_| panic!("expected")));
        assert!(panicked.is_err());
        assert_eq!(with_buffer(|buffer| buffer.len()), SIZE);
    }
}
