//! From branches to the code that polls them.
//!
//! ```text
//!   {
//!       enum Outcome<B0, B1> { B0(B0), B1(B1), Disabled }
//!       let outcome = {
//!           conditions; futures, pinned;
//!           poll_fn(each enabled future, from a random one on; the first output that its pattern matches).await
//!       };                                          // the futures are dropped here
//!       match outcome { B0(pattern) => handler, …, Disabled => else }
//!   }
//! ```
//!
//! Local names have the span of the macro's definition, so that the user's code neither sees nor shadows them. Items have no such
//! protection, hence the long name of the enum.
//!
//! Whether a pattern matches is asked by an arm whose guard says that it was reached, and refuses: nothing is moved, whatever
//! the pattern binds.
//!
//! # Rejected
//!
//! Matching on a reference to the output, with `ref` and `mut` taken out of the pattern: a pattern that is a macro's, a
//! reference or a literal behind one would need further care.

use super::parse::{Branch, Select};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

/// The whole expansion.
pub(super) fn expand(select: &Select) -> TokenStream {
    let variants: Vec<_> = (0..select.branches.len()).map(variant).collect();
    let outcome = outcome();
    let race = race(select);
    let arms = select
        .branches
        .iter()
        .zip(&variants)
        .map(|(branch, variant)| {
            let Branch {
                pattern, handler, ..
            } = branch;
            quote! { #outcome::#variant(#pattern) => #handler, }
        });
    let otherwise = match &select.otherwise {
        Some(handler) => quote!(#handler),
        None => quote! {
            ::core::panic!("all branches of select! are disabled and there is no `else` branch")
        },
    };
    let result = local("outcome");
    quote! {{
        #[allow(clippy::all, clippy::pedantic)]
        enum #outcome<#(#variants),*> {
            #(#variants(#variants),)*
            Disabled,
        }
        let #result = #race;
        #[allow(unused_mut)]
        let mut #result = #result;
        match #result {
            #(#arms)*
            #outcome::Disabled => #otherwise,
            #[allow(unreachable_patterns)]
            _ => ::core::unreachable!("the pattern has matched before"),
        }
    }}
}

/// The block that awaits the first output, and drops the futures.
fn race(select: &Select) -> TokenStream {
    let (disabled, cx, is_pending) = (local("disabled"), local("cx"), local("is_pending"));
    let (first, offset, result) = (local("first"), local("offset"), local("result"));
    let outcome = outcome();
    let count = Literal::u32_unsuffixed(select.branches.len() as u32);
    let start = if select.is_biased {
        quote!(0u32)
    } else {
        quote!(::gristmill::expansion::random_below(#count))
    };
    let conditions = select.branches.iter().enumerate().filter_map(condition);
    let futures = select.branches.iter().enumerate().map(future);
    let polls = select.branches.iter().enumerate().map(poll);
    quote! {{
        let mut #disabled: u64 = 0;
        #(#conditions)*
        #(#futures)*
        let #result = ::core::future::poll_fn(|#cx| {
            let mut #is_pending = false;
            let #first: u32 = #start;
            for #offset in 0..#count {
                match ::gristmill::expansion::turn(#first, #offset, #count) {
                    #(#polls)*
                    _ => ::core::unreachable!(),
                }
            }
            if #is_pending {
                ::core::task::Poll::Pending
            } else {
                ::core::task::Poll::Ready(#outcome::Disabled)
            }
        })
        .await;
        #result
    }}
}

/// Evaluates a condition.
fn condition((index, branch): (usize, &Branch)) -> Option<TokenStream> {
    let condition = branch.condition.as_ref()?;
    let (disabled, is_enabled, bit) = (local("disabled"), local("is_enabled"), bit(index));
    Some(quote! {
        let #is_enabled: bool = #condition;
        if !#is_enabled {
            #disabled |= #bit;
        }
    })
}

/// Makes and pins a future.
fn future((index, branch): (usize, &Branch)) -> TokenStream {
    let name = local(&format!("future{index}"));
    let future = &branch.future;
    // What is no future is reported at the expression.
    let into = quote_spanned!(future.span()=> ::core::future::IntoFuture::into_future);
    quote! {
        let #name = #into(#future);
        let mut #name = ::core::pin::pin!(#name);
    }
}

/// Polls a future that is enabled, and looks whether its output matches.
fn poll((index, branch): (usize, &Branch)) -> TokenStream {
    let (disabled, cx, is_pending) = (local("disabled"), local("cx"), local("is_pending"));
    let (output, is_match) = (local("output"), local("is_match"));
    let future = local(&format!("future{index}"));
    let (outcome, variant, bit) = (outcome(), variant(index), bit(index));
    let pattern = &branch.pattern;
    let number = Literal::u32_unsuffixed(index as u32);
    quote! {
        #number => {
            if #disabled & #bit != 0 {
                continue;
            }
            #[allow(unused_mut)]
            let mut #output = match ::core::future::Future::poll(#future.as_mut(), #cx) {
                ::core::task::Poll::Ready(#output) => #output,
                ::core::task::Poll::Pending => {
                    #is_pending = true;
                    continue;
                }
            };
            #disabled |= #bit;
            let mut #is_match = false;
            #[allow(unused, clippy::all, clippy::pedantic)]
            {
                match #output {
                    #pattern if { #is_match = true; false } => ::core::unreachable!(),
                    _ => {}
                }
            }
            if #is_match {
                return ::core::task::Poll::Ready(#outcome::#variant(#output));
            }
        }
    }
}

/// A name that only the expansion sees.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The name of the enum.
fn outcome() -> Ident {
    Ident::new("__GristmillSelectOutcome", Span::mixed_site())
}

/// The name of a branch's variant, and of the type of its output.
fn variant(index: usize) -> Ident {
    format_ident!("Branch{}", index, span = Span::mixed_site())
}

/// The bit that says that a branch is disabled.
fn bit(index: usize) -> Literal {
    Literal::u64_unsuffixed(1 << index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::Expr;

    fn expansion(tokens: TokenStream) -> String {
        let select = syn::parse2(tokens).expect("right");
        let expansion = expand(&select);
        syn::parse2::<Expr>(expansion.clone()).expect("one expression");
        expansion.to_string()
    }

    #[test]
    fn only_an_unbiased_select_asks_for_a_random_number() {
        let random = quote!(random_below(2)).to_string();
        assert!(expansion(quote! { a = b => {} c = d => {} }).contains(&random));
        assert!(!expansion(quote! { biased; a = b => {} c = d => {} }).contains("random"));
    }

    #[test]
    fn without_an_else_branch_the_expansion_panics_when_all_are_disabled() {
        assert!(expansion(quote! { a = b => {} }).contains("no `else` branch"));
        assert!(!expansion(quote! { a = b => {} else => {} }).contains("no `else` branch"));
    }

    #[test]
    fn futures_are_made_after_all_conditions_and_gone_before_the_handlers() {
        let text = expansion(quote! { a = FUTURE => HANDLER, c = OTHER, if CONDITION => {} });
        let place = |part: &str| text.find(part).expect(part);
        assert!(place("CONDITION") < place("FUTURE"));
        assert!(place("await") < place("HANDLER"));
    }

    #[test]
    fn every_branch_has_a_bit_of_its_own() {
        let branches = std::iter::repeat_n(quote! { _ = f => {} }, 64);
        let text = expansion(quote! { #(#branches)* });
        assert!(text.contains("9223372036854775808"));
    }
}
