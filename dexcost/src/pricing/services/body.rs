//! Values inside bodies: JSON, and for requests also forms. Nothing is built; numbers stay text.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::source::Step;
use crate::money;
use crate::usage::framing::Json;

/// A body, or its beginning.
#[derive(Clone, Copy)]
pub(super) struct Body<'a> {
    pub(super) bytes: &'a [u8],
    /// Whether it is all there.
    pub(super) is_complete: bool,
}

/// One value that a rule came upon.
pub(super) enum Value<'a> {
    Json(Json<'a>),
    Text(Cow<'a, str>),
    Number(Decimal),
}

impl Value<'_> {
    /// The number that it is, or that is written in its text.
    pub(super) fn amount(&self) -> Option<Decimal> {
        match self {
            Self::Json(json) => json.amount(),
            Self::Text(text) => money::parse(text.trim()).ok(),
            Self::Number(number) => Some(*number),
        }
    }

    /// It as text: strings as they are, numbers and truth values as they are written.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Number(number) => Some(Cow::Owned(money::plain(*number))),
            Self::Json(json) => match json.truth() {
                Some(true) => Some(Cow::Borrowed("true")),
                Some(false) => Some(Cow::Borrowed("false")),
                None => json
                    .str()
                    .or_else(|| json.number().map(|number| Cow::Owned(money::plain(number)))),
            },
        }
    }

    /// How many characters (code points) its text has, however long.
    pub(super) fn characters(&self) -> Option<Decimal> {
        match self {
            Self::Json(json) => json.characters().map(Decimal::from),
            Self::Text(text) => Some(Decimal::from(text.chars().count())),
            Self::Number(_) => None,
        }
    }

    /// Whether there is something: no empty text, array or object.
    pub(super) fn is_something(&self) -> bool {
        match self {
            Self::Json(json) => !json.is_empty(),
            Self::Text(_) | Self::Number(_) => true,
        }
    }
}

impl<'a> Body<'a> {
    /// Goes through the values at the end of some steps.
    pub(super) fn each(&self, steps: &[Step], see: &mut dyn FnMut(&Value<'a>)) {
        match self.bytes.iter().find(|b| !b.is_ascii_whitespace()) {
            Some(b'{' | b'[') => walk(Json::new(self.bytes), steps, &mut |json| see(&Value::Json(json))),
            _ if steps.is_empty() => {
                if let Ok(text) = std::str::from_utf8(self.bytes) {
                    see(&Value::Text(Cow::Borrowed(text)));
                }
            }
            Some(b'-') => self.each_part(steps, see),
            _ => self.each_of_form(steps, see),
        }
    }

    /// Whether an array ends the way along the steps that has no elements.
    pub(super) fn has_empty_array(&self, steps: &[Step]) -> bool {
        let Some(last) = steps.iter().rposition(|step| matches!(step, Step::Each)) else {
            return false;
        };
        let mut is_there = false;
        walk(Json::new(self.bytes), &steps[..last], &mut |json| {
            is_there |= json.is_array();
        });
        is_there
    }

    /// The fields of `application/x-www-form-urlencoded`.
    fn each_of_form(&self, steps: &[Step], see: &mut dyn FnMut(&Value<'a>)) {
        let Some(name) = field_of(steps) else { return };
        let Ok(form) = std::str::from_utf8(self.bytes) else {
            return;
        };
        for pair in form.split('&') {
            if let Some((field, value)) = pair.split_once('=')
                && decoded(field) == name
            {
                see(&Value::Text(decoded(value)));
            }
        }
    }

    /// The text fields of `multipart/form-data`.
    fn each_part(&self, steps: &[Step], see: &mut dyn FnMut(&Value<'a>)) {
        let Some(name) = field_of(steps) else { return };
        let wanted = format!("name=\"{name}\"");
        for at in memchr::memmem::find_iter(self.bytes, wanted.as_bytes()) {
            let rest = &self.bytes[at + wanted.len()..];
            // A part with a file name is no text field.
            let Some(value) = rest.strip_prefix(b"\r\n\r\n") else {
                continue;
            };
            let end = memchr::memmem::find(value, b"\r\n--");
            if let Some(Ok(text)) = end.map(|end| std::str::from_utf8(&value[..end])) {
                see(&Value::Text(Cow::Borrowed(text)));
            }
        }
    }
}

/// The one field that the steps name; forms are flat.
fn field_of(steps: &[Step]) -> Option<&str> {
    match steps {
        [Step::Field(name)] | [Step::Field(name), Step::Each] => Some(name),
        _ => None,
    }
}

fn walk<'a>(json: Json<'a>, steps: &[Step], see: &mut dyn FnMut(Json<'a>)) {
    match steps.split_first() {
        None => see(json),
        Some((Step::Field(name), rest)) => {
            if let Some(json) = json.get(name) {
                walk(json, rest, see);
            }
        }
        Some((Step::Index(at), rest)) => {
            if let Some(json) = json.items().nth(*at) {
                walk(json, rest, see);
            }
        }
        Some((Step::Each, rest)) if json.is_array() => {
            for json in json.items() {
                walk(json, rest, see);
            }
        }
        Some((Step::Each, rest)) => walk(json, rest, see),
    }
}

/// A percent-encoded part of a query or form, decoded; what is no text stays as it is.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|b| matches!(b, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match (byte, digit(at), digit(at + 1)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 2;
            }
            (b'+', ..) => out.push(b' '),
            _ => out.push(*byte),
        }
    }
    String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;

    fn texts(body: &str, name: &str) -> Vec<String> {
        let Source::Request(steps) = Source::parse(&format!("request:{name}")).unwrap() else {
            panic!("{name}");
        };
        let body = Body {
            bytes: body.as_bytes(),
            is_complete: true,
        };
        let mut found = Vec::new();
        body.each(&steps, &mut |value| {
            found.extend(value.text().map(Cow::into_owned));
        });
        found
    }

    #[test]
    fn values_are_found_in_json_forms_and_multipart() {
        assert_eq!(texts(r#"{"a":[{"b":1},{"c":0},{"b":"x"}]}"#, "a[].b"), ["1", "x"]);
        assert_eq!(texts(r#"{"a":"one"}"#, "a[]"), ["one"]);
        assert_eq!(texts(r#"[[true],[false]]"#, "[1][0]"), ["false"]);
        assert_eq!(texts("to=a%40b&text=1+2&to=c", "to"), ["a@b", "c"]);
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nRIFF\r\n\
                         --x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--x--\r\n";
        assert_eq!(texts(multipart, "model"), ["whisper-1"]);
        assert_eq!(texts(multipart, "file"), [""; 0]);
    }

    #[test]
    fn characters_are_code_points_however_they_are_written() {
        let long = "é".repeat(3000);
        for (text, count) in [
            ("\"\\u00e9\\ud83d\\ude00\\n\"", 3u64),
            ("\"\"", 0),
            (&format!("\"{long}\""), 3000),
        ] {
            let document = format!("{{\"t\":{text}}}");
            let json = Json::new(document.as_bytes()).get("t").unwrap();
            assert_eq!(json.characters(), Some(count), "{text:.20}");
        }
    }

    #[test]
    fn hostile_bodies_say_nothing_and_do_no_harm() {
        let deep = "[".repeat(200_000);
        for body in [
            "", "{", "[", "{\"a\":", "{\"a\":[", "null", "\u{0}", "%", "--", &deep,
        ] {
            assert_eq!(texts(body, "a[].b"), [""; 0], "{body:.20}");
        }
        assert_eq!(decoded("%zz%4"), "%zz%4");
        assert_eq!(decoded("%ff"), "%ff");
    }
}
