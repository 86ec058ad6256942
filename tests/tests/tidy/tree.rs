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
            } else if kind.is_file() {
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
