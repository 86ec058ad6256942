//! One row of the catalog: what it applies to, and the rule by which it is priced.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::condition::Conditions;
use super::quantity::Quantity;
use super::source::Source;
use super::template::Template;
use super::{hosts, paths};
use crate::event::CallType;
use crate::money;
use crate::text::Text;
use crate::usage::Unit;
use crate::wire::RequestFacts;
use crate::words::words;

words! {
    /// How a service is priced.
    ServiceRule ("service rule") {
        /// The reply states the amount.
        Reported = "reported",
        /// So much for each request.
        PerRequest = "per_request",
        /// So much for each unit of something.
        PerUnit = "per_unit",
        /// A part of an amount of money, and perhaps a fixed fee.
        Percent = "percent",
        /// By model, from the table of model prices.
        ModelTable = "model_table",
        /// By time.
        Time = "time",
        /// It costs nothing.
        Free = "free",
        /// It is paid by the month, whatever is called.
        Subscription = "subscription",
        /// It no longer exists.
        Retired = "retired",
        /// A quantity without a price.
        Observe = "observe",
    }
}

/// A row as it is written. Lists of hosts, methods, paths and statuses are parted by blanks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    #[serde(borrow)]
    hosts: Cow<'a, str>,
    service: Cow<'a, str>,
    category: Cow<'a, str>,
    #[serde(default)]
    methods: Cow<'a, str>,
    #[serde(default)]
    paths: Cow<'a, str>,
    #[serde(default)]
    when: Vec<Cow<'a, str>>,
    rule: ServiceRule,
    #[serde(default)]
    unit: Cow<'a, str>,
    #[serde(default)]
    price: Option<Cow<'a, str>>,
    #[serde(default)]
    currency: Vec<Cow<'a, str>>,
    #[serde(default)]
    quantity: Vec<Cow<'a, str>>,
    #[serde(default)]
    reported: Vec<Cow<'a, str>>,
    #[serde(default)]
    charged: Vec<Cow<'a, str>>,
    #[serde(default)]
    statuses: Cow<'a, str>,
    #[serde(default)]
    once: Vec<Cow<'a, str>>,
    #[serde(default)]
    payer: Option<Payer>,
    #[serde(default)]
    table: Option<WrittenTable<'a>>,
    #[serde(default)]
    observe: Option<WrittenObserver<'a>>,
    confidence: Trust,
    as_of: Cow<'a, str>,
    source: Cow<'a, str>,
    #[serde(default)]
    note: Cow<'a, str>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Payer {
    /// Who runs the function that is called.
    Callee,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTable<'a> {
    #[serde(borrow)]
    provider: Cow<'a, str>,
    #[serde(default)]
    call: CallType,
    model: Vec<Cow<'a, str>>,
    #[serde(default)]
    usage: Vec<(Unit, Vec<Cow<'a, str>>)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenObserver<'a> {
    #[serde(borrow)]
    provider: Cow<'a, str>,
    service: Cow<'a, str>,
    resource_type: Cow<'a, str>,
    resource: Vec<Cow<'a, str>>,
    #[serde(default)]
    record: Vec<Cow<'a, str>>,
}

/// How well a price is known: read from the provider, second-hand, or guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Trust {
    High,
    Medium,
    Low,
}

/// What one unit costs, in the row's currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Price {
    /// Nobody publishes it.
    None,
    /// So much each.
    Each(Decimal),
    /// A part of the quantity, and a fee for each exchange.
    Part { rate: Decimal, fee: Decimal },
}

/// The model call that a row is priced as.
#[derive(Debug)]
pub(super) struct ModelTable {
    pub(super) provider: Text,
    pub(super) call_type: CallType,
    pub(super) model: Vec<Template>,
    pub(super) usage: Vec<(Unit, Vec<Quantity>)>,
}

/// Whose quantity is observed.
#[derive(Debug)]
pub(super) struct Observer {
    pub(super) provider: Text,
    pub(super) service: Text,
    pub(super) resource_type: Text,
    pub(super) resource: Vec<Template>,
    pub(super) record: Vec<Template>,
}

/// What a row looks at at all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reads {
    pub(super) request_line: bool,
    pub(super) headers: bool,
    pub(super) request: bool,
}

