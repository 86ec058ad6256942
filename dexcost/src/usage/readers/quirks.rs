//! Where providers that speak the OpenAI chat form differ in their arithmetic.
//!
//! As recorded from the providers themselves until 2026-11; where a total proves how the parts add
//! up, the total decides for every provider, and nothing needs to stand here.

/// What is special about a provider's counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quirks {
    /// How reasoning relates to the completion count where the total does not tell.
    pub(super) reasoning: Reasoning,
    /// The completion count leaves out what was thought, and nothing names it; the total has it.
    pub(super) total_has_more: bool,
    /// A stated price of zero is a price: the provider bills by what it states.
    pub(crate) bills_as_stated: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reasoning {
    /// Part of the completion count.
    #[default]
    Inside,
    /// On top of it.
    Beside,
    /// On top of it for models whose name starts so, although the total does not show it.
    BesideFor(&'static str),
}

const NONE: Quirks = Quirks {
    reasoning: Reasoning::Inside,
    total_has_more: false,
    bills_as_stated: false,
};

const STATES_PRICE: Quirks = Quirks {
    bills_as_stated: true,
    ..NONE
};

#[rustfmt::skip]
const QUIRKS: &[(&str, Quirks)] = &[
    // https://docs.x.ai/docs/models: `completion_tokens` leaves reasoning out.
    ("xai", Quirks { reasoning: Reasoning::Beside, ..STATES_PRICE }),
    // The gateway passes Gemini's candidates through as the completion; its thoughts stand beside.
    ("vercel-gateway", Quirks { reasoning: Reasoning::BesideFor("google/"), ..STATES_PRICE }),
    // Google's OpenAI layer: thoughts are generated and billed, and only the total counts them.
    ("gemini", Quirks { total_has_more: true, ..NONE }),
    ("vertex", Quirks { total_has_more: true, ..NONE }),
    ("openrouter", STATES_PRICE),
    ("perplexity", STATES_PRICE),
    ("avian", STATES_PRICE),
];

impl Quirks {
    /// What is special about a provider; mostly nothing.
    pub(crate) fn of(provider: &str) -> Self {
        QUIRKS
            .iter()
            .find(|(name, _)| *name == provider)
            .map_or(NONE, |(_, quirks)| *quirks)
    }
}
