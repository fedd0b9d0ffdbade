//! What stands in the parentheses of an attribute.
//!
//! Reads `name = literal` pairs into [`Options`] and checks them against each other. It knows
//! nothing of the function that the attribute stands on.
//!
//! # Invariants
//!
//! - I1. `workers` is at least 1 where it is given.
//! - I2. `workers` is given only where the flavor is `MultiThread`.

use proc_macro2::{Span, TokenStream};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, Lit, LitBool, LitInt, LitStr, Result, Token};

/// The options in the order in which the messages name them.
const KNOWN: &str = "`flavor`, `worker_threads` and `start_paused`";

/// Which of the two attributes is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    /// `#[gristmill::main]`
    Main,
    /// `#[gristmill::test]`
    Test,
}

impl Attribute {
    /// The attribute as its user writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Main => "#[gristmill::main]",
            Self::Test => "#[gristmill::test]",
        }
    }

    /// The flavor where none is given.
    fn default_flavor(self) -> Flavor {
        match self {
            Self::Main => Flavor::MultiThread,
            Self::Test => Flavor::CurrentThread,
        }
    }
}

/// Where the tasks of the runtime run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// On the thread that blocks on the body.
    CurrentThread,
    /// On workers that steal from each other.
    MultiThread,
}

/// The checked options of one use of an attribute.
pub(crate) struct Options {
    /// Where tasks run: as given, or the default of the attribute.
    pub(crate) flavor: Flavor,
    /// The number of workers, as the user wrote it (I1, I2).
    pub(crate) workers: Option<LitInt>,
    /// Whether the clock starts paused, as the user wrote it.
    pub(crate) paused: Option<LitBool>,
}

impl Options {
    /// Reads and checks the tokens between the parentheses; none are fine.
    pub(crate) fn parse(attribute: Attribute, tokens: TokenStream) -> Result<Self> {
        let pairs = Punctuated::<Pair, Token![,]>::parse_terminated.parse2(tokens)?;
        let mut given = Given::default();
        for pair in pairs {
            given.take(pair)?;
        }
        given.check(attribute)
    }

    /// The options of an attribute without parentheses.
    pub(crate) fn default_of(attribute: Attribute) -> Self {
        Self {
            flavor: attribute.default_flavor(),
            workers: None,
            paused: None,
        }
    }
}

/// One `name = literal`.
struct Pair {
    name: Ident,
    value: Lit,
}

impl Parse for Pair {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Ident = input
            .parse()
            .map_err(|error| Error::new(error.span(), format!("expected an option: {KNOWN}")))?;
        if !input.peek(Token![=]) {
            let message = format!("option `{name}` needs a value: `{name} = …`");
            return Err(Error::new(name.span(), message));
        }
        input.parse::<Token![=]>()?;
        let value = input.parse().map_err(|error| {
            let message = format!("the value of `{name}` must be a literal");
            Error::new(error.span(), message)
        })?;
        Ok(Self { name, value })
    }
}

/// The options read so far, each with the place where it stands.
#[derive(Default)]
struct Given {
    flavor: Option<(Span, Flavor)>,
    workers: Option<(Span, LitInt)>,
    paused: Option<(Span, LitBool)>,
}

impl Given {
    /// Takes one more pair, or says why not.
    fn take(&mut self, Pair { name, value }: Pair) -> Result<()> {
        match name.to_string().as_str() {
            "flavor" => set(&mut self.flavor, &name, flavor(&value)?),
            "worker_threads" => set(&mut self.workers, &name, workers(value)?),
            "start_paused" => set(&mut self.paused, &name, paused(value)?),
            unknown => {
                let message = format!("unknown option `{unknown}`; the options are {KNOWN}");
                Err(Error::new(name.span(), message))
            }
        }
    }

    /// Checks the options against each other (I2).
    fn check(self, attribute: Attribute) -> Result<Options> {
        let flavor = self
            .flavor
            .map_or(attribute.default_flavor(), |(_, flavor)| flavor);
        if let (Some((place, _)), Flavor::CurrentThread) = (&self.workers, flavor) {
            let message = match self.flavor {
                Some(_) => {
                    "a `current_thread` runtime has no workers; \
                     remove `worker_threads`, or set `flavor = \"multi_thread\"`"
                }
                None => {
                    "`worker_threads` needs `flavor = \"multi_thread\"`; \
                     a test runs on a `current_thread` runtime unless told otherwise"
                }
            };
            return Err(Error::new(*place, message));
        }
        Ok(Options {
            flavor,
            workers: self.workers.map(|(_, count)| count),
            paused: self.paused.map(|(_, paused)| paused),
        })
    }
}

/// Fills the place of one option, once.
fn set<T>(place: &mut Option<(Span, T)>, name: &Ident, value: T) -> Result<()> {
    if place.is_some() {
        return Err(Error::new(
            name.span(),
            format!("option `{name}` is given twice"),
        ));
    }
    *place = Some((name.span(), value));
    Ok(())
}

