//! Amazon's event stream: binary messages with headers and two checksums.
//!
//! Reference: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html> and
//! <https://smithy.io/2.0/aws/amazon-eventstream.html>, read 2026-11. A message is its total length
//! and that of its headers (32 bits each, big-endian), a checksum of these eight bytes, the headers,
//! the payload, and a checksum of everything before. Both checksums are CRC-32.
//!
//! Parts of a payload are handed on as they come; only the end of an event says that its checksum
//! was right. After a wrong one nothing more is read: where the next message begins is unknown.

use crc32fast::Hasher;
use smallvec::SmallVec;

use super::Piece;

/// Two lengths and their checksum.
const PRELUDE: usize = 12;
/// The shortest message: prelude and checksum.
const SHORTEST: usize = PRELUDE + CHECKSUM;
const CHECKSUM: usize = 4;
/// The longest message that the protocol allows: 16 MiB of payload, 128 KiB of headers.
const LONGEST: usize = (16 << 20) + LONGEST_HEADERS + SHORTEST;
const LONGEST_HEADERS: usize = 128 << 10;
/// So much of the headers is looked at; those that matter stand first and are short.
const HELD_HEADERS: usize = 1024;

/// What is found in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// A piece of an event's payload.
    Event(Piece<'a>),
    /// The parts of an event that came before are void: its checksum was wrong.
    Corrupt,
    /// A message that something went wrong, by its type or code. Its payload is not handed on.
    Exception(&'a str),
}

/// Splits a stream into its messages.
#[derive(Debug)]
pub(crate) struct Frames {
    part: Part,
    /// So many bytes of the present part are missing.
    missing: usize,
    prelude: [u8; PRELUDE],
    headers: SmallVec<[u8; 128]>,
    payload: usize,
    is_event: bool,
    /// The checksum of the message so far.
    sum: Hasher,
    checksum: [u8; CHECKSUM],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Prelude,
    Headers,
    Payload,
    Checksum,
    /// The stream is corrupt.
    Lost,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            part: Part::Prelude,
            missing: PRELUDE,
            prelude: [0; PRELUDE],
            headers: SmallVec::new(),
            payload: 0,
            is_event: true,
            sum: Hasher::new(),
            checksum: [0; CHECKSUM],
        }
    }
}

