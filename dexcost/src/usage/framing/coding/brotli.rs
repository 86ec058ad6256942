//! Brotli (RFC 7932).

use std::fmt;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::work::Window;
use super::{Garbled, Made, STEP, Sink};

pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    ended: bool,
    window: Window,
}

/// The largest window of RFC 7932.
const LARGEST_WINDOW: usize = 16 << 20;

impl fmt::Debug for Brotli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brotli").field("ended", &self.ended).finish()
    }
}

impl Default for Brotli {
    fn default() -> Self {
        let alloc = StandardAlloc::default;
        Self {
            state: BrotliState::new(alloc(), alloc(), alloc()),
            ended: false,
            window: Window::default(),
        }
    }
}

impl Brotli {
    pub(super) fn feed(&mut self, bytes: &[u8], sink: Sink<'_>) -> Result<(), Garbled> {
        let (mut left, mut at, mut total) = (bytes.len(), 0, 0);
        let mut out = [0; STEP];
        while !self.ended {
            let (mut room, mut made) = (STEP, 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut at,
                bytes,
                &mut room,
                &mut made,
                &mut out,
                &mut total,
                &mut self.state,
            );
            if !self.window.grow(made, LARGEST_WINDOW) && !sink(Made::Work(u64::MAX)) {
                return Err(Garbled);
            }
            if made > 0 && !sink(Made::Bytes(&out[..made.min(STEP)])) {
                return Err(Garbled);
            }
            match result {
                BrotliResult::ResultSuccess => self.ended = true,
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::NeedsMoreInput => break,
                BrotliResult::ResultFailure => return Err(Garbled),
            }
        }
        Ok(())
    }
}
