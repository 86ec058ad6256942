//! Attribute macros of [dexcost](https://docs.rs/dexcost), the cost ledger for AI agents.
//!
//! Syntax only: the generated code is a few lines that call hidden functions of `dexcost`, which
//! re-exports everything here. Three steps, a file each: arguments and function are read (`parse`)
//! into a plain model (`model`), and the model is written as tokens (`expand`).

mod expand;
mod model;
mod parse;

use proc_macro::TokenStream;

/// Makes each call of a function a task: what is spent in it is counted on it.
///
/// For `async` and plain functions and methods, in traits' implementations too. The value of the
/// function is handed through untouched. A function that returns `Err` ends its task as failed, and
/// so does one that panics or whose future is dropped half-way; everything else is a success.
/// A task that is opened within a task is its child. Without a tracker (before `dexcost::init`) the
/// function just runs.
///
/// ```
/// use dexcost::testing::MemorySink;
/// use dexcost::{CostTracker, TaskStatus, dec};
///
/// #[dexcost::task(type = "resolve_ticket", customer = customer, tracker = tracker)]
/// fn resolve(tracker: &CostTracker, customer: &str) -> Result<u8, dexcost::Error> {
///     dexcost::record_cost("pdf_renderer", dec!(0.002))?;
///     Ok(1)
/// }
///
/// let sink = MemorySink::new();
/// resolve(&sink.tracker(), "acme")?;
///
/// let task = &sink.ended()[0];
/// assert_eq!(task.status, TaskStatus::Success);
/// assert_eq!(task.attribution.customer_id.as_deref(), Some("acme"));
/// assert_eq!(task.totals.total_cost_usd(), dec!(0.002));
/// # Ok::<(), dexcost::Error>(())
/// ```
///
/// All arguments are optional. Expressions see the function's arguments, are evaluated once before
/// the body, and take what they name by reference.
///
/// | argument | meaning |
/// |---|---|
/// | `type = "resolve_ticket"` | the kind of work, of low cardinality: `[a-z0-9][a-z0-9._-]*`, at most 128 characters, checked when it is compiled; the function's name by default |
/// | `customer = <expr>` | whom it is for: text, an `Option` of text, or whatever implements `Display`; inherited by default |
/// | `project = <expr>` | the project, likewise |
/// | `agent = <expr>` | the agent, likewise |
/// | `experiment = <expr>` | the experiment, likewise |
/// | `variant = <expr>` | its variant; needs `experiment` |
/// | `metadata(key = <expr>, …)` | facts that implement `serde::Serialize` |
/// | `tracker = <expr>` | a `CostTracker`, a reference to one or an `Option` of one; by default that of the current task, else the default tracker |
#[proc_macro_attribute]
pub fn task(arguments: TokenStream, function: TokenStream) -> TokenStream {
    match model::TaskFn::read(arguments.into(), function.clone().into()) {
        Ok(model) => expand::task(&model).into(),
        Err(error) => {
            // The function stays, so that one slip makes one message.
            let mut tokens = TokenStream::from(error.into_compile_error());
            tokens.extend(function);
            tokens
        }
    }
}
