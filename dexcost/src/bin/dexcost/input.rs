//! Files that the command reads: plain or gzipped, as streams, whatever they decompress to.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// A line, or a document of one, is at most so long: beyond it a small file would take any memory.
pub(crate) const LONGEST: usize = 256 << 20;

/// Opens a file; `-` is standard input. Gzip is recognised by its first bytes.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut plain: Box<dyn BufRead> = if path.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::with_capacity(1 << 16, File::open(path)?))
    };
    let is_gzip = plain.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if is_gzip {
        let plain = MultiGzDecoder::new(plain);
        return Ok(Box::new(BufReader::with_capacity(1 << 16, plain)));
    }
    Ok(plain)
}

/// What was read of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// There is none any more.
    None,
    /// All of it, with its end.
    Whole,
    /// Nothing: it is too long, and was passed over.
    TooLong,
}

/// What is said of a line that is too long.
pub(crate) const TOO_LONG: &str = "the line is longer than 256 MiB";

/// Reads the next line into `line`.
///
/// # Errors
///
/// Those of the file.
pub(crate) fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    read_line_of(input, line, LONGEST)
}

fn read_line_of(input: &mut dyn BufRead, line: &mut Vec<u8>, longest: usize) -> io::Result<Line> {
    line.clear();
    let read = input.take(longest as u64 + 1).read_until(b'\n', line)?;
    if read <= longest || line.ends_with(b"\n") {
        return Ok(if read > 0 { Line::Whole } else { Line::None });
    }
    line.clear();
    loop {
        let piece = input.fill_buf()?;
        let end = memchr::memchr(b'\n', piece);
        let used = end.map_or(piece.len(), |end| end + 1);
        let is_over = end.is_some() || piece.is_empty();
        input.consume(used);
        if is_over {
            return Ok(Line::TooLong);
        }
    }
}

/// Reads all that is left, after what is there.
///
/// # Errors
///
/// Those of the file, and `InvalidData` where it is too long.
pub(crate) fn read_rest(input: &mut dyn BufRead, document: &mut Vec<u8>) -> io::Result<()> {
    let room = LONGEST.saturating_sub(document.len());
    if input.take(room as u64 + 1).read_to_end(document)? > room {
        document.clear();
        let reason = "the document is longer than 256 MiB";
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_the_next_is_read() {
        let mut input: &[u8] = b"ab\n0123456789\n0123\nxyz";
        let mut line = Vec::new();
        let mut read = |line: &mut Vec<u8>| read_line_of(&mut input, line, 4);
        for (outcome, text) in [
            (Line::Whole, &b"ab\n"[..]),
            (Line::TooLong, b""),
            (Line::Whole, b"0123\n"),
            (Line::Whole, b"xyz"),
            (Line::None, b""),
        ] {
            assert_eq!((read(&mut line).unwrap(), &line[..]), (outcome, text));
        }
    }
}
