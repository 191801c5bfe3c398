//! The transport rules of a user agent: which addresses are ours, where responses and requests go
//! (RFC 3261 §18, RFC 3581 §4).

mod destination;
pub(crate) use destination::next_hop;

mod listeners;
pub(crate) use listeners::Listeners;

mod outbox;
pub(crate) use outbox::Outbox;

mod reply_path;
pub(crate) use reply_path::ReplyPath;

mod stun;
pub(crate) use stun::{Stun, StunId};

use offhook_sansio::Protocol;

/// The port meant when none is written (RFC 3261 §18.1.1, RFC 7118 §5.2.1).
pub(crate) const fn default_port(protocol: Protocol) -> u16 {
    match protocol {
        Protocol::Tls => 5061,
        Protocol::Ws => 80,
        Protocol::Wss => 443,
        _ => 5060,
    }
}
