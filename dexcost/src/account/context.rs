//! Whom the code at hand works for.
//!
//! A context belongs to a [scope](crate::Scope): every task and every inbound layer opens one, and
//! what is set there is seen by the scopes within it and by no other. Programs that work for one
//! customer only set a default for the whole process.

use std::sync::LazyLock;

use arc_swap::ArcSwapOption;

use crate::account::scope;
use crate::error::Error;
use crate::event::Details;
use crate::task::Attribution;
use crate::text::Text;

/// Whom the code at hand works for: inherited by every task and session that is opened under it.
///
/// ```
/// let context = dexcost::Context { customer_id: Some("acme".into()), ..Default::default() };
/// assert!(!context.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// The customer.
    pub customer_id: Option<Text>,
    /// The project.
    pub project_id: Option<Text>,
    /// Facts that every task opened under the context carries in its metadata.
    pub metadata: Details,
    /// The agent; also the task type of sessions.
    pub agent: Option<Text>,
}

impl Context {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Runs a future in a scope of its own that has this context.
    ///
    /// Costs that arise there outside any task go to a session of that scope.
    pub fn scope<F: Future>(self, future: F) -> scope::InScope<F> {
        scope::Scope::with_context(self).attach(future)
    }

    /// Runs a closure in a scope of its own that has this context.
    pub fn run<T>(self, closure: impl FnOnce() -> T) -> T {
        scope::Scope::with_context(self).run(closure)
    }

    /// What it says about a task, without blanks around it; empty text says nothing.
    pub(super) fn attribution(&self) -> Attribution {
        let said =
            |text: &Option<Text>| Some(Text::from(text.as_deref()?.trim())).filter(|text| !text.is_empty());
        Attribution {
            customer_id: said(&self.customer_id),
            project_id: said(&self.project_id),
            agent: said(&self.agent),
            ..Attribution::default()
        }
    }
}

static DEFAULT: LazyLock<ArcSwapOption<Context>> = LazyLock::new(ArcSwapOption::empty);

/// Sets the context of the scope that this is called in; see [`crate::set_context`].
pub(crate) fn set_context(context: Context) -> Result<(), Error> {
    scope::set_context(context)
}

/// The context in force: that of the innermost scope that has one, else the default.
///
/// `None` where neither was set.
#[must_use]
pub fn get_context() -> Option<Context> {
    scope::effective_context().or_else(default_context)
}

/// Removes the context from the scope that this is called in; outside any scope, nothing happens.
pub fn clear_context() {
    let _ = scope::set_context(Context::default());
}

/// Sets the context of code outside any scope, for the whole process. An empty one removes it.
pub fn set_default_context(context: Context) {
    DEFAULT.store((!context.is_empty()).then(|| context.into()));
}

/// The context of code outside any scope.
#[must_use]
pub fn default_context() -> Option<Context> {
    DEFAULT.load().as_deref().cloned()
}
