//! The examples of single clients run, and each is a call on the ledger.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::process::Command;

/// Runs an example, which stands beside the folder that the tests are in, and gives what it printed.
fn example(name: &str) -> String {
    let here = std::env::current_exe().unwrap();
    let built = here
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples")
        .join(name);
    assert!(
        built.exists(),
        "not built: cargo test -p examples builds the examples, --test clients alone does not"
    );
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(built).current_dir(folder.path()).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_client_ends_with_one_priced_call() {
    let openai = "gpt-4.1-mini-2025-04-14";
    for (name, model) in [
        ("hyper", openai),
        ("reqwest", openai),
        ("reqwest_middleware", openai),
        ("async_openai", openai),
        ("rig", openai),
        ("ureq", openai),
        ("reply_in_hand", openai),
        ("callbacks", openai),
        ("bedrock", "anthropic.claude-3-5-haiku-20241022-v1:0"),
    ] {
        let report = example(name);
        let row = report.lines().find(|line| line.starts_with(model));
        let row: Vec<&str> = row.unwrap_or_default().split_whitespace().collect();
        assert_eq!(row.get(1), Some(&"1"), "{name}:\n{report}");
        assert_eq!(row.last(), Some(&"%"), "{name}:\n{report}");
        assert!(!report.contains('?'), "{name}:\n{report}");
    }
}

/// What a tool costs only its provider knows, and a price of 0 would be a lie.
#[test]
fn a_tool_of_an_mcp_server_is_on_the_ledger_without_a_price() {
    let report = example("rmcp");
    let row = report.lines().find(|line| line.starts_with("mcp:web_search"));
    let row: Vec<&str> = row.unwrap_or_default().split_whitespace().collect();
    assert_eq!(row.get(1), Some(&"1"), "{report}");
    assert!(report.contains("+ ?"), "{report}");
}

#[test]
fn what_a_user_writes_for_a_client_is_short() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let main = if path.is_dir() { path.join("main.rs") } else { path };
        let text = std::fs::read_to_string(&main).unwrap();
        assert!(text.lines().count() < 40, "{}", main.display());
        assert!(text.contains("// <- the line"), "{}", main.display());
        seen += 1;
    }
    assert_eq!(seen, 10);
}