/// A row, ready for use.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) hosts: Box<str>,
    pub(super) service: Text,
    pub(super) category: Text,
    pub(super) methods: Box<str>,
    pub(super) paths: Box<str>,
    /// Conditions on the request line and its headers.
    pub(super) when_line: Vec<Conditions>,
    /// Conditions that need a body.
    pub(super) when_body: Vec<Conditions>,
    /// Hosts, methods, paths and conditions as written: what rows that add up have in common.
    pub(super) matching: Box<str>,
    pub(super) rule: ServiceRule,
    pub(super) unit: Text,
    pub(super) price: Price,
    pub(super) price_text: Box<str>,
    /// Who states the currency, where it is not always US dollars.
    pub(super) currency: Vec<Template>,
    pub(super) quantity: Vec<Quantity>,
    pub(super) reported: Vec<Quantity>,
    /// Conditions on the reply without which nothing is charged (yet).
    pub(super) charged: Vec<Conditions>,
    pub(super) statuses: Box<str>,
    pub(super) once: Vec<Template>,
    pub(super) is_callees: bool,
    pub(super) table: Option<ModelTable>,
    pub(super) observer: Option<Observer>,
    pub(super) reads: Reads,
    pub(super) trust: Trust,
    pub(super) as_of: Text,
    pub(super) source: Box<str>,
    pub(super) note: Box<str>,
}

/// The longest list or formula in a row.
const LONGEST: usize = 1000;

impl Row {
    /// Reads a row.
    pub(super) fn parse(json: &str) -> Result<Self, String> {
        let written: Written<'_> = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let service = written.service.to_string();
        Self::from_written(written).map_err(|reason| format!("{service}: {reason}"))
    }

    fn from_written(written: Written<'_>) -> Result<Self, String> {
        check_lists(&written)?;
        let price = price(written.price.as_deref(), written.rule)?;
        let matching = format!(
            "{}\n{}\n{}\n{}",
            written.hosts,
            written.methods,
            written.paths,
            written.when.join("\n")
        );
        let conditions = all(&written.when, Conditions::parse)?;
        let (when_line, when_body) = conditions.into_iter().partition(|conditions| {
            let mut is_of_line = true;
            conditions.sources(&mut |source| is_of_line &= source.is_of_request_line());
            is_of_line
        });
        let mut row = Self {
            when_line,
            when_body,
            matching: matching.into(),
            price,
            price_text: written.price.unwrap_or_default().into(),
            currency: all(&written.currency, Template::parse)?,
            quantity: all(&written.quantity, Quantity::parse)?,
            reported: all(&written.reported, Quantity::parse)?,
            charged: all(&written.charged, Conditions::parse)?,
            once: all(&written.once, Template::parse)?,
            table: written.table.map(ModelTable::from_written).transpose()?,
            observer: written.observe.map(Observer::from_written).transpose()?,
            hosts: written.hosts.into(),
            service: written.service.into(),
            category: written.category.into(),
            methods: written.methods.into(),
            paths: written.paths.into(),
            rule: written.rule,
            unit: written.unit.into(),
            statuses: written.statuses.into(),
            is_callees: written.payer == Some(Payer::Callee),
            trust: written.confidence,
            as_of: written.as_of.into(),
            source: written.source.into(),
            note: written.note.into(),
            reads: Reads::default(),
        };
        let mut reads = Reads::default();
        row.sources(&mut |source| {
            reads.request_line |= source.is_of_request_line();
            reads.headers |= matches!(source, Source::Header(_));
            reads.request |= matches!(source, Source::Request(_));
        });
        row.reads = reads;
        Ok(row)
    }

    /// How well the row fits a request line, or `None` where it is not about it: how much of the path
    /// is fixed, and how many conditions there are. `path` are the segments of its path.
    pub(super) fn fit(&self, facts: &RequestFacts<'_>, path: &[&str]) -> Option<(u16, u16)> {
        let mut methods = self.methods.split_ascii_whitespace().peekable();
        let has_methods = methods.peek().is_some();
        if has_methods && !facts.method.is_empty() && !methods.any(|m| m.eq_ignore_ascii_case(facts.method)) {
            return None;
        }
        let mut patterns = self.paths.split_ascii_whitespace().peekable();
        let path_weight = if patterns.peek().is_none() {
            0
        } else {
            patterns
                .filter(|pattern| paths::matches(pattern, path))
                .map(paths::weight)
                .max()?
        };
        let conditions = self
            .when_line
            .iter()
            .chain(&self.when_body)
            .map(Conditions::count);
        let conditions = conditions.sum::<usize>() + usize::from(has_methods);
        Some((path_weight, u16::try_from(conditions).unwrap_or(u16::MAX)))
    }

    /// Whether a reply with this status is charged.
    pub(super) fn charges(&self, status: u16) -> bool {
        let mut listed = self.statuses.split_ascii_whitespace().peekable();
        if listed.peek().is_none() {
            return (200..300).contains(&status);
        }
        listed.any(|listed| match listed.strip_suffix("xx") {
            Some(class) => class.parse() == Ok(status / 100),
            None => listed.parse() == Ok(status),
        })
    }

