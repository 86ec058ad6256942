//! Deflate, bare or in a zlib wrapper (RFC 1950, 1951).

use flate2::{Decompress, FlushDecompress, Status};

use super::{Garbled, Made, STEP, Sink};

#[derive(Debug)]
pub(super) struct Inflate {
    engine: Decompress,
    ended: bool,
}

impl Inflate {
    pub(super) fn new(zlib: bool) -> Self {
        Self {
            engine: Decompress::new(zlib),
            ended: false,
        }
    }

    /// Decodes what it can and says how many bytes that used up: less than all only where the
    /// stream ended before them.
    pub(super) fn feed(&mut self, mut bytes: &[u8], sink: Sink<'_>) -> Result<usize, Garbled> {
        let (given, mut out) = (bytes.len(), [0; STEP]);
        while !self.ended {
            let (in_before, out_before) = (self.engine.total_in(), self.engine.total_out());
            let status = self.engine.decompress(bytes, &mut out, FlushDecompress::None);
            let used = count(self.engine.total_in() - in_before);
            let made = count(self.engine.total_out() - out_before);
            bytes = bytes.get(used..).unwrap_or_default();
            self.ended = matches!(status, Ok(Status::StreamEnd));
            if made > 0 && !sink(Made::Bytes(&out[..made.min(STEP)])) {
                return Err(Garbled);
            }
            if status.is_err() {
                return Err(Garbled);
            }
            if made < STEP && (bytes.is_empty() || used == 0) {
                break;
            }
        }
        Ok(given - bytes.len())
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn reset(&mut self) {
        self.engine.reset(false);
        self.ended = false;
    }
}

fn count(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
