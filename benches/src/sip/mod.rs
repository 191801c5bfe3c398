//! What is measured of SIP parsers: four jobs, which each peer does in its fastest proper way.

use bytes::{Bytes, BytesMut};

mod candidate;
pub use candidate::{Candidate, agrees, candidates};

mod offhook;
pub use offhook::Offhook;

mod routing;
pub use routing::{Routing, Start, Verb};

mod rsip;
pub use rsip::Rsip;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// What a proxy reads of a message: a [`Routing`], and the body's length checked.
    Route,
    /// Every header field that the peer has a type for, as that type.
    Full,
    /// A message that is held as its parts, to bytes.
    Write,
    /// What a proxy changes, to bytes: a request gets a `Via` on top and one hop less, a response
    /// loses its top `Via`.
    Edit,
}

impl Job {
    /// All jobs, in the order they are told.
    pub const ALL: [Self; 4] = [Self::Route, Self::Full, Self::Write, Self::Edit];

    /// The name of the group of benches.
    pub fn name(self) -> &'static str {
        match self {
            Self::Route => "sip route",
            Self::Full => "sip full",
            Self::Write => "sip write",
            Self::Edit => "sip edit",
        }
    }
}

/// A parser that is measured.
pub trait Peer {
    /// Its name and version.
    const NAME: &'static str;
    /// A message that has been parsed and can be changed.
    type Parsed: 'static;
    /// A message that is held as its parts and can be written.
    type Built: 'static;
    /// What comes out of writing.
    type Written: AsRef<[u8]>;

    /// Parses what a proxy needs and shows it to `reader`.
    fn route<R>(datagram: &Bytes, reader: impl FnOnce(&Routing<'_>) -> R) -> Option<R>;

    /// Reads every row that there is a type for. Returns how many rows that are.
    fn full(datagram: &Bytes) -> Option<usize>;

    /// Makes what [`Peer::edit`] starts from. Not timed.
    fn parsed(datagram: &Bytes) -> Option<Self::Parsed>;

    /// Makes what [`Peer::write`] starts from. Not timed.
    fn built(datagram: &Bytes) -> Option<Self::Built>;

    /// Writes the message. It is called once on each.
    fn write(built: &mut Self::Built) -> Option<Self::Written>;

    /// Changes the message as a proxy does, and writes it. It is called once on each.
    fn edit(parsed: &mut Self::Parsed) -> Option<Self::Written>;
}

/// The host of the `Via` that [`Job::Edit`] puts on top.
pub const VIA_HOST: &str = "192.0.2.9";
/// Its port.
pub const VIA_PORT: u16 = 5060;
/// Its branch.
pub const VIA_BRANCH: &str = "z9hG4bK77ef4c2312983.1";
/// The whole value, for peers that hold values as text.
pub const VIA: &str = "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK77ef4c2312983.1";

/// A datagram as it comes: a part of a driver's memory.
pub fn received(message: &[u8]) -> Bytes {
    let mut buffer = BytesMut::with_capacity(65_536);
    buffer.extend_from_slice(message);
    buffer.split().freeze()
}
