//! What an overrides file may not hold: anything that grows when it is read.

use yaml_rust2::parser::{Event, Parser};

/// Lists and maps may be nested this deep; a price file needs five levels.
const DEEPEST: usize = 16;

/// Refuses a text with anchors, aliases or deep nesting, and with a key that stands twice in a map. The
/// error says in which line.
///
/// Events are looked at one by one, so that nothing is built of a text that would grow.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut parser = Parser::new_from_str(text);
    let mut depth = 0_usize;
    loop {
        let (event, marker) = parser.next_token().map_err(|error| error.to_string())?;
        let refused = |reason: &str| Err(format!("line {}: {reason}", marker.line()));
        let anchor = match &event {
            Event::Alias(_) => return refused("anchors and aliases are not taken"),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _) => *anchor,
            _ => 0,
        };
        if anchor != 0 {
            return refused("anchors and aliases are not taken");
        }
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            Event::StreamEnd => return Ok(()),
            _ => {}
        }
        if depth > DEEPEST {
            return refused("is nested too deep");
        }
    }
}
