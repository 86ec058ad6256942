//! Base64 (RFC 4648, section 4), undone as it streams.

/// Undoes base64 that comes in pieces; a padded end and characters of neither alphabet are passed
/// over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Base64 {
    bits: u32,
    count: u32,
}

impl Base64 {
    /// Appends what the next piece stands for to `plain`.
    pub(super) fn feed(&mut self, piece: &[u8], plain: &mut Vec<u8>) {
        plain.reserve(piece.len() / 4 * 3 + 3);
        for byte in piece {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => continue,
            };
            self.bits = self.bits << 6 | u32::from(value);
            self.count += 6;
            if self.count >= 8 {
                self.count -= 8;
                plain.push((self.bits >> self.count & 0xff) as u8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_give_the_same_bytes() {
        for (coded, expected) in [
            ("aGVsbG8=", "hello"),
            ("aGVsbG8h", "hello!"),
            ("aA==", "h"),
            ("", ""),
        ] {
            for size in 1..=8 {
                let (mut base64, mut plain) = (Base64::default(), Vec::new());
                for piece in coded.as_bytes().chunks(size) {
                    base64.feed(piece, &mut plain);
                }
                assert_eq!(plain, expected.as_bytes());
            }
        }
    }
}