    /// Calls `see` with every place that the row reads.
    pub(super) fn sources<'a>(&'a self, see: &mut dyn FnMut(&'a Source)) {
        let conditions = self.when_line.iter().chain(&self.when_body).chain(&self.charged);
        conditions.for_each(|conditions| conditions.sources(see));
        let mut quantities: Vec<&Quantity> = self.quantity.iter().chain(&self.reported).collect();
        let mut templates: Vec<&Template> = self.once.iter().chain(&self.currency).collect();
        if let Some(table) = &self.table {
            templates.extend(&table.model);
            quantities.extend(table.usage.iter().flat_map(|(_, alternatives)| alternatives));
        }
        if let Some(observer) = &self.observer {
            templates.extend(observer.resource.iter().chain(&observer.record));
        }
        for quantity in quantities {
            quantity.when.sources(see);
            quantity.formula.sources(see);
        }
        templates.into_iter().for_each(|template| template.sources(see));
    }
}

impl ModelTable {
    fn from_written(written: WrittenTable<'_>) -> Result<Self, String> {
        let read = |(unit, alternatives): (Unit, Vec<Cow<'_, str>>)| {
            Ok((unit, all(&alternatives, Quantity::parse)?))
        };
        Ok(Self {
            provider: written.provider.into(),
            call_type: written.call,
            model: all(&written.model, Template::parse)?,
            usage: written
                .usage
                .into_iter()
                .map(read)
                .collect::<Result<_, String>>()?,
        })
    }
}

impl Observer {
    fn from_written(written: WrittenObserver<'_>) -> Result<Self, String> {
        Ok(Self {
            provider: written.provider.into(),
            service: written.service.into(),
            resource_type: written.resource_type.into(),
            resource: all(&written.resource, Template::parse)?,
            record: all(&written.record, Template::parse)?,
        })
    }
}

fn all<T>(texts: &[Cow<'_, str>], read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    if texts.len() > 16 || texts.iter().any(|text| text.len() > LONGEST) {
        return Err("a list is too long".to_owned());
    }
    texts.iter().map(|text| read(text)).collect()
}

fn check_lists(written: &Written<'_>) -> Result<(), String> {
    let lists = [
        &written.hosts,
        &written.methods,
        &written.paths,
        &written.statuses,
    ];
    if lists.iter().any(|list| list.len() > LONGEST) || written.note.len() > LONGEST {
        return Err("a list is too long".to_owned());
    }
    if written.service.trim().is_empty() || written.hosts.trim().is_empty() {
        return Err("a row needs a service and hosts".to_owned());
    }
    if written.as_of.trim().is_empty() || written.source.trim().is_empty() {
        return Err("a row needs a date and a source".to_owned());
    }
    for pattern in written.hosts.split_ascii_whitespace() {
        if let Some(fault) = hosts::fault(pattern) {
            return Err(format!("host `{pattern}` {fault}"));
        }
    }
    for pattern in written.paths.split_ascii_whitespace() {
        if let Some(fault) = paths::fault(pattern) {
            return Err(format!("path `{pattern}`: {fault}"));
        }
    }
    let is_status = |status: &str| {
        status
            .strip_suffix("xx")
            .unwrap_or(status)
            .parse::<u16>()
            .is_ok_and(|status| status < 600)
    };
    if !written.statuses.split_ascii_whitespace().all(is_status) {
        return Err("there is no such status".to_owned());
    }
    match written.rule {
        ServiceRule::Reported if written.reported.is_empty() => {
            Err("says not where the amount is".to_owned())
        }
        ServiceRule::ModelTable if written.table.is_none() => Err("says not which model".to_owned()),
        ServiceRule::Observe if written.observe.is_none() => Err("says not what is observed".to_owned()),
        _ => Ok(()),
    }
}

/// The highest price that one unit can have; more is a slip of the pen.
const HIGHEST: Decimal = crate::dec!(1000);

fn price(text: Option<&str>, rule: ServiceRule) -> Result<Price, String> {
    let Some(text) = text else { return Ok(Price::None) };
    let number = |text: &str| match money::parse(text.trim()) {
        Ok(price) if price.is_sign_negative() => Err(format!("the price {text} is negative")),
        Ok(price) if price > HIGHEST => Err(format!("the price {text} cannot be meant")),
        Ok(price) => Ok(price),
        Err(error) => Err(error.to_string()),
    };
    if rule != ServiceRule::Percent {
        return number(text).map(Price::Each);
    }
    let (rate, fee) = text.split_once('+').unwrap_or((text, "0"));
    Ok(Price::Part {
        rate: number(rate)?,
        fee: number(fee)?,
    })
}
