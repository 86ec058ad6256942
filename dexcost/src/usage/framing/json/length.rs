//! How many characters a string has, without keeping it.

/// Counts the characters of a string as it passes: an escape is one, and so is a pair of surrogates.
#[derive(Debug, Default)]
pub(super) struct Length {
    characters: u64,
    escape: Escape,
}

#[derive(Debug, Default)]
enum Escape {
    #[default]
    None,
    /// After a backslash.
    Begun,
    /// In the digits of `\uXXXX`.
    Unit { value: u16, digits: u8 },
}

impl Length {
    /// Takes the next piece. Says how many bytes of it belong to the string with its closing quote,
    /// if that is among them.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            match (&mut self.escape, byte) {
                (Escape::None, b'"') => return Some(at + 1),
                (Escape::None, b'\\') => self.escape = Escape::Begun,
                // All but the bytes that go on with a character.
                (Escape::None, byte) => self.characters += u64::from(byte & 0xc0 != 0x80),
                (Escape::Begun, b'u') => self.escape = Escape::Unit { value: 0, digits: 0 },
                (Escape::Begun, _) => self.count(),
                (Escape::Unit { value, digits }, byte) => {
                    let digit = char::from(*byte).to_digit(16).unwrap_or_default();
                    *value = *value << 4 | digit as u16;
                    *digits += 1;
                    let (value, is_whole) = (*value, *digits == 4);
                    match (is_whole, value) {
                        (false, _) => {}
                        // The second of a pair.
                        (true, 0xdc00..=0xdfff) => self.escape = Escape::None,
                        (true, _) => self.count(),
                    }
                }
            }
        }
        None
    }

    fn count(&mut self) {
        self.characters += 1;
        self.escape = Escape::None;
    }

    pub(super) const fn characters(&self) -> u64 {
        self.characters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_and_not_bytes() {
        for (text, characters) in [
            ("\"", 0),
            ("hello\"", 5),
            ("h\u{e9}\u{1f600}\"", 3),
            (r#"a\"b\\c\n""#, 6),
            ("\\u00e9\\ud83d\\ude00x\"", 3),
        ] {
            for chunk in 1..=text.len() {
                let mut length = Length::default();
                let mut end = None;
                for piece in text.as_bytes().chunks(chunk) {
                    end = length.feed(piece);
                }
                assert!(end.is_some(), "{text}");
                assert_eq!(length.characters(), characters, "{text} in chunks of {chunk}");
            }
        }
    }
}
