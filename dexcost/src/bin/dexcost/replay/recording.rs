//! Reading recorded exchanges: JSON lines or HAR 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>).

use std::io::{self, BufRead};
use std::path::Path;

use dexcost::Timestamp;
use serde::Deserialize;

use crate::input;

/// One recorded exchange.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) request_headers: Fields,
    /// Whether the request is made up: only its answer was recorded.
    pub(crate) made_up_request: bool,
    /// `None` where no request was recorded, only its answer.
    pub(crate) request_body: Option<Vec<u8>>,
    pub(crate) status: u16,
    pub(crate) response_headers: Fields,
    pub(crate) response_body: Vec<u8>,
    pub(crate) at: Option<Timestamp>,
}

/// Header fields in recorded order.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl dexcost::capture::Headers for Fields {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_bytes())
    }
}

/// The recordings of a file, in order; one that cannot be read is an error and the rest goes on.
pub(crate) fn read(path: &Path) -> io::Result<Box<dyn Iterator<Item = io::Result<Recording>>>> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut plain = input::open(path).map_err(named)?;
    let mut first = Vec::new();
    if input::read_line(&mut *plain, &mut first).map_err(named)? == input::Line::TooLong {
        return Err(named(invalid(input::TOO_LONG)));
    }
    if is_line(&first) {
        return Ok(Box::new(Lines {
            input: Some(plain),
            first: Some(first),
        }));
    }
    input::read_rest(&mut *plain, &mut first).map_err(named)?;
    match serde_json::from_slice::<Har>(&first) {
        Ok(har) => Ok(Box::new(
            har.log
                .entries
                .into_iter()
                .enumerate()
                .map(|(at, entry)| entry.recording(at)),
        )),
        // Neither: lines, the first of which is damaged.
        Err(_) => {
            let lines: Vec<Vec<u8>> = first
                .split(|b| *b == b'\n')
                .filter(|l| !l.trim_ascii().is_empty())
                .map(<[u8]>::to_vec)
                .collect();
            Ok(Box::new(lines.into_iter().map(|line| from_line(&line))))
        }
    }
}

/// Recordings of a file of lines, one after the other.
struct Lines {
    /// `None` after an error of the file itself.
    input: Option<Box<dyn BufRead>>,
    first: Option<Vec<u8>>,
}

