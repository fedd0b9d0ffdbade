//! What stands between the braces of `select!`.
//!
//! ```text
//!   select   = [ "biased" ";" ] branch* [ "else" "=>" handler [","] ]
//!   branch   = pattern "=" future [ "," "if" condition ] "=>" handler
//!   handler  = block [","] | expression ","        (the last comma may be left out)
//! ```
//!
//! # Invariants
//!
//! - I1. There is at least one branch, and at most [`MOST_BRANCHES`].

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Ident, Pat, Result, Token, token};

/// As many as the expansion has bits for.
pub(super) const MOST_BRANCHES: usize = 64;

/// How a branch is written, for the messages.
const SHAPE: &str = "`pattern = future => handler` or `pattern = future, if condition => handler`";

/// One use of the macro (I1).
pub(super) struct Select {
    /// Whether the futures are polled in the order in which they are written.
    pub(super) is_biased: bool,
    pub(super) branches: Vec<Branch>,
    /// What to do when all branches are disabled.
    pub(super) otherwise: Option<Expr>,
}

/// One branch.
pub(super) struct Branch {
    pub(super) pattern: Pat,
    pub(super) future: Expr,
    pub(super) condition: Option<Expr>,
    pub(super) handler: Expr,
}

impl Parse for Select {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let is_biased = is_biased(input);
        if is_biased {
            input.parse::<Ident>()?;
            input.parse::<Token![;]>()?;
        }
        let mut branches = Vec::new();
        let mut otherwise = None;
        while !input.is_empty() {
            if input.peek(Token![else]) {
                otherwise = Some(parse_else(input)?);
                break;
            }
            branches.push(Branch::parse(input)?);
            if branches.len() > MOST_BRANCHES {
                let message = format!("select! takes at most {MOST_BRANCHES} branches");
                return Err(input.error(message));
            }
        }
        if branches.is_empty() {
            let message = format!("select! needs at least one branch: {SHAPE}");
            return Err(Error::new(Span::call_site(), message));
        }
        Ok(Self {
            is_biased,
            branches,
            otherwise,
        })
    }
}

/// Whether `biased;` comes next.
fn is_biased(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Ident>().is_ok_and(|word| word == "biased") && ahead.peek(Token![;])
}

/// Reads `else => handler`, which has to be the last.
fn parse_else(input: ParseStream<'_>) -> Result<Expr> {
    let word = input.parse::<Token![else]>()?;
    if input.peek(Token![=>]) {
        input.parse::<Token![=>]>()?;
    } else {
        let message = "the last branch is written `else => handler`";
        return Err(Error::new(word.span, message));
    }
    let handler = parse_handler(input)?;
    if !input.is_empty() {
        return Err(input.error("`else` is the last branch of select!; move this before it"));
    }
    Ok(handler)
}

impl Parse for Branch {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if is_biased(input) {
            return Err(input.error("`biased;` stands before the first branch of select!"));
        }
        let pattern = Pat::parse_multi_with_leading_vert(input).map_err(|error| {
            let message = format!("{error}; a branch of select! is written {SHAPE}");
            Error::new(error.span(), message)
        })?;
        if !input.peek(Token![=]) || input.peek(Token![=>]) || input.peek(Token![==]) {
            let message = format!(
                "expected `=` and a future after the pattern; a branch of select! is written {SHAPE}"
            );
            return Err(input.error(message));
        }
        input.parse::<Token![=]>()?;
        let future = input.parse()?;
        let condition = parse_condition(input)?;
        if !input.peek(Token![=>]) {
            let message =
                format!("expected `=>` and a handler; a branch of select! is written {SHAPE}");
            return Err(input.error(message));
        }
        input.parse::<Token![=>]>()?;
        let handler = parse_handler(input)?;
        Ok(Self {
            pattern,
            future,
            condition,
            handler,
        })
    }
}

/// Reads `, if condition`, if it is there.
fn parse_condition(input: ParseStream<'_>) -> Result<Option<Expr>> {
    if input.peek(Token![if]) {
        return Err(input.error("a comma comes before the condition: `, if condition`"));
    }
    if !input.peek(Token![,]) {
        return Ok(None);
    }
    input.parse::<Token![,]>()?;
    if !input.peek(Token![if]) {
        let message =
            format!("expected `if` after this comma; a branch of select! is written {SHAPE}");
        return Err(input.error(message));
    }
    input.parse::<Token![if]>()?;
    input.parse().map(Some)
}

