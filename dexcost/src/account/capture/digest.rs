//! A fast digest of a request, to recognise its repetition.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// Keys of this process: digests say nothing outside it.
static KEYS: LazyLock<(u64, u64)> = LazyLock::new(|| {
    let state = RandomState::new();
    let key = |n| state.hash_one(n) | 1;
    (key(1u8), key(2u8))
});

/// Two lanes of two words: one multiplication need not wait for the other.
const BLOCK: usize = 32;

/// Hashes bytes that come in pieces; the pieces' boundaries make no difference.
#[derive(Debug)]
pub(super) struct Digest {
    lanes: [u64; 2],
    held: [u8; BLOCK],
    length: usize,
    total: u64,
}

impl Digest {
    pub(super) fn new() -> Self {
        Self {
            lanes: [KEYS.0, KEYS.1],
            held: [0; BLOCK],
            length: 0,
            total: 0,
        }
    }

    /// A digest that begins with these texts, each by itself.
    pub(super) fn after(texts: [&str; 3]) -> Self {
        let mut digest = Self::new();
        for text in texts {
            let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
            let mut last = [0; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            last[BLOCK - 1] = rest.len() as u8;
            let blocks = blocks.iter().chain([&last]);
            digest.lanes = blocks.fold(digest.lanes, |lanes, block| mixed(lanes, block, KEYS.1));
        }
        digest
    }

    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        let key = KEYS.1;
        self.total = self.total.wrapping_add(bytes.len() as u64);
        if self.length > 0 {
            let taken = (BLOCK - self.length).min(bytes.len());
            self.held[self.length..self.length + taken].copy_from_slice(&bytes[..taken]);
            self.length += taken;
            bytes = &bytes[taken..];
            if self.length < BLOCK {
                return;
            }
            self.lanes = mixed(self.lanes, &self.held, key);
            self.length = 0;
        }
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        self.lanes = blocks
            .iter()
            .fold(self.lanes, |lanes, block| mixed(lanes, block, key));
        self.held[..rest.len()].copy_from_slice(rest);
        self.length = rest.len();
    }

    pub(super) fn finish(&self) -> u64 {
        let mut last = self.held;
        last[self.length..].fill(0);
        let key = KEYS.1;
        let [first, second] = mixed(self.lanes, &last, key);
        fold(fold(first, key) ^ second ^ self.total, key)
    }
}

fn mixed(lanes: [u64; 2], block: &[u8; BLOCK], key: u64) -> [u64; 2] {
    let words = block.as_chunks::<8>().0;
    let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
    [
        fold(word(0) ^ lanes[0], word(1) ^ key),
        fold(word(2) ^ lanes[1], word(3) ^ key),
    ]
}

/// Both halves of the product: every bit of either factor reaches the result.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(pieces: &[&[u8]]) -> u64 {
        let mut digest = Digest::new();
        for piece in pieces {
            digest.feed(piece);
        }
        digest.finish()
    }

    #[test]
    fn boundaries_make_no_difference_and_every_byte_does() {
        let text: Vec<u8> = (0..100).collect();
        let whole = digest(&[&text]);
        for at in 0..text.len() {
            assert_eq!(digest(&[&text[..at], &text[at..]]), whole);
            let mut other = text.clone();
            other[at] ^= 1;
            assert_ne!(digest(&[&other]), whole);
        }
        assert_ne!(digest(&[&text, b"\0"]), whole);
    }

    #[test]
    fn where_one_text_ends_and_the_next_begins_makes_a_difference() {
        let digest = |texts| Digest::after(texts).finish();
        let long = "p".repeat(40);
        let all = [
            ["POST", "host", "/path"],
            ["POST", "hos", "t/path"],
            ["POS", "Thost", "/path"],
            ["POST", "host", "/path\0"],
            ["POST", "host", &long],
            ["POST", &long, "host"],
        ];
        let mut digests: Vec<u64> = all.into_iter().map(digest).collect();
        assert_eq!(digest(all[0]), digests[0]);
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), all.len());
    }
}
