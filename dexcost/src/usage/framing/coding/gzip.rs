//! Gzip (RFC 1952): one or more members, one after the other.

use super::inflate::Inflate;
use super::work::HEAD_BYTES;
use super::{Garbled, Made, Sink};

#[derive(Debug)]
pub(super) struct Gunzip {
    part: Part,
    inflate: Inflate,
}

/// Where in a member the next byte belongs.
#[derive(Debug)]
enum Part {
    /// The ten fixed bytes of the header; so many are there.
    Head {
        seen: usize,
        flags: u8,
    },
    /// The two bytes that say how long the extra field is.
    ExtraLength {
        flags: u8,
        low: Option<u8>,
    },
    /// The rest of the header: so many bytes to skip, then what the flags name.
    Skip {
        flags: u8,
        left: usize,
    },
    /// A name or comment, up to a zero byte.
    Words {
        flags: u8,
    },
    Body,
    /// Checksum and length, so many bytes left; neither is checked, for nothing depends on it.
    Tail {
        left: usize,
    },
    /// Padding after the last member.
    Rest,
}

const HEADER_CHECKSUM: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;

impl Default for Gunzip {
    fn default() -> Self {
        Self {
            part: Part::Head { seen: 0, flags: 0 },
            inflate: Inflate::new(false),
        }
    }
}

impl Gunzip {
    pub(super) fn feed(&mut self, mut bytes: &[u8], sink: Sink<'_>) -> Result<(), Garbled> {
        while let Some(byte) = bytes.first() {
            if matches!(self.part, Part::Body) {
                let used = self.inflate.feed(bytes, sink)?;
                bytes = bytes.get(used..).unwrap_or_default();
                if self.inflate.has_ended() {
                    self.part = Part::Tail { left: 8 };
                }
                continue;
            }
            if matches!(self.part, Part::Head { seen: 9, .. }) && !sink(Made::Work(HEAD_BYTES)) {
                return Err(Garbled);
            }
            self.header_byte(*byte)?;
            bytes = &bytes[1..];
        }
        Ok(())
    }

    fn header_byte(&mut self, byte: u8) -> Result<(), Garbled> {
        self.part = match self.part {
            Part::Head { seen: 0, .. } if byte != 0x1f => Part::Rest,
            Part::Head { seen, flags } => {
                let flags = if seen == 3 { byte } else { flags };
                if (seen == 1 && byte != 0x8b) || (seen == 2 && byte != 8) {
                    return Err(Garbled);
                }
                if seen == 9 {
                    self.after_header_part(flags)
                } else {
                    Part::Head {
                        seen: seen + 1,
                        flags,
                    }
                }
            }
            Part::ExtraLength { flags, low: None } => Part::ExtraLength {
                flags,
                low: Some(byte),
            },
            Part::ExtraLength {
                flags,
                low: Some(low),
            } => match u16::from_le_bytes([low, byte]) {
                0 => self.after_header_part(flags),
                left => Part::Skip {
                    flags,
                    left: left.into(),
                },
            },
            Part::Skip { flags, left: 1 } => self.after_header_part(flags),
            Part::Skip { flags, left } => Part::Skip {
                flags,
                left: left - 1,
            },
            Part::Words { flags } if byte == 0 => self.after_header_part(flags),
            Part::Words { flags } => Part::Words { flags },
            Part::Tail { left: 1 } => {
                self.inflate.reset();
                Part::Head { seen: 0, flags: 0 }
            }
            Part::Tail { left } => Part::Tail { left: left - 1 },
            Part::Body | Part::Rest => Part::Rest,
        };
        Ok(())
    }

    /// The next optional part of the header, in the order of the RFC.
    fn after_header_part(&self, flags: u8) -> Part {
        if flags & EXTRA != 0 {
            Part::ExtraLength {
                flags: flags & !EXTRA,
                low: None,
            }
        } else if flags & NAME != 0 {
            Part::Words { flags: flags & !NAME }
        } else if flags & COMMENT != 0 {
            Part::Words {
                flags: flags & !COMMENT,
            }
        } else if flags & HEADER_CHECKSUM != 0 {
            Part::Skip { flags: 0, left: 2 }
        } else {
            Part::Body
        }
    }
}