/// Reads the value of `flavor`.
fn flavor(value: &Lit) -> Result<Flavor> {
    let text = match value {
        Lit::Str(text) => LitStr::value(text),
        _ => String::new(),
    };
    match text.as_str() {
        "current_thread" => Ok(Flavor::CurrentThread),
        "multi_thread" => Ok(Flavor::MultiThread),
        _ => Err(Error::new(
            value.span(),
            "the flavors are `\"current_thread\"` and `\"multi_thread\"`",
        )),
    }
}

/// Reads the value of `worker_threads` (I1).
fn workers(value: Lit) -> Result<LitInt> {
    let Lit::Int(count) = value else {
        let message = "`worker_threads` must be an integer, such as `worker_threads = 4`";
        return Err(Error::new(value.span(), message));
    };
    match count.base10_parse::<usize>() {
        Ok(0) => Err(Error::new(
            count.span(),
            "a runtime needs at least one worker; \
             for a runtime on the calling thread use `flavor = \"current_thread\"`",
        )),
        Ok(_) if matches!(count.suffix(), "" | "usize") => Ok(count),
        Ok(_) => Err(Error::new(count.span(), "`worker_threads` is a `usize`")),
        Err(error) => Err(Error::new(
            count.span(),
            format!("`worker_threads`: {error}"),
        )),
    }
}

/// Reads the value of `start_paused`.
fn paused(value: Lit) -> Result<LitBool> {
    match value {
        Lit::Bool(paused) => Ok(paused),
        other => Err(Error::new(
            other.span(),
            "`start_paused` must be `true` or `false`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn parse(attribute: Attribute, tokens: TokenStream) -> Options {
        Options::parse(attribute, tokens).expect("these options are right")
    }

    fn message(attribute: Attribute, tokens: TokenStream) -> String {
        Options::parse(attribute, tokens)
            .err()
            .expect("these options are wrong")
            .to_string()
    }

    #[test]
    fn main_is_multi_threaded_and_test_is_not_by_default() {
        assert_eq!(parse(Attribute::Main, quote!()).flavor, Flavor::MultiThread);
        assert_eq!(
            parse(Attribute::Test, quote!()).flavor,
            Flavor::CurrentThread
        );
    }

    #[test]
    fn nothing_is_set_that_was_not_given() {
        let options = parse(Attribute::Main, quote!());
        assert!(options.workers.is_none() && options.paused.is_none());
    }

    #[test]
    fn every_option_is_read_with_and_without_a_last_comma() {
        let with = quote!(
            flavor = "multi_thread",
            worker_threads = 3,
            start_paused = true,
        );
        let without = quote!(
            start_paused = true,
            worker_threads = 3,
            flavor = "multi_thread"
        );
        for tokens in [with, without] {
            let options = parse(Attribute::Test, tokens);
            assert_eq!(options.flavor, Flavor::MultiThread);
            assert_eq!(options.workers.unwrap().base10_digits(), "3");
            assert!(options.paused.unwrap().value);
        }
    }

    #[test]
    fn an_unknown_option_is_answered_with_the_known_ones() {
        let message = message(Attribute::Main, quote!(threads = 3));
        assert!(message.contains("unknown option `threads`"), "{message}");
        for known in ["flavor", "worker_threads", "start_paused"] {
            assert!(message.contains(known), "{message}");
        }
    }

    #[test]
    fn an_option_given_twice_is_refused() {
        for tokens in [
            quote!(worker_threads = 1, worker_threads = 1),
            quote!(flavor = "multi_thread", flavor = "multi_thread"),
            quote!(start_paused = true, start_paused = false),
        ] {
            let message = message(Attribute::Main, tokens);
            assert!(message.contains("given twice"), "{message}");
        }
    }

    #[test]
    fn zero_workers_are_refused() {
        for tokens in [quote!(worker_threads = 0), quote!(worker_threads = 0x0)] {
            let message = message(Attribute::Main, tokens);
            assert!(message.contains("at least one worker"), "{message}");
        }
    }

    #[test]
    fn workers_on_a_current_thread_runtime_are_refused() {
        let tokens = quote!(flavor = "current_thread", worker_threads = 2);
        let given = message(Attribute::Main, tokens);
        assert!(given.contains("remove `worker_threads`"), "{given}");

        let by_default = message(Attribute::Test, quote!(worker_threads = 2));
        assert!(
            by_default.contains("needs `flavor = \"multi_thread\"`"),
            "{by_default}"
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused_with_the_right_kind() {
        for (tokens, right) in [
            (quote!(worker_threads = "4"), "must be an integer"),
            (quote!(worker_threads = 4u8), "is a `usize`"),
            (
                quote!(worker_threads = 99999999999999999999999),
                "too large",
            ),
            (
                quote!(flavor = 1),
                "`\"current_thread\"` and `\"multi_thread\"`",
            ),
            (
                quote!(flavor = "many"),
                "`\"current_thread\"` and `\"multi_thread\"`",
            ),
            (quote!(start_paused = 1), "`true` or `false`"),
            (quote!(worker_threads = count()), "must be a literal"),
            (quote!(worker_threads), "needs a value"),
            (quote!("multi_thread"), "expected an option"),
        ] {
            let message = message(Attribute::Main, tokens);
            assert!(message.contains(right), "{message}");
        }
    }
}
