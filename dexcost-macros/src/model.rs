//! What a `#[dexcost::task]` means, free of syntax.

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::{Expr, ExprAsync, ItemFn, LitStr, ReturnType, Stmt, Type};

use crate::parse::{Arguments, Function};

/// A function whose calls are tasks.
pub(crate) struct TaskFn {
    pub(crate) function: ItemFn,
    pub(crate) task_type: TaskType,
    pub(crate) arguments: Arguments,
    pub(crate) shape: Shape,
}

/// Where the kind of work is known from.
pub(crate) enum TaskType {
    Known(LitStr),
    Computed(Expr),
}

/// What has to be wrapped.
pub(crate) enum Shape {
    /// The body of an `async fn`.
    Async,
    /// The body of a plain function.
    Plain,
    /// The async block that a plain function returns, in a box or bare: the form that
    /// `async_trait` and functions with a future as return type have.
    Returned(Box<Returned>),
}

/// The async block at the end of a plain function.
pub(crate) struct Returned {
    /// The `Box::pin` around it.
    pub(crate) boxed: Option<Expr>,
    pub(crate) block: ExprAsync,
}

impl TaskFn {
    pub(crate) fn read(arguments: TokenStream, function: TokenStream) -> syn::Result<Self> {
        let arguments = syn::parse2::<Arguments>(arguments);
        let function = syn::parse2::<Function>(function);
        let (mut arguments, function) = match (arguments, function) {
            (Ok(arguments), Ok(Function(function))) => (arguments, function),
            (Err(mut error), Err(other)) => {
                error.combine(other);
                return Err(error);
            }
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => return Err(error),
        };
        let task_type = match arguments.task_type.take() {
            Some(given) => task_type(given)?,
            None => named_after(&function)?,
        };
        if let (Some(variant), None) = (&arguments.variant, &arguments.experiment) {
            let message = "a variant belongs to an experiment: add `experiment = …`";
            return Err(syn::Error::new_spanned(variant, message));
        }
        Ok(Self {
            shape: shape(&function)?,
            function,
            task_type,
            arguments,
        })
    }
}

fn task_type(given: Expr) -> syn::Result<TaskType> {
    match given {
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => match fault(&text.value()) {
            None => Ok(TaskType::Known(text)),
            Some(fault) => Err(syn::Error::new_spanned(&text, fault)),
        },
        Expr::Lit(other) => Err(syn::Error::new_spanned(
            other,
            "a task type is text: `type = \"resolve_ticket\"`",
        )),
        Expr::Macro(call)
            if call
                .mac
                .path
                .segments
                .last()
                .is_some_and(|last| last.ident == "format") =>
        {
            let message = "a task type is one of few: put what differs from call to call into `metadata(…)`";
            Err(syn::Error::new_spanned(call, message))
        }
        other => Ok(TaskType::Computed(other)),
    }
}

fn named_after(function: &ItemFn) -> syn::Result<TaskType> {
    let ident = &function.sig.ident;
    let name = ident.to_string();
    let name = name.strip_prefix("r#").unwrap_or(&name);
    match fault(name) {
        None => Ok(TaskType::Known(LitStr::new(name, ident.span()))),
        Some(_) => {
            let message = format!(
                "the name `{name}` is no task type (lower-case letters, digits, `.`, `_`, `-`, a letter or digit \
                 first): say `type = \"…\"`"
            );
            Err(syn::Error::new_spanned(ident, message))
        }
    }
}

/// What is wrong with a task type; the canonical form is `^[a-z0-9][a-z0-9._-]{0,127}$`.
pub(crate) fn fault(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let Some(first) = name.chars().next() else {
        return Some("a task type may not be empty: `type = \"resolve_ticket\"`".to_owned());
    };
    if let Some(odd) = name.chars().find(|c| !plain(*c) && !matches!(c, '.' | '_' | '-')) {
        return Some(format!(
            "`{odd}` may not stand in a task type (lower-case letters, digits, `.`, `_`, `-`): write `{}`",
            suggestion(name)
        ));
    }
    if !plain(first) {
        return Some(format!(
            "a task type begins with a lower-case letter or a digit: write `{}`",
            suggestion(name)
        ));
    }
    let length = name.len();
    (length > 128).then(|| format!("a task type has at most 128 characters, this one has {length}"))
}

