//! What the first bytes say (RFC 7983 §7, RFC 5761 §4).

use offhook::{
    rtp,
    sip_message::{Frame, Framer, Limits},
};

use crate::options::Kind;

/// What `input` most probably is.
pub(crate) fn kind(input: &[u8]) -> Kind {
    match input {
        [128..=191, ..] if rtp::is_rtcp(input) => Kind::Rtcp,
        [128..=191, ..] => Kind::Rtp,
        [b'v', b'=', b'0', ..] => Kind::Sdp,
        _ if goes_on(input) => Kind::SipStream,
        _ => Kind::Sip,
    }
}

/// Whether there are SIP messages one after the other. Bytes behind a message that begin no other
/// are bytes that a datagram has too many (RFC 3261 §18.3).
fn goes_on(input: &[u8]) -> bool {
    let mut framer = Framer::new(Limits::default());
    framer.push(input);
    let (mut rest, mut messages) = (input, 0);
    while let Ok(Some(frame)) = framer.next() {
        let length = match &frame {
            Frame::Message(message) => message.len(),
            Frame::Ping | Frame::Pong => 2,
        };
        messages += usize::from(matches!(frame, Frame::Message(_)));
        rest = rest.get(length..).unwrap_or_default();
    }
    match starts_message(rest) {
        true => messages > 0,
        false => messages > 1 && rest.is_empty(),
    }
}

/// Whether the first line is the start line of a message.
fn starts_message(rest: &[u8]) -> bool {
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    line.starts_with(b"SIP/2.0 ") || line.ends_with(b" SIP/2.0")
}