/// Reads a handler and the comma behind it, which only a block may go without.
fn parse_handler(input: ParseStream<'_>) -> Result<Expr> {
    let is_block = input.peek(token::Brace);
    let handler: Expr = if is_block {
        Expr::Block(input.parse()?)
    } else {
        input.parse()?
    };
    if input.peek(Token![,]) {
        input.parse::<Token![,]>()?;
    } else if !is_block && !input.is_empty() {
        return Err(input.error("expected `,` after the handler; only a block may go without"));
    }
    Ok(handler)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::TokenStream;
    use quote::{ToTokens, quote};

    fn parse(tokens: TokenStream) -> Select {
        syn::parse2(tokens).expect("this is right")
    }

    fn message(tokens: TokenStream) -> String {
        let error = syn::parse2::<Select>(tokens).err();
        error.expect("this is wrong").to_string()
    }

    #[test]
    fn a_branch_has_pattern_future_condition_and_handler() {
        let select = parse(quote! { Some(x) = queue.get(), if is_open => x + 1 });
        let [branch] = &select.branches[..] else {
            panic!("one branch")
        };
        let texts = [
            branch.pattern.to_token_stream(),
            branch.future.to_token_stream(),
            branch.condition.to_token_stream(),
            branch.handler.to_token_stream(),
        ];
        let expected = [
            quote!(Some(x)),
            quote!(queue.get()),
            quote!(is_open),
            quote!(x + 1),
        ];
        assert_eq!(
            texts.map(|text| text.to_string()),
            expected.map(|text| text.to_string())
        );
        assert!(!select.is_biased && select.otherwise.is_none());
    }

    #[test]
    fn commas_may_be_left_out_after_blocks_and_at_the_end() {
        for tokens in [
            quote! { a = b => {} c = d => {} else => {} },
            quote! { a = b => {}, c = d => {}, else => {}, },
            quote! { a = b => x, c = d => y, else => z },
            quote! { a = b => x.await?, c = d => break, else => return Err(e), },
            quote! { a = b => if x { 1 } else { 2 }, c = d => { f() } else => z },
        ] {
            let select = parse(tokens);
            assert_eq!(select.branches.len(), 2);
            assert!(select.otherwise.is_some());
        }
    }

    #[test]
    fn every_kind_of_pattern_and_future_is_read() {
        for tokens in [
            quote! { _ = f => {} },
            quote! { () = f => {} },
            quote! { (mut a, ref b) = f => {} },
            quote! { Ok(1..=9) | Err(_) = f => {} },
            quote! { | Some(x) | Other(x) = f => {} },
            quote! { Point { x, .. } = f => {} },
            quote! { whole @ Some(_) = f => {} },
            quote! { [first, ..] = f => {} },
            quote! { x = async { 1 } => {} },
            quote! { x = async move { a == b }, if a == b && c => {} },
            quote! { x = &mut handle => {} },
            quote! { x = if a { b } else { c } => {} },
            quote! { x = match a { b => c }, if d => {} },
            quote! { x = Future { field: 1 } => {} },
            quote! { x = async |y| y => {} },
            quote! { biased = f => {} },
        ] {
            let text = tokens.to_string();
            assert_eq!(parse(tokens).branches.len(), 1, "{text}");
        }
    }

    #[test]
    fn biased_is_a_word_only_before_the_first_branch() {
        assert!(parse(quote! { biased; a = b => {} }).is_biased);
        assert!(!parse(quote! { biased = b => {} }).is_biased);
        let late = message(quote! { a = b => {} biased; c = d => {} });
        assert!(late.contains("before the first branch"), "{late}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (tokens, right) in [
            (quote! {}, "at least one branch"),
            (quote! { biased; }, "at least one branch"),
            (quote! { else => {} }, "at least one branch"),
            (quote! { a => {} }, "expected `=` and a future"),
            (quote! { future.await => {} }, "expected `=` and a future"),
            (quote! { a == b => {} }, "expected `=` and a future"),
            (quote! { a = b }, "expected `=>` and a handler"),
            (quote! { a = b, => {} }, "expected `if` after this comma"),
            (
                quote! { a = b, c = d => {} },
                "expected `if` after this comma",
            ),
            (
                quote! { a = b if c => {} },
                "a comma comes before the condition",
            ),
            (
                quote! { a = b => x c = d => y },
                "expected `,` after the handler",
            ),
            (quote! { a = b => {} else {} }, "`else => handler`"),
            (
                quote! { a = b => {} else => {} c = d => {} },
                "is the last branch",
            ),
            (
                quote! { a = b => {} else => {} else => {} },
                "is the last branch",
            ),
            (quote! { 1 + 1 = b => {} }, "expected `=` and a future"),
            (quote! { a = => {} }, "expected an expression"),
            (quote! { a = b => , }, "expected an expression"),
            (quote! { + = b => {} }, "a branch of select! is written"),
        ] {
            let text = tokens.to_string();
            let message = message(tokens);
            assert!(message.contains(right), "{text}: {message}");
        }
    }

    #[test]
    fn more_branches_than_bits_are_refused() {
        let branches = |count| {
            let all = std::iter::repeat_n(quote! { _ = f => {} }, count);
            quote! { #(#all)* }
        };
        assert_eq!(parse(branches(64)).branches.len(), 64);
        assert!(message(branches(65)).contains("at most 64 branches"));
    }
}
