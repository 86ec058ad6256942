use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::work::FREE_BYTES;
use super::*;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Stored brotli: one uncompressed meta-block and an empty last one.
fn brotli(plain: &[u8]) -> Vec<u8> {
    assert!((1..=0xffff).contains(&plain.len()));
    // WBITS = 16 (bit 0), ISLAST = 0, MNIBBLES = 4, MLEN - 1 in 16 bits, ISUNCOMPRESSED = 1.
    let bits = ((plain.len() as u32 - 1) << 4) | (1 << 20);
    let mut coded = bits.to_le_bytes()[..3].to_vec();
    coded.extend_from_slice(plain);
    coded.push(3);
    coded
}

fn decode(header: Option<&str>, coded: &[u8], chunk: usize) -> (Vec<u8>, Option<BodyTrouble>) {
    let mut decoder = Decoder::new(header.map(str::as_bytes));
    let mut plain = Vec::new();
    for piece in coded.chunks(chunk.max(1)) {
        decoder.feed(piece, &mut |bytes| plain.extend_from_slice(bytes));
    }
    decoder.finish(&mut |bytes| plain.extend_from_slice(bytes));
    (plain, decoder.trouble())
}

fn sample() -> Vec<u8> {
    (0..400)
        .flat_map(|i| format!(r#"{{"n":{i},"text":"again and again"}}"#).into_bytes())
        .collect()
}

#[test]
fn every_coding_decodes_in_chunks_of_any_size() {
    let plain = sample();
    let cases = [
        ("gzip", gzip(&plain)),
        ("x-gzip", gzip(&plain)),
        ("deflate", zlib(&plain)),
        ("deflate", raw_deflate(&plain)),
        ("zstd", zstd(&plain)),
        ("br", brotli(&plain)),
        ("identity", plain.clone()),
        ("gzip, br", brotli(&gzip(&plain))),
        ("zstd, gzip", gzip(&zstd(&plain))),
    ];
    for (header, coded) in cases {
        for chunk in [1, 2, 7, 4096, usize::MAX] {
            let (decoded, trouble) = decode(Some(header), &coded, chunk);
            assert!(
                decoded == plain && trouble.is_none(),
                "{header} in chunks of {chunk}: {trouble:?}"
            );
        }
    }
}

#[test]
fn members_and_frames_follow_one_another() {
    let (a, b) = (b"{\"a\":".to_vec(), b"1}".to_vec());
    let both = [a.clone(), b.clone()].concat();
    assert_eq!(
        decode(Some("gzip"), &[gzip(&a), gzip(&b)].concat(), 3),
        (both.clone(), None)
    );
    let skippable = [
        &[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9][..],
        &zstd(&a),
        &zstd(&b),
    ]
    .concat();
    assert_eq!(decode(Some("zstd"), &skippable, 1), (both, None));
}

#[test]
fn a_coding_that_was_removed_already_is_read_as_it_is() {
    for header in ["gzip", "br", "deflate", "zstd", "gzip, br"] {
        for plain in [
            &br#"{"usage":{}}"#[..],
            b"data: {}\n\n",
            b"event: x\ndata: 1\n\n",
            b"[]",
            b"\n\n{}",
            b"",
        ] {
            assert_eq!(decode(Some(header), plain, 1), (plain.to_vec(), None), "{header}");
        }
    }
}

#[test]
fn a_coding_that_nobody_declared_is_recognised() {
    let plain = sample();
    assert_eq!(decode(None, &gzip(&plain), 5).0, plain);
    assert_eq!(decode(None, &zstd(&plain), 5).0, plain);
}

#[test]
fn garbage_behind_a_true_start_is_marked_and_what_came_before_it_is_kept() {
    let good = gzip(b"{}");
    let mut bad = gzip(&sample());
    bad[10..].fill(0xff);
    let outcome = decode(Some("gzip"), &[good, bad].concat(), 64);
    assert_eq!(outcome, (b"{}".to_vec(), Some(BodyTrouble::Coding)));
}

#[test]
fn a_body_cut_off_gives_what_was_decoded_until_then() {
    let plain = sample();
    for (header, coded) in [
        ("gzip", gzip(&plain)),
        ("zstd", zstd(&plain)),
        ("br", brotli(&plain)),
    ] {
        let (decoded, _) = decode(Some(header), &coded[..coded.len() - 1], 100);
        assert!(plain.starts_with(&decoded), "{header}");
        if header != "zstd" {
            assert!(decoded.len() > plain.len() / 2, "{header}: {}", decoded.len());
        }
    }
}

#[test]
fn a_bomb_is_given_up() {
    let bomb = gzip(&gzip(&vec![b' '; 200 << 20]));
    let mut decoder = Decoder::new(Some(b"gzip, gzip"));
    let mut seen = 0u64;
    decoder.feed(&bomb, &mut |bytes| seen += bytes.len() as u64);
    assert_eq!(decoder.trouble(), Some(BodyTrouble::TooLarge));
    assert!(seen <= FREE_BYTES);
}

/// A zstd frame with a window of 8 MiB that decodes ten bytes to 128 KiB of zeros.
const RUN: [u8; 10] = [0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3, 0x03, 0, 0x10, 0];

/// One with nothing in it.
const NOTHING: [u8; 9] = [0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3, 0x01, 0, 0];

#[test]
fn what_codings_make_of_each_other_counts_and_so_does_what_makes_nothing() {
    let cases = [
        ("gzip, zstd, gzip", gzip(&RUN.repeat(100_000))),
        ("zstd, zstd, gzip", gzip(&RUN.repeat(100_000))),
        ("zstd, gzip", gzip(&NOTHING.repeat(100_000))),
        ("gzip, gzip", gzip(&gzip(b"").repeat(100_000))),
        ("br, gzip", gzip(&[6].repeat(100_000_000))),
        ("zstd", NOTHING.repeat(100_000)),
    ];
    for (header, coded) in cases {
        for chunk in [7, 4096, usize::MAX] {
            let mut decoder = Decoder::new(Some(header.as_bytes()));
            let mut fed = 0;
            for piece in coded.chunks(chunk) {
                fed += piece.len();
                decoder.feed(piece, &mut |_| {});
                if decoder.trouble().is_some() {
                    break;
                }
            }
            assert_eq!(decoder.trouble(), Some(BodyTrouble::TooLarge), "{header}");
            let most = FREE_BYTES.max(fed as u64 * 256) + 64 * STEP as u64 + (1 << 20);
            assert!(
                decoder.work.done() <= most,
                "{header}: {} after {fed}",
                decoder.work.done()
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn arbitrary_bytes_never_panic_and_chunks_change_no_more_than_what_a_breach_lets_out(bytes in proptest::collection::vec(any::<u8>(), 0..300), pick in 0usize..8, chunk in 1usize..9) {
        let headers = ["gzip", "deflate", "br", "zstd", "gzip, br", "compress", "a,b,c,d,e", ""];
        let marked = [&[0x1f, 0x8b, 8, 31][..], &bytes].concat();
        let framed = [&[0x28, 0xb5, 0x2f, 0xfd][..], &bytes].concat();
        for coded in [&bytes, &marked, &framed] {
            let (whole, trouble) = decode(Some(headers[pick]), coded, usize::MAX);
            let (pieces, same_trouble) = decode(Some(headers[pick]), coded, chunk);
            prop_assert_eq!(same_trouble, trouble);
            // A decompressor may find a breach before it hands out what it decoded until there.
            prop_assert!(pieces.starts_with(&whole) || whole.starts_with(&pieces));
            prop_assert!(trouble.is_some() || whole == pieces);
        }
    }
}
