//! Which gRPC paths are task types, though anybody may call any.
//!
//! The layer sees the path before anything has routed it, so a stranger could make up task types
//! without end. A name counts as proven once a call of it went well. Before that, only so many names
//! are given out; a call under any further one is a task of a general type, until it went well.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use dexcost::Text;

use crate::task::route::canonical;

/// The task type of a call whose name cannot be given out.
const GENERAL: Text = Text::from_static("grpc_request");

/// How many names are given out that no call has proven.
const MOST_UNPROVEN: usize = 64;

/// How many names are remembered at most.
const MOST_PROVEN: usize = 1_024;

/// The names that one layer has given out.
#[derive(Debug, Default)]
pub(in crate::task) struct Names(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    proven: HashSet<Text>,
    unproven: HashSet<Text>,
}

/// A name that a call bears, or would bear, and that it proves by going well.
#[derive(Debug)]
pub(in crate::task) struct Unproven {
    names: Arc<Names>,
    name: Text,
}

impl Names {
    /// The task type of a call of this path, and what is to be proven by it.
    pub(in crate::task) fn of(self: &Arc<Self>, path: &str) -> (Text, Option<Unproven>) {
        let Some(name) = method_name(path) else {
            return (GENERAL, None);
        };
        let unproven = |name: &Text| {
            Some(Unproven {
                names: Arc::clone(self),
                name: name.clone(),
            })
        };
        {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if known.proven.contains(&name) {
                return (name, None);
            }
            if known.unproven.contains(&name) {
                let unproven = unproven(&name);
                return (name, unproven);
            }
            if known.unproven.len() >= MOST_UNPROVEN {
                return (GENERAL, unproven(&name));
            }
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let given = if known.unproven.len() < MOST_UNPROVEN || known.unproven.contains(&name) {
            known.unproven.insert(name.clone());
            name.clone()
        } else {
            GENERAL
        };
        (given, unproven(&name))
    }
}

impl Unproven {
    /// The call went well: there is such a method.
    pub(in crate::task) fn prove(self) {
        let mut known = self.names.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.proven.len() < MOST_PROVEN {
            known.unproven.remove(&self.name);
            known.proven.insert(self.name);
        }
    }
}

/// The canonical name of `/package.Service/Method`; `None` of anything else.
fn method_name(path: &str) -> Option<Text> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let is_name = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
            && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
    };
    let is_method = is_name(service) && is_name(method) && !method.contains('.');
    is_method.then(|| canonical(&[service, method])).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_methods_are_names() {
        let cases = [
            (
                "/helloworld.Greeter/SayHello",
                Some("helloworld.greeter_sayhello"),
            ),
            ("/Greeter/SayHello", Some("greeter_sayhello")),
            ("/a/b/c", None),
            ("/a", None),
            ("/a/", None),
            ("//b", None),
            ("a/b", None),
            ("/a b/c", None),
            ("/a/b.c", None),
            ("/7/8", None),
        ];
        for (path, name) in cases {
            assert_eq!(method_name(path).as_deref(), name, "{path}");
        }
    }

    #[test]
    fn a_stranger_cannot_make_up_task_types_without_end() {
        let names = Arc::new(Names::default());
        let (first, proof) = names.of("/shop.Orders/Place");
        assert_eq!(first, "shop.orders_place");
        proof.unwrap().prove();
        let made_up = |n: usize| names.of(&format!("/made.Up/Method{n}")).0;
        let types: HashSet<Text> = (0..1_000).map(made_up).collect();
        assert_eq!(types.len(), MOST_UNPROVEN + 1);
        let (proven, nothing_to_prove) = names.of("/shop.Orders/Place");
        assert!(proven == "shop.orders_place" && nothing_to_prove.is_none());
        let (late, proof) = names.of("/shop.Orders/Cancel");
        assert_eq!(late, GENERAL);
        proof.unwrap().prove();
        assert_eq!(names.of("/shop.Orders/Cancel").0, "shop.orders_cancel");
    }
}
