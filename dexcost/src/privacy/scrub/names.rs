//! Which parameters may not be kept, by their names.

use std::borrow::Cow;

/// Names of parameters that carry secrets, with `_` for `-`.
pub(super) const SECRET: &[&str] = &[
    "access_key",
    "access_key_id",
    "access_token",
    "accesskey",
    "api_key",
    "api_token",
    "apikey",
    "assertion",
    "auth",
    "auth_token",
    "authorization",
    "authtoken",
    "awsaccesskeyid",
    "bearer",
    "client_secret",
    "code_verifier",
    "credential",
    "credentials",
    "id_token",
    "jwt",
    "key",
    "ocp_apim_subscription_key",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "pwd",
    "refresh_token",
    "secret",
    "secret_key",
    "session",
    "session_id",
    "session_token",
    "sessionid",
    "jsessionid",
    "sig",
    "signature",
    "subscription_key",
    "token",
    "x_amz_credential",
    "x_amz_security_token",
    "x_amz_signature",
    "x_api_key",
    "x_goog_api_key",
];

/// Names of parameters that carry text a user wrote.
pub(super) const FREE_TEXT: &[&str] = &[
    "callback",
    "custom_intent",
    "custom_topic",
    "extra",
    "keyterm",
    "keywords",
    "replace",
    "search",
    "tag",
];

/// Endings of names that carry secrets.
const SECRET_ENDINGS: &[&str] = &["_signature", "_credential", "_security_token"];

/// How often text is percent-decoded before it is judged: `%2561` is `a` to a sloppy server.
const DECODINGS: usize = 3;

/// Whether the value of a parameter of this name may not be kept.
pub(super) fn is_judged(name: &str) -> bool {
    let name = normal(name);
    // `auth[password]` and `filter[0].token` count by their parts too.
    std::iter::once(name.as_str())
        .chain(name.split(['[', ']', '.']))
        .any(|part| {
            SECRET.contains(&part)
                || FREE_TEXT.contains(&part)
                || SECRET_ENDINGS.iter().any(|ending| part.ends_with(ending))
        })
}

/// The name decoded, in lower case, without blanks and control characters, with `_` for `-`.
fn normal(name: &str) -> String {
    let kept = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    let lower = |c: char| if c == '-' { '_' } else { c.to_ascii_lowercase() };
    decode(name).chars().filter(|c| kept(*c)).map(lower).collect()
}

/// The text percent-decoded until nothing changes, at most [`DECODINGS`] times.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..DECODINGS {
        if !text.contains('%') {
            break;
        }
        text = Cow::Owned(decode_once(&text));
    }
    text
}

fn decode_once(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: Option<&u8>) -> Option<u8> {
    let value = char::from(*digit?).to_digit(16)?;
    u8::try_from(value).ok()
}
