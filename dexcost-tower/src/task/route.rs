//! From a route template to a task type.

use dexcost::Text;

/// The longest task type that the Control Layer takes.
const LONGEST: usize = 128;

/// The task type of requests that match no route, or that no router told about.
pub(super) const NO_ROUTE: Text = Text::from_static("http_request");

/// The task type of a route: method and template in the canonical form
/// `^[a-z0-9][a-z0-9._-]{0,127}$`.
///
/// Whatever the form does not allow becomes one underscore, so parameters keep their names and lose
/// their braces. What is beyond 128 characters is cut off.
///
/// ```
/// use dexcost_tower::task_type_of_route;
///
/// assert_eq!(task_type_of_route("POST", "/tickets/{id}/resolve"), "post_tickets_id_resolve");
/// assert_eq!(task_type_of_route("GET", "/files/{*path}"), "get_files_path");
/// assert_eq!(task_type_of_route("GET", "/"), "get_root");
/// ```
#[must_use]
pub fn task_type_of_route(method: &str, template: &str) -> Text {
    let mut form = Canonical::new();
    form.push(method);
    let of_method = form.length;
    form.is_separated = true;
    form.push(template);
    if form.length == of_method {
        form.push("root");
    }
    form.text()
}

/// The canonical form of pieces of text, one underscore between them; `None` where nothing of them
/// is left in it.
pub(super) fn canonical(pieces: &[&str]) -> Option<Text> {
    let mut form = Canonical::new();
    for piece in pieces {
        form.is_separated = true;
        form.push(piece);
    }
    (form.length > 0).then(|| form.text())
}

/// A text in the making, on the stack: this runs for every request.
struct Canonical {
    text: [u8; LONGEST],
    length: usize,
    is_separated: bool,
}

impl Canonical {
    const fn new() -> Self {
        Self {
            text: [0; LONGEST],
            length: 0,
            is_separated: false,
        }
    }

    fn text(&self) -> Text {
        let text = self.text.get(..self.length).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default().into()
    }

    fn push(&mut self, given: &str) {
        for byte in given.bytes() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' => self.push_letter(byte),
                b'A'..=b'Z' => self.push_letter(byte.to_ascii_lowercase()),
                b'.' | b'-' | b'_' if !self.is_separated && self.length > 0 => self.put(byte),
                _ => self.is_separated = true,
            }
        }
    }

    fn push_letter(&mut self, letter: u8) {
        if std::mem::take(&mut self.is_separated) && self.length > 0 {
            self.put(b'_');
        }
        self.put(letter);
    }

    /// What is beyond the end is cut off.
    fn put(&mut self, byte: u8) {
        if let Some(slot) = self.text.get_mut(self.length) {
            *slot = byte;
            self.length += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_take_the_canonical_form() {
        let cases = [
            ("POST", "/v1/chat-turns/{id}", "post_v1_chat-turns_id"),
            ("DELETE", "/a//b/", "delete_a_b"),
            ("GET", "/files/{name}.pdf", "get_files_name_pdf"),
            ("GET", "/v1.2/x_y", "get_v1.2_x_y"),
            ("GET", "/größe", "get_gr_e"),
            ("", "", "root"),
            ("-M-", "/_x", "m-_x"),
        ];
        for (method, template, expected) in cases {
            assert_eq!(
                task_type_of_route(method, template),
                expected,
                "{method} {template}"
            );
        }
    }

    #[test]
    fn any_text_takes_the_canonical_form_or_is_none() {
        for (text, expected) in [
            ("Resolve Ticket!", Some("resolve_ticket")),
            ("chat.turn-v2", Some("chat.turn-v2")),
            ("_x", Some("x")),
            ("  ", None),
            ("", None),
            ("…", None),
        ] {
            assert_eq!(canonical(&[text]).as_deref(), expected, "{text}");
        }
        assert_eq!(canonical(&["A.b", "C"]).as_deref(), Some("a.b_c"));
    }

    #[test]
    fn a_long_template_is_cut_to_what_the_wire_takes() {
        let template = "/segment".repeat(40);
        let task_type = task_type_of_route("GET", &template);
        assert_eq!(task_type.len(), 128);
        assert!(task_type.starts_with("get_segment_segment"));
    }
}
