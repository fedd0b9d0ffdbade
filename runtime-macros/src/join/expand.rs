//! From futures to the code that polls them.
//!
//! ```text
//!   {
//!       futures, pinned, each with room for its output;
//!       poll_fn(each future that is not ready, from another one on each time).await
//!   }
//! ```
//!
//! Local names have the span of the macro's definition, so that the user's code neither sees nor shadows them.

use super::Until;
use super::parse::Join;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

/// The whole expansion.
pub(super) fn expand(until: Until, join: &Join) -> TokenStream {
    let (cx, is_pending) = (local("cx"), local("is_pending"));
    let (first, next, offset) = (local("first"), local("next"), local("offset"));
    let result = local("result");
    let names: Vec<_> = (0..join.futures.len())
        .map(|index| local(&format!("future{index}")))
        .collect();
    let made = names.iter().zip(&join.futures).map(|(name, future)| {
        // What is no future is reported at the expression.
        let into = quote_spanned!(future.span()=> ::core::future::IntoFuture::into_future);
        quote! {
            let #name = ::gristmill::expansion::maybe_done(#into(#future));
            let mut #name = ::core::pin::pin!(#name);
        }
    });
    let count = Literal::usize_unsuffixed(names.len().max(1));
    let step = Literal::usize_unsuffixed(usize::from(!join.is_biased));
    let polls = names
        .iter()
        .zip(&join.futures)
        .enumerate()
        .map(|(index, (name, future))| poll(until, index, name, future.span()));
    let outputs = names.iter().map(|name| output(until, name));
    let all = match until {
        Until::AllReady => quote!((#(#outputs,)*)),
        Until::FirstError => quote!(::core::result::Result::Ok((#(#outputs,)*))),
    };
    quote! {{
        #(#made)*
        let mut #next: usize = 0;
        #[allow(unused, clippy::all, clippy::pedantic)]
        let #result = ::core::future::poll_fn(|#cx| {
            let mut #is_pending = false;
            let #first = #next;
            #next = (#first + #step) % #count;
            for #offset in 0..#count {
                match (#first + #offset) % #count {
                    #(#polls)*
                    _ => {}
                }
            }
            if #is_pending {
                return ::core::task::Poll::Pending;
            }
            ::core::task::Poll::Ready(#all)
        })
        .await;
        #result
    }}
}

/// Polls one future; a ready one only says so.
fn poll(until: Until, index: usize, name: &Ident, place: Span) -> TokenStream {
    let (cx, is_pending, error) = (local("cx"), local("is_pending"), local("error"));
    let number = Literal::usize_unsuffixed(index);
    // What gives no `Result` is reported at the expression.
    let take_error = quote_spanned!(place=> ::gristmill::expansion::take_error);
    let give_up = match until {
        Until::AllReady => quote!(),
        Until::FirstError => quote! {
            else if let ::core::option::Option::Some(#error) =
                #take_error(#name.as_mut())
            {
                return ::core::task::Poll::Ready(::core::result::Result::Err(#error));
            }
        },
    };
    quote! {
        #number => {
            if ::core::future::Future::poll(#name.as_mut(), #cx).is_pending() {
                #is_pending = true;
            } #give_up
        }
    }
}

/// Takes the output of a future that is ready, or the value of one that has no error.
fn output(until: Until, name: &Ident) -> TokenStream {
    match until {
        Until::AllReady => quote!(::gristmill::expansion::take_output(#name.as_mut())),
        Until::FirstError => quote!(::gristmill::expansion::take_value(#name.as_mut())),
    }
}

/// A name that only the expansion sees.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::Expr;

    fn expansion(until: Until, tokens: TokenStream) -> String {
        let join = syn::parse2(tokens).expect("right");
        let expansion = expand(until, &join);
        syn::parse2::<Expr>(expansion.clone()).expect("one expression");
        expansion.to_string()
    }

    #[test]
    fn any_number_of_futures_gives_an_expression() {
        for until in [Until::AllReady, Until::FirstError] {
            for tokens in [quote!(), quote!(a), quote!(a, b), quote!(biased; a, b, c)] {
                expansion(until, tokens);
            }
        }
    }

    #[test]
    fn a_biased_join_begins_with_the_first_future_each_time() {
        let stays = quote!((first + 0) % 2).to_string();
        assert!(expansion(Until::AllReady, quote!(biased; a, b)).contains(&stays));
        assert!(!expansion(Until::AllReady, quote!(a, b)).contains(&stays));
    }
}
