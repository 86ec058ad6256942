use super::names::{FREE_TEXT, SECRET};
use super::text::scrub_text;
use super::*;
use proptest::prelude::*;
use proptest::sample::select;

const CANARY: &str = "s3cr3t";

fn clean(url: &str) -> String {
    let scrubbed = scrub_url(url).into_owned();
    assert!(!scrubbed.contains(CANARY), "{url} -> {scrubbed}");
    scrubbed
}

#[test]
fn userinfo_goes_whatever_it_holds() {
    for (url, expected) in [
        ("https://s3cr3t@h.example/p", "https://h.example/p"),
        (
            "https://u:s3cr3t@h.example:8443/p?a=1",
            "https://h.example:8443/p?a=1",
        ),
        ("https://u:p@s3cr3t@h.example", "https://h.example"),
        ("//u:s3cr3t@h.example/p", "//h.example/p"),
        ("u:s3cr3t@h.example/p", "h.example/p"),
        ("HTTPS:/u:s3cr3t@h.example/", "HTTPS:/h.example/"),
        ("https:u:s3cr3t@h.example/", "https:h.example/"),
        (r"https:\\u:s3cr3t@h.example\p", r"https:\\h.example\p"),
        ("  https://u:s3cr3t@h.example", "  https://h.example"),
        ("postgres://u:s3cr3t@[::1]:5432/db", "postgres://[::1]:5432/db"),
        ("https://u:s3cr3t%40h.example/p", "https://h.example/p"),
        ("https://u:s3cr3t%2540h.example/p", "https://h.example/p"),
    ] {
        assert_eq!(clean(url), expected);
    }
}

#[test]
fn a_password_that_breaks_the_url_does_not_leak() {
    for url in [
        "https://u:s3cr3t/x@h.example/p",
        "https://u:a/s3cr3t@h.example/p",
        "https://u:a?s3cr3t@h.example/p",
        "https://u:a#s3cr3t@h.example/p",
        "https://u:s3cr3t",
        "https://u:s3cr3t/p?q=1",
        "https://[u:s3cr3t@h",
        "https://é:s3cr3t@@",
    ] {
        clean(url);
    }
}

#[test]
fn judged_parameters_lose_their_value_and_nothing_else_does() {
    for (url, expected) in [
        ("https://h/p?TOKEN=s3cr3t&n=1", "https://h/p?TOKEN=REDACTED&n=1"),
        (
            "https://h/p?n=1&%61pi%5fkey=s3cr3t#top",
            "https://h/p?n=1&%61pi%5fkey=REDACTED#top",
        ),
        ("https://h/p?%2561uth=s3cr3t", "https://h/p?%2561uth=REDACTED"),
        (
            "https://h/p?X-Amz-Signature=s3cr3t&X-Amz-Date=1",
            "https://h/p?X-Amz-Signature=REDACTED&X-Amz-Date=1",
        ),
        (
            "https://h/p?x-goog-credential=s3cr3t",
            "https://h/p?x-goog-credential=REDACTED",
        ),
        (
            "https://h/p?a=1;password=s3cr3t;b=2",
            "https://h/p?a=1;password=REDACTED;b=2",
        ),
        (
            "https://h/p;session=s3cr3t/q?b=2",
            "https://h/p;session=REDACTED/q?b=2",
        ),
        (
            "https://h/#access_token=s3cr3t&n=1",
            "https://h/#access_token=REDACTED&n=1",
        ),
        ("https://h/p?auth[key]=s3cr3t", "https://h/p?auth[key]=REDACTED"),
        ("https://h/p?keyterm=s3cr3t+words", "https://h/p?keyterm=REDACTED"),
        ("https://h/p?token%3Ds3cr3t", "https://h/p?token%3DREDACTED"),
        ("https://h/p?token==s3cr3t", "https://h/p?token=REDACTED"),
        ("token=s3cr3t", "token=REDACTED"),
        ("?to\tken=s3cr3t", "?to\tken=REDACTED"),
    ] {
        assert_eq!(clean(url), expected);
    }
}

