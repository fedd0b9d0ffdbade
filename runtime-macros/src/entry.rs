//! The function that an attribute stands on.
//!
//! Reads it and refuses what cannot start a program or a test. It knows nothing of the options
//! and does not change the function.
//!
//! # Invariants
//!
//! - I1. A [`ItemFn`] from [`parse`] is `async`, takes nothing, and has no generics, so that
//!   removing `async` gives a function that can be called as `name()`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Error, FnArg, ItemFn, Result, Signature};

use crate::options::Attribute;

/// Reads the function and checks that it can be an entry (I1). Everything that is wrong is
/// reported at once.
pub(crate) fn parse(attribute: Attribute, item: TokenStream) -> Result<ItemFn> {
    let function: ItemFn = syn::parse2(item).map_err(|error| {
        // The parser's own message is about the token that it stopped at, which is right inside
        // of a function and misleading on anything else.
        let message = format!("{} stands on an `async fn`: {error}", attribute.name());
        Error::new(error.span(), message)
    })?;
    let mut problems = signature_problems(attribute, &function.sig);
    if attribute == Attribute::Test {
        problems.extend(second_test_attribute(&function));
    }
    let first = problems.into_iter().reduce(|mut all, next| {
        all.combine(next);
        all
    });
    first.map_or(Ok(function), Err)
}

/// Everything in the signature that breaks I1.
fn signature_problems(attribute: Attribute, signature: &Signature) -> Vec<Error> {
    let name = attribute.name();
    let mut problems = Vec::new();
    let mut refuse = |place: &dyn ToTokens, message: String| {
        problems.push(Error::new_spanned(place, message));
    };
    if signature.asyncness.is_none() {
        refuse(
            &signature.fn_token,
            format!("{name} needs an `async fn`: write `async` here"),
        );
    }
    if let Some(token) = &signature.constness {
        refuse(
            token,
            format!("{name} cannot start a runtime in a `const fn`"),
        );
    }
    if let Some(token) = &signature.unsafety {
        refuse(
            token,
            format!("{name} does not stand on an `unsafe fn`; it is called safely"),
        );
    }
    match signature.inputs.first() {
        Some(FnArg::Receiver(receiver)) => {
            refuse(
                receiver,
                format!("{name} stands on a free function; a method has a `self`"),
            );
        }
        Some(FnArg::Typed(_)) => {
            let message = format!("the function of {name} takes no arguments; nobody passes any");
            refuse(&signature.inputs, message);
        }
        None => {}
    }
    if !signature.generics.params.is_empty() {
        let message = format!("the function of {name} cannot be generic; nobody picks its types");
        refuse(&signature.generics, message);
    } else if let Some(clause) = &signature.generics.where_clause {
        refuse(
            clause,
            format!("the function of {name} cannot be generic; remove the `where`"),
        );
    }
    problems
}

/// A plain `#[test]` beside ours: the test would run twice.
fn second_test_attribute(function: &ItemFn) -> Option<Error> {
    let second = function
        .attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("test"))?;
    let message = "#[gristmill::test] adds `#[test]` itself; remove this one";
    Some(Error::new_spanned(second, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn messages(attribute: Attribute, item: TokenStream) -> Vec<String> {
        match parse(attribute, item) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
        }
    }

    #[test]
    fn an_async_function_without_arguments_is_accepted() {
        let item = quote! {
            #[allow(dead_code)]
            pub(crate) async fn main() -> Result<(), Error> { Ok(()) }
        };
        assert_eq!(messages(Attribute::Main, item), Vec::<String>::new());
    }

    #[test]
    fn what_cannot_be_an_entry_is_refused_with_the_reason() {
        for (item, reason) in [
            (quote! { fn main() {} }, "needs an `async fn`"),
            (
                quote! { async fn main(a: u8, b: u8) {} },
                "takes no arguments",
            ),
            (quote! { async fn main(&self) {} }, "has a `self`"),
            (quote! { async fn main(self: Box<Self>) {} }, "has a `self`"),
            (quote! { async fn main<T>() {} }, "cannot be generic"),
            (
                quote! { async fn main() where u8: Copy {} },
                "remove the `where`",
            ),
            (quote! { const async fn main() {} }, "`const fn`"),
            (quote! { async unsafe fn main() {} }, "`unsafe fn`"),
            (quote! { struct Main; }, "stands on an `async fn`"),
            (quote! { async fn main() }, "stands on an `async fn`"),
        ] {
            for attribute in [Attribute::Main, Attribute::Test] {
                let messages = messages(attribute, item.clone());
                assert_eq!(messages.len(), 1, "{item}: {messages:?}");
                assert!(messages[0].contains(reason), "{item}: {messages:?}");
                assert!(
                    messages[0].contains(attribute.name()),
                    "{item}: {messages:?}"
                );
            }
        }
    }

    #[test]
    fn all_problems_of_a_signature_are_reported_at_once() {
        assert_eq!(
            messages(Attribute::Main, quote! { fn main<T>(_: T) {} }).len(),
            3
        );
    }

    #[test]
    fn a_second_test_attribute_is_refused_on_a_test_only() {
        let item = quote! { #[test] async fn works() {} };
        assert!(messages(Attribute::Test, item.clone())[0].contains("remove this one"));
        assert!(messages(Attribute::Main, item).is_empty());
    }
}
