//! The shapes that model names take on the wire.

/// Bedrock's prefixes for inference across regions.
const GEO_PREFIXES: &[&str] = &[
    "us", "eu", "apac", "ap", "jp", "au", "us-gov", "global", "ca", "sa", "uk", "in", "kr", "me", "af", "il",
    "mx",
];

/// A name that was part of a path or ARN, with what else that told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form<'a> {
    /// Just a name.
    Plain,
    /// The path names a model.
    Model {
        /// The model.
        model: &'a str,
        /// Its publisher, where the path says.
        publisher: Option<&'a str>,
        /// The region, where the path says.
        region: Option<&'a str>,
        /// The provider that such paths belong to.
        provider: &'static str,
    },
    /// The path names something whose model cannot be known: a deployment, a tuned model, a profile.
    Opaque,
}

/// Reads ARNs and Google resource paths.
pub(crate) fn read(name: &str) -> Form<'_> {
    // Most names start with none of these letters.
    if !matches!(
        name.as_bytes().first(),
        Some(b'a' | b'b' | b'c' | b'e' | b'i' | b'm' | b'p' | b't')
    ) {
        return Form::Plain;
    }
    let bare = name.strip_prefix("bedrock/").unwrap_or(name);
    let bare = ["converse/", "converse_like/", "invoke/", "async_invoke/"]
        .iter()
        .find_map(|route| bare.strip_prefix(route))
        .unwrap_or(bare);
    if let Some(rest) = bare.strip_prefix("arn:") {
        return read_arn(rest);
    }
    if let Some(model) = name.strip_prefix("models/") {
        return Form::Model {
            model,
            publisher: None,
            region: None,
            provider: "gemini",
        };
    }
    if name.starts_with("tunedModels/") || name.starts_with("endpoints/") {
        return Form::Opaque;
    }
    if name.starts_with("projects/") || name.starts_with("publishers/") {
        return read_resource(name);
    }
    Form::Plain
}

/// `partition:bedrock:region:account:kind/id`.
fn read_arn(rest: &str) -> Form<'_> {
    let mut parts = rest.splitn(5, ':');
    let (_, service, region, _, resource) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    );
    let (Some("bedrock"), Some(resource)) = (service, resource) else {
        return Form::Opaque;
    };
    match resource.split_once('/') {
        Some(("foundation-model" | "inference-profile", model)) => Form::Model {
            model,
            publisher: None,
            region: region.filter(|region| !region.is_empty()),
            provider: "bedrock",
        },
        _ => Form::Opaque,
    }
}

/// `projects/…/locations/<region>/publishers/<publisher>/models/<model>`, from any point on.
fn read_resource(path: &str) -> Form<'_> {
    let after = |name: &str| {
        let mut parts = path.split('/');
        parts.find(|part| *part == name)?;
        parts.next().filter(|value| !value.is_empty())
    };
    let (Some(publisher), Some(model)) = (after("publishers"), after("models")) else {
        return Form::Opaque;
    };
    let model = model.split(':').next().unwrap_or(model);
    Form::Model {
        model,
        publisher: Some(publisher),
        region: after("locations"),
        provider: "vertex_ai",
    }
}

/// Whether a path segment is an AWS region.
pub(crate) fn is_region(segment: &str) -> bool {
    let mut parts = segment.rsplitn(2, '-');
    let (Some(number), Some(place)) = (parts.next(), parts.next()) else {
        return false;
    };
    let continent = place.split('-').next().unwrap_or("");
    matches!(
        continent,
        "us" | "eu" | "ap" | "sa" | "ca" | "me" | "af" | "il" | "mx" | "cn"
    ) && number.len() == 1
        && number.bytes().all(|b| b.is_ascii_digit())
        && place.contains('-')
        && place.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

/// The name behind a Bedrock geography (`us.anthropic.…`).
pub(crate) fn without_geo(name: &str) -> Option<&str> {
    // The longest of them has six letters.
    let dot = name.bytes().take(7).position(|byte| byte == b'.')?;
    let (geo, rest) = (name.get(..dot)?, name.get(dot + 1..)?);
    GEO_PREFIXES.contains(&geo).then_some(rest)
}

/// The name before a context length such as `:18k`.
pub(crate) fn without_context_length(name: &str) -> Option<&str> {
    let front = name.as_bytes().strip_suffix(b"k")?;
    let digits = front
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let bare = front.get(..front.len() - digits)?.strip_suffix(b":")?;
    name.get(..bare.len()).filter(|_| digits > 0)
}

/// The name before a version of three digits (`-001`).
pub(crate) fn without_stable_version(name: &str) -> Option<&str> {
    let (bare, version) = name.rsplit_once('-')?;
    (version.len() == 3 && version.bytes().all(|b| b.is_ascii_digit())).then_some(bare)
}

/// A date at the end of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dated<'a> {
    /// What comes before it.
    pub(crate) bare: &'a str,
    /// Year, month and day.
    pub(crate) digits: [u8; 8],
    /// Whether it is written with dashes.
    pub(crate) dashed: bool,
}

