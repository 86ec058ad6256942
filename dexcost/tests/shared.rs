//! The command, judged by the comparers, vectors and recordings of the folder that `DEXCOST_SHARED` names.
//!
//! Without it these tests skip, loudly; fixtures of our own hold the same promises elsewhere.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test")]

use std::path::PathBuf;
use std::process::Command;

fn shared(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DEXCOST_SHARED").map(PathBuf::from);
    if folder.is_none() {
        println!("SKIPPED {test}: DEXCOST_SHARED is not set");
    }
    folder
}

/// Runs a comparer and returns what it printed; where it finds a fault, that is the failure.
fn judge(script: &str, arguments: &[&str]) -> Option<String> {
    let shared = shared(script)?;
    let place = |argument: &&str| match argument.strip_prefix("@") {
        Some(file) => shared.join(file).into_os_string(),
        None => argument.into(),
    };
    let run = Command::new("python3")
        .arg(shared.join("check").join(script))
        .args(arguments.iter().map(place))
        .output()
        .unwrap_or_else(|error| panic!("python3: {error}"));
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    println!("{said}");
    Some(said.into_owned())
}

const DEXCOST: &str = env!("CARGO_BIN_EXE_dexcost");
const CORPUS: [&str; 3] = [DEXCOST, "@corpus/open.jsonl.gz", "@corpus/open.expected.jsonl.gz"];

#[test]
fn every_strict_price_is_right() {
    judge("prices.py", &["price", DEXCOST, "@pricing/open_vectors.jsonl.gz"]);
}

#[test]
fn every_strict_name_is_right() {
    judge("names.py", &[DEXCOST, "@pricing/open_resolution.jsonl.gz"]);
}

#[test]
fn every_recorded_exchange_is_right_whole_and_in_pieces() {
    judge("corpus.py", &CORPUS);
    for bytes in ["1", "7", "64", "4096"] {
        judge("corpus.py", &[&CORPUS[..], &["--chunk", bytes]].concat());
    }
}

#[test]
fn every_kind_of_wrong_cost_that_was_reported_is_right_whole_and_in_pieces() {
    for pieces in [&[][..], &["--chunk", "1"], &["--chunk", "7"]] {
        let said = judge("reports.py", &[&[DEXCOST, "@reports"], pieces].concat());
        // The comparer prints what is wrong, and nothing else.
        assert_eq!(said.as_deref().unwrap_or_default().trim(), "", "{pieces:?}");
    }
}

#[test]
fn recordings_that_are_cut_off_never_show_more_than_the_whole() {
    judge("cut.py", &[DEXCOST, "@corpus/open.jsonl.gz"]);
}

/// The requests that downloads of results in the corpus show.
const DOWNLOADS: &[(&str, &[&str])] = &[
    (
        "648342c227312682",
        &[
            "batch_req_6a85c1614f9081909458b938a868c6a2",
            "batch_req_6a85c161492c81908e872a539548e95b",
        ],
    ),
    ("69807e77a42acb7d", &["msg_011CeCHqExY3pkcBckm37hEV"]),
    // Mistral's results, inside of a poll.
    (
        "3430457cd19caf42",
        &["batch-ca1cd668-5cdf78f8-0", "batch-ca1cd668-5cdf78f8-146"],
    ),
    (
        "acebc5df04278410",
        &["xr-FavMd3JGa2Q-swqfYBw", "UMCFarbOEOqsz7IPvIHruQ0"],
    ),
    (
        "e3a82e71bac13bc7",
        &[
            "4a5717cc-05d2-9ca6-8937-276ff2e5708b",
            "0c1bfbd0-1a2a-926e-b455-d9918a898163",
        ],
    ),
];

#[test]
fn recorded_downloads_of_results_show_their_requests_and_nothing_else_does() {
    let Some(shared) = shared("downloads of results") else {
        return;
    };
    for pieces in [&[][..], &["--chunk", "1"]] {
        let run = Command::new(DEXCOST)
            .args(["replay", "--json"])
            .args(pieces)
            .arg(shared.join("corpus/open.jsonl.gz"))
            .output()
            .unwrap();
        let said = String::from_utf8(run.stdout).unwrap();
        let mut found = 0;
        for line in said.lines() {
            let answer: serde_json::Value = serde_json::from_str(line).unwrap();
            let batch = answer["batch"].as_array().unwrap();
            let ids: Vec<_> = batch
                .iter()
                .map(|request| request["id"].as_str().unwrap())
                .collect();
            let wanted = DOWNLOADS.iter().find(|(id, _)| answer["id"] == *id);
            assert_eq!(ids, wanted.map_or(&[][..], |(_, ids)| ids), "{}", answer["id"]);
            if wanted.is_some() {
                found += 1;
                assert_eq!(answer["usage_scope"], "none");
                assert!(answer["cost_usd"].is_null());
                assert!(batch.iter().all(|request| request["cost_usd"].is_string()));
            }
        }
        assert_eq!(found, DOWNLOADS.len());
    }
}
