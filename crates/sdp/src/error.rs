//! What can go wrong, sorted by whose fault it is.
//!
//! [`ParseError`] is text that is no session description, [`Unwritable`] is a value that cannot
//! become text, and [`Error`] is an offer/answer exchange that did not come to an agreement.

use thiserror::Error as ThisError;

/// An offer/answer exchange did not come to an agreement.
///
/// An error never changes what was agreed before: the session stays as it was (RFC 3264 §4).
/// [`Error::status`] gives the SIP status that answers an offer with this fault.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub enum Error {
    /// The peer's description cannot be read.
    #[error(transparent)]
    Malformed(#[from] ParseError),
    /// The peer's answer does not fit our offer.
    #[error("the answer does not fit the offer: {expected} expected ({rfc})")]
    Mismatch {
        /// What the answer must have.
        expected: String,
        /// The clause that asks for it.
        rfc: &'static str,
    },
    /// No audio stream is offered, or the audio stream has port 0.
    #[error("no audio stream is wanted by the peer (RFC 3264 §5.1, §6)")]
    NoAudio,
    /// There is audio, but not one codec that both sides have.
    #[error("no codec in common: the peer has {theirs} (RFC 3264 §6.1)")]
    NoCommonCodec {
        /// The peer's codecs, for people.
        theirs: String,
    },
    /// The audio stream uses a transport other than RTP/AVP or RTP/AVPF.
    #[error("audio over {profile} is not supported, RTP/AVP is (RFC 3264 §6)")]
    UnsupportedProfile {
        /// The transport that the peer names.
        profile: String,
    },
    /// The audio stream has no `c=` line, of its own or of the session.
    #[error("the audio stream has no c= line (RFC 8866 §5.7)")]
    NoAddress,
    /// The address of the audio stream cannot be used.
    #[error("the media address {address} cannot be used: {reason} (RFC 8866 §5.7)")]
    UnsupportedAddress {
        /// The address as the peer wrote it.
        address: String,
        /// Why it cannot be used.
        reason: &'static str,
    },
    /// The verb is not allowed now: an offer is pending, or none is.
    #[error("{pending} (RFC 3264 §4)")]
    WrongState {
        /// The offer that is pending.
        pending: Pending,
    },
    /// Our capabilities have no codec, so there is nothing to offer.
    #[error("our capabilities have no codec")]
    NoCodec,
    /// Our capabilities have more codecs than there are dynamic payload types.
    #[error("our capabilities have more codecs than there are payload types (RFC 3551 §3)")]
    TooManyCodecs,
    /// Our capabilities hold something that cannot be written into a description.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
}

impl Error {
    /// The SIP status with which an offer is refused for this reason.
    ///
    /// 400 for text that cannot be read, 488 for what cannot be agreed on (RFC 3261 §13.3.1.3),
    /// 491 for glare, 500 for a second offer before the first is answered (RFC 3261 §14.2) and
    /// for our own mistakes.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Mismatch { .. }
            | Self::NoAudio
            | Self::NoCommonCodec { .. }
            | Self::UnsupportedProfile { .. }
            | Self::NoAddress
            | Self::UnsupportedAddress { .. } => 488,
            Self::WrongState { pending: Pending::Local } => 491,
            Self::WrongState { pending: Pending::Remote | Pending::None }
            | Self::NoCodec
            | Self::TooManyCodecs
            | Self::Unwritable(_) => 500,
        }
    }
}

/// The offer that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
pub enum Pending {
    /// No offer is pending.
    #[error("no offer is pending")]
    None,
    /// Our offer waits for the peer's answer. An offer of the peer now is glare.
    #[error("our own offer has not been answered yet")]
    Local,
    /// The peer's offer waits for our answer.
    #[error("the peer's offer has not been answered yet")]
    Remote,
}

/// A text is not a session description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
#[error("line {line}, column {column}: {expected} expected ({rfc})")]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in bytes, counted from 1.
    pub column: usize,
    /// What should stand there.
    pub expected: &'static str,
    /// The clause that asks for it, such as `RFC 8866 §5.2`.
    pub rfc: &'static str,
}

/// A value cannot be written as a line: reading it back would give something else.
///
/// A line break inside a name is the classic case: it would smuggle in a line of its own.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error("{line:?} is not one well-formed line (RFC 8866 §9)")]
pub struct Unwritable {
    /// What would have been written.
    pub line: String,
}
