//! Places in an exchange that a rule reads from, written `place:name`.
//!
//! | written | what it reads |
//! |---|---|
//! | `body:data.items[].units` | fields of the reply's JSON; `[]` each element, `[2]` one of them |
//! | `request:max_results` | the same of the request; a field of a form where it is one |
//! | `header:x-cost` | a header field of the reply |
//! | `sent:x-amz-target` | a header field of the request |
//! | `query:depth` | a parameter of the query |
//! | `path:-1` | a segment of the path: from 0, or from the end with -1; `path:` all of it |
//! | `method` | the method |
//! | `sent_bytes`, `elapsed` | bytes of the request body; seconds from request to end of the reply |

/// What a name of `body:` or `request:` is made of.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// A field of an object.
    Field(Box<str>),
    /// Each element of an array; what is no array stands for itself.
    Each,
    /// One element of an array.
    Index(usize),
}

/// A place that can be read.
#[derive(Debug, PartialEq)]
pub(super) enum Source {
    Body(Vec<Step>),
    Request(Vec<Step>),
    Header(Box<str>),
    Sent(Box<str>),
    Query(Box<str>),
    Segment(isize),
    Path,
    Method,
    SentBytes,
    Elapsed,
}

/// Names are nested no deeper.
const DEEPEST: usize = 12;

impl Source {
    /// Reads `place:name`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fault = |what: &str| Err(format!("`{text}` {what}"));
        match text {
            "method" => return Ok(Self::Method),
            "sent_bytes" => return Ok(Self::SentBytes),
            "elapsed" => return Ok(Self::Elapsed),
            "path:" => return Ok(Self::Path),
            _ => {}
        }
        let Some((place, name)) = text.split_once(':') else {
            return fault("is no place in an exchange");
        };
        let field = |name: &str| -> Box<str> { name.to_ascii_lowercase().into() };
        match place {
            "body" => Ok(Self::Body(steps(name)?)),
            "request" => Ok(Self::Request(steps(name)?)),
            "path" => name
                .parse()
                .map(Self::Segment)
                .or_else(|_| fault("is no segment")),
            _ if name.is_empty() => fault("names nothing"),
            "header" => Ok(Self::Header(field(name))),
            "sent" => Ok(Self::Sent(field(name))),
            "query" => Ok(Self::Query(name.into())),
            _ => fault("is no place in an exchange"),
        }
    }

    /// Whether it is known as soon as the request line and its headers are.
    pub(super) const fn is_of_request_line(&self) -> bool {
        matches!(
            self,
            Self::Sent(_) | Self::Query(_) | Self::Segment(_) | Self::Path | Self::Method
        )
    }
}

/// `data.items[].units` as steps; an empty name is the document itself.
fn steps(name: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    for part in name.split('.').filter(|_| !name.is_empty()) {
        let (field, mut brackets) = part.split_at(part.find('[').unwrap_or(part.len()));
        if !field.is_empty() {
            steps.push(Step::Field(field.into()));
        } else if brackets.is_empty() {
            return Err(format!("`{name}` has an empty part"));
        }
        while let Some(rest) = brackets.strip_prefix('[') {
            let Some((index, rest)) = rest.split_once(']') else {
                return Err(format!("`{name}` lacks a bracket"));
            };
            steps.push(match index {
                "" => Step::Each,
                _ => Step::Index(
                    index
                        .parse()
                        .map_err(|_| format!("`{name}` has no such element"))?,
                ),
            });
            brackets = rest;
        }
        if !brackets.is_empty() {
            return Err(format!("`{name}` has text after a bracket"));
        }
    }
    if steps.len() > DEEPEST {
        return Err(format!("`{name}` is nested too deep"));
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_step_by_step() {
        let field = |name: &str| Step::Field(name.into());
        assert_eq!(
            Source::parse("body:a.b[].c[0][]").unwrap(),
            Source::Body(vec![
                field("a"),
                field("b"),
                Step::Each,
                field("c"),
                Step::Index(0),
                Step::Each
            ])
        );
        assert_eq!(Source::parse("request:").unwrap(), Source::Request(vec![]));
        assert_eq!(
            Source::parse("header:X-Cost").unwrap(),
            Source::Header("x-cost".into())
        );
        assert_eq!(Source::parse("path:-1").unwrap(), Source::Segment(-1));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for bad in [
            "",
            "body",
            "cookie:x",
            "query:",
            "path:last",
            "body:a..b",
            "body:a[",
            "body:a[x]",
            "body:a[]b",
        ] {
            assert!(Source::parse(bad).is_err(), "{bad}");
        }
        assert!(Source::parse(&format!("body:{}a", "a.".repeat(40))).is_err());
    }
}