/// The canonical form nearest to a name.
fn suggestion(name: &str) -> String {
    let mut out = String::new();
    let mut last = '_';
    for c in name.chars() {
        if c.is_ascii_uppercase() && (last.is_ascii_lowercase() || last.is_ascii_digit()) {
            out.push('_');
        }
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '.' | '-') => out.push(c),
            _ if out.ends_with('_') => {}
            _ => out.push('_'),
        }
        last = c;
    }
    let out = out.trim_matches(['_', '.', '-']);
    if out.is_empty() {
        "resolve_ticket".to_owned()
    } else {
        out.to_owned()
    }
}

fn shape(function: &ItemFn) -> syn::Result<Shape> {
    if function.sig.asyncness.is_some() {
        return Ok(Shape::Async);
    }
    if let Some(Stmt::Expr(tail, None)) = function.block.stmts.last() {
        match tail {
            Expr::Async(block) => {
                let (boxed, block) = (None, block.clone());
                return Ok(Shape::Returned(Box::new(Returned { boxed, block })));
            }
            Expr::Call(call) if is_box_pin(&call.func) => {
                if let (Some(Expr::Async(block)), 1) = (call.args.first(), call.args.len()) {
                    let (boxed, block) = (Some((*call.func).clone()), block.clone());
                    return Ok(Shape::Returned(Box::new(Returned { boxed, block })));
                }
            }
            _ => {}
        }
    }
    match &function.sig.output {
        ReturnType::Type(_, returned) if is_future(returned) => Err(syn::Error::new(
            returned.span(),
            "the task would end before this future runs: make it an `async fn`, or let the body end in `async move { … }` \
             or `Box::pin(async move { … })`",
        )),
        _ => Ok(Shape::Plain),
    }
}

fn is_box_pin(function: &Expr) -> bool {
    let Expr::Path(path) = function else {
        return false;
    };
    let mut names = path.path.segments.iter().rev().map(|segment| &segment.ident);
    matches!((names.next(), names.next()), (Some(pin), Some(boxed)) if pin == "pin" && boxed == "Box")
}

/// Whether a type is spelled like a future: `impl Future`, `Pin<Box<dyn Future>>`, `BoxFuture`.
fn is_future(spelled: &Type) -> bool {
    let bounds = match spelled {
        Type::ImplTrait(opaque) => &opaque.bounds,
        Type::TraitObject(object) => &object.bounds,
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return false;
            };
            if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" {
                return true;
            }
            return match &last.arguments {
                syn::PathArguments::AngleBracketed(inner) if last.ident == "Pin" || last.ident == "Box" => {
                    inner
                        .args
                        .iter()
                        .any(|argument| matches!(argument, syn::GenericArgument::Type(t) if is_future(t)))
                }
                _ => false,
            };
        }
        _ => return false,
    };
    bounds.iter().any(|bound| {
        matches!(bound, syn::TypeParamBound::Trait(bound)
            if bound.path.segments.last().is_some_and(|last| last.ident == "Future"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_is_the_one_of_the_control_layer() {
        for good in ["a", "0", "resolve_ticket", "a.b-c_d", &"a".repeat(128)] {
            assert_eq!(fault(good), None, "{good}");
        }
        for bad in [
            "",
            "A",
            "_a",
            ".a",
            "-",
            "a b",
            "é",
            "a/b",
            "ticket:1",
            &"a".repeat(129),
        ] {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn suggestions_are_canonical_themselves() {
        for (given, expected) in [
            ("ResolveTicket", "resolve_ticket"),
            ("resolve ticket", "resolve_ticket"),
            ("/tickets/{id}", "tickets_id"),
            ("HTTPServer2Go", "httpserver2_go"),
            ("—", "resolve_ticket"),
            ("_run", "run"),
        ] {
            assert_eq!(suggestion(given), expected);
            assert_eq!(fault(&suggestion(given)), None);
        }
    }
}
