//! Models that are named in a path, and what their names promise.

use super::Dialect;
use super::paths::{CORTEX, End, RUN, WORKERS, find, has};
use crate::event::CallType;
use crate::text::Text;

/// What kind of call a model's name promises, where one path serves every kind.
pub(super) fn kind_of_model(model: &str) -> Option<CallType> {
    const SIGNS: &[(&str, CallType)] = &[
        ("embed", CallType::Embedding),
        ("gecko", CallType::Embedding),
        ("rerank", CallType::Rerank),
        ("image", CallType::ImageGeneration),
        ("canvas", CallType::ImageGeneration),
        ("stability.", CallType::ImageGeneration),
    ];
    let (_, kind) = SIGNS.iter().find(|(sign, _)| model.contains(sign))?;
    Some(*kind)
}

/// The model that a path names: Azure's deployment, a publisher's model with its method, Bedrock's.
pub(super) fn model_in(end: End<'_>, dialect: Dialect) -> Option<Text> {
    let End { path, last, at_colon } = end;
    let after = |mark: &str| {
        let rest = path.get(find(path, mark)? + mark.len()..)?;
        rest.split('/').next()
    };
    let name = match (dialect, at_colon) {
        (Dialect::WorkersAi, _) => between(path, &[RUN, WORKERS], ""),
        (Dialect::TextGeneration, _) => between(path, &["/models/"], ""),
        (Dialect::Replicate, _) => between(path, &["/models/", "/deployments/"], "/predictions"),
        (_, Some(_)) if has(path, CORTEX) => None,
        // Code Assist names the model in the body.
        (_, Some((model, _))) => Some(model).filter(|model| *model != "v1internal"),
        // An ARN has slashes of its own.
        (_, None) if last.starts_with("converse") || last.starts_with("invoke") => {
            let from = path.find("/model/")? + "/model/".len();
            path.get(from..path.len() - last.len() - 1)
        }
        (_, None) if last.starts_with("invocations") => {
            after("/serving-endpoints/").or_else(|| after("/endpoints/"))
        }
        (_, None) if last == "feature-extraction" => between(path, &["/models/"], "/pipeline"),
        (_, None) => after("/deployments/"),
    }?;
    (!name.is_empty() && name.len() <= 256).then(|| Text::from(percent_decoded(name)))
}

/// What stands behind the first of these marks that a path has, up to `end`; all, where that is empty.
fn between<'a>(path: &'a str, marks: &[&str], end: &str) -> Option<&'a str> {
    let rest = marks.iter().find_map(|mark| path.split_once(mark))?.1;
    match end {
        "" => Some(rest),
        end => rest.split_once(end).map(|(name, _)| name),
    }
}

fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let [first, rest @ ..] = bytes {
        let escape = match (first, rest) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escape {
            Some((high, low)) => {
                plain.push(high << 4 | low);
                bytes = &rest[2..];
            }
            None => {
                plain.push(*first);
                bytes = rest;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}
