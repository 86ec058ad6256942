//! The rates file: a strict reader over YAML events, and the writer.
//!
//! Events carry the exact text of a scalar, so a price never becomes a float on its way. Aliases
//! and anchors are refused, which leaves nothing that could grow.

use std::collections::HashSet;
use std::fmt::Write;
use std::str::Chars;

use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::{Marker, TScalarStyle};

use super::RateEntry;
use crate::canonical;
use crate::error::Error;
use crate::money;
use crate::provider;
use crate::text::Text;

/// What a rates file holds, in its order.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) rates: Vec<RateEntry>,
    /// Hosts of the user's own, and the names of the providers that answer there.
    pub(super) hosts: Vec<(String, String)>,
}

/// What a text holds; an error names `origin`, line and entry.
pub(super) fn parse(text: &str, origin: &str) -> Result<Contents, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        origin,
        path: Vec::new(),
        line: 1,
    };
    reader.document()
}

struct Reader<'a> {
    parser: Parser<Chars<'a>>,
    origin: &'a str,
    /// The keys that lead to where we are.
    path: Vec<String>,
    line: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Contents, Error> {
        let (mut rates, mut hosts) = (None, None);
        self.next()?;
        if self.next()? == Event::StreamEnd {
            return Err(self.wrong("the file is empty"));
        }
        self.mapping(|reader, key| match key {
            "rates" => {
                rates = Some(reader.services()?);
                Ok(())
            }
            "hosts" => {
                hosts = Some(reader.hosts()?);
                Ok(())
            }
            _ => Err(reader.wrong("unknown key; only `rates` and `hosts` stand at the top")),
        })?;
        self.next()?;
        if self.next()? != Event::StreamEnd {
            return Err(self.wrong("more than one YAML document"));
        }
        if rates.is_none() && hosts.is_none() {
            return Err(self.wrong("`rates` is missing"));
        }
        Ok(Contents {
            rates: rates.unwrap_or_default(),
            hosts: hosts.unwrap_or_default(),
        })
    }

    fn hosts(&mut self) -> Result<Vec<(String, String)>, Error> {
        let mut hosts = Vec::new();
        self.mapping(|reader, host| {
            let name = reader.text()?;
            provider::check_own_host(host, &name).map_err(|reason| reader.wrong(&reason))?;
            hosts.push((host.to_owned(), name));
            Ok(())
        })?;
        Ok(hosts)
    }

    fn services(&mut self) -> Result<Vec<RateEntry>, Error> {
        let mut rates = Vec::new();
        self.mapping(|reader, service| {
            rates.push(reader.rate(service)?);
            Ok(())
        })?;
        Ok(rates)
    }

    fn rate(&mut self, service: &str) -> Result<RateEntry, Error> {
        let (mut per, mut cost_usd) = (None, None);
        self.mapping(|reader, key| match key {
            "per" => {
                per = Some(Text::from(reader.text()?));
                Ok(())
            }
            "cost_usd" => {
                let text = reader.text()?;
                let cost = money::parse(&text).map_err(|error| reader.wrong(&error.to_string()))?;
                if cost.is_sign_negative() && !cost.is_zero() {
                    return Err(reader.wrong("may not be negative"));
                }
                cost_usd = Some(cost);
                Ok(())
            }
            _ => Err(reader.wrong("unknown key; a rate has `per` and `cost_usd`")),
        })?;
        Ok(RateEntry {
            service: service.into(),
            per: per.ok_or_else(|| self.wrong("`per` is missing"))?,
            cost_usd: cost_usd.ok_or_else(|| self.wrong("`cost_usd` is missing"))?,
        })
    }

    /// Reads a mapping: `member` is called behind each key and reads the value.
    fn mapping(&mut self, mut member: impl FnMut(&mut Self, &str) -> Result<(), Error>) -> Result<(), Error> {
        match self.next()? {
            Event::MappingStart(..) => {}
            Event::Scalar(text, ..) if text.is_empty() && self.path.is_empty() => {
                return Err(self.wrong("the file is empty"));
            }
            other => return Err(self.wrong(&format!("a mapping is needed here, not {}", name(&other)))),
        }
        let mut seen = HashSet::new();
        loop {
            let key = match self.next()? {
                Event::MappingEnd => return Ok(()),
                other => self.text_of(other)?,
            };
            self.path.push(key.chars().take(80).collect());
            if !seen.insert(key.clone()) {
                return Err(self.wrong("stands here twice"));
            }
            member(self, &key)?;
            self.path.pop();
        }
    }

    /// Reads a text that is not empty.
    fn text(&mut self) -> Result<String, Error> {
        let event = self.next()?;
        self.text_of(event)
    }

    fn text_of(&self, event: Event) -> Result<String, Error> {
        match event {
            Event::Scalar(text, TScalarStyle::Plain, ..) if is_null(&text) => {
                Err(self.wrong("a text is needed here, not null"))
            }
            Event::Scalar(text, ..) if text.trim().is_empty() => Err(self.wrong("an empty text")),
            Event::Scalar(text, ..) => Ok(text),
            other => Err(self.wrong(&format!("a text is needed here, not {}", name(&other)))),
        }
    }

    /// The next event that is plain YAML.
    fn next(&mut self) -> Result<Event, Error> {
        let (event, marker) = self.parser.next_token().map_err(|error| {
            self.line = error.marker().line();
            self.wrong(&format!("not YAML: {}", error.info()))
        })?;
        self.mark(&event, &marker);
        let (anchor, tag) = match &event {
            Event::Scalar(_, _, anchor, tag) | Event::MappingStart(anchor, tag) => (*anchor, tag.is_some()),
            Event::Alias(_) => (1, false),
            _ => (0, false),
        };
        match (anchor, tag) {
            (0, false) => Ok(event),
            (0, true) => Err(self.wrong("tags are not taken")),
            _ => Err(self.wrong("anchors and aliases are not taken")),
        }
    }

    /// Ends of mappings are marked where the next thing begins, which would mislead.
    fn mark(&mut self, event: &Event, marker: &Marker) {
        if !matches!(event, Event::MappingEnd | Event::DocumentEnd | Event::StreamEnd) {
            self.line = marker.line();
        }
    }

    fn wrong(&self, reason: &str) -> Error {
        let place = match self.path.as_slice() {
            [] => format!("line {}", self.line),
            path => format!("line {}, {}", self.line, path.join(".")),
        };
        Error::PriceFile {
            origin: self.origin.to_owned(),
            at: Some(place),
            reason: reason.to_owned(),
        }
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

const fn name(event: &Event) -> &'static str {
    match event {
        Event::MappingStart(..) => "a mapping",
        Event::SequenceStart(..) => "a list",
        Event::Scalar(..) => "a text",
        _ => "the end",
    }
}

