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

/// Whether another SIP message begins behind the first one.
fn goes_on(input: &[u8]) -> bool {
    let mut framer = Framer::new(Limits::default());
    framer.push(input);
    let mut rest = input;
    while let Ok(Some(frame)) = framer.next() {
        let length = if let Frame::Message(message) = &frame { message.len() } else { 2 };
        rest = rest.get(length..).unwrap_or_default();
        if let Frame::Message(_) = frame {
            return starts_message(rest);
        }
    }
    false
}

/// Whether the first line that is not empty is the start line of a message.
fn starts_message(rest: &[u8]) -> bool {
    let line = rest.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.trim_ascii_end();
    line.starts_with(b"SIP/2.0 ") || line.ends_with(b" SIP/2.0")
}
