//! What a leg reports.

use std::net::SocketAddr;

/// Something happened to a leg's media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The first valid packet came; from now on only this address is heard.
    Receiving {
        /// Where it came from.
        from: SocketAddr,
    },
}