impl Iterator for Lines {
    type Item = io::Result<Recording>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(first) = self.first.take() {
            return Some(from_line(&first));
        }
        let mut line = Vec::new();
        loop {
            match input::read_line(&mut **self.input.as_mut()?, &mut line) {
                Ok(input::Line::None) => return None,
                Ok(input::Line::TooLong) => return Some(Err(invalid(input::TOO_LONG))),
                Ok(input::Line::Whole) if line.trim_ascii().is_empty() => {}
                Ok(input::Line::Whole) => return Some(from_line(&line)),
                Err(error) => {
                    self.input = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// Whether a line stands for itself: a HAR file's first line does not, or it holds the whole log.
fn is_line(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Either {
        log: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice::<Either>(line).is_ok_and(|either| either.log.is_none())
}

#[derive(Deserialize)]
struct Line {
    id: Option<String>,
    method: String,
    url: String,
    #[serde(default)]
    request_headers: Vec<(String, String)>,
    request_body: Option<String>,
    request_body_encoding: Option<String>,
    status: u16,
    #[serde(default)]
    response_headers: Vec<(String, String)>,
    #[serde(default)]
    response_body_b64: String,
    #[serde(default)]
    flags: Flags,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Flags {
    /// Only the response was recorded: the request was made up and is no evidence.
    request_synthetic: bool,
}

fn from_line(text: &[u8]) -> io::Result<Recording> {
    let line: Line = serde_json::from_slice(text).map_err(invalid)?;
    let request_body = match (line.request_body, line.request_body_encoding.as_deref()) {
        _ if line.flags.request_synthetic => None,
        (Some(body), Some("base64")) => {
            Some(base64(&body).ok_or_else(|| invalid("request_body is not base64"))?)
        }
        (body, _) => body.map(String::into_bytes),
    };
    Ok(Recording {
        id: line.id.unwrap_or_default(),
        method: line.method,
        url: line.url,
        request_headers: Fields(line.request_headers),
        made_up_request: line.flags.request_synthetic,
        request_body,
        status: line.status,
        response_headers: Fields(line.response_headers),
        response_body: base64(&line.response_body_b64)
            .ok_or_else(|| invalid("response_body_b64 is not base64"))?,
        at: None,
    })
}

#[derive(Deserialize)]
struct Har {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: Option<String>,
    request: HarRequest,
    response: HarResponse,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarRequest {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<HarHeader>,
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct PostData {
    text: Option<String>,
}

#[derive(Deserialize)]
struct HarResponse {
    status: i64,
    #[serde(default)]
    headers: Vec<HarHeader>,
    content: Option<Content>,
}

#[derive(Deserialize)]
struct Content {
    text: Option<String>,
    encoding: Option<String>,
}

#[derive(Deserialize)]
struct HarHeader {
    name: String,
    value: String,
}

impl Entry {
    fn recording(self, at: usize) -> io::Result<Recording> {
        let content = self.response.content;
        let (text, encoding) = content.map_or((None, None), |content| (content.text, content.encoding));
        let text = text.unwrap_or_default();
        let response_body = match encoding.as_deref() {
            Some("base64") => base64(&text).ok_or_else(|| invalid("content.text is not base64"))?,
            _ => text.into_bytes(),
        };
        let fields =
            |headers: Vec<HarHeader>| Fields(headers.into_iter().map(|h| (h.name, h.value)).collect());
        Ok(Recording {
            id: at.to_string(),
            method: self.request.method,
            url: self.request.url,
            request_headers: fields(self.request.headers),
            made_up_request: false,
            request_body: self
                .request
                .post_data
                .and_then(|data| data.text)
                .map(String::into_bytes),
            status: u16::try_from(self.response.status).unwrap_or(0),
            response_headers: fields(self.response.headers),
            response_body,
            at: self.started_date_time.as_deref().and_then(super::instant),
        })
    }
}

fn invalid(problem: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// Base64 in the standard alphabet, line breaks and missing padding allowed.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' | b'\n' | b'\r' => continue,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            plain.push((bits >> count & 0xff) as u8);
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_undone() {
        assert_eq!(base64("aGVsbG8=").unwrap(), b"hello");
        assert_eq!(base64("").unwrap(), b"");
        assert_eq!(base64("a*"), None);
    }

    fn recordings(text: &str) -> Vec<io::Result<Recording>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read(file.path()).unwrap().collect()
    }

    #[test]
    fn a_damaged_line_does_not_hide_the_others() {
        let good =
            r#"{"id":"a","method":"POST","url":"https://h/p","status":200,"response_body_b64":"e30="}"#;
        for text in [
            format!("{good}\nnonsense\n{good}\n"),
            format!("nonsense\n{good}\n{good}"),
        ] {
            let all = recordings(&text);
            assert_eq!(all.len(), 3);
            assert_eq!(all.iter().filter(|r| r.is_ok()).count(), 2);
        }
    }

    #[test]
    fn a_har_file_is_read_on_one_line_or_many() {
        let entry = r#"{"startedDateTime":"2026-01-01T00:00:00Z","request":{"method":"POST","url":"https://h/p","headers":[{"name":"a","value":"b"}],"postData":{"text":"{}"}},"response":{"status":200,"headers":[],"content":{"text":"e30=","encoding":"base64"}}}"#;
        for text in [
            format!(r#"{{"log":{{"entries":[{entry}]}}}}"#),
            format!("{{\n\"log\":{{\"entries\":[\n{entry}\n]}}\n}}\n"),
        ] {
            let all = recordings(&text);
            let recording = all[0].as_ref().unwrap();
            assert_eq!(
                (recording.status, &recording.response_body[..]),
                (200, &b"{}"[..])
            );
            assert!(recording.at.is_some());
        }
    }
}
