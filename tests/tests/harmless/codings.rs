//! Coded bodies: read by us, and passed on as they came.

use std::io::Write;

use bytes::Bytes;
use dexcost::Unit;
use http_body_util::BodyExt;
use tower::{Layer, Service};

use crate::kinds::{self, Kind, cut};
use crate::script::{Answering, Script};
use crate::{Bench, now};

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    coder.write_all(plain).unwrap();
    coder.finish().unwrap()
}

/// Brotli that stores: RFC 7932, section 9.2. A window of 16 bits, an uncompressed meta-block, an
/// empty last one.
fn brotli(plain: &[u8]) -> Vec<u8> {
    let bits = ((plain.len() as u32 - 1) << 4) | (1 << 20);
    let mut coded = bits.to_le_bytes()[..3].to_vec();
    coded.extend_from_slice(plain);
    coded.push(3);
    coded
}

/// Zstandard that stores: RFC 8878, section 3.1.1. A frame with a window of 8 KiB and one raw block
/// that is the last.
fn zstd(plain: &[u8]) -> Vec<u8> {
    let mut coded = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x18];
    let header = (plain.len() as u32) << 3 | 1;
    coded.extend_from_slice(&header.to_le_bytes()[..3]);
    coded.extend_from_slice(plain);
    coded
}

/// What the caller gets of a body that is announced so.
fn passed(bench: &Bench, kind: &Kind, coding: &str, pieces: &[Bytes]) -> Vec<Bytes> {
    let mut head = kind.head();
    if !coding.is_empty() {
        head.headers_mut()
            .insert("content-encoding", coding.parse().unwrap());
    }
    let answering = Answering::new(head, Script::of(pieces));
    let mut client = bench.outbound().layer(answering);
    let reply = now(bench.task.run(|| client.call(kind.request()))).unwrap();
    assert_eq!(
        reply
            .headers()
            .get("content-encoding")
            .map(|value| value.as_bytes()),
        Some(coding.as_bytes()).filter(|coding| !coding.is_empty())
    );
    let mut body = reply.into_body();
    let mut passed = Vec::new();
    while let Some(frame) = now(body.frame()) {
        passed.push(frame.unwrap().into_data().unwrap());
    }
    passed
}

#[test]
fn every_coding_of_every_kind_is_read_and_passed_on_coded() {
    let codings: [(&str, fn(&[u8]) -> Vec<u8>); 3] = [("gzip", gzip), ("br", brotli), ("zstd", zstd)];
    for kind in kinds::every() {
        let plain = Bench::new();
        passed(&plain, &kind, "", &kind.pieces);
        for (coding, code) in codings {
            for length in [1, 7, 4096] {
                let pieces = cut(&code(&kind.whole()), length);
                let bench = Bench::new();
                assert_eq!(
                    passed(&bench, &kind, coding, &pieces),
                    pieces,
                    "{} in {coding}",
                    kind.name
                );
                let usage = |bench: &Bench| {
                    let events = bench.sink.events();
                    let used = events.iter().map(|event| (event.usage.clone(), event.cost_usd));
                    used.collect::<Vec<_>>()
                };
                assert_eq!(usage(&bench), usage(&plain), "{} in {coding}", kind.name);
            }
        }
    }
}

#[test]
fn a_coding_that_lies_harms_nobody() {
    let kind = kinds::chat();
    let whole = kind.whole();
    let bomb = gzip(&vec![b' '; 32 << 20]);
    let broken = {
        let mut broken = gzip(&whole);
        broken[20] ^= 0xff;
        broken
    };
    let bodies = [
        whole.clone(),
        broken,
        bomb,
        gzip(&whole)[..30].to_vec(),
        vec![0; 64],
    ];
    for body in bodies {
        for coding in [
            "gzip",
            "br",
            "zstd",
            "deflate",
            "compress",
            "gzip, gzip",
            "\u{fc}",
            "x".repeat(9_000).as_str(),
        ] {
            let bench = Bench::new();
            let pieces = cut(&body, 4096);
            assert_eq!(passed(&bench, &kind, coding, &pieces), pieces, "{coding}");
            assert_eq!(bench.settled(), 1, "{coding}");
        }
    }
    let bench = Bench::new();
    passed(&bench, &kind, "gzip", &kind.pieces);
    assert_eq!(bench.event().usage.count(Unit::InputTokens), 48, "it was no gzip");
    let bench = Bench::new();
    passed(&bench, &kind, "", &cut(&gzip(&whole), 5));
    bench.event();
}