/// Prints hosts with their providers, if there are any.
pub(super) fn print_hosts<'a>(hosts: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let mut out = String::new();
    for (host, name) in hosts {
        // Writing to a string cannot fail.
        writeln!(out, "  {}: {}", quoted(host), quoted(name)).unwrap_or_default();
    }
    if out.is_empty() {
        out
    } else {
        format!("hosts:\n{out}")
    }
}

/// Prints rates, in the order given. Texts are quoted, so that no other reader takes a service
/// for a number or a price for a float.
pub(super) fn print<'a>(entries: impl Iterator<Item = &'a RateEntry>) -> String {
    let mut out = String::new();
    for entry in entries {
        let (service, per) = (quoted(&entry.service), quoted(&entry.per));
        let cost = money::plain(entry.cost_usd);
        // Writing to a string cannot fail.
        writeln!(out, "  {service}:\n    per: {per}\n    cost_usd: \"{cost}\"").unwrap_or_default();
    }
    if out.is_empty() {
        return "rates: {}\n".to_owned();
    }
    format!("rates:\n{out}")
}

/// A double-quoted scalar: JSON's form, which YAML 1.2 takes, with what YAML would fold or does
/// not count as printable escaped besides.
fn quoted(text: &str) -> String {
    let json = canonical::to_string(&text.into());
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                write!(out, "\\u{:04x}", u32::from(character)).unwrap_or_default();
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dec;
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    fn cost(price: &str) -> Result<Decimal, Error> {
        let yaml = format!("rates:\n  s:\n    per: call\n    cost_usd: {price}\n");
        parse(&yaml, "f").map(|contents| contents.rates[0].cost_usd)
    }

    #[test]
    fn a_bare_number_is_read_as_its_text() {
        assert_eq!(cost("0.005").unwrap(), dec!(0.005));
        assert_eq!(cost("'0.005'").unwrap(), dec!(0.005));
        assert_eq!(cost("\"1e-3\"").unwrap(), dec!(0.001));
        assert_eq!(cost("1e-3").unwrap(), dec!(0.001));
        assert_eq!(cost("3").unwrap(), dec!(3));
        assert_eq!(
            cost("0.1000000000000000000000000001").unwrap(),
            dec!(0.1000000000000000000000000001)
        );
        assert_eq!(
            cost("12345678901234567.123456789").unwrap(),
            dec!(12345678901234567.123456789)
        );
        assert_eq!(cost("010").unwrap(), dec!(10));
        assert_eq!(cost("-0").unwrap(), dec!(0));
    }

    #[test]
    fn what_is_no_exact_decimal_is_refused() {
        for price in [
            "1_000",
            "0x10",
            "0o17",
            ".inf",
            "-.inf",
            ".nan",
            "free",
            "1,5",
            "$1",
            "true",
            "~",
            "null",
            "",
            "''",
            "-0.01",
            "1e999",
            "1e-29",
            "0.12345678901234567890123456789",
            "[1]",
            "{a: 1}",
            "!!float 1",
            "&a 1",
            "*a",
            "|\n      0.5",
            "1 2",
            "0.5 USD",
            "2026-11-22",
            "1:30",
        ] {
            let error = cost(price).unwrap_err().to_string();
            assert!(error.starts_with("f, line "), "{price}: {error}");
        }
    }

    #[test]
    fn errors_name_the_line_and_the_entry() {
        let rate = "per: x, cost_usd: 1";
        for (yaml, expected) in [
            ("".to_owned(), "f, line 1: the file is empty"),
            ("# only a comment\n".to_owned(), "f, line 1: the file is empty"),
            ("---\n...\n".to_owned(), "the file is empty"),
            (
                "rates:\n".to_owned(),
                "rates: a mapping is needed here, not a text",
            ),
            (
                "rates: [a]\n".to_owned(),
                "line 1, rates: a mapping is needed here, not a list",
            ),
            (
                "- a\n".to_owned(),
                "f, line 1: a mapping is needed here, not a list",
            ),
            ("prices: {}\n".to_owned(), "f, line 1, prices: unknown key"),
            ("{}\n".to_owned(), "`rates` is missing"),
            (
                "rates:\n  a:\n    per: x\n".to_owned(),
                "rates.a: `cost_usd` is missing",
            ),
            (
                "rates:\n  a:\n    cost_usd: 1\n".to_owned(),
                "rates.a: `per` is missing",
            ),
            (
                "rates:\n  a: 0.5\n".to_owned(),
                "line 2, rates.a: a mapping is needed here, not a text",
            ),
            (
                format!("rates:\n  a: {{{rate}, unit: y}}\n"),
                "line 2, rates.a.unit: unknown key",
            ),
            (
                format!("rates:\n  a: {{{rate}, per: y}}\n"),
                "line 2, rates.a.per: stands here twice",
            ),
            (
                format!("rates:\n  a: {{{rate}}}\n  a: {{{rate}}}\n"),
                "line 3, rates.a: stands here twice",
            ),
            (
                format!("rates: {{}}\nrates: {{a: {{{rate}}}}}\n"),
                "line 2, rates: stands here twice",
            ),
            (
                format!("rates:\n  ~: {{{rate}}}\n"),
                "line 2, rates: a text is needed here, not null",
            ),
            (
                format!("rates:\n  [a]: {{{rate}}}\n"),
                "line 2, rates: a text is needed here, not a list",
            ),
            (
                "rates: {}\n---\nrates: {}\n".to_owned(),
                "more than one YAML document",
            ),
            ("rates: {a: \"b\n".to_owned(), "not YAML"),
            ("rates:\n\ta: 1\n".to_owned(), "not YAML"),
            ("a: &x [1]\nb: [*x, *x]\n".to_owned(), "line 1, a: "),
        ] {
            let error = parse(&yaml, "f").unwrap_err().to_string();
            assert!(error.contains(expected), "{yaml:?}: {error}");
        }
    }

    #[test]
    fn bombs_are_refused_before_they_grow() {
        let mut aliases = "a: &a [x, x, x, x]\n".to_owned();
        for (this, last) in "bcdefghijklmnopqrstuvwxyz".chars().zip('a'..) {
            writeln!(aliases, "{this}: &{this} [*{last}, *{last}, *{last}, *{last}]").unwrap();
        }
        let under_rates = aliases.replace('\n', "\n  ");
        for yaml in [
            aliases,
            format!("rates:\n  {under_rates}"),
            "[".repeat(1_000_000),
            "{a: ".repeat(1_000_000),
            format!("rates: {}", "{a: ".repeat(100_000)),
            "- ".repeat(100_000),
            "? ".repeat(100_000),
        ] {
            assert!(matches!(parse(&yaml, "bomb"), Err(Error::PriceFile { .. })));
        }
    }

    #[test]
    fn a_number_may_name_a_service_and_a_byte_order_mark_may_lead() {
        let rates = parse("\u{feff}rates:\r\n  8080: {per: 1000, cost_usd: 1}\r\n", "f")
            .unwrap()
            .rates;
        assert_eq!(
            (rates[0].service.as_str(), rates[0].per.as_str()),
            ("8080", "1000")
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>(), tail in "[ \\[\\]{}:,?&*!|>'\"%@`#a-z0-9\\n-]{0,60}") {
            let _ = parse(&text, "f");
            let _ = parse(&format!("rates:\n  a{tail}"), "f");
        }

        #[test]
        fn what_is_printed_is_read_as_the_same(service in any::<String>(), per in any::<String>(), digits in 0..i64::MAX, scale in 0..28_u32) {
            prop_assume!(!service.trim().is_empty() && !per.trim().is_empty());
            let rate = RateEntry { service: service.into(), per: per.into(), cost_usd: Decimal::new(digits, scale) };
            prop_assert_eq!(parse(&print(std::iter::once(&rate)), "f").unwrap().rates, [rate]);
        }
    }

    #[test]
    fn hosts_are_read_beside_the_rates_and_wrong_ones_are_named() {
        let contents = parse("hosts: {llm.acme.internal: OpenAI, \"gw:8080\": mistral}\n", "f").unwrap();
        assert_eq!(contents.rates, []);
        assert_eq!(
            contents.hosts[0],
            ("llm.acme.internal".to_owned(), "OpenAI".to_owned())
        );
        let again = parse(
            &print_hosts(contents.hosts.iter().map(|(host, name)| (host, name))),
            "f",
        );
        assert_eq!(again.unwrap().hosts, contents.hosts);
        for (yaml, named) in [
            (
                "hosts: {llm: opnai}",
                "line 1, hosts.llm: nobody knows the provider `opnai`",
            ),
            ("hosts: {\"https://x/v1\": openai}", "is no host"),
            ("hosts: [llm]", "a mapping is needed here"),
        ] {
            let error = parse(yaml, "f").unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
