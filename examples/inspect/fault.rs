//! What is wrong, where, and by which clause: for people with a caret, for programs as JSON.

use offhook::{rtp::Malformed, sdp, sip_message::ParseError};

use crate::{escape, node::Node};

/// Something that is not as it should be. Offsets count from the start of the input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) offset: usize,
    pub(crate) header: Option<String>,
    pub(crate) expected: String,
    pub(crate) rfc: String,
    /// The status that answers a request with this fault; RTP has none.
    pub(crate) status: Option<u16>,
}

impl Fault {
    /// A fault of SIP text that begins at byte `base`.
    pub(crate) fn of_sip(error: &ParseError, base: usize) -> Self {
        Self {
            offset: base + error.offset(),
            header: error.header().map(|name| name.to_string()),
            expected: error.expected().to_owned(),
            rfc: error.rfc().to_owned(),
            status: Some(error.status().as_u16()),
        }
    }

    /// A fault of the session description `text`, which begins at byte `base`.
    pub(crate) fn of_sdp(error: &sdp::ParseError, text: &[u8], base: usize) -> Self {
        let lines = text.split_inclusive(|byte| *byte == b'\n').take(error.line - 1);
        let line: usize = lines.map(<[u8]>::len).sum();
        Self {
            offset: base + line + error.column - 1,
            header: None,
            expected: error.expected.to_owned(),
            rfc: error.rfc.to_owned(),
            status: Some(sdp::Error::from(*error).status()),
        }
    }

    /// A fault of an RTP or RTCP packet that begins at octet `base`.
    pub(crate) fn of_rtp(error: &Malformed, base: usize) -> Self {
        Self {
            offset: base + error.offset(),
            header: None,
            expected: error.expected().to_owned(),
            rfc: error.rfc().to_owned(),
            status: None,
        }
    }

    pub(crate) fn node(&self) -> Node {
        Node::map([
            ("offset", self.offset.into()),
            ("header", self.header.as_deref().into()),
            ("expected", self.expected.as_str().into()),
            ("rfc", self.rfc.as_str().into()),
            ("status", self.status.into()),
        ])
    }

    /// The line of `input` where the fault is, and the caret below its place.
    pub(crate) fn caret(&self, input: &[u8]) -> [String; 2] {
        let (before, after) = input.split_at(self.offset.min(input.len()));
        let before = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let after = after.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let after = after.strip_suffix(b"\r").unwrap_or(after);
        if before.is_empty() && after.is_empty() {
            return self.below("(here it ends)".to_owned(), 0);
        }
        let cut = |bytes: &[u8]| if bytes.len() > REACH { "…" } else { "" };
        let margin = format!("{}{}", cut(before), text(last(before, REACH)));
        let line = format!("{margin}{}{}", text(first(after, REACH)), cut(after));
        self.below(line, margin.chars().count())
    }

    /// The octets of `input` around the fault, and the caret below its place.
    pub(crate) fn octets(&self, input: &[u8]) -> [String; 2] {
        let (before, after) = input.split_at(self.offset.min(input.len()));
        let (before, after) = (last(before, OCTETS), first(after, OCTETS));
        let line = escape::hex(&[before, after].concat(), usize::MAX);
        self.below(line, 3 * before.len())
    }

    fn below(&self, line: String, margin: usize) -> [String; 2] {
        let Self { offset, expected, rfc, .. } = self;
        let place = self.header.as_ref().map_or(String::new(), |name| format!(" in {name}"));
        let answer = self.status.map_or(String::new(), |status| format!(", status {status}"));
        let says = format!("byte {offset}{place}: expected {expected} ({rfc}){answer}");
        [line, format!("{:margin$}^ {}", "", escape::visible(&says))]
    }
}

fn text(bytes: &[u8]) -> String {
    escape::visible(&String::from_utf8_lossy(bytes))
}

fn first(bytes: &[u8], count: usize) -> &[u8] {
    bytes.get(..count).unwrap_or(bytes)
}

fn last(bytes: &[u8], count: usize) -> &[u8] {
    bytes.get(bytes.len().saturating_sub(count)..).unwrap_or_default()
}

/// Most bytes of text shown on either side of the caret.
const REACH: usize = 70;
/// Most octets of a packet shown on either side of the caret.
const OCTETS: usize = 16;
