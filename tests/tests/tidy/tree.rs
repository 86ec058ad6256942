//! The files of the workspace.

use std::fs;
use std::path::{Path, PathBuf};

/// A Rust file, read and parsed.
pub(crate) struct Source {
    /// From the root of the workspace, with `/` between names.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) file: syn::File,
}

impl Source {
    pub(crate) fn parse(path: &str, text: &str) -> syn::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            text: text.to_owned(),
            file: syn::parse_file(text)?,
        })
    }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file under a folder of the workspace that parses; compile-fail cases need not.
pub(crate) fn rust_sources(folder: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    for path in files(folder).into_iter().filter(|path| path.ends_with(".rs")) {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        match Source::parse(&path, &text) {
            Ok(source) => sources.push(source),
            Err(_) if path.contains("/ui/fail/") => {}
            Err(error) => panic!("{path}: {error}"),
        }
    }
    sources
}

/// The sources without the files that are only compiled for tests (`#[cfg(test)] mod tests;`).
pub(crate) fn without_tests(sources: Vec<Source>) -> Vec<Source> {
    let tests: Vec<String> = sources.iter().flat_map(test_modules).collect();
    let is_test = |path: &str| {
        tests
            .iter()
            .any(|module| path == format!("{module}.rs") || path.starts_with(&format!("{module}/")))
    };
    sources
        .into_iter()
        .filter(|source| !is_test(&source.path))
        .collect()
}

/// Where the modules stand that a file declares for tests only, without `.rs`.
fn test_modules(source: &Source) -> Vec<String> {
    let (folder, name) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
    let folder = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        name => format!("{folder}/{}", name.trim_end_matches(".rs")),
    };
    let declared = source.file.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() && is_test(&module.attrs) => Some(&module.ident),
        _ => None,
    });
    declared.map(|ident| format!("{folder}/{ident}")).collect()
}

/// Whether an item is only there for tests.
pub(crate) fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

/// Every text file of the workspace.
pub(crate) fn texts() -> Vec<(String, String)> {
    let read = |path: String| Some((path.clone(), fs::read_to_string(root().join(path)).ok()?));
    files("").into_iter().filter_map(read).collect()
}

fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![root().join(folder)];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && name != "target" && (!name.starts_with('.') || name == ".ci") {
                pending.push(entry.path());
            } else if kind.is_file() && name != ".git" {
                let path = entry.path();
                let path = path.strip_prefix(root()).unwrap();
                let names: Vec<_> = path.iter().map(|name| name.to_string_lossy()).collect();
                found.push(names.join("/"));
            }
        }
    }
    found.sort();
    found
}
