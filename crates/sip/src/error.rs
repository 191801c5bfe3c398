//! Why a verb was refused. The state is as it was before.

use offhook_sansio::Flow;
use offhook_sip_message::{HeaderName, Method, StatusCode, Text};

/// A verb of the [`UserAgent`](crate::UserAgent) that could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The call has ended; its id is stale.
    #[error("the call is over")]
    NoCall,
    /// The request has been answered; its id is stale.
    #[error("no such request waits for an answer")]
    NoRequest,
    /// The registration is over; its id is stale.
    #[error("the registration is over")]
    NoRegistration,
    /// The publication is over; its id is stale.
    #[error("the publication is over")]
    NoPublication,
    /// The subscription is over; its id is stale. Or nothing is left to be told in it.
    #[error("the subscription is over")]
    NoSubscription,
    /// A request with this method is sent by a verb of its own.
    #[error("{method} is not sent as a request of its own")]
    WrongMethod {
        /// The method given.
        method: Method,
    },
    /// The call is not in a state that allows the verb.
    #[error("the call's state does not allow {verb}: {expected}")]
    WrongState {
        /// The verb that was called.
        verb: &'static str,
        /// What the verb needs, and by which rule.
        expected: &'static str,
    },
    /// An INVITE transaction is under way in this dialog (RFC 3261 §14.1).
    #[error("an INVITE transaction is in progress in this call (RFC 3261 §14.1)")]
    InviteInProgress,
    /// An offer of either side waits for its answer in this dialog (RFC 3311 §5.1).
    #[error("an offer waits for its answer in this call (RFC 3311 §5.1)")]
    OfferInProgress,
    /// The session was negotiated before: a description that came now would be ignored.
    #[error("the session is negotiated: a description has no place here (RFC 3261 §13.2.1)")]
    AlreadyNegotiated,
    /// Our last UPDATE has no final answer in this dialog.
    #[error("an UPDATE is in progress in this call")]
    UpdateInProgress,
    /// The peer has not listed the info package in `Recv-Info` (RFC 6086 §4.2.1).
    #[error("the peer takes no INFO of the package {package} (RFC 6086 §4.2.1)")]
    PackageNotTaken {
        /// The package given.
        package: Text,
    },
    /// The call rings at several phones, and the verb does not say which it means; or the dialog
    /// that it names is over.
    #[error("the call has no such dialog, or several of which one is to be named")]
    NoFork,
    /// Too many reliable provisional responses wait for the PRACK to the one before.
    #[error("no room for another provisional response before the PRACK to the last")]
    TooManyProvisionals,
    /// The status code is outside of the range that the verb takes.
    #[error("status {} is not {expected}", status.as_u16())]
    InvalidStatus {
        /// The code given.
        status: StatusCode,
        /// The range it must be in.
        expected: &'static str,
    },
    /// No listener has the local address and protocol of the flow.
    #[error("nothing listens on the near end of {flow}")]
    NotListening {
        /// The flow given.
        flow: Flow,
    },
    /// A `sips` target needs a flow that is secured by TLS (RFC 3261 §8.1.2).
    #[error("a sips target needs TLS, the flow is {flow} (RFC 3261 §8.1.2)")]
    NotSecure {
        /// The flow given.
        flow: Flow,
    },
    /// The header field is written by the user agent itself.
    #[error("the header field {} is written by the user agent", header.as_str())]
    ReservedHeader {
        /// The header field given.
        header: HeaderName,
    },
    /// The request is larger than was allowed for its flow (RFC 3261 §18.1.1).
    #[error("the request has {length} bytes, too many for a datagram (RFC 3261 §18.1.1)")]
    TooLarge {
        /// The bytes it has.
        length: usize,
    },
    /// The message cannot be built from what was given.
    #[error("the message cannot be built: {0}")]
    Unbuildable(String),
    /// `max_calls` live already.
    #[error("no room for another call")]
    TooManyCalls,
    /// `max_requests` of ours wait for their response already.
    #[error("no room for another request")]
    TooManyRequests,
    /// `max_registrations` live already.
    #[error("no room for another registration")]
    TooManyRegistrations,
    /// `max_publications` live already.
    #[error("no room for another publication")]
    TooManyPublications,
    /// `max_subscriptions` live already.
    #[error("no room for another subscription")]
    TooManySubscriptions,
    /// Too many notifications wait for the answer to the one before.
    #[error("no room for another notification before the last is answered")]
    TooManyNotifications,
    /// `max_transactions` and `max_calls` more live already.
    #[error("no room for another transaction")]
    TooManyTransactions,
}
