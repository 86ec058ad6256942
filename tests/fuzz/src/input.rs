//! How the bytes of a case are read: what comes first says how, the rest is what is fed.

/// Parts request and reply.
const RULE: &[u8] = b"\n---\n";

/// The first three bytes, which say how, and the rest.
pub(crate) fn split(data: &[u8]) -> ([u8; 3], &[u8]) {
    match data {
        [a, b, c, rest @ ..] => ([*a, *b, *c], rest),
        rest => ([0; 3], rest),
    }
}

/// The first line, and what follows it.
pub(crate) fn line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, b""),
    }
}

/// Request and reply; without a rule all of it is the reply.
pub(crate) fn request_and_reply(data: &[u8]) -> (&[u8], &[u8]) {
    match data.windows(RULE.len()).position(|window| window == RULE) {
        Some(at) => (&data[..at], &data[at + RULE.len()..]),
        None => (b"{}", data),
    }
}

pub(crate) fn pick<T: Copy>(from: &[T], number: u8) -> T {
    from[usize::from(number) % from.len()]
}

/// The sum of everything in a text that can be read as a number, signs left out.
pub(crate) fn sum_of_numbers(text: &[u8]) -> f64 {
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    let (mut sum, mut at) = (0.0, 0);
    while at < text.len() {
        if !is_digit(at) {
            at += 1;
            continue;
        }
        let start = at;
        let digits = |mut at: usize| {
            while is_digit(at) {
                at += 1;
            }
            at
        };
        at = digits(at);
        if text.get(at) == Some(&b'.') && is_digit(at + 1) {
            at = digits(at + 1);
        }
        if matches!(text.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
            if is_digit(at + 1 + sign) {
                at = digits(at + 1 + sign);
            }
        }
        let number = std::str::from_utf8(&text[start..at]).unwrap_or_default();
        sum += number.parse::<f64>().unwrap_or(f64::INFINITY);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_counts() {
        assert_eq!(sum_of_numbers(br#"{"a":1.5,"b":[2e1,"3"],"c":-4}"#), 28.5);
        assert!(sum_of_numbers(b"1e999999").is_infinite());
    }
}
