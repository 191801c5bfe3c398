//! Why bytes are no RTP or RTCP packet.

use std::fmt;

use offhook_sansio::TooShort;

/// Bytes that are not what they claim to be: where, what was expected there, and by which clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    offset: usize,
    expected: &'static str,
    rfc: &'static str,
}

impl Malformed {
    pub(crate) const fn new(offset: usize, expected: &'static str, rfc: &'static str) -> Self {
        Self { offset, expected, rfc }
    }

    /// Turns "the bytes ended" into what was to stand there.
    pub(crate) const fn cut(
        expected: &'static str,
        rfc: &'static str,
    ) -> impl FnOnce(TooShort) -> Self {
        move |short| Self::new(short.offset, expected, rfc)
    }

    /// The same refusal of a packet that begins `base` bytes into a larger one.
    pub(crate) const fn at(self, base: usize) -> Self {
        Self { offset: base.saturating_add(self.offset), ..self }
    }

    /// Where the fault is, in bytes from the start of the datagram.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// What was expected there.
    pub const fn expected(&self) -> &'static str {
        self.expected
    }

    /// The clause that asks for it, such as `RFC 3550 §5.1`.
    pub const fn rfc(&self) -> &'static str {
        self.rfc
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, expected, rfc } = self;
        write!(f, "at offset {offset}: expected {expected} ({rfc})")
    }
}

impl std::error::Error for Malformed {}
