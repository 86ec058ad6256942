//! Redaction: members with certain names are deleted, however deep they lie.

use serde_json::{Map, Value};

/// The names whose members are deleted.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    pub(super) fn add(&mut self, name: &str) {
        let name = name.to_lowercase();
        if !self.0.contains(&name) {
            self.0.push(name);
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a member of this name is to go; upper and lower case are the same.
    fn holds(&self, name: &str) -> bool {
        if name.is_ascii() {
            return self.0.iter().any(|n| n.eq_ignore_ascii_case(name));
        }
        let name = name.to_lowercase();
        self.0.contains(&name)
    }

    /// Deletes the members from an object and from everything inside it.
    pub(super) fn redact(&self, object: &mut Map<String, Value>) {
        // A stack of our own: the depth of what the caller hands over is not ours to trust.
        let mut pending: Vec<&mut Value> = Vec::new();
        object.retain(|name, _| !self.holds(name));
        pending.extend(object.values_mut());
        while let Some(value) = pending.pop() {
            match value {
                Value::Array(items) => pending.extend(items),
                Value::Object(members) => {
                    members.retain(|name, _| !self.holds(name));
                    pending.extend(members.values_mut());
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::arbitrary::object;
    use proptest::prelude::*;
    use serde_json::json;

    fn names(list: &[&str]) -> Names {
        let mut names = Names::default();
        list.iter().for_each(|name| names.add(name));
        names
    }

    fn redacted(value: Value, list: &[&str]) -> Value {
        let Value::Object(mut object) = value else {
            panic!("an object")
        };
        names(list).redact(&mut object);
        Value::Object(object)
    }

    #[test]
    fn members_go_at_every_depth_and_inside_arrays() {
        let value =
            json!({"email": 1, "a": [[{"Email": {"x": 1}, "b": 2}], "email"], "c": {"d": {"EMAIL": null}}});
        assert_eq!(
            redacted(value, &["email"]),
            json!({"a": [[{"b": 2}], "email"], "c": {"d": {}}})
        );
    }

    #[test]
    fn names_beyond_ascii_are_matched_without_case() {
        assert_eq!(
            redacted(json!({"STRASSENNÄHE": 1, "x": 2}), &["Strassennähe"]),
            json!({"x": 2})
        );
    }

    #[test]
    fn a_member_whose_name_only_contains_a_listed_one_stays() {
        let value = json!({"email_count": 3});
        assert_eq!(redacted(value.clone(), &["email"]), value);
    }

    fn holds_name(value: &Value, name: &str) -> bool {
        match value {
            Value::Array(items) => items.iter().any(|v| holds_name(v, name)),
            Value::Object(members) => members
                .iter()
                .any(|(key, v)| key.eq_ignore_ascii_case(name) || holds_name(v, name)),
            _ => false,
        }
    }

    fn plant(value: &mut Value, at: &mut usize, secret: &Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|v| plant(v, at, secret)),
            Value::Object(members) => {
                members.values_mut().for_each(|v| plant(v, at, secret));
                *at += 1;
                let name = if at.is_multiple_of(2) { "Secret" } else { "secret" };
                members.insert(name.to_owned(), secret.clone());
            }
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn no_planted_secret_survives(object in object(), secret in object()) {
            let mut value = Value::Object(object);
            let clean = redacted(value.clone(), &["secret"]);
            plant(&mut value, &mut 0, &Value::Object(secret));
            let value = redacted(value, &["secret"]);
            prop_assert!(!holds_name(&value, "secret"));
            prop_assert_eq!(value, clean);
        }
    }
}
