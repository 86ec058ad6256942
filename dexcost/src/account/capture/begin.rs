//! What a request is watched as, by what a tracker wants to know.

use super::exchange::{Call, Exchange};
use super::model_call::ModelCall;
use super::other_call::OtherCall;
use crate::account::tracker::CostTracker;
use crate::pricing::{RateRegistry, ServiceCatalog, ServiceMatch, ServiceRule};
use crate::usage::readers::{Purpose, Route};
use crate::wire::RequestFacts;

impl CostTracker {
    /// Starts watching a request as what this tracker wants to know of it: a model call, a call of a
    /// priced service, or, with [`track_http`](Self::set_track_http), traffic.
    ///
    /// A model call goes to its reader where the host or the path names a provider that is
    /// [instrumented](Self::instrument). What is neither model nor service is only worth its bytes;
    /// whoever has no task to count them on need not watch it: see [`Exchange::is_only_traffic`].
    pub fn begin_exchange(&self, request: &RequestFacts<'_>) -> Exchange {
        let wants = &self.shared().wants;
        let mut route = Route::of_request(request);
        if let (Some(route), Some(owner)) = (&mut route, wants.hosts.provider_at(request.authority)) {
            route.answered_by(owner);
        }
        let is_wanted = route
            .as_ref()
            .is_none_or(|route| wants.instruments.has(route.provider));
        let services = wants.tracks_http().then(|| self.services());
        begin(request, route, is_wanted, services)
    }
}

impl Exchange {
    /// Starts watching a request as a model call of any provider, a call of a priced service, or
    /// traffic, without a tracker.
    ///
    /// ```
    /// use dexcost::capture::{Exchange, RequestFacts};
    /// use dexcost::{Ending, ServiceCatalog, dec};
    ///
    /// let facts = RequestFacts::to_url("POST", "https://api.tavily.com/search", &());
    /// let mut exchange = Exchange::begin_with(&facts, &ServiceCatalog::new());
    /// exchange.response(200, &());
    /// exchange.data(br#"{"usage":{"credits":2}}"#);
    /// let service = exchange.settle(Ending::Done).service.unwrap();
    /// assert_eq!(service.cost_usd, Some(dec!(0.016)));
    /// ```
    pub fn begin_with(request: &RequestFacts<'_>, services: &ServiceCatalog) -> Self {
        begin(request, Route::of_request(request), true, Some(services))
    }

    /// The same, where `rates` say who answers at hosts of the user's own.
    ///
    /// ```
    /// use dexcost::capture::{Exchange, RequestFacts};
    /// use dexcost::{Ending, RateRegistry, ServiceCatalog};
    ///
    /// let rates = RateRegistry::new();
    /// rates.load_text("hosts: {llm.acme.internal: openai}", "rates.yaml")?;
    /// let facts = RequestFacts::to_url("POST", "http://llm.acme.internal/v1/chat/completions", &());
    /// let mut exchange = Exchange::begin_at_hosts(&facts, &ServiceCatalog::new(), &rates);
    /// exchange.response(200, &());
    /// assert_eq!(exchange.settle(Ending::Done).provider.as_deref(), Some("openai"));
    /// # Ok::<(), dexcost::Error>(())
    /// ```
    pub fn begin_at_hosts(
        request: &RequestFacts<'_>,
        services: &ServiceCatalog,
        rates: &RateRegistry,
    ) -> Self {
        let mut route = Route::of_request(request);
        if let (Some(route), Some(owner)) = (&mut route, rates.owner_of(request.authority)) {
            route.answered_by(owner);
        }
        begin(request, route, true, Some(services))
    }
}

