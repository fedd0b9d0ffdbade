//! What the expansions of this crate's macros call. Not for anybody else: it changes without notice.

pub use futures_util::future::{MaybeDone, maybe_done};
use std::pin::Pin;

/// Where `select!` begins.
pub fn random_below(count: u32) -> u32 {
    fastrand::u32(..count)
}

/// The branch of `select!` whose turn it is, `offset` after the first. A function, so that it is not linted where there is but one branch.
pub fn turn(first: u32, offset: u32, count: u32) -> u32 {
    (first + offset) % count
}

/// The output of a future that is ready.
pub fn take_output<F: Future>(future: Pin<&mut MaybeDone<F>>) -> F::Output {
    match future.take_output() {
        Some(output) => output,
        None => panic!("the future of join! was polled after completion"),
    }
}

/// The error of a future that is ready, if it has one.
pub fn take_error<T, E, F>(mut future: Pin<&mut MaybeDone<F>>) -> Option<E>
where
    F: Future<Output = Result<T, E>>,
{
    future.as_mut().output_mut()?.as_ref().err()?;
    future.take_output()?.err()
}

/// The value of a future that is ready and has no error.
pub fn take_value<T, E, F>(future: Pin<&mut MaybeDone<F>>) -> T
where
    F: Future<Output = Result<T, E>>,
{
    match take_output(future) {
        Ok(value) => value,
        Err(_) => unreachable!("errors were taken before"),
    }
}
