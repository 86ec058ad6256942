//! The floors of the `dexcost` crate, and the arrows between its modules.

use std::collections::HashMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

use crate::tree::{Source, is_test};

/// The modules of each floor. A module may name its own floor and those below it.
const FLOORS: &[(&str, &[&str])] = &[
    (
        "0 words",
        &[
            "clock", "display", "ending", "error", "id", "literal", "money", "sum", "text", "words",
        ],
    ),
    (
        "1 facts",
        &[
            "canonical",
            "event",
            "loss",
            "observation",
            "provider",
            "privacy",
            "sink",
            "task",
            "usage",
            "wire",
        ],
    ),
    ("2 knowledge", &["pricing", "probe"]),
    ("3 machines", &["runtime"]),
    ("4 account", &["account"]),
    ("5 keep", &["buffer"]),
    ("6 leave", &["export", "refresh", "report", "sync"]),
    (
        "7 compose",
        &[
            "builder",
            "config",
            "console",
            "global",
            "integrations",
            "macro_support",
            "testing",
            "untracked",
        ],
    ),
];

/// Modules of one floor that do not see each other all the same.
const APART: &[(&str, &str)] = &[("pricing", "probe")];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|(_, modules)| modules.contains(&module))
}

/// Which module each name at the top of the crate comes from.
pub(crate) struct Exports(HashMap<String, String>);

impl Exports {
    pub(crate) fn read(lib: &Source) -> Self {
        let mut exports = HashMap::from([
            // `#[macro_export]` puts it there.
            ("dec".to_owned(), "literal".to_owned()),
            ("__macro".to_owned(), "macro_support".to_owned()),
        ]);
        for item in &lib.file.items {
            if let Item::Use(item) = item {
                leaves(&item.tree, &mut Vec::new(), &mut |path, name| {
                    exports.insert(name.to_owned(), path[0].clone());
                });
            }
        }
        Self(exports)
    }

    /// The module that a name behind `crate::` leads to.
    fn module<'a>(&'a self, name: &str) -> Option<&'a str> {
        if floor(name).is_some() {
            return FLOORS
                .iter()
                .flat_map(|(_, modules)| *modules)
                .find(|m| **m == name)
                .copied();
        }
        let module = self.0.get(name)?;
        // What comes from another crate is on no floor.
        Some(module.as_str())
    }
}

/// Calls `each` with the path and the visible name of every leaf of a `use`.
fn leaves(tree: &UseTree, path: &mut Vec<String>, each: &mut impl FnMut(&[String], &str)) {
    match tree {
        UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            leaves(&inner.tree, path, each);
            path.pop();
        }
        UseTree::Name(name) => {
            path.push(name.ident.to_string());
            each(path, &name.ident.to_string());
            path.pop();
        }
        UseTree::Rename(name) => {
            path.push(name.ident.to_string());
            each(path, &name.rename.to_string());
            path.pop();
        }
        UseTree::Glob(_) => {
            path.push("*".to_owned());
            each(path, "*");
            path.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, path, each)),
    }
}

/// Every arrow of a file of `dexcost/src` that does not go down.
pub(crate) fn wrong_arrows(source: &Source, exports: &Exports) -> Vec<String> {
    let inside = source.path.strip_prefix("dexcost/src/").unwrap();
    let module: Vec<String> = inside
        .trim_end_matches(".rs")
        .split('/')
        .filter(|name| !matches!(*name, "mod" | "lib"))
        .map(str::to_owned)
        .collect();
    let Some(home) = module.first() else {
        return Vec::new();
    };
    if floor(home).is_none() {
        return vec![format!(
            "{}: module `{home}` stands on no floor: list it in the tidy test",
            source.path
        )];
    }
    let mut arrows = Arrows {
        home: home.clone(),
        module,
        found: Vec::new(),
    };
    arrows.visit_file(&source.file);
    let judge = |(line, name): &(usize, String)| {
        let fault = fault(&arrows.home, name, exports)?;
        Some(format!("{}:{line}: {fault}", source.path))
    };
    arrows.found.iter().filter_map(judge).collect()
}

fn fault(home: &str, name: &str, exports: &Exports) -> Option<String> {
    let Some(target) = exports.module(name) else {
        return Some(format!("`crate::{name}` leads to no module that a floor lists"));
    };
    // What comes from another crate is on no floor.
    let (from, to) = (floor(home)?, floor(target)?);
    let apart = APART
        .iter()
        .any(|pair| *pair == (home, target) || *pair == (target, home));
    (to > from || apart).then(|| {
        format!(
            "`{home}` (floor {}) may not name `{target}` (floor {})",
            FLOORS[from].0, FLOORS[to].0
        )
    })
}

/// Collects the names behind `crate::`, `dexcost::` and as many `super::` as lead to the top.
struct Arrows {
    home: String,
    module: Vec<String>,
    found: Vec<(usize, String)>,
}

impl Arrows {
    fn path(&mut self, line: usize, path: &[String]) {
        let rest = match path.first().map(String::as_str) {
            Some("crate" | "dexcost") => &path[1..],
            Some("super") => {
                let above = path.iter().take_while(|name| *name == "super").count();
                if above < self.module.len() {
                    return;
                }
                &path[above..]
            }
            _ => return,
        };
        if let Some(name) = rest.first() {
            self.found.push((line, name.clone()));
        }
    }

    /// Looks for paths in the tokens of a macro, which nobody has parsed.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(start) if start == "crate" || start == "dexcost" => {
                    let colon = |n: usize| matches!(tokens.get(at + n), Some(TokenTree::Punct(p)) if p.as_char() == ':');
                    if let (true, true, Some(TokenTree::Ident(name))) =
                        (colon(1), colon(2), tokens.get(at + 3))
                    {
                        self.found.push((start.span().start().line, name.to_string()));
                    }
                }
                TokenTree::Literal(literal) => {
                    // `#[serde(with = "crate::money::as_text")]`
                    let text = literal.to_string();
                    if let Some(path) = text.strip_prefix("\"crate::") {
                        let name: String = path
                            .chars()
                            .take_while(|c| c.is_alphanumeric() || *c == '_')
                            .collect();
                        self.found.push((literal.span().start().line, name));
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Arrows {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let line = item.use_token.span.start().line;
        let mut paths = Vec::new();
        leaves(&item.tree, &mut Vec::new(), &mut |path, _| {
            paths.push(path.to_vec());
        });
        paths.iter().for_each(|path| self.path(line, path));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first() {
            let names: Vec<_> = path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect();
            self.path(first.ident.span().start().line, &names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }

    // `pub(in crate::x)` and `pub(crate)` are no arrows.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}
