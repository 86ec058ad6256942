//! Lines of JSON from a file, a gzipped file or standard input; a bad line does not stop the others.

use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use crate::input::{self, Line};
use crate::print;

/// What stands for a line that could not be answered.
#[derive(Serialize)]
struct Refused<'a> {
    id: Option<serde_json::Value>,
    line: u64,
    error: &'a str,
}

/// Answers each line of a file: with one JSON object a line, in the order of the file, or by handing
/// the answers to `show`. The exit code is 1 where a line could not be answered.
#[allow(clippy::print_stderr, reason = "a command reports its errors there")]
pub(crate) fn answer_each<A: Serialize>(
    path: &Path,
    json: bool,
    mut answer: impl FnMut(&str) -> Result<A, String>,
    mut show: impl FnMut(A),
) -> Result<ExitCode, Box<dyn Error>> {
    let mut input = input::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    let mut failed = false;
    for number in 1u64.. {
        let read = input::read_line(&mut *input, &mut line)
            .map_err(|error| format!("{}, line {number}: {error}", path.display()))?;
        if read == Line::None {
            break;
        }
        let text = std::str::from_utf8(&line).map_err(|_| "not UTF-8".to_owned());
        let text = match read {
            Line::TooLong => Err(input::TOO_LONG.to_owned()),
            _ => text,
        };
        if text.as_ref().is_ok_and(|text| text.trim().is_empty()) {
            continue;
        }
        match text.and_then(|text| answer(text.trim())) {
            Ok(given) if json => {
                writeln!(out, "{}", print::escaped(&serde_json::to_string(&given)?))?;
            }
            Ok(given) => show(given),
            Err(error) => {
                failed = true;
                print::error(&format!("dexcost: {}, line {number}: {error}", path.display()));
                if json {
                    let id = serde_json::from_slice::<serde_json::Value>(&line)
                        .ok()
                        .and_then(|v| v.get("id").cloned());
                    let refused = Refused {
                        id,
                        line: number,
                        error: &error,
                    };
                    writeln!(out, "{}", print::escaped(&serde_json::to_string(&refused)?))?;
                }
            }
        }
    }
    out.flush()?;
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
