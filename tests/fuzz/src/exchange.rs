//! One exchange from end to end, and what it promises.

use std::sync::LazyLock;

use dexcost::capture::{Exchange, RequestFacts, pricing_of};
use dexcost::{BodyTrouble, Ending, Observation, PricingEngine, Timestamp, Unit};

use crate::input::{line, pick, request_and_reply, split, sum_of_numbers};

/// The name of a wire form, and a URL that leads to it.
pub(crate) static FORMS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let lines = include_str!("forms.txt").lines();
    let forms = lines.filter(|line| !line.starts_with('#'));
    forms.filter_map(|line| line.split_once(' ')).collect()
});

pub(crate) const CODINGS: [Option<&str>; 8] = [
    None,
    Some("gzip"),
    Some("deflate"),
    Some("br"),
    Some("zstd"),
    Some("identity"),
    Some("gzip, br"),
    Some("what"),
];
const STATUSES: [u16; 8] = [200, 200, 200, 204, 301, 400, 429, 500];
const ENDINGS: [Ending; 4] = [Ending::Done, Ending::Failed, Ending::Cancelled, Ending::Truncated];

/// What is counted in tokens that somebody reported.
const TOKENS: [Unit; 6] = [
    Unit::InputTokens,
    Unit::OutputTokens,
    Unit::CacheReadTokens,
    Unit::CacheWriteTokens,
    Unit::ReasoningTokens,
    Unit::ToolUsePromptTokens,
];

/// How bytes are handed to an exchange.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    pub(crate) url: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) coding: Option<&'static str>,
    pub(crate) status: u16,
    pub(crate) ending: Ending,
}

impl Way {
    /// A reply that is as it should be.
    pub(crate) const fn to(url: &'static str) -> Self {
        Self {
            url,
            content_type: "",
            coding: None,
            status: 200,
            ending: Ending::Done,
        }
    }

    fn is_to(self, form: &str) -> bool {
        FORMS.contains(&(form, self.url))
    }

    pub(crate) fn observe(self, request: &[u8], reply: &[u8], chunk: usize) -> Observation {
        let asked: &[(&str, &str)] = match self.is_to("Mcp") {
            true => &[("mcp-protocol-version", "2025-11-25")],
            false => &[],
        };
        let method = if self.url.contains("/resp_1") {
            "GET"
        } else {
            "POST"
        };
        let fields = [
            ("content-type", self.content_type),
            ("content-encoding", self.coding.unwrap_or("identity")),
        ];
        let mut exchange = Exchange::begin(&RequestFacts::to_url(method, self.url, &asked));
        request
            .chunks(chunk)
            .for_each(|piece| exchange.request_data(piece));
        exchange.response(self.status, &fields);
        reply.chunks(chunk).for_each(|piece| exchange.data(piece));
        exchange.settle(self.ending)
    }

    /// The same for any chunking; a price that is not below zero, and counts that are not above all
    /// that was reported, where counts are possible. `reported` is the reply without its coding.
    pub(crate) fn check(self, request: &[u8], reply: &[u8], reported: &[u8], chunk: u8) {
        let whole = self.observe(request, reply, usize::MAX);
        let pieces = self.observe(request, reply, usize::from(chunk).max(1));
        // How early the decompressor notices that bytes are not deflate depends on how much it sees at once.
        let is_garbled = |seen: &Observation| seen.body_trouble == Some(BodyTrouble::Coding);
        if !is_garbled(&whole) && !is_garbled(&pieces) {
            assert_eq!(pieces, whole, "{}: chunks of {chunk} differ", self.url);
        }
        for request in whole.batch.iter().flat_map(|batch| &batch.requests) {
            let cost = pricing_of(request, &PricingEngine::new(), Timestamp::default()).cost_usd;
            let is_owed = |usd: rust_decimal::Decimal| usd.is_zero() || usd.is_sign_positive();
            let is_stated = request.usage_is_suspect || request.call.reported_cost_usd.is_some();
            assert!(is_stated || cost.is_none_or(is_owed), "{}: {cost:?}", self.url);
        }
        let cost = pricing_of(&whole, &PricingEngine::new(), Timestamp::default());
        if !whole.usage_is_suspect && whole.call.reported_cost_usd.is_none() {
            let is_owed = |usd: rust_decimal::Decimal| usd.is_zero() || usd.is_sign_positive();
            assert!(
                cost.cost_usd.is_none_or(is_owed),
                "{}: {:?}",
                self.url,
                cost.cost_usd
            );
        }
        if self.coding.is_none() {
            let most = sum_of_numbers(reported) * (1.0 + 1e-9);
            for unit in TOKENS {
                let count = whole.usage.count(unit);
                assert!(count as f64 <= most, "{}: {count} {unit:?} of {most}", self.url);
            }
        }
    }
}

/// An exchange in a wire form: three bytes say how, the first line which form, and a line of three
/// dashes parts request and reply.
pub fn wire_form(data: &[u8]) {
    let ([how, chunk, end], rest) = split(data);
    let (name, rest) = line(rest);
    let (request, reply) = request_and_reply(rest);
    let named = FORMS.iter().filter(|(form, _)| form.as_bytes() == name);
    let mut ways: Vec<_> = named.map(|(_, url)| *url).collect();
    if ways.is_empty() {
        ways.push(pick(&FORMS, name.first().copied().unwrap_or(how)).1);
    }
    for url in ways {
        let way = Way {
            coding: if how & 0x80 == 0 {
                None
            } else {
                pick(&CODINGS, how)
            },
            status: pick(&STATUSES, end >> 2),
            ending: pick(&ENDINGS, end),
            ..Way::to(url)
        };
        way.check(request, reply, reply, chunk);
    }
}

#[cfg(test)]
mod tests {
    use dexcost::UsageScope;

    use super::*;

    /// A seed that shows nothing leads to nothing when it is stirred.
    #[test]
    fn every_wire_form_has_a_seed_that_its_reader_understands() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/wire_form");
        let mut understood = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let data = std::fs::read(file.unwrap().path()).unwrap();
            let (_, rest) = split(&data);
            let (name, rest) = line(rest);
            let (request, reply) = request_and_reply(rest);
            for (form, url) in FORMS.iter().filter(|(form, _)| form.as_bytes() == name) {
                let seen = Way::to(url).observe(request, reply, usize::MAX);
                if !seen.usage.is_empty()
                    || seen.call.response_id.is_some()
                    || seen.usage_scope == UsageScope::Repeat
                    || seen.batch.is_some_and(|batch| !batch.requests.is_empty())
                {
                    understood.push(*form);
                }
            }
        }
        for (form, _) in FORMS.iter() {
            // Neither the old completions nor tool calls report any usage.
            let reports_nothing = ["AnthropicComplete", "Mcp"].contains(form);
            assert!(understood.contains(form) || reports_nothing, "{form}");
        }
    }
}
