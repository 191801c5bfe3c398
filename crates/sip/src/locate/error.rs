//! Why there is no place to send a message to.

use std::time::Instant;

use offhook_sansio::Protocol;
use offhook_sip_message::Host;

/// A verb of the [`Locator`](super::Locator) that could not be done, or a lookup that found
/// nothing. Sorted by whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocateError {
    // The caller's.
    /// The lookup is over; its id is stale.
    #[error("the lookup is over")]
    NoLookup,
    /// A target failed or was reached, but none has been given out.
    #[error("the lookup has not given a target yet")]
    NoTarget,
    /// `max_lookups` live already.
    #[error("no room for another lookup")]
    TooManyLookups,

    // The URI's, or that of the Via.
    /// Only `sip` and `sips` URIs name servers; a `tel` URI needs a proxy (RFC 3263 §4).
    #[error("a {scheme} URI names no SIP server (RFC 3263 §4)")]
    NotSip {
        /// The scheme of the URI.
        scheme: String,
    },
    /// The host cannot be asked for.
    #[error("{host:?} is neither a domain name nor an address: expected {expected}")]
    InvalidHost {
        /// The host given.
        host: String,
        /// What it must be, and by which rule.
        expected: &'static str,
    },
    /// Nothing can be sent to port 0.
    #[error("port 0 cannot be sent to")]
    PortZero,
    /// UDP is not a transport for `sips` (RFC 3261 §26.2.2, RFC 5630 §3.1.4).
    #[error("sips does not go over UDP (RFC 5630 §3.1.4)")]
    SecureOverUdp,

    // Unsupported.
    /// The transport is none that offhook knows.
    #[error("transport {name:?} is not known")]
    UnknownTransport {
        /// The transport asked for.
        name: String,
    },
    /// The transport is none that this endpoint can use.
    #[error("this endpoint does not use {protocol}")]
    UnusableTransport {
        /// The transport asked for.
        protocol: Protocol,
    },
    /// Of the transports that this endpoint can use, none may carry the message: a `sips` URI
    /// needs TLS, a large request a stream.
    #[error("this endpoint has no transport that {needed}")]
    NoTransport {
        /// What the transport must do, and by which rule.
        needed: &'static str,
    },
    /// The address is of a family that this endpoint does not use.
    #[error("this endpoint does not use the address family of {host}")]
    UnusableFamily {
        /// The address given.
        host: Host,
    },

    // The domain's.
    /// There is no such domain.
    #[error("there is no domain {domain}")]
    NoSuchDomain {
        /// The domain asked for.
        domain: Host,
    },
    /// The domain says by SRV that it does not offer the service (RFC 2782).
    #[error("{domain} says that it offers no such service (RFC 2782)")]
    NotOffered {
        /// The domain asked for.
        domain: Host,
    },
    /// No server of the domain has an address that this endpoint can use.
    #[error("no address is known of a server of {domain}")]
    NoAddress {
        /// The domain asked for.
        domain: Host,
    },

    /// The domain leads to more questions than `max_questions`.
    #[error("{domain} leads to too many questions")]
    TooManyQuestions {
        /// The domain asked for.
        domain: Host,
    },

    // The name servers' and the network's.
    /// DNS did not answer in time.
    #[error("DNS did not answer in time about {domain}")]
    TimedOut {
        /// The domain asked for.
        domain: Host,
    },
    /// DNS could not tell.
    #[error("DNS could not tell about {domain}")]
    DnsFailed {
        /// The domain asked for.
        domain: Host,
    },

    // The SIP servers'.
    /// All targets have been tried.
    #[error("all servers of {domain} failed")]
    Exhausted {
        /// The domain asked for.
        domain: Host,
    },
    /// All servers that are left have asked to be spared (RFC 3261 §21.5.4).
    #[error("all servers of {domain} are unavailable for a while")]
    Unavailable {
        /// The domain asked for.
        domain: Host,
        /// When the first of them may be tried again.
        until: Instant,
    },
}
