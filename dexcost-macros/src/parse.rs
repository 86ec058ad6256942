//! Reads the attribute's arguments and the function below it.

use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, ItemFn, LitStr, Signature, Token, Visibility, parenthesized};

const KNOWN: &str = "`type`, `customer`, `project`, `agent`, `metadata`, `experiment`, `variant`, `tracker`";

/// What stands between the parentheses of the attribute.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) task_type: Option<Expr>,
    pub(crate) customer: Option<Expr>,
    pub(crate) project: Option<Expr>,
    pub(crate) agent: Option<Expr>,
    pub(crate) experiment: Option<Expr>,
    pub(crate) variant: Option<Expr>,
    pub(crate) tracker: Option<Expr>,
    pub(crate) metadata: Vec<Fact>,
}

/// One `key = <expr>` of the metadata.
pub(crate) struct Fact {
    pub(crate) key: LitStr,
    pub(crate) value: Expr,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arguments = Self::default();
        let mut seen: Vec<Ident> = Vec::new();
        while !input.is_empty() {
            if input.peek(LitStr) {
                let text: LitStr = input.parse()?;
                let message = format!("say what the text is for: `type = {:?}`", text.value());
                return Err(syn::Error::new_spanned(text, message));
            }
            let name = input.call(Ident::parse_any)?;
            if seen.contains(&name) {
                return Err(syn::Error::new_spanned(
                    &name,
                    format!("`{name}` stands here twice"),
                ));
            }
            arguments.argument(&name, input)?;
            seen.push(name);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}

impl Arguments {
    fn argument(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        let slot = match name.to_string().as_str() {
            "type" => &mut self.task_type,
            "customer" => &mut self.customer,
            "project" => &mut self.project,
            "agent" => &mut self.agent,
            "experiment" => &mut self.experiment,
            "variant" => &mut self.variant,
            "tracker" => &mut self.tracker,
            "metadata" => {
                self.metadata = facts(name, input)?;
                return Ok(());
            }
            unknown => return Err(syn::Error::new_spanned(name, unknown_argument(unknown))),
        };
        *slot = Some(value(name, &name.to_string(), input)?);
        Ok(())
    }
}

/// Reads `= <expr>` behind a name.
fn value(at: &impl quote::ToTokens, name: &str, input: ParseStream<'_>) -> syn::Result<Expr> {
    let missing = || syn::Error::new_spanned(at, format!("a value is missing: `{name} = …`"));
    input.parse::<Option<Token![=]>>()?.ok_or_else(missing)?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(missing());
    }
    input.parse()
}

fn unknown_argument(name: &str) -> String {
    let meant = match name {
        "task_type" | "kind" | "name" => "type",
        "customer_id" | "tenant" => "customer",
        "project_id" => "project",
        "agent_id" => "agent",
        "experiment_id" => "experiment",
        "meta" => "metadata",
        _ => return format!("there is no argument `{name}`; known are {KNOWN}"),
    };
    format!("there is no argument `{name}`: write `{meant}`")
}

fn facts(name: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<Fact>> {
    if !input.peek(syn::token::Paren) {
        let message = "facts stand in parentheses: `metadata(ticket_id = ticket.id, priority = \"high\")`";
        return Err(syn::Error::new_spanned(name, message));
    }
    let content;
    parenthesized!(content in input);
    let facts: Punctuated<Fact, Token![,]> = Punctuated::parse_terminated(&content)?;
    let mut seen = Vec::new();
    for fact in &facts {
        let key = fact.key.value();
        if key.starts_with('_') || key.is_empty() {
            let message = "names with a leading underscore are dexcost's own";
            return Err(syn::Error::new_spanned(&fact.key, message));
        }
        if seen.contains(&key) {
            return Err(syn::Error::new_spanned(
                &fact.key,
                format!("`{key}` stands here twice"),
            ));
        }
        seen.push(key);
    }
    Ok(facts.into_iter().collect())
}

impl Parse for Fact {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = if input.peek(LitStr) {
            input.parse()?
        } else {
            let name = input.call(Ident::parse_any)?;
            LitStr::new(&name.unraw().to_string(), name.span())
        };
        let value = value(&key, &key.value(), input)?;
        Ok(Self { key, value })
    }
}

/// A function with a body, of a kind that can be a task.
pub(crate) struct Function(pub(crate) ItemFn);

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        ahead.call(Attribute::parse_outer)?;
        ahead.parse::<Visibility>()?;
        let Ok(signature) = ahead.parse::<Signature>() else {
            return Err(input.error("`#[dexcost::task]` stands on a function or a method"));
        };
        refuse_kinds(&signature)?;
        if ahead.peek(Token![;]) {
            let message = "there is no body to run as a task: put `#[dexcost::task]` on the implementation";
            return Err(syn::Error::new_spanned(signature, message));
        }
        input.parse().map(Self)
    }
}

fn refuse_kinds(signature: &Signature) -> syn::Result<()> {
    if let Some(keyword) = &signature.constness {
        let message = "a `const fn` can run in the compiler, where no task can be opened; take `const` away";
        return Err(syn::Error::new_spanned(keyword, message));
    }
    if let Some(keyword) = &signature.unsafety {
        let message = "an `unsafe fn` cannot be a task: its body moves into a closure, where its `unsafe` would not hold; \
                       make a safe function the task and call this one from it";
        return Err(syn::Error::new_spanned(keyword, message));
    }
    if let Some(abi) = &signature.abi {
        let message = "an `extern` function cannot be a task: a panic may not pass through it; make a Rust function the \
                       task and call it from this one";
        return Err(syn::Error::new_spanned(abi, message));
    }
    Ok(())
}
