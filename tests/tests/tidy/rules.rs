//! The other rules, each over one file; what comes back are faults with their places.

use proc_macro2::{TokenStream, TokenTree};
use syn::Attribute;
use syn::visit::{self, Visit};

use crate::tree::{Source, root};

/// Every place where one of these names stands in code; comments and texts do not count.
pub(crate) fn identifiers(source: &Source, forbidden: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    each_token(tokens_of(source), &mut |around, at| {
        if let TokenTree::Ident(ident) = &around[at]
            && forbidden.iter().any(|name| ident == name)
        {
            faults.push(format!(
                "{}:{}: `{ident}`",
                source.path,
                ident.span().start().line
            ));
        }
    });
    faults
}

/// Every call of one of these macros.
pub(crate) fn macros(source: &Source, forbidden: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    each_token(tokens_of(source), &mut |around, at| {
        if let (TokenTree::Ident(ident), Some(TokenTree::Punct(bang))) = (&around[at], around.get(at + 1))
            && bang.as_char() == '!'
            && forbidden.iter().any(|name| ident == name)
        {
            faults.push(format!(
                "{}:{}: `{ident}!`",
                source.path,
                ident.span().start().line
            ));
        }
    });
    faults
}

/// Every use of hidden names, and every file taken from the library by its path.
pub(crate) fn beyond_the_public_interface(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    each_token(tokens_of(source), &mut |around, at| {
        let TokenTree::Ident(ident) = &around[at] else {
            return;
        };
        let next =
            |n: usize, c: char| matches!(around.get(at + n), Some(TokenTree::Punct(p)) if p.as_char() == c);
        let hidden = ident == "dexcost"
            && next(1, ':')
            && matches!(around.get(at + 3), Some(TokenTree::Ident(name)) if name.to_string().starts_with("__"));
        let by_path = (ident == "path" && next(1, '=')) || (ident == "include" && next(1, '!'));
        if hidden || by_path {
            faults.push(format!(
                "{}:{}: not the public interface",
                source.path,
                ident.span().start().line
            ));
        }
    });
    faults
}

/// Every `allow(…)` and `expect(…)` without a reason.
pub(crate) fn allowances_without_reason(source: &Source) -> Vec<String> {
    struct Allowances(Vec<usize>);
    impl<'ast> Visit<'ast> for Allowances {
        fn visit_attribute(&mut self, attribute: &'ast Attribute) {
            let Ok(list) = attribute.meta.require_list() else {
                return;
            };
            let line = attribute.pound_token.spans[0].start().line;
            if attribute.path().is_ident("allow") || attribute.path().is_ident("expect") {
                self.judge(line, list.tokens.clone());
            } else if attribute.path().is_ident("cfg_attr") {
                let mut inside = Vec::new();
                each_token(list.tokens.clone(), &mut |around, at| {
                    if let (TokenTree::Ident(name), Some(TokenTree::Group(group))) =
                        (&around[at], around.get(at + 1))
                        && (name == "allow" || name == "expect")
                    {
                        inside.push(group.stream());
                    }
                });
                inside.into_iter().for_each(|tokens| self.judge(line, tokens));
            }
            visit::visit_attribute(self, attribute);
        }
    }
    impl Allowances {
        fn judge(&mut self, line: usize, tokens: TokenStream) {
            if !tokens
                .into_iter()
                .any(|token| matches!(token, TokenTree::Ident(name) if name == "reason"))
            {
                self.0.push(line);
            }
        }
    }
    let mut allowances = Allowances(Vec::new());
    allowances.visit_file(&source.file);
    let fault = |line| format!("{}:{line}: an allowance without `reason = \"…\"`", source.path);
    allowances.0.into_iter().map(fault).collect()
}

/// Every absolute path into the workplace of whoever wrote or runs this.
pub(crate) fn machine_paths(path: &str, text: &str) -> Vec<String> {
    // Put together here, so that this file does not hold what it forbids.
    let mut forbidden: Vec<_> = ["root", "work", "Users"]
        .map(|folder| format!("/{folder}/"))
        .into();
    // A folder at the top (`/app`) is too common a word to look for.
    if root().components().count() > 2 {
        forbidden.push(format!("{}/", root().display()));
    }
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for name in &forbidden {
            let absolute = |at: usize| {
                !line[..at]
                    .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '}' | '*'))
            };
            if line.match_indices(name.as_str()).any(|(at, _)| absolute(at)) {
                faults.push(format!("{path}:{}: a path of a machine ({name}…)", number + 1));
            }
        }
    }
    faults
}

fn tokens_of(source: &Source) -> TokenStream {
    source.text.parse().unwrap()
}

/// Calls `each` with every token and the tokens around it, groups included.
fn each_token(tokens: TokenStream, each: &mut impl FnMut(&[TokenTree], usize)) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for at in 0..tokens.len() {
        each(&tokens, at);
        if let TokenTree::Group(group) = &tokens[at] {
            each_token(group.stream(), each);
        }
    }
}
