//! Small bodies that decode to much: bounded in work and in memory, whatever their codings make of each other.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::Write;

use dexcost::capture::{Exchange, RequestFacts};
use dexcost::{BodyTrouble, Ending};
use flate2::Compression;
use flate2::write::GzEncoder;

/// The head of a zstd frame with a window of 8 MiB.
const HEAD: [u8; 6] = [0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];
/// A block of zeros, 128 KiB of them, and one that is the last.
const BLOCK: [u8; 4] = [0x02, 0, 0x10, 0];
const LAST: [u8; 4] = [0x03, 0, 0x10, 0];

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn exchange(coding: &str) -> Exchange {
    let url = "https://api.openai.com/v1/chat/completions";
    let mut exchange = Exchange::begin(&RequestFacts::to_url("POST", url, &()));
    let headers = [("content-type", "application/json"), ("content-encoding", coding)];
    exchange.response(200, &headers.as_slice());
    exchange
}

#[test]
fn a_small_body_in_three_codings_is_given_up() {
    let frames = [&HEAD[..], &LAST].concat().repeat(20_000);
    let inner = gzip(&frames);
    for coding in ["gzip, zstd, gzip", "zstd, zstd, gzip"] {
        let mut exchange = exchange(coding);
        exchange.data(&inner);
        let seen = exchange.settle(Ending::Done);
        assert_eq!(
            seen.body_trouble,
            Some(BodyTrouble::TooLarge),
            "{coding}: {} bytes",
            inner.len()
        );
        assert!(seen.captured && seen.usage.is_empty());
    }
}

#[test]
fn many_bodies_with_large_windows_hold_no_more_than_their_budget() {
    // 8 MiB of zeros out of some 270 bytes.
    let body = [&HEAD[..], &BLOCK.repeat(64), &LAST].concat();
    let mut held: Vec<Exchange> = (0..40).map(|_| exchange("zstd")).collect();
    for exchange in &mut held {
        exchange.data(&body);
    }
    let troubles = held
        .into_iter()
        .map(|exchange| exchange.settle(Ending::Done).body_trouble);
    let refused = troubles
        .filter(|trouble| *trouble == Some(BodyTrouble::TooLarge))
        .count();
    assert!((32..40).contains(&refused), "{refused}");
    let mut alone = exchange("zstd");
    alone.data(&body);
    assert_ne!(
        alone.settle(Ending::Done).body_trouble,
        Some(BodyTrouble::TooLarge)
    );
}
