//! Patterns: a star inside one label of a host or one segment of a path.

/// Whether the text is what the pattern says; a star stands for any run of bytes, none included.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut in_text) = (0, 0);
    // Where to go on if the last star has to take one byte more.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                retry = Some((at, in_text));
                continue;
            }
            Some(byte) if text.get(in_text).is_some_and(|b| b.eq_ignore_ascii_case(byte)) => {
                at += 1;
                in_text += 1;
                continue;
            }
            None if in_text == text.len() => return true,
            _ => {}
        }
        match &mut retry {
            Some((after_star, taken)) if *taken < text.len() => {
                *taken += 1;
                (at, in_text) = (*after_star, *taken);
            }
            _ => return false,
        }
    }
}

/// How much of a pattern is fixed: twice its literal bytes, and one more where nothing is open.
pub(super) fn weight(pattern: &str) -> u16 {
    let literal = pattern.bytes().filter(|b| *b != b'*').count();
    u16::try_from(2 * literal + usize::from(literal == pattern.len())).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_takes_any_run_and_nothing_else_is_open() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("api-*", "api-eu", true),
            ("api-*", "xapi-eu", false),
            ("*runs*", "actor-runs", true),
            ("*runs*", "run", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("plain", "PLAIN", true),
            ("plain", "plainer", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{pattern} {text}"
            );
        }
    }
}
