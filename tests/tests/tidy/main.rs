//! Keeps the house in order: arrows between floors, forbidden words, reasons.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod floors;
mod rules;
mod tree;

use tree::{Source, root, rust_sources, texts, without_tests};

fn fail_on(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn check(sources: &[Source], rule: impl Fn(&Source) -> Vec<String>) {
    assert!(!sources.is_empty(), "nothing to check");
    fail_on(&sources.iter().flat_map(rule).collect::<Vec<_>>());
}

#[test]
fn arrows_between_floors_only_go_down() {
    let sources = without_tests(rust_sources("dexcost/src"));
    let (face, library): (Vec<_>, Vec<_>) = sources
        .into_iter()
        .partition(|source| source.path.starts_with("dexcost/src/bin"));
    assert!(!face.is_empty());
    let exports = floors::Exports::read(
        library
            .iter()
            .find(|source| source.path == "dexcost/src/lib.rs")
            .unwrap(),
    );
    check(&library, |source| floors::wrong_arrows(source, &exports));
}

#[test]
fn the_core_never_names_the_adapters() {
    check(&rust_sources("dexcost/src"), |source| {
        rules::identifiers(source, &["dexcost_tower"])
    });
    let manifest = std::fs::read_to_string(root().join("dexcost/Cargo.toml")).unwrap();
    assert!(!manifest.contains("dexcost-tower"));
}

#[test]
fn the_macros_know_nothing_but_syntax() {
    let manifest = std::fs::read_to_string(root().join("dexcost-macros/Cargo.toml")).unwrap();
    let dependencies = manifest
        .split("[dependencies]")
        .nth(1)
        .unwrap()
        .split('[')
        .next()
        .unwrap();
    assert!(!dependencies.contains("dexcost"));
}

#[test]
fn the_command_uses_the_public_interface_only() {
    check(
        &rust_sources("dexcost/src/bin"),
        rules::beyond_the_public_interface,
    );
}

#[test]
fn nothing_is_left_unfinished_in_the_code() {
    check(&rust_sources(""), |source| {
        rules::macros(source, &["todo", "unimplemented", "dbg"])
    });
}

#[test]
fn every_allowance_has_its_reason() {
    check(&rust_sources(""), rules::allowances_without_reason);
}

#[test]
fn no_path_of_a_machine_stands_in_the_tree() {
    let texts = texts();
    let faults = texts
        .iter()
        .flat_map(|(path, text)| rules::machine_paths(path, text));
    fail_on(&faults.collect::<Vec<_>>());
}

mod self_test {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source::parse(path, text).unwrap()
    }

    fn exports() -> floors::Exports {
        floors::Exports::read(&source(
            "dexcost/src/lib.rs",
            "mod task; pub use task::{Task, TaskStatus as Status}; pub use account::*;",
        ))
    }

    fn arrows(path: &str, text: &str) -> Vec<String> {
        floors::wrong_arrows(&source(path, text), &exports())
    }

    #[test]
    fn a_wrong_arrow_is_found_however_it_is_written() {
        for text in [
            "use crate::account::CostTracker;",
            "use crate::{money, account::{CostTracker}};",
            "pub use crate::buffer as keep;",
            "fn f() -> crate::account::CostTracker { todo() }",
            "fn f() { crate::global::flush() }",
            "fn f() { println!(\"{}\", crate::global::x()) }",
            "macro_rules! m { () => { $crate::global::flush() } }",
            "mod inner { use super::super::super::account::X; }",
            "use super::super::buffer::X;",
            "mod inner { fn f() { if true { use crate::config::Config; } } }",
            "use dexcost::config::Config;",
            "type T = Option<crate::testing::MemorySink>;",
            "#[derive(Debug)] struct S { #[serde(with = \"crate::export::as_text\")] x: u8 }",
        ] {
            let found = arrows("dexcost/src/usage/unit.rs", text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].contains("usage/unit.rs:1"), "{found:?}");
        }
    }

    #[test]
    fn arrows_down_and_sideways_and_those_of_tests_are_fine() {
        for text in [
            "use crate::money::Amount; use crate::event::Event; use super::Usage; use std::fmt;",
            "#[cfg(test)] mod tests { use crate::account::CostTracker; }",
            "#[cfg(test)] use crate::testing::MemorySink;",
            "/// See [`crate::account::CostTracker`].\nfn f() {}",
            "pub(crate) fn f(x: crate::Status) {}",
        ] {
            assert_eq!(arrows("dexcost/src/usage/unit.rs", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn pricing_and_probes_never_see_each_other() {
        assert_eq!(
            arrows("dexcost/src/probe/cgroup.rs", "use crate::pricing::Rung;").len(),
            1
        );
        assert_eq!(
            arrows("dexcost/src/pricing/rates.rs", "use crate::probe::Cgroup;").len(),
            1
        );
        assert_eq!(
            arrows("dexcost/src/pricing/rates.rs", "use crate::pricing::Rung;").len(),
            0
        );
    }

    #[test]
    fn files_that_only_tests_compile_are_left_out() {
        let sources = vec![
            source("dexcost/src/task/mod.rs", "#[cfg(test)] mod tests; mod totals;"),
            source("dexcost/src/task/totals.rs", "#[cfg(test)] mod model;"),
            source("dexcost/src/task/tests.rs", ""),
            source("dexcost/src/task/totals/model/mod.rs", ""),
            source("dexcost/src/task/totals/more.rs", ""),
        ];
        let left: Vec<_> = without_tests(sources)
            .into_iter()
            .map(|source| source.path)
            .collect();
        assert_eq!(
            left,
            [
                "dexcost/src/task/mod.rs",
                "dexcost/src/task/totals.rs",
                "dexcost/src/task/totals/more.rs"
            ]
        );
    }

    #[test]
    fn names_at_the_top_are_followed_to_their_module() {
        assert_eq!(arrows("dexcost/src/money.rs", "use crate::Status;").len(), 1);
        assert_eq!(arrows("dexcost/src/money.rs", "use crate::Task;").len(), 1);
        assert_eq!(arrows("dexcost/src/account/cell.rs", "use crate::Task;").len(), 0);
    }

    #[test]
    fn a_module_or_a_name_that_no_floor_lists_is_found() {
        assert_eq!(arrows("dexcost/src/attic.rs", "").len(), 1);
        assert_eq!(arrows("dexcost/src/money.rs", "use crate::Nowhere;").len(), 1);
    }

    #[test]
    fn the_other_rules_find_what_they_forbid() {
        let text = "#![cfg_attr(test, allow(dead_code))]\n#[allow(unused)]\nfn f() { todo!(); dexcost_tower::x(); dbg!(1) }";
        let bad = source("x.rs", text);
        assert_eq!(rules::macros(&bad, &["todo", "dbg"]).len(), 2);
        assert_eq!(rules::identifiers(&bad, &["dexcost_tower"]).len(), 1);
        assert_eq!(rules::allowances_without_reason(&bad).len(), 2);
        let good = source(
            "x.rs",
            "#[allow(unused, reason = \"todo!() in a text\")]\n#[expect(dead_code, reason = \"x\")]\nfn f() {}",
        );
        assert!(rules::allowances_without_reason(&good).is_empty());
        assert!(rules::macros(&good, &["todo"]).is_empty());

        for text in [
            "use dexcost::__macro::Spec;",
            "#[path = \"../../sink.rs\"] mod sink;",
            "include!(\"../../x.rs\");",
        ] {
            assert_eq!(
                rules::beyond_the_public_interface(&source("x.rs", text)).len(),
                1,
                "{text}"
            );
        }
        let users = format!("see {}ers/x", "/Us");
        let here = format!("see {}oot/x", "/r");
        assert_eq!(rules::machine_paths("a.md", &users).len(), 1);
        assert!(!rules::machine_paths("a.md", &here).is_empty());
        assert!(
            rules::machine_paths(
                "a.md",
                "https://example.com/root/x and a/root/x, a path like /home/me"
            )
            .is_empty()
        );
    }
}