impl Frames {
    /// Takes the next chunk and hands on what is found in it.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], sink: &mut dyn FnMut(Frame<'_>)) {
        while !bytes.is_empty() && self.part != Part::Lost {
            if let Some(used) = self.whole_message(bytes, sink) {
                bytes = &bytes[used..];
                continue;
            }
            let (piece, rest) = bytes.split_at(self.missing.min(bytes.len()));
            self.piece(piece, sink);
            bytes = rest;
            while self.missing == 0 && self.part != Part::Lost {
                self.next_part(sink);
            }
        }
    }

    /// Whether the stream ended with a message, not inside one.
    pub(crate) fn is_between(&self) -> bool {
        self.part == Part::Prelude && self.missing == PRELUDE
    }

    /// The common case: a message of which all is in sight.
    fn whole_message(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Frame<'_>)) -> Option<usize> {
        if !self.is_between() {
            return None;
        }
        let prelude = bytes.first_chunk::<PRELUDE>()?;
        let (headers, payload) = lengths(prelude)?;
        let end = PRELUDE + headers + payload;
        let (message, rest) = bytes.split_at_checked(end)?;
        let checksum = rest.first_chunk::<CHECKSUM>()?;
        if crc32fast::hash(message) != u32::from_be_bytes(*checksum) {
            self.lose(sink);
            return Some(bytes.len());
        }
        let (headers, payload) = message[PRELUDE..].split_at(headers);
        match Message::of(&headers[..headers.len().min(HELD_HEADERS)]) {
            Message::Event => sink(Frame::Event(Piece::Whole(payload))),
            Message::Exception(name) => sink(Frame::Exception(name)),
        }
        Some(end + CHECKSUM)
    }

    /// Takes a piece of the present part.
    fn piece(&mut self, piece: &[u8], sink: &mut dyn FnMut(Frame<'_>)) {
        match self.part {
            Part::Prelude => fill(&mut self.prelude, self.missing, piece),
            Part::Headers => {
                let fits = HELD_HEADERS.saturating_sub(self.headers.len()).min(piece.len());
                self.headers.extend_from_slice(&piece[..fits]);
            }
            Part::Payload if self.is_event => sink(Frame::Event(Piece::Part(piece))),
            Part::Payload | Part::Lost => {}
            Part::Checksum => fill(&mut self.checksum, self.missing, piece),
        }
        if self.part != Part::Checksum {
            self.sum.update(piece);
        }
        self.missing -= piece.len();
    }

    /// Goes on to the next part of the message, or to the next message.
    fn next_part(&mut self, sink: &mut dyn FnMut(Frame<'_>)) {
        (self.part, self.missing) = match self.part {
            Part::Prelude => {
                let Some((headers, payload)) = lengths(&self.prelude) else {
                    return self.lose(sink);
                };
                self.payload = payload;
                (Part::Headers, headers)
            }
            Part::Headers => {
                self.is_event = matches!(Message::of(&self.headers), Message::Event);
                (Part::Payload, self.payload)
            }
            Part::Payload => (Part::Checksum, CHECKSUM),
            Part::Checksum => {
                let sum = std::mem::take(&mut self.sum).finalize();
                if sum != u32::from_be_bytes(self.checksum) {
                    return self.lose(sink);
                }
                match Message::of(&self.headers) {
                    Message::Event => sink(Frame::Event(Piece::End)),
                    Message::Exception(name) => sink(Frame::Exception(name)),
                }
                self.headers.clear();
                (Part::Prelude, PRELUDE)
            }
            Part::Lost => return,
        };
    }

    fn lose(&mut self, sink: &mut dyn FnMut(Frame<'_>)) {
        self.part = Part::Lost;
        sink(Frame::Corrupt);
    }
}

/// What a message is, by its headers.
enum Message<'a> {
    Event,
    Exception(&'a str),
}

impl<'a> Message<'a> {
    fn of(headers: &'a [u8]) -> Self {
        let (mut is_event, mut name) = (true, "");
        for (header, value) in TextHeaders(headers) {
            match header {
                b":message-type" => is_event = value == b"event",
                b":exception-type" | b":error-code" => name = std::str::from_utf8(value).unwrap_or_default(),
                _ => {}
            }
        }
        if is_event {
            Self::Event
        } else {
            Self::Exception(name)
        }
    }
}

/// The names and values of the headers that are texts.
struct TextHeaders<'a>(&'a [u8]);

impl<'a> Iterator for TextHeaders<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (length, rest) = self.0.split_first()?;
            let (name, rest) = rest.split_at_checked(usize::from(*length))?;
            let (kind, rest) = rest.split_first()?;
            let (length, rest) = match kind {
                0 | 1 => (0, rest),
                2 => (1, rest),
                3 => (2, rest),
                4 => (4, rest),
                5 | 8 => (8, rest),
                6 | 7 => {
                    let (length, rest) = rest.split_first_chunk::<2>()?;
                    (usize::from(u16::from_be_bytes(*length)), rest)
                }
                9 => (16, rest),
                _ => return None,
            };
            let (value, rest) = rest.split_at_checked(length)?;
            self.0 = rest;
            if *kind == 7 {
                return Some((name, value));
            }
        }
    }
}

/// The lengths of headers and payload; `None` where the prelude is not one.
fn lengths(prelude: &[u8; PRELUDE]) -> Option<(usize, usize)> {
    let (lengths, sum) = prelude.split_first_chunk::<8>()?;
    if crc32fast::hash(lengths).to_be_bytes() != *sum {
        return None;
    }
    let [total, headers] = [&lengths[..4], &lengths[4..]].map(|number| {
        number
            .iter()
            .fold(0usize, |value, byte| value << 8 | usize::from(*byte))
    });
    let payload = total.checked_sub(headers)?.checked_sub(SHORTEST)?;
    (total <= LONGEST && headers <= LONGEST_HEADERS).then_some((headers, payload))
}

