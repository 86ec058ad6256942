//! What the attribute's expressions may yield.

use std::fmt::Display;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::account::CostTracker;

/// What an expression of the attribute yielded, by reference: it can be used afterwards.
#[derive(Debug)]
pub struct Attribute<'a, T: ?Sized>(pub &'a T);

/// Text that names whom a task is for: `&str`, `String` and whatever else can be displayed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot say whom or what a task is for",
    label = "text is needed here: a `&str`, a `String`, an `Option` of one, or anything that implements `Display`",
    note = "write for example `customer = &ticket.customer`, or call `.to_string()` on it"
)]
pub trait ToAttribution {
    /// The text; an empty one says nothing.
    fn to_attribution(&self) -> Option<String>;
}

impl<T: Display + ?Sized> ToAttribution for T {
    fn to_attribution(&self) -> Option<String> {
        Some(self.to_string()).filter(|text| !text.is_empty())
    }
}

/// An `Option`, or a reference to one. It cannot be displayed, so the method for it is inherent and
/// found before that of [`NamedBy`].
pub trait Optional {
    /// What may be there.
    type Item;

    /// What is there.
    fn item(&self) -> Option<&Self::Item>;
}

impl<T> Optional for Option<T> {
    type Item = T;

    fn item(&self) -> Option<&T> {
        self.as_ref()
    }
}

impl<T> Optional for &Option<T> {
    type Item = T;

    fn item(&self) -> Option<&T> {
        self.as_ref()
    }
}

impl<T: Optional> Attribute<'_, T> {
    /// The text.
    #[must_use]
    pub fn __dexcost_text(&self) -> Option<String>
    where
        T::Item: ToAttribution,
    {
        self.0.item()?.to_attribution()
    }
}

/// Finds the text of everything that is no `Option`.
pub trait NamedBy<T: ?Sized> {
    /// The text.
    fn __dexcost_text(&self) -> Option<String>
    where
        T: ToAttribution;
}

impl<T: ?Sized> NamedBy<T> for Attribute<'_, T> {
    fn __dexcost_text(&self) -> Option<String>
    where
        T: ToAttribution,
    {
        self.0.to_attribution()
    }
}

/// A value for a task's metadata.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be put into a task's metadata",
    label = "this has no JSON form",
    note = "a metadata value implements `serde::Serialize`; for one that can be displayed write `.to_string()`"
)]
pub trait ToMetadata {
    /// The JSON form; null where there is none.
    fn to_metadata(&self) -> Value;
}

impl<T: Serialize + ?Sized> ToMetadata for T {
    fn to_metadata(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Something that leads to a tracker: a tracker, a reference to one, perhaps none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tracker",
    label = "a `CostTracker` is needed here: one, a reference to one, or an `Option` of one",
    note = "write for example `tracker = &self.tracker`, or leave it out for the default tracker"
)]
pub trait ToTracker {
    /// The tracker.
    fn to_tracker(&self) -> Option<CostTracker>;
}

impl ToTracker for CostTracker {
    fn to_tracker(&self) -> Option<CostTracker> {
        Some(self.clone())
    }
}

impl<T: ToTracker + ?Sized> ToTracker for &T {
    fn to_tracker(&self) -> Option<CostTracker> {
        T::to_tracker(self)
    }
}

impl<T: ToTracker + ?Sized> ToTracker for Arc<T> {
    fn to_tracker(&self) -> Option<CostTracker> {
        T::to_tracker(self)
    }
}

impl<T: ToTracker> ToTracker for Option<T> {
    fn to_tracker(&self) -> Option<CostTracker> {
        self.as_ref()?.to_tracker()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_options_and_what_can_be_displayed_all_name_a_customer() {
        let owned = Some("acme".to_owned());
        let texts = [
            Attribute("acme").__dexcost_text(),
            Attribute(&"acme".to_owned()).__dexcost_text(),
            Attribute(&&"acme").__dexcost_text(),
            Attribute(&owned).__dexcost_text(),
            Attribute(&&owned).__dexcost_text(),
            Attribute(&owned.as_deref()).__dexcost_text(),
            Attribute(&crate::Text::from("acme")).__dexcost_text(),
        ];
        assert!(texts.iter().all(|text| text.as_deref() == Some("acme")));
        assert_eq!(Attribute(&7_u64).__dexcost_text().as_deref(), Some("7"));
        assert_eq!(Attribute("").__dexcost_text(), None);
        assert_eq!(Attribute(&None::<String>).__dexcost_text(), None);
    }
}