/// The date at the end of a name: `-2024-10-22` or `-20241022`.
pub(crate) fn dated(name: &str) -> Option<Dated<'_>> {
    let bytes = name.as_bytes();
    if !bytes.last()?.is_ascii_digit() {
        return None;
    }
    let (at, digits, dashed) = if let Some(([b'-', digits @ ..], at)) = last_bytes::<9>(bytes)
        && digits.iter().all(u8::is_ascii_digit)
    {
        (at, *digits, false)
    } else if let Some(([b'-', y, z, c, d, b'-', m, n, b'-', e, f], at)) = last_bytes::<11>(bytes) {
        (at, [*y, *z, *c, *d, *m, *n, *e, *f], true)
    } else {
        return None;
    };
    let [y, z, _, _, m, n, e, f] = digits;
    let plausible = at > 0
        && digits.iter().all(u8::is_ascii_digit)
        && ([y, z] == *b"20" || [y, z] == *b"19")
        && (1..=12).contains(&two_digits(m, n))
        && (1..=31).contains(&two_digits(e, f));
    plausible.then_some(Dated {
        bare: name.get(..at)?,
        digits,
        dashed,
    })
}

const fn two_digits(tens: u8, ones: u8) -> u8 {
    tens.wrapping_sub(b'0')
        .wrapping_mul(10)
        .wrapping_add(ones.wrapping_sub(b'0'))
}

/// The last bytes of a name, and where they start.
fn last_bytes<const N: usize>(bytes: &[u8]) -> Option<(&[u8; N], usize)> {
    Some((bytes.last_chunk::<N>()?, bytes.len() - N))
}

/// A provider and the model behind it, put together by another sign than a slash: `openai:gpt-5.4`,
/// `openai::gpt-5.4`, `openai|gpt-5.4`. A tag after a model's name (`mistral:7b`) has the same shape; it is
/// taken for what it is where no model of the provider is called so.
pub(crate) fn provider_prefix(name: &str) -> Option<(&str, &str)> {
    let (first, rest) = name.split_once([':', '|'])?;
    let rest = rest.trim_start_matches(':');
    (!rest.is_empty() && crate::provider::by_name(first).is_some()).then_some((first, rest))
}

/// A name before a revision that a price table may lack: `…-v1:0` -> `…-v1`, then without `-v1`.
pub(crate) fn without_revision(name: &str) -> Option<&str> {
    let bytes = name.as_bytes();
    let digits = bytes
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let front = bytes.get(..bytes.len() - digits).filter(|_| digits > 0)?;
    let bare = front.strip_suffix(b":").or_else(|| front.strip_suffix(b"-v"))?;
    name.get(..bare.len())
}

/// The base of a fine-tuned model: `ft:base:org:name:id` -> `ft:base`.
pub(crate) fn fine_tune_base(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("ft:")?;
    let base = rest.split(':').next().filter(|base| !base.is_empty())?;
    name.get(..3 + base.len())
}

