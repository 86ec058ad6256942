//! Text put together from an exchange: `fal_ai{path:}`, `{body:id}`, `query:language=multi ? {query:model}:multilingual`.

use super::condition::Conditions;
use super::seen::Seen;
use super::source::Source;
use crate::text::Text;

/// The longest text that is put together.
const LONGEST: usize = 256;

/// One alternative.
#[derive(Debug)]
pub(super) struct Template {
    when: Conditions,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Literal(Box<str>),
    Place(Source),
}

/// The first alternative whose conditions hold and whose places are all there.
pub(super) fn first(alternatives: &[Template], seen: &Seen<'_>) -> Option<Text> {
    alternatives.iter().find_map(|template| template.fill(seen))
}

impl Template {
    /// Reads an alternative.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (when, mut rest) = Conditions::before(text)?;
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let (literal, more) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.into()));
            }
            rest = more;
            if let Some(inner) = rest.strip_prefix('{') {
                let Some((place, more)) = inner.split_once('}') else {
                    return Err(format!("`{text}` lacks a brace"));
                };
                parts.push(Part::Place(Source::parse(place)?));
                rest = more;
            }
        }
        Ok(Self { when, parts })
    }

    fn fill(&self, seen: &Seen<'_>) -> Option<Text> {
        if self.when.hold(seen) != Ok(true) {
            return None;
        }
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Place(place) => {
                    let append = |value: &super::body::Value<'_>| {
                        let piece = value.text().filter(|piece| !piece.is_empty())?;
                        text.push_str(&piece);
                        Some(())
                    };
                    seen.first(place, append).ok()?;
                }
            }
        }
        (!text.is_empty() && text.len() <= LONGEST).then(|| Text::from(text))
    }

    /// Calls `see` with every place that it reads.
    pub(super) fn sources<'a>(&'a self, see: &mut dyn FnMut(&'a Source)) {
        self.when.sources(see);
        for part in &self.parts {
            if let Part::Place(place) = part {
                see(place);
            }
        }
    }
}