/// Fills in the piece of an array of which `missing` bytes are missing.
fn fill<const LENGTH: usize>(array: &mut [u8; LENGTH], missing: usize, piece: &[u8]) {
    let slots = array.iter_mut().skip(LENGTH.saturating_sub(missing));
    slots.zip(piece).for_each(|(slot, byte)| *slot = *byte);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A message with these headers, all of them texts.
    pub(crate) fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
        let mut coded = Vec::new();
        for (name, value) in headers {
            coded.push(name.len() as u8);
            coded.extend_from_slice(name.as_bytes());
            coded.push(7);
            coded.extend_from_slice(&(value.len() as u16).to_be_bytes());
            coded.extend_from_slice(value.as_bytes());
        }
        let total = SHORTEST + coded.len() + payload.len();
        let mut message = (total as u32).to_be_bytes().to_vec();
        message.extend_from_slice(&(coded.len() as u32).to_be_bytes());
        message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
        message.extend_from_slice(&coded);
        message.extend_from_slice(payload);
        message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
        message
    }

    /// A message that is an event of this type.
    pub(crate) fn event(kind: &str, payload: &str) -> Vec<u8> {
        let headers = [
            (":event-type", kind),
            (":content-type", "application/json"),
            (":message-type", "event"),
        ];
        message(&headers, payload.as_bytes())
    }

    fn found(stream: &[u8], chunk: usize) -> Vec<String> {
        let (mut frames, mut all, mut open) = (Frames::default(), Vec::new(), Vec::new());
        let mut take = |frame: Frame<'_>| match frame {
            Frame::Event(Piece::Whole(data)) => all.push(String::from_utf8_lossy(data).into_owned()),
            Frame::Event(Piece::Part(data)) => open.extend_from_slice(data),
            Frame::Event(Piece::End) => {
                all.push(String::from_utf8_lossy(&std::mem::take(&mut open)).into_owned());
            }
            Frame::Corrupt => {
                open.clear();
                all.push("corrupt".to_owned());
            }
            Frame::Exception(name) => all.push(format!("exception {name}")),
        };
        for piece in stream.chunks(chunk.max(1)) {
            frames.feed(piece, &mut take);
        }
        all
    }

    fn stream() -> Vec<u8> {
        let exception = [
            (":exception-type", "throttlingException"),
            (":message-type", "exception"),
        ];
        let error = [(":message-type", "error"), (":error-code", "InternalFailure")];
        [
            event("a", "{\"x\":1}"),
            message(&[], b""),
            message(&exception, b"{\"message\":\"slow down\"}"),
            event("b", "{}"),
            message(&error, b""),
        ]
        .concat()
    }

    #[test]
    fn messages_are_read_whatever_their_chunks() {
        let stream = stream();
        for chunk in 1..=stream.len() {
            assert_eq!(
                found(&stream, chunk),
                [
                    "{\"x\":1}",
                    "",
                    "exception throttlingException",
                    "{}",
                    "exception InternalFailure"
                ],
                "chunks of {chunk}"
            );
        }
    }

    #[test]
    fn headers_of_every_kind_are_passed_over() {
        let mut headers = Vec::new();
        for (kind, length) in [(0u8, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)] {
            headers.extend_from_slice(&[1, b'n', kind]);
            headers.extend(std::iter::repeat_n(0u8, length));
        }
        headers.extend_from_slice(&[1, b'n', 6, 0, 1, 0]);
        headers.extend_from_slice(b"\x02ok\x07\x00\x01x");
        let all: Vec<_> = TextHeaders(&headers).collect();
        assert_eq!(all, [(&b"ok"[..], &b"x"[..])]);
    }

    #[test]
    fn a_wrong_byte_anywhere_ends_the_reading() {
        let stream = stream();
        let whole = found(&stream, usize::MAX);
        for at in 0..stream.len() {
            let mut wrong = stream.clone();
            wrong[at] ^= 0x10;
            for chunk in [1, 7, usize::MAX] {
                let all = found(&wrong, chunk);
                let right = all.iter().take_while(|frame| *frame != "corrupt").count();
                assert!(right < whole.len(), "byte {at}");
                assert_eq!(all[..right], whole[..right], "byte {at} in chunks of {chunk}");
                assert!(all.len() <= right + 1);
            }
        }
    }

    #[test]
    fn a_stream_that_broke_off_inside_a_message_is_known() {
        let (mut frames, stream) = (Frames::default(), event("a", "{}"));
        for (at, byte) in stream.iter().enumerate() {
            assert_eq!(frames.is_between(), at == 0);
            frames.feed(&[*byte], &mut |_| {});
        }
        assert!(frames.is_between());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_in_any_chunking_give_the_same(
            payloads in proptest::collection::vec("[a-z]{0,9}", 0..4),
            tail in proptest::collection::vec(any::<u8>(), 0..40),
            chunk in 1usize..9,
        ) {
            let mut stream: Vec<u8> = payloads.iter().flat_map(|payload| event("e", payload)).collect();
            stream.extend_from_slice(&tail);
            prop_assert_eq!(found(&stream, chunk), found(&stream, usize::MAX));
        }
    }
}
