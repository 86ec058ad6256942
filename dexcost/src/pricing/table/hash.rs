//! The hash of a model name, the same for every spelling that differs in case only.

const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// 64 bits of the ASCII-lower-cased bytes, and whether there is a slash among them.
#[inline]
pub(super) fn fold_hash(bytes: &[u8]) -> (u64, bool) {
    let mut hash = (bytes.len() as u64).wrapping_mul(MIX);
    let mut slashes = 0;
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        slashes |= slashes_in(word);
        hash = mix(hash, word);
    }
    if tail.is_empty() {
        return (hash, slashes != 0);
    }
    // The last bytes, padded with zeros: cut out of the last eight where there are as many.
    let last = match bytes.last_chunk::<8>() {
        Some(word) => u64::from_le_bytes(*word) >> (8 * (8 - tail.len())),
        None => short_word(tail),
    };
    (mix(hash, last), (slashes | slashes_in(last)) != 0)
}

/// The hash of a name out of those of what stands before its first slash (0 where there is none) and
/// of the rest. The generator of the packed table computes the same.
#[inline]
pub(super) const fn name_hash(head: u64, rest: u64) -> u64 {
    let hash = (head.rotate_left(23) ^ rest).wrapping_mul(MIX);
    hash ^ hash >> 32
}

/// Not zero where one of eight bytes is a slash.
#[inline]
const fn slashes_in(word: u64) -> u64 {
    const SLASHES: u64 = 0x2f2f_2f2f_2f2f_2f2f;
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zeros = word ^ SLASHES;
    zeros.wrapping_sub(ONES) & !zeros & HIGH
}

/// One to seven bytes, padded with zeros, in at most three overlapping reads.
#[inline]
fn short_word(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let (first, last) = (
            u64::from(u32::from_le_bytes(*first)),
            u64::from(u32::from_le_bytes(*last)),
        );
        return first | last << (8 * (len - 4));
    }
    let byte = |at: usize| bytes.get(at).map_or(0, |byte| u64::from(*byte) << (8 * at));
    byte(0) | byte(1) | byte(2)
}

#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    let hash = (hash ^ lower(word)).wrapping_mul(MIX);
    hash ^ hash >> 32
}

/// Lower-cases the ASCII capitals among eight bytes at once.
#[inline]
const fn lower(word: u64) -> u64 {
    const LOW7: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let low = word & LOW7;
    let at_least_a = low + 0x3f3f_3f3f_3f3f_3f3f;
    let above_z = low + 0x2525_2525_2525_2525;
    let capital = at_least_a & !above_z & !word & HIGH;
    word | capital >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_change_the_hash_and_anything_else_does() {
        assert_eq!(fold_hash(b"Gpt-4O-Mini-2024"), fold_hash(b"gpt-4o-mini-2024"));
        assert_ne!(fold_hash(b"gpt-4o"), fold_hash(b"gpt-4o\0"));
        assert_ne!(fold_hash(b"@[`{"), fold_hash(b"`{@["));
    }

    #[test]
    fn slashes_are_seen_wherever_they_stand() {
        for len in 0..40 {
            let mut bytes = vec![b'.'; len];
            assert!(!fold_hash(&bytes).1);
            bytes.fill(0xaf);
            assert!(!fold_hash(&bytes).1);
            for at in 0..len {
                bytes[at] = b'/';
                assert!(fold_hash(&bytes).1, "{at} of {len}");
                bytes[at] = b'0';
            }
        }
    }

    #[test]
    fn short_words_are_padded_with_zeros() {
        for len in 1..8 {
            let bytes: Vec<u8> = (1..=len).collect();
            let mut padded = [0u8; 8];
            padded[..bytes.len()].copy_from_slice(&bytes);
            assert_eq!(short_word(&bytes), u64::from_le_bytes(padded));
        }
    }

    #[test]
    fn only_ascii_capitals_are_folded() {
        for byte in 0..=255u8 {
            let word = u64::from(byte) << 24;
            assert_eq!(lower(word), u64::from(byte.to_ascii_lowercase()) << 24, "{byte}");
        }
    }
}
