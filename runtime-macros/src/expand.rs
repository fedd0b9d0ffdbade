//! From a checked entry and checked options to the function that the compiler sees.
//!
//! ```text
//!   #[ignore]                               #[ignore]
//!   pub async fn name() -> T { body }  ->   pub fn name() -> T {
//!                                               async fn name() -> T { body }
//!                                               ::gristmill::runtime::Builder::new()
//!                                                   .build().unwrap_or_else(…)
//!                                                   .block_on(name())
//!                                           }
//! ```
//!
//! The body stays in an `async fn` of its own, as its author wrote it: inference, `?` and every
//! message about the return type are then those of an ordinary function.
//!
//! # Rejected
//!
//! `block_on(async { body })`: the type of an `async` block is inferred from its use, and a
//! mistake in the body is then reported at the attribute, or as "type annotations needed".

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemFn;

use crate::entry;
use crate::options::{Attribute, Flavor, Options};

/// The expansion of one use of an attribute: the new function, or its errors as compile errors.
///
/// With wrong options the function is still written, with the default ones, and a function that
/// cannot be an entry is kept as it is: otherwise the compiler would go on to report that there is
/// no `main`.
pub(crate) fn expand(attribute: Attribute, options: TokenStream, item: TokenStream) -> TokenStream {
    let (options, mut errors) = match Options::parse(attribute, options) {
        Ok(options) => (options, TokenStream::new()),
        Err(error) => (Options::default_of(attribute), error.into_compile_error()),
    };
    let function = match entry::parse(attribute, item.clone()) {
        Ok(function) => write(attribute, &options, function),
        Err(error) => {
            errors.extend(error.into_compile_error());
            item
        }
    };
    quote! { #errors #function }
}

/// Writes the function around the body.
fn write(attribute: Attribute, options: &Options, function: ItemFn) -> TokenStream {
    let ItemFn {
        attrs,
        vis,
        sig: body_signature,
        block,
    } = function;
    let mut signature = body_signature.clone();
    signature.asyncness = None;
    let name = &signature.ident;
    let runtime = runtime(attribute, options);
    let test = match attribute {
        Attribute::Main => quote!(),
        Attribute::Test => quote!(#[::core::prelude::v1::test]),
    };
    quote! {
        #test
        #(#attrs)*
        #vis #signature {
            #body_signature #block
            #runtime.block_on(#name())
        }
    }
}

/// The expression that builds the runtime. Options that were not given are not mentioned, so that
/// their defaults are the builder's.
fn runtime(attribute: Attribute, options: &Options) -> TokenStream {
    let new = match options.flavor {
        Flavor::CurrentThread => quote!(new_current_thread),
        Flavor::MultiThread => quote!(new),
    };
    let workers = options
        .workers
        .as_ref()
        .map(|count| quote!(.worker_threads(#count)));
    let paused = options
        .paused
        .as_ref()
        .map(|paused| quote!(.start_paused(#paused)));
    let message = format!("{} cannot build its runtime: {{}}", attribute.name());
    quote! {
        ::gristmill::runtime::Builder::#new()
            #workers
            #paused
            .build()
            .unwrap_or_else(|error| ::core::panic!(#message, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares as tokens, so that spaces and line breaks do not count.
    fn assert_expands(
        attribute: Attribute,
        options: TokenStream,
        item: TokenStream,
        to: TokenStream,
    ) {
        assert_eq!(expand(attribute, options, item).to_string(), to.to_string());
    }

    #[test]
    fn main_builds_a_default_runtime_around_the_body() {
        assert_expands(
            Attribute::Main,
            quote!(),
            quote! { async fn main() { work().await } },
            quote! {
                fn main() {
                    async fn main() { work().await }
                    ::gristmill::runtime::Builder::new()
                        .build()
                        .unwrap_or_else(|error| ::core::panic!(
                            "#[gristmill::main] cannot build its runtime: {}", error
                        ))
                        .block_on(main())
                }
            },
        );
    }

    #[test]
    fn test_adds_the_test_attribute_and_keeps_the_others() {
        assert_expands(
            Attribute::Test,
            quote!(),
            quote! {
                #[should_panic(expected = "so")]
                #[ignore]
                async fn fails() -> Result<(), String> { Err("so".into()) }
            },
            quote! {
                #[::core::prelude::v1::test]
                #[should_panic(expected = "so")]
                #[ignore]
                fn fails() -> Result<(), String> {
                    async fn fails() -> Result<(), String> { Err("so".into()) }
                    ::gristmill::runtime::Builder::new_current_thread()
                        .build()
                        .unwrap_or_else(|error| ::core::panic!(
                            "#[gristmill::test] cannot build its runtime: {}", error
                        ))
                        .block_on(fails())
                }
            },
        );
    }

    #[test]
    fn options_become_calls_of_the_builder() {
        for (options, calls) in [
            (
                quote!(flavor = "current_thread"),
                quote!(Builder::new_current_thread().build()),
            ),
            (
                quote!(worker_threads = 3),
                quote!(Builder::new().worker_threads(3).build()),
            ),
            (
                quote!(start_paused = true, worker_threads = 2),
                quote!(Builder::new().worker_threads(2).start_paused(true).build()),
            ),
        ] {
            let expansion = expand(Attribute::Main, options, quote! { async fn main() {} });
            assert!(
                expansion.to_string().contains(&calls.to_string()),
                "{expansion}"
            );
        }
    }

    #[test]
    fn visibility_and_documentation_stay_on_the_outer_function() {
        let item = quote! {
            /// Runs.
            pub(crate) async fn run() -> u8 { 1 }
        };
        let expansion = expand(Attribute::Main, quote!(), item);
        let outer: ItemFn = syn::parse2(expansion).unwrap();
        assert_eq!(outer.attrs.len(), 1);
        assert!(matches!(outer.vis, syn::Visibility::Restricted(_)));
        assert!(outer.sig.asyncness.is_none());
        let syn::Stmt::Item(syn::Item::Fn(body)) = &outer.block.stmts[0] else {
            panic!("the body is a function of its own")
        };
        assert!(body.attrs.is_empty());
        assert!(matches!(body.vis, syn::Visibility::Inherited));
    }

    #[test]
    fn errors_of_options_and_function_come_together_and_keep_the_function() {
        let item = quote! { fn main() { work() } };
        let expansion = expand(Attribute::Main, quote!(threads = 1), item.clone()).to_string();
        assert_eq!(expansion.matches("compile_error").count(), 2, "{expansion}");
        assert!(expansion.ends_with(&item.to_string()), "{expansion}");
    }

    #[test]
    fn wrong_options_still_give_a_function() {
        let item = quote! { async fn main() {} };
        let expansion = expand(Attribute::Main, quote!(threads = 1), item).to_string();
        assert!(expansion.contains("compile_error"), "{expansion}");
        assert!(
            expansion.contains(&quote!(.block_on(main())).to_string()),
            "{expansion}"
        );
    }
}
