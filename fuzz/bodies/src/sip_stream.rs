//! SIP messages out of a stream: how the network cuts it makes no difference.

use offhook_sip_message::{Frame, Framer, Limits, Message, ParseError};

/// Feeds the same bytes whole and in pieces. The first byte picks the limits and how it is cut.
pub fn sip_stream(data: &[u8]) {
    let (settings, stream) = data.split_at(data.len().min(1));
    let settings = settings.first().copied().unwrap_or_default();
    let limits = if settings & 1 == 0 { Limits::default() } else { SMALL };
    let whole = frames(limits, std::iter::once(stream));
    let pieces = frames(limits, pieces(stream, settings));
    assert_eq!(whole, pieces, "pieces give the frames of the whole");
    for frame in &whole.0 {
        check(frame);
    }
}

/// Everything that the framer gives, and the error that ended it.
fn frames<'a>(
    limits: Limits,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Frame>, Option<ParseError>) {
    let mut framer = Framer::new(limits);
    let (mut frames, mut bytes) = (Vec::new(), 0usize);
    for piece in pieces {
        framer.push(piece);
        bytes = bytes.saturating_add(piece.len());
        loop {
            match framer.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => {
                    framer.push(b"\r\n\r\n");
                    assert_eq!(framer.next(), Err(error.clone()), "an error stays");
                    return (frames, Some(error));
                }
            }
            assert!(frames.len() <= bytes, "each frame takes some bytes");
        }
    }
    (frames, None)
}

/// Cuts by the bytes themselves, so that the fuzzer can move the cuts.
fn pieces(stream: &[u8], settings: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = stream;
    std::iter::from_fn(move || {
        let first = *rest.first()?;
        let longest = usize::from(settings >> 1).max(1);
        let length = usize::from(first).wrapping_mul(31) % longest;
        let (piece, after) = rest.split_at(length.saturating_add(1).min(rest.len()));
        rest = after;
        Some(piece)
    })
}

fn check(frame: &Frame) {
    let Frame::Message(bytes) = frame else { return };
    assert!(bytes.len() <= Limits::default().message, "a frame is within the limits");
    if let Ok(message) = Message::parse(bytes.clone()) {
        assert_eq!(message.as_bytes(), bytes, "a frame is one message and nothing else");
    }
}

/// Limits that short inputs reach.
const SMALL: Limits = Limits { message: 512, start_line: 64, header: 128, headers: 8, body: 64 };
