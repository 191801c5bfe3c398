//! Which protocol a datagram speaks, told by its first byte (RFC 7983 §7).

/// The protocols that may share a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// Text that begins with a letter, or a keepalive of line ends.
    Sip,
    /// STUN, which keeps flows of SIP alive (RFC 5626 §8); some phones send zero bytes for that.
    Stun,
    /// RTP or RTCP: version 2 in the two highest bits.
    Media,
    /// A protocol that this endpoint does not speak.
    Other,
}

impl Spoken {
    /// Looks at the first byte. An empty datagram is a keepalive (RFC 5626 §3.5.1 lets text
    /// keepalives be short; some phones send nothing at all).
    pub(crate) const fn of(payload: &[u8]) -> Self {
        match payload.first() {
            None | Some(b'\r' | b'\n' | b'\t' | b' ') => Self::Sip,
            Some(0..=3) => Self::Stun,
            Some(128..=191) => Self::Media,
            Some(first) if first.is_ascii_graphic() && *first > RFC7983_DTLS_LAST => Self::Sip,
            Some(_) => Self::Other,
        }
    }
}

/// The highest first byte of a DTLS record (RFC 7983 §7); it lies below the letters.
const RFC7983_DTLS_LAST: u8 = 63;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_tells_the_protocol() {
        assert_eq!(Spoken::of(b"INVITE sip:bob@example.com SIP/2.0"), Spoken::Sip);
        assert_eq!(Spoken::of(b"\r\n\r\n"), Spoken::Sip);
        assert_eq!(Spoken::of(b""), Spoken::Sip);
        assert_eq!(Spoken::of(&[0x80, 0]), Spoken::Media);
        assert_eq!(Spoken::of(&[0, 1]), Spoken::Stun);
        assert_eq!(Spoken::of(&[22, 254]), Spoken::Other, "DTLS");
        assert_eq!(Spoken::of(&[0xff]), Spoken::Other);
    }
}
