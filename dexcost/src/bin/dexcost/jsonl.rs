//! Lines of JSON from a file, a gzipped file or standard input; a bad line does not stop the others.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use flate2::read::MultiGzDecoder;
use serde::Serialize;

use crate::print;

/// Opens a file of lines; `-` is standard input. Gzip is recognised by its first bytes.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead>, Box<dyn Error>> {
    let mut plain: Box<dyn BufRead> = if path.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Box::new(BufReader::with_capacity(1 << 16, file))
    };
    let is_gzip = plain.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if is_gzip {
        return Ok(Box::new(BufReader::with_capacity(
            1 << 16,
            MultiGzDecoder::new(plain),
        )));
    }
    Ok(plain)
}

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
    let mut input = open(path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    let mut failed = false;
    for number in 1u64.. {
        line.clear();
        if input
            .read_until(b'\n', &mut line)
            .map_err(|error| format!("{}, line {number}: {error}", path.display()))?
            == 0
        {
            break;
        }
        let text = std::str::from_utf8(&line).map_err(|_| "not UTF-8".to_owned());
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
