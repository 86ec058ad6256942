//! Runs every target without libFuzzer: on its seeds as they are, on stirred ones, on random bytes.
//!
//!     cargo run --no-default-features --bin stir [SECONDS] [SEED] [TARGET]
//!
//! The cases of a seed are the same each time; only how far it comes depends on the machine.

use std::path::Path;
use std::time::{Duration, Instant};

use dexcost_fuzz::{TARGETS, Target};

/// Pieces that bring random bytes near to what the readers look for.
const PIECES: &[&[u8]] = &[
    b"data: ",
    b"\n\n",
    b"\r\n",
    b"\r",
    b"\n",
    b": c\n",
    b"event: x\n",
    b"data: [DONE]\n\n",
    b"error: ",
    b"\n---\n",
    b"\"usage\":",
    b"\"usage\":null",
    b"\"usage\":{",
    b"\"x_groq\":{",
    b"\"timings\":{\"prompt_n\":3}",
    b"\"error\":",
    b"\"service_tier\":\"flex\"",
    b"\"cost\":0.25",
    b"\"cost_in_usd_ticks\":9",
    b"\"total_tokens\":",
    b"\"input_tokens\":",
    b"-1",
    b"1e400",
    b"1e-7",
    b"99999999999999999999999999999999",
    b"18446744073709551615",
    b"0.5",
    b"00",
    b"\"5\"",
    b"\\",
    b"\\\"",
    b"\"",
    b"\\u0000",
    b"\\ud83d",
    b"\xc3",
    b"\xff",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
    b"\0",
    b"null",
    b"true",
    b"\xef\xbb\xbf",
    b"{\"a\":{\"usage\":",
    b"{}{}",
    b"\r\n--b\r\n",
    b"--b",
    b"filename=\"f\"",
    b"Content-Disposition: form-data; name=\"model\"\r\n\r\n",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    b"\x28\xb5\x2f\xfd\x24",
    b"\x78\x9c",
    b"\x0b\x02\x80",
    b"rates:\n  a:\n    per: request\n    cost_usd: 0.5\n",
    b"version: 1\n",
    b"models:\n  m:\n    input_usd_per_million: 3\n",
    b"https://u:p@api.openai.com/v1/chat/completions?api_key=1&",
    b"%3A",
    b"%",
    b"?token=",
    b"#",
    b"//",
    b"=",
    b";",
    b"-",
    b"traceparent:",
    b"baggage:",
    b"dexcost.customer_id=",
];

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// The seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds: Vec<_> = files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            (name, std::fs::read(&path).expect("a readable seed"))
        })
        .collect();
    assert!(!seeds.is_empty(), "{}: no seeds", folder.display());
    seeds.sort();
    seeds
}

/// Random bytes and pieces.
fn random_case(random: &mut Random, leading: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..leading).map(|_| random.next() as u8).collect();
    for _ in 0..random.below(14) {
        match random.below(8) {
            0 => bytes.extend(std::iter::repeat_n(b'x', random.below(700))),
            1 => bytes.push(random.next() as u8),
            _ => bytes.extend_from_slice(PIECES[random.below(PIECES.len())]),
        }
    }
    bytes
}

/// A seed, changed in a few places; the bytes that say how are drawn anew.
fn stirred(random: &mut Random, seeds: &[(String, Vec<u8>)], leading: usize) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].1.clone();
    for byte in bytes.iter_mut().take(leading) {
        *byte = random.next() as u8;
    }
    for _ in 0..1 + random.below(6) {
        let at = random.below(bytes.len() + 1);
        match random.below(8) {
            0 => drop(bytes.splice(at..at, PIECES[random.below(PIECES.len())].iter().copied())),
            1 => bytes.truncate(at.max(leading)),
            2 => {
                let end = (at + random.below(40)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                drop(bytes.splice(to..to, part));
            }
            3 => {
                let end = (at + random.below(40)).min(bytes.len());
                drop(bytes.drain(at..end));
            }
            4 => {
                let other = &seeds[random.below(seeds.len())].1;
                let from = random.below(other.len() + 1);
                bytes.truncate(at.max(leading));
                bytes.extend_from_slice(&other[from..]);
            }
            5 => {
                let digits = bytes.iter().enumerate().skip(leading);
                let digits: Vec<_> = digits
                    .filter(|(_, byte)| byte.is_ascii_digit())
                    .map(|(at, _)| at)
                    .collect();
                if let Some(at) = digits.get(random.below(digits.len())) {
                    bytes[*at] = b"0123456789-.e\""[random.below(14)];
                }
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.next() as u8;
                }
            }
        }
    }
    bytes
}

fn check(run: fn(&[u8]), bytes: &[u8], what: &str) {
    if std::panic::catch_unwind(|| run(bytes)).is_err() {
        println!("{what} fails: {}", bytes.escape_ascii());
        std::process::exit(1);
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let mut number = |otherwise: f64| {
        words
            .next()
            .and_then(|word| word.parse::<f64>().ok())
            .unwrap_or(otherwise)
    };
    let (seconds, seed) = (number(60.0), number(1.0) as u64);
    let only = words.next();
    let chosen: Vec<_> = TARGETS
        .iter()
        .filter(|target| only.as_deref().is_none_or(|only| only == target.name))
        .collect();
    assert!(!chosen.is_empty(), "there is no such target");
    let each = Duration::from_secs_f64(seconds / chosen.len() as f64);
    for Target { name, run, leading } in chosen {
        let seeds = seeds(name);
        for (file, bytes) in &seeds {
            check(*run, bytes, &format!("{name}/{file}"));
        }
        let (mut random, start, mut cases) = (Random(seed), Instant::now(), 0_u64);
        while start.elapsed() < each {
            let bytes = match random.below(4) {
                0 => random_case(&mut random, *leading),
                _ => stirred(&mut random, &seeds, *leading),
            };
            check(*run, &bytes, &format!("{name}: case {cases} of seed {seed}"));
            cases += 1;
        }
        println!(
            "{name}: {} seeds, {cases} cases in {:.1?}",
            seeds.len(),
            start.elapsed()
        );
    }
}
