//! `join!` and `try_join!`: several futures at a time, in one task.
//!
//! - `parse` reads the futures;
//! - `expand` writes the polling.

mod expand;
mod parse;

use proc_macro2::TokenStream;

/// Which of the two macros is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// `join!`
    AllReady,
    /// `try_join!`
    FirstError,
}

/// The expansion of one use, or its error as a compile error.
pub(crate) fn join(until: Until, input: TokenStream) -> TokenStream {
    match syn::parse2::<parse::Join>(input) {
        Ok(join) => expand::expand(until, &join),
        Err(error) => error.into_compile_error(),
    }
}
