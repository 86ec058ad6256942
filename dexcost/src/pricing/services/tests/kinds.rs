//! One exchange, or a few, for every rule kind.

use super::Talk;
use crate::event::{CostConfidence, PricingSource};
use crate::pricing::PricingEngine;
use crate::pricing::services::{ServiceGap, ServiceKind};
use crate::{Unit, dec};

#[test]
fn per_request_is_the_same_for_every_answer() {
    let cost = Talk::get("https://api.search.brave.com/res/v1/web/search?q=x", "{}").cost();
    assert_eq!(cost.cost_usd, Some(dec!(0.005)));
    assert_eq!(cost.confidence, CostConfidence::Estimated);
    assert_eq!(cost.source, PricingSource::ServiceCatalog);
    assert_eq!((&*cost.service, cost.billable), ("brave_search", true));
}

#[test]
fn a_failure_costs_nothing() {
    let talk = Talk {
        status: 429,
        ..Talk::get("https://api.search.brave.com/res/v1/web/search", "{}")
    };
    let cost = talk.cost();
    assert_eq!((cost.billable, cost.cost_usd), (false, Some(dec!(0))));
}

#[test]
fn per_unit_counts_what_the_body_says() {
    let url = "https://api.tavily.com/search";
    let reported = Talk::post(
        url,
        r#"{"search_depth":"advanced"}"#,
        r#"{"usage":{"credits":3}}"#,
    )
    .cost();
    assert_eq!(reported.cost_usd, Some(dec!(0.024)));
    assert_eq!(reported.confidence, CostConfidence::Computed);
    assert_eq!(reported.lines[0].quantity, Some(dec!(3)));
    assert_eq!(reported.usage().get(Unit::RateUnits), Some(dec!(3)));
    let by_request = Talk::post(url, r#"{"search_depth":"advanced"}"#, "{}").cost();
    assert_eq!(by_request.cost_usd, Some(dec!(0.016)));
    let by_default = Talk::post(url, "{}", "{}").cost();
    assert_eq!(by_default.cost_usd, Some(dec!(0.008)));
}

#[test]
fn per_unit_counts_what_a_header_says() {
    let talk = Talk {
        headers: &[("spb-cost", "25")],
        ..Talk::get("https://app.scrapingbee.com/api/v1?url=x", "<html>")
    };
    assert_eq!(talk.cost().cost_usd, Some(dec!(0.0049)));
    let without = Talk::get("https://app.scrapingbee.com/api/v1", "<html>").cost();
    assert_eq!(
        (without.cost_usd, without.gap),
        (None, Some(ServiceGap::NotReported))
    );
    assert_eq!(without.confidence, CostConfidence::Unknown);
}

#[test]
fn characters_of_the_request_are_counted_as_code_points() {
    let talk = Talk::post(
        "https://api.deepl.com/v2/translate",
        "text=gr%C3%BC%C3%9Fe&text=ab&target_lang=EN",
        r#"{"translations":[{"text":"greetings"},{"text":"ab"}]}"#,
    );
    assert_eq!(talk.cost().cost_usd, Some(dec!(0.000175)));
    let stated = Talk {
        reply: r#"{"translations":[{"billed_characters":10},{"billed_characters":"20"}]}"#,
        ..talk
    };
    assert_eq!(stated.cost().cost_usd, Some(dec!(0.00075)));
    let free = Talk {
        url: "https://api-free.deepl.com/v2/translate",
        ..talk
    };
    assert_eq!(free.cost().kind, ServiceKind::Free);
}

#[test]
fn elements_and_recipients_are_counted_across_nested_arrays() {
    let matrix = r#"{"status":"OK","rows":[{"elements":[{},{}]},{"elements":[{},{}]}]}"#;
    let url = "https://maps.googleapis.com/maps/api/distancematrix/json?origins=a|b&destinations=c|d";
    assert_eq!(Talk::get(url, matrix).cost().cost_usd, Some(dec!(0.02)));
    let mail = r#"{"personalizations":[{"to":[{},{}],"cc":[{}]},{"to":[{}]}]}"#;
    let cost = Talk::post("https://api.sendgrid.com/v3/mail/send", mail, "").cost();
    assert_eq!(cost.cost_usd, Some(dec!(0.0016)));
}

#[test]
fn a_reply_that_states_the_amount_is_believed() {
    let cost = Talk::post(
        "https://api.exa.ai/search",
        r#"{"type":"deep"}"#,
        r#"{"results":[],"costDollars":{"total":0.0153}}"#,
    )
    .cost();
    assert_eq!(cost.cost_usd, Some(dec!(0.0153)));
    assert_eq!(cost.source, PricingSource::ProviderResponse);
    assert_eq!(cost.confidence, CostConfidence::Exact);
    let in_euro = Talk::post(
        "https://rest.nexmo.com/sms/json",
        "",
        r#"{"messages":[{"message-price":"0.0333"}]}"#,
    )
    .cost();
    assert_eq!(
        (in_euro.cost_usd, in_euro.gap),
        (None, Some(ServiceGap::Currency))
    );
    assert_eq!(
        (&*in_euro.lines[0].unit, in_euro.lines[0].quantity),
        ("eur", Some(dec!(0.0333)))
    );
    let in_credits = Talk::post(
        "https://api.bfl.ai/v1/flux-pro-1.1",
        "{}",
        r#"{"id":"j","cost":4}"#,
    )
    .cost();
    assert_eq!(in_credits.cost_usd, Some(dec!(0.04)));
    assert_eq!(in_credits.confidence, CostConfidence::Estimated);
    assert_eq!(in_credits.once.as_deref(), Some("bfl/j"));
}

#[test]
fn a_percentage_has_a_fixed_part_and_needs_dollars() {
    let url = "https://api.stripe.com/v1/payment_intents/pi_1/confirm";
    let paid = r#"{"id":"pi_1","status":"succeeded","currency":"usd","amount_received":2000}"#;
    let cost = Talk::post(url, "", paid).cost();
    assert_eq!(cost.cost_usd, Some(dec!(0.88)));
    assert_eq!(cost.once.as_deref(), Some("stripe_payment/pi_1"));
    let held = paid.replace("}", r#","captured":false}"#);
    assert!(!Talk::post(url, "", &held).cost().billable);
    let pending = paid.replace("succeeded", "requires_action");
    assert!(!Talk::post(url, "", &pending).cost().billable);
    let yen = paid.replace("usd", "jpy");
    assert_eq!(Talk::post(url, "", &yen).cost().gap, Some(ServiceGap::Currency));
}

#[test]
fn time_is_counted_once_the_job_is_over() {
    let url = "https://api.browserbase.com/v1/sessions/s1";
    let ended = r#"{"id":"s1","startedAt":"2026-11-01T10:00:00Z","endedAt":"2026-11-01T10:03:30Z"}"#;
    let cost = Talk::get(url, ended).cost();
    assert_eq!(cost.cost_usd, Some(dec!(0.007)));
    assert_eq!(cost.once.as_deref(), Some("browserbase/s1"));
    let running = r#"{"id":"s1","startedAt":"2026-11-01T10:00:00Z","endedAt":null}"#;
    assert!(!Talk::get(url, running).cost().billable);
    let short = r#"{"id":"s1","startedAt":"2026-11-01T10:00:00Z","endedAt":"2026-11-01T10:00:05Z"}"#;
    assert_eq!(Talk::get(url, short).cost().cost_usd, Some(dec!(0.002)));
    let by_clock = Talk {
        elapsed_ms: Some(30_500),
        ..Talk::post("https://chrome.browserless.io/pdf", "{}", "")
    };
    assert_eq!(by_clock.cost().cost_usd, Some(dec!(0.003)));
}

#[test]
fn rows_with_the_same_match_and_other_units_add_up() {
    let reply = r#"{"sandboxID":"b","cpuCount":2,"memoryMB":512,
        "startedAt":"2026-11-01T10:00:00Z","finishedAt":"2026-11-01T10:01:40Z"}"#;
    let cost = Talk::get("https://api.e2b.dev/sandboxes/b", reply).cost();
    assert_eq!(cost.lines.len(), 2);
    // 2 x 100 s x 0.000014 + 0.5 x 100 s x 0.0000045
    assert_eq!(cost.cost_usd, Some(dec!(0.003025)));
    let started = Talk::post("https://api.e2b.dev/sandboxes", "{}", r#"{"sandboxID":"b"}"#).cost();
    assert_eq!(
        (started.cost_usd, started.gap),
        (None, Some(ServiceGap::NotReported))
    );
    let inside = Talk::get("https://49999-b.e2b.dev/files", "").cost();
    assert!(!inside.billable);
}

#[test]
fn a_model_is_left_to_the_table_of_models() {
    let cost = Talk::post(
        "https://api.elevenlabs.io/v1/text-to-speech/voice",
        r#"{"text":"hello","model_id":"eleven_flash_v2_5"}"#,
        "",
    )
    .cost();
    let model = cost.model_table.unwrap();
    assert_eq!(
        (&*model.provider, &*model.model),
        ("elevenlabs", "eleven_flash_v2_5")
    );
    assert_eq!(model.usage.get(Unit::InputCharacters), Some(dec!(5)));
    assert_eq!(cost.cost_usd, None);
}

#[test]
fn the_table_of_models_has_the_models_of_services() {
    let priced = |url, request, reply| {
        let cost = Talk::post(url, request, reply).cost();
        let model = cost.model_table.unwrap_or_else(|| panic!("{url}"));
        let answer = PricingEngine::new()
            .price(&model.query(crate::Timestamp::from_unix_micros(1_790_000_000_000_000)));
        (
            answer.cost_usd,
            answer.matched.map(|key| key.to_string()).unwrap_or_default(),
        )
    };
    for (url, request, reply, usd, key) in [
        (
            "https://api.elevenlabs.io/v1/text-to-speech/v?output_format=mp3",
            r#"{"text":"hello","model_id":"eleven_v3"}"#,
            "",
            dec!(0.0004),
            "elevenlabs/eleven_v3",
        ),
        (
            "https://api.stability.ai/v2beta/stable-image/generate/core",
            "--x\r\n",
            "",
            dec!(0.03),
            "stability/stable-image-core",
        ),
        (
            "https://external.api.recraft.ai/v1/images/generations",
            r#"{"model":"recraftv3"}"#,
            r#"{"data":[{},{}]}"#,
            dec!(0.08),
            "recraft/recraftv3",
        ),
        (
            "https://api.dev.runwayml.com/v1/image_to_video",
            r#"{"model":"gen4_turbo","duration":5}"#,
            r#"{"id":"t"}"#,
            dec!(0.25),
            "runwayml/gen4_turbo",
        ),
        (
            "https://fal.run/fal-ai/flux/dev",
            "{}",
            r#"{"images":[{},{}]}"#,
            dec!(0.05),
            "fal_ai/fal-ai/flux/dev",
        ),
        (
            "https://api.mistral.ai/v1/ocr",
            r#"{"model":"mistral-ocr-latest"}"#,
            r#"{"usage_info":{"pages_processed":3}}"#,
            dec!(0.012),
            "mistral/mistral-ocr-latest",
        ),
        (
            "https://api.soniox.com/v1/transcriptions/j",
            "",
            r#"{"id":"j","status":"completed","model":"stt-async-v4","audio_duration_ms":60000}"#,
            dec!(0.001666668),
            "soniox/stt-async-v4",
        ),
    ] {
        assert_eq!(priced(url, request, reply), (Some(usd), key.to_owned()), "{url}");
    }
}

#[test]
fn what_is_free_paid_by_the_month_gone_or_the_callees_is_not_billed() {
    for (url, kind, cost_usd) in [
        (
            "https://slack.com/api/chat.postMessage",
            ServiceKind::Free,
            Some(dec!(0)),
        ),
        (
            "https://acme.atlassian.net/rest/api/3/issue",
            ServiceKind::Subscription,
            None,
        ),
        ("https://db.fauna.com/query/1", ServiceKind::Retired, None),
        ("https://me--app.modal.run/", ServiceKind::Hosted, Some(dec!(0))),
        (
            "https://a1.execute-api.eu-west-1.amazonaws.com/prod",
            ServiceKind::Hosted,
            Some(dec!(0)),
        ),
        ("https://app.fly.dev/x", ServiceKind::Hosted, Some(dec!(0))),
        ("https://w.me.workers.dev/", ServiceKind::Hosted, Some(dec!(0))),
    ] {
        let cost = Talk::post(url, "{}", "{}").cost();
        assert_eq!(
            (cost.kind, cost.cost_usd, cost.billable),
            (kind, cost_usd, false),
            "{url}"
        );
    }
}

#[test]
fn quantities_without_a_price_are_observed() {
    let url = "https://api.deepgram.com/v1/listen?model=nova-3&diarize=true&multichannel=true";
    let reply = r#"{"metadata":{"request_id":"r1","duration":30.5,"channels":2}}"#;
    let cost = Talk::post(url, "", reply).cost();
    let seen: Vec<_> = cost
        .observed
        .iter()
        .map(|seen| {
            (
                &*seen.service,
                seen.quantity,
                seen.resource.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("deepgram_diarization", dec!(61.0), "speaker_diarization"),
            ("deepgram_transcription", dec!(61.0), "nova-3:monolingual"),
        ]
    );
    assert_eq!(cost.observed[1].record.as_deref(), Some("r1"));
    // 61 s / 60 x 0.0077, the quotient at 12 digits
    assert_eq!(cost.cost_usd, Some(dec!(0.0078283333333359)));
    let in_europe = Talk::post(&url.replace("api.", "api.eu."), "", reply).cost();
    assert_eq!(
        (in_europe.kind, in_europe.cost_usd),
        (ServiceKind::Observed, None)
    );
    assert_eq!(in_europe.observed.len(), 2);
    assert_eq!(in_europe.gap, Some(ServiceGap::NoPrice));
}

#[test]
fn polls_of_one_job_have_one_key_and_only_the_last_is_charged() {
    let url = "https://api.firecrawl.dev/v2/crawl/job-7";
    let running = Talk::get(url, r#"{"status":"scraping","creditsUsed":4}"#).cost();
    assert!(!running.billable);
    let done = Talk::get(url, r#"{"status":"completed","creditsUsed":10}"#).cost();
    assert_eq!(done.cost_usd, Some(dec!(0.0083)));
    assert_eq!(done.once.as_deref(), Some("firecrawl_scrape/job-7"));
}
