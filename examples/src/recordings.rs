//! Recorded traffic: one exchange a line, `.jsonl` or `.jsonl.gz`.
//!
//! Of each line are read: `id`, `source_repo`, `endpoint`, `method`, `url`, `request_headers`,
//! `request_body` with `request_body_encoding` (`utf8` or `base64`), `status`, `response_headers`,
//! `response_body_b64`, `response_body_encoding`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;

use crate::Error;
use crate::paced::Paced;
use crate::provider::plain;

/// The header field by which a request says which recording answers it.
pub const WHICH: &str = "x-recording";

/// The size of the pieces in which a recorded body is sent.
const PIECE: usize = 4_096;

/// One recorded exchange.
#[derive(Debug, Deserialize)]
pub struct Recording {
    /// Names the exchange.
    #[serde(default)]
    pub id: String,
    /// The project that recorded it.
    #[serde(default)]
    pub source_repo: String,
    /// What was called.
    #[serde(default)]
    pub endpoint: String,
    /// The method.
    pub method: String,
    /// The absolute URL.
    pub url: String,
    #[serde(default)]
    request_headers: Vec<(String, String)>,
    #[serde(default)]
    request_body: Option<String>,
    #[serde(default)]
    request_body_encoding: Option<String>,
    status: u16,
    #[serde(default)]
    response_headers: Vec<(String, String)>,
    #[serde(default)]
    response_body_b64: Option<String>,
    #[serde(default)]
    response_body_encoding: Option<String>,
}

/// Reads a file of recordings.
///
/// # Errors
///
/// Where the file cannot be read; a line that is no recording is named.
pub fn read(path: &Path) -> Result<Vec<Recording>, Error> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let is_packed = path.extension().is_some_and(|extension| extension == "gz");
    let input: Box<dyn Read> = if is_packed {
        Box::new(flate2::read::MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut recordings = Vec::new();
    for (at, line) in BufReader::new(input).lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let recording = serde_json::from_str(&line)
            .map_err(|error| format!("{}, line {}: {error}", path.display(), at + 1))?;
        recordings.push(recording);
    }
    Ok(recordings)
}

impl Recording {
    /// The request as it was sent, over plain HTTP, with the number of the recording in a header.
    ///
    /// # Errors
    ///
    /// Where the URL or the method is none.
    pub fn request(&self, number: usize) -> Result<reqwest::Request, Error> {
        let url = self.url.replacen("https://", "http://", 1);
        let method = reqwest::Method::from_bytes(self.method.as_bytes())?;
        let mut request = reqwest::Request::new(method, url.parse()?);
        copy(&self.request_headers, request.headers_mut(), true);
        request.headers_mut().insert(WHICH, number.into());
        let body = self.request_body.as_deref().unwrap_or_default();
        let body = match self.request_body_encoding.as_deref() {
            Some("base64") => decode_base64(body).ok_or("not base64")?,
            _ => body.as_bytes().to_vec(),
        };
        if !body.is_empty() {
            *request.body_mut() = Some(body.into());
        }
        Ok(request)
    }

    fn response(&self) -> Option<Response> {
        let body = Bytes::from(decode_base64(
            self.response_body_b64.as_deref().unwrap_or_default(),
        )?);
        let is_coded = self.response_body_encoding.as_deref().unwrap_or("identity") != "identity";
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(self.status).ok()?;
        copy(&self.response_headers, response.headers_mut(), is_coded);
        let pieces = (0..body.len())
            .step_by(PIECE)
            .map(|at| body.slice(at..body.len().min(at + PIECE)));
        let pieces: Vec<Bytes> = pieces.collect();
        *response.body_mut() = Body::new(Paced::new(pieces, Duration::ZERO));
        Some(response)
    }
}

/// The recorded answer to a request.
pub(crate) fn reply(recordings: &[Recording], headers: &HeaderMap) -> Response {
    let number = headers
        .get(WHICH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    number
        .and_then(|number: usize| recordings.get(number)?.response())
        .unwrap_or_else(|| plain(StatusCode::NOT_FOUND, "text/plain", Bytes::new()))
}

/// Fields that belong to a connection or no longer fit the body are left out, and the content
/// coding where the recorder took it off.
fn copy(fields: &[(String, String)], headers: &mut HeaderMap, keep_coding: bool) {
    for (name, value) in fields {
        let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) else {
            continue;
        };
        match name.as_str() {
            "host" | "connection" | "content-length" | "transfer-encoding" | "upgrade" | "keep-alive" => {}
            "content-encoding" if !keep_coding => {}
            _ => {
                headers.append(name, value);
            }
        }
    }
}

/// Standard base64 with or without padding; `None` where it is not.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0_u32, 0);
    for char in text.trim_end_matches('=').bytes() {
        let six = match char {
            b'A'..=b'Z' => char - b'A',
            b'a'..=b'z' => char - b'a' + 26,
            b'0'..=b'9' => char - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_and_without_padding() {
        assert_eq!(decode_base64("aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!(decode_base64("aGVsbG8"), Some(b"hello".to_vec()));
        assert_eq!(decode_base64("+/8="), Some(vec![0xfb, 0xff]));
        assert_eq!(decode_base64("a b"), None);
    }
}