/// What a request is watched as. `is_wanted` says whether its provider is, `services` is missing where
/// only models are looked for.
fn begin(
    request: &RequestFacts<'_>,
    route: Option<Route>,
    is_wanted: bool,
    services: Option<&ServiceCatalog>,
) -> Exchange {
    let route = route.filter(Route::is_worth_watching);
    if let Some(found) = services.and_then(|services| by_registered_rate(request, services)) {
        // It replaces the price of a model's call, not the call: its tokens and its model stay.
        return match route.filter(|route| is_wanted && route.is_known && route.purpose == Purpose::Inference)
        {
            Some(route) => Exchange::of(Call::Model(Box::new(
                ModelCall::new(request, route).sold_as(request, Some(found)),
            ))),
            None => other_call(request, Some(found)),
        };
    }
    match (route.filter(|_| is_wanted), services) {
        (Some(route), None) => model_call(request, route),
        (Some(route), Some(services)) if route.may_be_sold_as_service() => {
            let found = services.find(request).filter(has_price_of_its_own);
            Exchange::of(Call::Model(Box::new(
                ModelCall::new(request, route).sold_as(request, found),
            )))
        }
        (Some(route), _) if route.is_known || route.purpose == Purpose::Tool => model_call(request, route),
        (Some(route), Some(services)) => match services.find(request).filter(ServiceMatch::is_priced) {
            Some(found) => other_call(request, Some(found)),
            None => model_call(request, route),
        },
        (None, None) => Exchange::of(Call::Unwatched),
        // The services of a provider that is switched off are so too.
        (None, Some(services)) => other_call(request, services.find(request).filter(|_| is_wanted)),
    }
}

/// What the user said that a domain costs comes before everything else.
fn by_registered_rate(request: &RequestFacts<'_>, services: &ServiceCatalog) -> Option<ServiceMatch> {
    let found = || services.find(request).filter(ServiceMatch::has_registered_rate);
    services.has_registered_rates().then(found).flatten()
}

fn model_call(request: &RequestFacts<'_>, route: Route) -> Exchange {
    Exchange::of(Call::Model(Box::new(ModelCall::new(request, route))))
}

fn other_call(request: &RequestFacts<'_>, found: Option<ServiceMatch>) -> Exchange {
    Exchange::of(Call::Other(Box::new(OtherCall::new(request, found))))
}

/// Whether the best row about a request has a price, and does not leave it to the table of models.
fn has_price_of_its_own(found: &ServiceMatch) -> bool {
    let is_price = |rule| {
        matches!(
            rule,
            ServiceRule::PerRequest | ServiceRule::PerUnit | ServiceRule::Percent | ServiceRule::Time
        )
    };
    let best = found.rows().find(|row| row.rule() != ServiceRule::Observe);
    best.is_some_and(|row| is_price(row.rule()) && !row.price().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = include_str!("../../pricing/services/bundled.jsonl");

    /// Requests that a row is about: each of its hosts and paths, with something in place of stars.
    fn requests(row: &serde_json::Value) -> Vec<(String, String, String)> {
        let words = |name: &str, default: &str| -> Vec<String> {
            let list = row[name]
                .as_str()
                .unwrap_or(default)
                .replace("**", "a")
                .replace('*', "b");
            list.split_ascii_whitespace().map(str::to_owned).collect()
        };
        let (hosts, paths, methods) = (
            words("hosts", ""),
            words("paths", "/"),
            words("methods", "GET POST"),
        );
        let on_host = |host: &String| -> Vec<_> {
            let lines = paths
                .iter()
                .flat_map(|path| methods.iter().map(move |method| (method, path)));
            lines
                .map(|(method, path)| (method.clone(), host.clone(), path.clone()))
                .collect()
        };
        hosts.iter().flat_map(on_host).collect()
    }

    #[test]
    fn no_price_of_the_catalog_hides_behind_a_models_path() {
        let mut hidden = Vec::new();
        for line in ROWS.lines().skip(1) {
            let row: serde_json::Value = serde_json::from_str(line.trim_end_matches(',')).unwrap();
            let is_price = ["per_request", "per_unit", "percent", "time"]
                .map(serde_json::Value::from)
                .contains(&row["rule"]);
            if !is_price || row["price"].is_null() {
                continue;
            }
            for (method, host, path) in requests(&row) {
                let route = Route::of(&method, &host, &path);
                if route.is_some_and(|route| route.is_known && !route.may_be_sold_as_service()) {
                    hidden.push(row["service"].as_str().unwrap().to_owned());
                }
            }
        }
        assert!(hidden.is_empty(), "{hidden:?}");
    }
}
