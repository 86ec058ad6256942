//! Runs every target on random bytes and on stirred replies, without libFuzzer:
//! `cargo run --release --no-default-features --bin stir [CASES] [SEED]`.

use std::time::Instant;

type Target = (&'static str, fn(&[u8]));

const TARGETS: &[Target] = &[
    ("exchange", dexcost_fuzz::exchange),
    ("event_stream", dexcost_fuzz::event_stream),
    ("json_body", dexcost_fuzz::json_body),
    ("content_coding", dexcost_fuzz::content_coding),
    ("price_files", dexcost_fuzz::price_files),
    ("urls_and_amounts", dexcost_fuzz::urls_and_amounts),
    ("events", dexcost_fuzz::events),
];

/// Pieces that bring random bytes near to what the readers look for.
const PIECES: &[&[u8]] = &[
    b"{\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"finish_reason\":\"stop\",\"usage\":{\"prompt_tokens\":2}}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":7,\"total_tokens\":12,\"prompt_tokens_details\":{\"cached_tokens\":1}}}",
    b"{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"claude\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1,\"cache_creation\":{\"ephemeral_5m_input_tokens\":2}}}}",
    b"{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":9,\"iterations\":[{\"type\":\"compaction\",\"input_tokens\":4}]}}",
    b"{\"type\":\"content_block_start\",\"content_block\":{\"type\":\"compaction\"}}",
    b"{\"type\":\"message_stop\"}",
    b"{\"type\":\"response.completed\",\"response\":{\"object\":\"response\",\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"r\"},\"output\":[{\"type\":\"web_search_call\",\"action\":{\"type\":\"search\"}},{\"type\":\"code_interpreter_call\",\"container_id\":\"c\"}],\"tool_usage\":{\"image_gen\":{\"output_tokens\":3}},\"usage\":{\"input_tokens\":5,\"output_tokens\":7}}}",
    b"{\"type\":\"response.output_item.done\",\"item\":{\"type\":\"image_generation_call\"}}",
    b"{\"data\":[{\"b64_json\":\"AAAA\"}],\"size\":\"1024x1024\",\"quality\":\"hd\",\"usage\":{\"total_tokens\":3}}",
    b"{\"text\":\"hi\",\"duration\":3.5,\"usage\":{\"type\":\"duration\",\"seconds\":4}}",
    b"{\"results\":[{\"generated_token_count\":2,\"input_token_count\":7,\"stop_reason\":\"s\"}],\"details\":{\"generated_tokens\":2},\"metrics\":{\"predict_time\":0.5}}",
    b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"t\"}}",
    b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"isError\":true}}",
    b"{\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":4,\"totalTokenCount\":7}}",
    b"{\"meta\":{\"billed_units\":{\"search_units\":1,\"input_tokens\":2}}}",
    b"\r\n--b\r\n", b"Content-Disposition: form-data; name=\"model\"\r\n\r\n", b"--b", b"\"input\":\"", b"\\ud83d\\ude00",
    b"data: ", b"\n\n", b"\r\n", b"\r", b"\n", b": c\n", b"event: x\n", b"data: [DONE]\n\n", b"error: ",
    b"\"usage\":", b"\"usage\":null", b"\"x_groq\":{", b"\"timings\":{\"prompt_n\":3}", b"\"error\":", b"\"service_tier\":\"flex\"",
    b"\"cost\":0.25", b"\"cost_in_usd_ticks\":9", b"-1", b"1e400", b"99999999999999999999999999999999", b"0.5", b"\\", b"\\\"", b"\"",
    b"{", b"}", b"[", b"]", b",", b":", b" ", b"\0", b"null", b"true", b"\xef\xbb\xbf", b"\\u0000",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03", b"\x28\xb5\x2f\xfd\x24", b"\x78\x9c", b"\x0b\x02\x80",
    b"rates:\n  a:\n    per: request\n    cost_usd: 0.5\n", b"version: 1\n", b"models:\n  m:\n    input_usd_per_million: 3\n",
    b"https://u:p@api.openai.com/v1/chat/completions?api_key=1&", b"%3A", b"?token=", b"#", b"//",
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
        (self.next() % bound as u64) as usize
    }
}

fn case(random: &mut Random) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..3).map(|_| random.next() as u8).collect();
    for _ in 0..random.below(14) {
        match random.below(8) {
            0 => bytes.extend(std::iter::repeat_n(b'x', random.below(700))),
            1 => bytes.push(random.next() as u8),
            _ => bytes.extend_from_slice(PIECES[random.below(PIECES.len())]),
        }
    }
    for _ in 0..random.below(4) {
        let at = random.below(bytes.len());
        match random.below(3) {
            0 => bytes[at] = random.next() as u8,
            1 => drop(bytes.remove(at)),
            _ => bytes.truncate(at.max(3)),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse::<u64>().ok());
    let (cases, seed) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(1));
    for (name, target) in TARGETS {
        let (mut random, start) = (Random(seed), Instant::now());
        for number in 0..cases {
            let bytes = case(&mut random);
            if std::panic::catch_unwind(|| target(&bytes)).is_err() {
                println!(
                    "{name}: case {number} of seed {seed} fails: {}",
                    bytes.escape_ascii()
                );
                std::process::exit(1);
            }
        }
        println!("{name}: {cases} cases in {:.1?}", start.elapsed());
    }
}
