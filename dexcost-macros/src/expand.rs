//! Writes the model as tokens.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprAsync, ReturnType, Type};

use crate::model::{Shape, TaskFn, TaskType};
use crate::parse::Arguments;

pub(crate) fn task(model: &TaskFn) -> TokenStream {
    let function = &model.function;
    let (attributes, visibility, signature) = (&function.attrs, &function.vis, &function.sig);
    let spec = Ident::new("__dexcost_spec", Span::mixed_site());
    let value = spec_value(&model.task_type, &model.arguments);
    let failed = failed(&signature.output);
    let body = match &model.shape {
        Shape::Plain => {
            let (output, block) = (closure_output(&signature.output), &function.block);
            quote!(::dexcost::__macro::run_sync(#spec, move || #output #block, #failed))
        }
        Shape::Async => {
            let body = typed(&signature.output, &function.block);
            quote!(::dexcost::__macro::run_async(#spec, async move #body, #failed).await)
        }
        Shape::Returned(returned) => {
            let boxed = &returned.boxed;
            let before = function
                .block
                .stmts
                .split_last()
                .map_or(&[][..], |(_, before)| before);
            let ExprAsync {
                attrs,
                capture,
                block,
                ..
            } = &returned.block;
            let run = quote!(::dexcost::__macro::run_async(#spec, #(#attrs)* async #capture #block, #failed));
            let run = boxed
                .as_ref()
                .map_or_else(|| run.clone(), |boxed| quote!(#boxed(#run)));
            quote!(#(#before)* #run)
        }
    };
    quote! {
        #(#attributes)*
        #visibility #signature {
            let #spec = #value;
            #body
        }
    }
}

/// `Spec::new("…").customer(…)…`, with every expression taken by reference.
fn spec_value(task_type: &TaskType, arguments: &Arguments) -> TokenStream {
    let mut spec = match task_type {
        TaskType::Known(name) => quote!(::dexcost::__macro::Spec::new(#name)),
        TaskType::Computed(expression) => {
            let text = text(expression);
            quote!(::dexcost::__macro::Spec::with_type(#text))
        }
    };
    let texts = [
        ("customer", &arguments.customer),
        ("project", &arguments.project),
        ("agent", &arguments.agent),
        ("experiment", &arguments.experiment),
        ("variant", &arguments.variant),
    ];
    for (name, expression) in texts {
        if let Some(expression) = expression {
            let (setter, text) = (Ident::new(name, Span::mixed_site()), text(expression));
            spec.extend(quote!(.#setter(#text)));
        }
    }
    for fact in &arguments.metadata {
        let (key, value) = (&fact.key, &fact.value);
        let json = quote_spanned!(span(value)=> ::dexcost::__macro::ToMetadata::to_metadata(&(#value)));
        spec.extend(quote!(.metadata(#key, #json)));
    }
    if let Some(tracker) = &arguments.tracker {
        let reference = quote_spanned!(span(tracker)=> &(#tracker));
        spec.extend(quote!(.tracker(#reference)));
    }
    quote!({
        #[allow(unused_imports)]
        use ::dexcost::__macro::NamedBy as _;
        #spec
    })
}

fn text(expression: &Expr) -> TokenStream {
    quote_spanned!(span(expression)=> ::dexcost::__macro::Attribute(&(#expression)).__dexcost_text())
}

/// Where errors about an expression point; names resolve as in the macro.
fn span(expression: &Expr) -> Span {
    syn::spanned::Spanned::span(expression).resolved_at(Span::mixed_site())
}

/// A closure that tells whether the body's value is a failure, by its type.
fn failed(output: &ReturnType) -> TokenStream {
    let value = Ident::new("__dexcost_value", Span::mixed_site());
    let annotation = match output {
        ReturnType::Type(_, returned) => match &**returned {
            Type::Never(_) => return quote!(|_| false),
            // What a returned future yields is not what the function returns.
            _ => None,
        },
        ReturnType::Default => Some(quote!(: &())),
    };
    quote! {
        |#value #annotation| {
            #[allow(unused_imports)]
            use ::dexcost::__macro::Otherwise as _;
            ::dexcost::__macro::Outcome(#value).__dexcost_failed()
        }
    }
}

/// The body with a `return` in front that never runs: it tells the compiler the type that `?`,
/// `into()` and coercions inside an async block are to yield.
fn typed(output: &ReturnType, block: &Block) -> TokenStream {
    let returned = match output {
        ReturnType::Type(_, returned) => without_opaque(returned),
        ReturnType::Default => None,
    };
    let Some(returned) = returned else {
        return block.to_token_stream();
    };
    let value = Ident::new("__dexcost_return", Span::mixed_site());
    quote!({
        if let ::core::option::Option::Some(#value) = ::core::option::Option::None::<#returned> {
            return #value;
        }
        #[allow(unused_braces)]
        #block
    })
}

fn closure_output(output: &ReturnType) -> TokenStream {
    match output {
        ReturnType::Type(_, returned) => {
            without_opaque(returned).map_or_else(TokenStream::new, |returned| quote!(-> #returned))
        }
        ReturnType::Default => quote!(-> ()),
    }
}

/// The type with `_` for each `impl Trait`; `None` where nothing is left to say.
fn without_opaque(returned: &Type) -> Option<Type> {
    struct Blank;
    impl VisitMut for Blank {
        fn visit_type_mut(&mut self, node: &mut Type) {
            if let Type::ImplTrait(_) = node {
                *node = Type::Infer(syn::TypeInfer {
                    underscore_token: syn::token::Underscore::default(),
                });
            } else {
                visit_mut::visit_type_mut(self, node);
            }
        }
    }
    let mut returned = returned.clone();
    Blank.visit_type_mut(&mut returned);
    (!matches!(returned, Type::Infer(_) | Type::Never(_))).then_some(returned)
}
