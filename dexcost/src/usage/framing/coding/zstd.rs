//! Zstandard (RFC 8878), with a window of at most 8 MiB as RFC 9659 asks for on the web.

use std::fmt;
use std::io::Read;

use ruzstd::decoding::FrameDecoder;

use super::work::{BLOCK_BYTES, HEAD_BYTES, Window};
use super::{Garbled, Made, STEP, Sink};

const LARGEST_WINDOW: u64 = 8 << 20;
/// A last block without content: ends a frame that was cut off, so that its window can be read.
const EMPTY_LAST_BLOCK: [u8; 3] = [1, 0, 0];

/// Feeds the decoder block by block: it keeps a whole step's output in memory, and a block is at
/// most 128 KiB of it.
pub(super) struct Zstd {
    frames: FrameDecoder,
    part: Part,
    held: Vec<u8>,
    window: Window,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Magic number and descriptor, to know how long the header is.
    Magic,
    Header(usize),
    BlockHeader,
    Block {
        size: usize,
        last: bool,
    },
    Checksum,
    /// The size of a frame that is to be skipped.
    SkipSize,
    Skip(usize),
}

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd").field("part", &self.part).finish()
    }
}

impl Default for Zstd {
    fn default() -> Self {
        let mut frames = FrameDecoder::new();
        frames.set_max_window_size(LARGEST_WINDOW);
        Self {
            frames,
            part: Part::Magic,
            held: Vec::new(),
            window: Window::default(),
        }
    }
}

impl Zstd {
    pub(super) fn feed(&mut self, mut bytes: &[u8], sink: Sink<'_>) -> Result<(), Garbled> {
        loop {
            if let Part::Skip(left) = self.part {
                let skipped = left.min(bytes.len());
                bytes = &bytes[skipped..];
                self.part = if skipped == left {
                    Part::Magic
                } else {
                    Part::Skip(left - skipped)
                };
                if skipped < left {
                    return Ok(());
                }
            }
            let missing = self.part.length().saturating_sub(self.held.len());
            let taken = missing.min(bytes.len());
            self.held.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if taken < missing {
                return Ok(());
            }
            self.advance(sink)?;
        }
    }

    pub(super) fn finish(&mut self, sink: Sink<'_>) -> Result<(), Garbled> {
        if matches!(self.part, Part::BlockHeader | Part::Block { .. }) {
            self.decode(&EMPTY_LAST_BLOCK, sink)?;
        }
        Ok(())
    }

    /// Uses the bytes that the present part was waiting for.
    fn advance(&mut self, sink: Sink<'_>) -> Result<(), Garbled> {
        let held = std::mem::take(&mut self.held);
        self.part = match self.part {
            Part::Magic if held[1..4] == [0x2a, 0x4d, 0x18] && held[0] & 0xf0 == 0x50 => {
                // The fifth byte is the first of the size.
                self.held.push(held[4]);
                Part::SkipSize
            }
            Part::Magic => {
                let length = header_length(held[4]);
                self.held = held;
                Part::Header(length)
            }
            Part::Header(_) => {
                if !sink(Made::Work(HEAD_BYTES + window_of(&held) / 16)) {
                    return Err(Garbled);
                }
                self.frames.reset(&held[..]).map_err(|_| Garbled)?;
                Part::BlockHeader
            }
            Part::BlockHeader => {
                let header = u32::from_le_bytes([held[0], held[1], held[2], 0]);
                let (last, kind, size) = (header & 1 == 1, (header >> 1) & 3, header >> 3);
                // A run of one byte is stored as that byte.
                let size = if kind == 1 { 1 } else { size as usize };
                if size > 128 * 1024 {
                    return Err(Garbled);
                }
                self.held = held;
                Part::Block { size, last }
            }
            Part::Block { last, .. } => {
                self.decode(&held, sink)?;
                match (last, self.frames.is_finished()) {
                    (false, _) => Part::BlockHeader,
                    (true, false) => Part::Checksum,
                    (true, true) => Part::Magic,
                }
            }
            Part::Checksum => Part::Magic,
            Part::SkipSize => {
                let size = u32::from_le_bytes([held[0], held[1], held[2], held[3]]);
                Part::Skip(size as usize)
            }
            Part::Skip(left) => Part::Skip(left),
        };
        Ok(())
    }

    fn decode(&mut self, block: &[u8], sink: Sink<'_>) -> Result<(), Garbled> {
        if !sink(Made::Work(BLOCK_BYTES)) {
            return Err(Garbled);
        }
        let mut out = [0; STEP];
        let (_, mut made) = self.frames.decode_from_to(block, &mut out).map_err(|_| Garbled)?;
        while made > 0 {
            let is_held = self.window.grow(made, LARGEST_WINDOW as usize);
            if !is_held && !sink(Made::Work(u64::MAX)) {
                return Err(Garbled);
            }
            if !sink(Made::Bytes(&out[..made.min(STEP)])) {
                return Err(Garbled);
            }
            made = self.frames.read(&mut out).map_err(|_| Garbled)?;
        }
        Ok(())
    }
}

impl Part {
    /// How many bytes it needs, those of the part before it included where they are held.
    fn length(self) -> usize {
        match self {
            Self::Magic => 5,
            Self::Header(length) => length,
            Self::BlockHeader => 3,
            Self::Block { size, .. } => 3 + size,
            Self::Checksum | Self::SkipSize => 4,
            Self::Skip(_) => 0,
        }
    }
}

/// The window that a frame header asks for, at most the largest that is taken. That of a frame of one segment
/// is as large as its content.
fn window_of(header: &[u8]) -> u64 {
    let byte = |at: usize| header.get(at).copied().map_or(0, u64::from);
    let descriptor = header.get(4).copied().unwrap_or(0);
    let window = if descriptor & 0x20 == 0 {
        let base = 1u64 << (10 + (byte(5) >> 3));
        base + base / 8 * (byte(5) & 7)
    } else {
        let at = 5 + dictionary_length(descriptor);
        let length = [1, 2, 4, 8][usize::from(descriptor >> 6)];
        (0..length).fold(0, |size, place| size | byte(at + place) << (8 * place))
    };
    window.min(LARGEST_WINDOW)
}

const fn dictionary_length(descriptor: u8) -> usize {
    [0, 1, 2, 4][descriptor as usize & 3]
}

/// The length of a frame header, magic number included, from its descriptor.
fn header_length(descriptor: u8) -> usize {
    let single_segment = descriptor & 0x20 != 0;
    let dictionary = dictionary_length(descriptor);
    let content_size = match descriptor >> 6 {
        0 => usize::from(single_segment),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    5 + usize::from(!single_segment) + dictionary + content_size
}
