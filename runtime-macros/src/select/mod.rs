//! `select!`: the first of several futures.
//!
//! - `parse` reads the branches and refuses what makes no sense, at the tokens that have to change;
//! - `expand` writes the polling, and the `match` that runs one handler.

mod expand;
mod parse;

use proc_macro2::TokenStream;

/// The expansion of one use, or its error as a compile error.
pub(crate) fn select(input: TokenStream) -> TokenStream {
    match syn::parse2::<parse::Select>(input) {
        Ok(select) => expand::expand(&select),
        Err(error) => error.into_compile_error(),
    }
}