/// The name before a Replicate version (`:` and 64 hex digits).
pub(crate) fn without_replicate_version(name: &str) -> Option<&str> {
    let (bare, hash) = name.rsplit_once(':')?;
    (hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then_some(bare)
}

/// A router's variant: the name before `:free`, `:nitro` and the like, and the variant.
pub(crate) fn router_variant(name: &str) -> Option<(&str, &str)> {
    let (bare, variant) = name.rsplit_once(':')?;
    matches!(
        variant,
        "free" | "nitro" | "online" | "floor" | "thinking" | "beta" | "extended" | "exacto" | "batch"
    )
    .then_some((bare, variant))
}

/// The size in a name, in billions of parameters, fractions rounded up: `8x7b` is 56 and a mixture
/// of experts.
pub(crate) fn billions(name: &str) -> Option<(u32, bool)> {
    let bytes = name.as_bytes();
    let ends = |at: usize| {
        bytes[at].eq_ignore_ascii_case(&b'b') && !bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric)
    };
    let sizes = || {
        (0..bytes.len())
            .filter(|at| ends(*at))
            .filter_map(|at| number_before(name, at))
    };
    for (each, start) in sizes() {
        if start > 0
            && bytes[start - 1].eq_ignore_ascii_case(&b'x')
            && let Some((experts, _)) = number_before(name, start - 1)
        {
            return Some((experts.saturating_mul(each), true));
        }
    }
    sizes().next().map(|(size, _)| (size, false))
}

/// The number that ends at a place, rounded up, and where it starts.
fn number_before(name: &str, end: usize) -> Option<(u32, usize)> {
    let bytes = name.as_bytes();
    let start_of = |end: usize| {
        bytes[..end]
            .iter()
            .rposition(|b| !b.is_ascii_digit())
            .map_or(0, |at| at + 1)
    };
    let start = start_of(end);
    let number: u32 = name.get(start..end)?.parse().ok()?;
    if start > 1 && bytes[start - 1] == b'.' && bytes[start - 2].is_ascii_digit() {
        let whole_start = start_of(start - 1);
        let whole: u32 = name.get(whole_start..start - 1)?.parse().ok()?;
        return Some((whole.saturating_add(u32::from(number > 0)), whole_start));
    }
    Some((number, start))
}

/// The size in a name in millions of parameters, as embedding models state it.
pub(crate) fn millions(name: &str) -> Option<u32> {
    let bytes = name.as_bytes();
    bytes
        .iter()
        .enumerate()
        .filter(|(_, b)| b.eq_ignore_ascii_case(&b'm'))
        .find_map(|(end, _)| number_before(name, end).map(|(size, _)| size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_models_are_read_and_other_arns_are_opaque() {
        let read_model = |arn| match read(arn) {
            Form::Model { model, region, .. } => (model, region),
            _ => ("", None),
        };
        assert_eq!(
            read_model("arn:aws:bedrock:eu-west-1::foundation-model/acme.brain-v1:0"),
            ("acme.brain-v1:0", Some("eu-west-1"))
        );
        assert_eq!(
            read_model("bedrock/converse/arn:aws:bedrock:us-east-1:1:inference-profile/us.acme.brain-v1:0"),
            ("us.acme.brain-v1:0", Some("us-east-1"))
        );
        for opaque in [
            "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
            "arn:aws:bedrock:us-east-1:1:provisioned-model/abc",
            "arn:aws:sagemaker:us-east-1:1:endpoint/abc",
            "arn:",
            "projects/1/locations/x/endpoints/5",
            "tunedModels/x",
        ] {
            assert_eq!(read(opaque), Form::Opaque, "{opaque}");
        }
    }

    #[test]
    fn dates_are_recognised_only_where_they_are_dates() {
        let bare = |name| dated(name).map(|d| (d.bare, d.dashed));
        assert_eq!(bare("brain-2026-02-03"), Some(("brain", true)));
        assert_eq!(bare("brain-20260203"), Some(("brain", false)));
        for other in [
            "brain-2026-13-03",
            "brain-12345678",
            "2026-02-03",
            "brain-32768",
            "é-é2026-02-03x",
        ] {
            assert_eq!(bare(other), None, "{other}");
        }
    }

    #[test]
    fn sizes_are_read_from_names() {
        assert_eq!(billions("Meta-Llama-3.1-70B-Instruct"), Some((70, false)));
        assert_eq!(billions("mixtral-8x7b"), Some((56, true)));
        assert_eq!(billions("qwen-0.5b-chat"), Some((1, false)));
        assert_eq!(billions("brain-b"), None);
        assert_eq!(millions("m2-bert-80M-8k"), Some(80));
    }

    #[test]
    fn regions_are_told_from_models() {
        assert!(is_region("us-gov-west-1") && is_region("eu-central-1"));
        assert!(!is_region("gpt-4") && !is_region("amazon.nova-1") && !is_region("claude-opus-5"));
    }
}