#[test]
fn urls_inside_parameters_are_judged_too() {
    for url in [
        "https://h/p?next=https://g/?token=s3cr3t",
        "https://h/p?next=https%3A%2F%2Fg%2F%3Ftoken%3Ds3cr3t",
        "https://h/p?next=https%253A%252F%252Fg%252F%253Ftoken%253Ds3cr3t",
        "https://h/p?next=https%3A%2F%2Fu%3As3cr3t%40g%2F",
        "https://h/p?a=b%26token%3Ds3cr3t",
        "https://h/https://u:s3cr3t@g/",
    ] {
        clean(url);
    }
}

#[test]
fn harmless_urls_are_not_touched_and_not_copied() {
    for url in [
        "",
        "?",
        "https://h",
        "https://h.example:8080/v1/chat/completions?page=2&model=gpt-4o&api-version=2024-06-01",
        "https://registry.example/@scope/name",
        "https://h/p?token=&n=1",
        "https://h/p?next=https%3A%2F%2Fg%2Fq",
        "/v1/models?limit=5#tokens",
        "https://[2001:db8::1]:443/p",
        "https://h/p?token=REDACTED",
        "https://h/p?tokens=5&keys=7&authority=x",
    ] {
        assert!(
            matches!(scrub_url(url), Cow::Borrowed(_)),
            "{url} -> {}",
            scrub_url(url)
        );
    }
}

#[test]
fn a_url_within_a_sentence_is_scrubbed_and_the_sentence_stays() {
    assert_eq!(
        scrub_text("GET (https://u:p@h/?sig=x failed:\nsee https://h/ok ").as_deref(),
        Some("GET (https://h/?sig=REDACTED failed:\nsee https://h/ok ")
    );
    assert_eq!(scrub_text("see https://h/ok, a@b"), None);
}

fn secret_name() -> impl Strategy<Value = String> {
    let known: Vec<&str> = SECRET.iter().chain(FREE_TEXT).copied().collect();
    (select(known), any::<u64>()).prop_map(|(name, bits)| {
        let spell = |(at, c): (usize, char)| match bits >> (at % 32 * 2) & 3 {
            0 => c.to_string(),
            1 => c.to_ascii_uppercase().to_string(),
            2 if c == '_' => "-".to_owned(),
            2 => format!("%{:02x}", u32::from(c)),
            _ => format!("%25{:02X}", u32::from(c)),
        };
        name.chars().enumerate().map(spell).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_it_panic_and_a_second_pass_changes_nothing(text in any::<String>()) {
        let once = scrub_url(&text).into_owned();
        prop_assert_eq!(scrub_url(&once), once.as_str());
    }

    #[test]
    fn text_made_of_url_parts_settles_too(parts in proptest::collection::vec(select(vec![
        "https:", "//", "/", "@", ":", "?", "&", ";", "#", "=", "%40", "%2540", "%3D", "%26", "%2F", "%", "%2", "token", "a",
        "é", "[", "]", "\\", " ", "80", "next", "http",
    ]), 0..14)) {
        let text = parts.concat();
        let once = scrub_url(&text).into_owned();
        prop_assert_eq!(scrub_url(&once), once.as_str(), "{}", text);
    }

    #[test]
    fn no_secret_parameter_survives(
        before in "[a-z=&;?/%]{0,12}", separator in select(vec!["?", "&", ";", "#"]), name in secret_name(),
        after in "([&;#?][a-z=%]{0,8})?",
    ) {
        let url = format!("https://h.example/{before}{separator}{name}={CANARY}{after}");
        prop_assert!(!scrub_url(&url).contains(CANARY), "{} -> {}", url, scrub_url(&url));
    }

    #[test]
    fn no_password_survives(
        scheme in select(vec!["https://", "http:/", "HTTP://", "//", "wss:\\\\", "redis://", ""]),
        user in "[a-z0-9.%+-]{0,6}", noise in "[a-z@:%?#/ é]{0,6}", host in "[a-z.]{1,8}", tail in "(/[a-z]{0,5})?",
    ) {
        let url = format!("{scheme}{user}:{CANARY}{noise}@{host}{tail}");
        prop_assert!(!scrub_url(&url).contains(CANARY), "{} -> {}", url, scrub_url(&url));
    }
}
