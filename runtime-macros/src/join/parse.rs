//! What stands between the parentheses of `join!` and `try_join!`: `[biased;] future, future, …`.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Result, Token};

/// One use of a macro.
pub(super) struct Join {
    /// Whether the futures are always polled in the order in which they are written.
    pub(super) is_biased: bool,
    pub(super) futures: Vec<Expr>,
}

impl Parse for Join {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let ahead = input.fork();
        let is_biased =
            ahead.parse::<Ident>().is_ok_and(|word| word == "biased") && ahead.peek(Token![;]);
        if is_biased {
            input.parse::<Ident>()?;
            input.parse::<Token![;]>()?;
        }
        let futures = Punctuated::<Expr, Token![,]>::parse_terminated(input)?;
        Ok(Self {
            is_biased,
            futures: futures.into_iter().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::TokenStream;
    use quote::quote;

    fn parse(tokens: TokenStream) -> Result<Join> {
        syn::parse2(tokens)
    }

    #[test]
    fn any_number_of_futures_is_read_with_and_without_a_last_comma() {
        for (tokens, count) in [
            (quote!(), 0),
            (quote!(a), 1),
            (quote!(a,), 1),
            (quote!(a(), async { 1 }, b.c()), 3),
            (quote!(biased; a, b,), 2),
            (quote!(biased, b), 2),
        ] {
            assert_eq!(parse(tokens).expect("right").futures.len(), count);
        }
    }

    #[test]
    fn biased_is_a_word_only_at_the_head() {
        assert!(parse(quote!(biased; a)).expect("right").is_biased);
        assert!(!parse(quote!(biased)).expect("right").is_biased);
        assert!(parse(quote!(a; b)).is_err());
    }
}
