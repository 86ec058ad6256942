//! Fees of tools that the provider ran, on top of the tokens.

use crate::dec;
use rust_decimal::Decimal;

use super::{Bill, Call};
use crate::pricing::names::Kind;
use crate::pricing::table::Component;
use crate::provider;
use crate::usage::Unit;

/// Google's list price of a grounded prompt with search, where the table is silent (2026-11-22).
const GOOGLE_SEARCH_PER_PROMPT: Decimal = dec!(0.035);
/// Google's list prices of grounding with Maps, where the table is silent (2026-11-22).
const GOOGLE_MAPS_PER_QUERY: Decimal = dec!(0.014);
const GOOGLE_MAPS_PER_PROMPT: Decimal = dec!(0.025);
/// xAI's list price of a web search, where the table is silent (2026-11-22).
const XAI_SEARCH: Decimal = dec!(0.005);
/// OpenAI's list price of a file search (2026-11-22); Azure bills storage instead.
const OPENAI_FILE_SEARCH: Decimal = dec!(0.0025);
/// List prices of a code interpreter session (2026-11-22).
const OPENAI_CODE_SESSION: Decimal = dec!(0.03);
const AZURE_CODE_SESSION: Decimal = dec!(0.033);

/// Adds the fees.
pub(super) fn charge(call: &Call<'_>, bill: &mut Bill<'_>) {
    for (unit, count) in call.query.usage.iter() {
        if count.is_sign_negative() || count.is_zero() {
            continue;
        }
        match unit {
            Unit::WebSearchRequests => web_search(call, count, bill),
            Unit::GoogleMapsRequests => maps(call, count, bill),
            // Azure bills what is stored, by the day, and nothing for a search.
            Unit::FileSearchRequests if matches!(call.provider.kind, Kind::Azure | Kind::AzureAi) => {}
            Unit::FileSearchRequests => {
                let price = (call.provider.kind == Kind::OpenAi).then_some(OPENAI_FILE_SEARCH);
                bill.add(unit.as_str(), count, price);
            }
            Unit::CodeInterpreterSessions => bill.add(unit.as_str(), count, code_session(call)),
            _ => {}
        }
    }
}

/// A web search costs by the size of its context. Anthropic bills the medium price, Perplexity the
/// low one; Google bills by query or once a prompt.
fn web_search(call: &Call<'_>, count: Decimal, bill: &mut Bill<'_>) {
    let medium = call.entry.plain(Component::SearchMedium);
    let (count, price) = if call.provider.is_google() {
        let count = if call.entry.bills_per_query() {
            count
        } else {
            Decimal::ONE
        };
        (count, medium.or(Some(GOOGLE_SEARCH_PER_PROMPT)))
    } else {
        let size = match call.query.search_context_size {
            Some(size) if size.eq_ignore_ascii_case("low") => Component::SearchLow,
            Some(size) if size.eq_ignore_ascii_case("high") => Component::SearchHigh,
            _ => Component::SearchMedium,
        };
        let listed = match call.provider.kind {
            Kind::Anthropic => medium,
            Kind::Xai => medium.or(Some(XAI_SEARCH)),
            _ => call.entry.plain(size).or(medium),
        };
        (count, listed)
    };
    bill.add(Unit::WebSearchRequests.as_str(), count, price);
}

fn maps(call: &Call<'_>, count: Decimal, bill: &mut Bill<'_>) {
    let per_query = call.entry.bills_per_query();
    let silent = if per_query {
        GOOGLE_MAPS_PER_QUERY
    } else {
        GOOGLE_MAPS_PER_PROMPT
    };
    let price = call.entry.plain(Component::MapsQuery).unwrap_or(silent);
    let count = if per_query { count } else { Decimal::ONE };
    bill.add(Unit::GoogleMapsRequests.as_str(), count, Some(price));
}

/// A session costs by the memory of its container, where the provider lists that.
fn code_session(call: &Call<'_>) -> Option<Decimal> {
    if let Some(memory) = call.query.container_memory
        && let Some(provider) = provider::by_name(call.provider.name).filter(|p| !p.containers.is_empty())
    {
        return provider.container(memory).map(|container| container.usd);
    }
    call.entry
        .plain(Component::CodeSession)
        .or(match call.provider.kind {
            Kind::OpenAi => Some(OPENAI_CODE_SESSION),
            Kind::Azure => Some(AZURE_CODE_SESSION),
            _ => None,
        })
}
