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
    let mut form = Canonical::default();
    form.push(method);
    let before = form.text.len();
    form.push_separator();
    form.push(template);
    if form.text.len() == before {
        form.push("root");
    }
    form.text[..form.text.len().min(LONGEST)].into()
}

#[derive(Default)]
struct Canonical {
    text: String,
    is_separated: bool,
}

impl Canonical {
    fn push_separator(&mut self) {
        self.is_separated = true;
    }

    fn push(&mut self, given: &str) {
        self.text.reserve(given.len() + 1);
        for char in given.chars() {
            match char {
                'a'..='z' | '0'..='9' => self.push_char(char),
                'A'..='Z' => self.push_char(char.to_ascii_lowercase()),
                '.' | '-' | '_' if !self.is_separated && !self.text.is_empty() => self.text.push(char),
                _ => self.is_separated = true,
            }
        }
    }

    fn push_char(&mut self, char: char) {
        if std::mem::take(&mut self.is_separated) && !self.text.is_empty() {
            self.text.push('_');
        }
        self.text.push(char);
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
    fn a_long_template_is_cut_to_what_the_wire_takes() {
        let template = "/segment".repeat(40);
        let task_type = task_type_of_route("GET", &template);
        assert_eq!(task_type.len(), 128);
        assert!(task_type.starts_with("get_segment_segment"));
    }
}
