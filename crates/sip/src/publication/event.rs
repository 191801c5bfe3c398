//! What becomes of a publication.

use std::time::Duration;

use offhook_sip_message::{StatusCode, Text, ValidResponse};

/// Something that happened to a publication.
#[derive(Clone, Debug)]
pub enum PublicationEvent {
    /// The server has the state: told at first, with each refresh and with each change.
    Published {
        /// The entity-tag of the state (RFC 3903 §8).
        entity_tag: Text,
        /// For how long; it is refreshed before.
        expires: Duration,
        /// The response.
        response: ValidResponse,
    },
    /// The server has refused, has not answered, or cannot be reached.
    Failed {
        /// The final status; 408 if nobody answered, 503 if nothing could be sent. A 2xx without
        /// `SIP-ETag`, or that grants no time, counts too.
        status: StatusCode,
        /// The response, if there was one.
        response: Option<ValidResponse>,
        /// When it is tried again; `None` if that is useless, as with refused credentials
        /// (RFC 3261 §22.1), a 403 (§21.4.4) or a 489 (RFC 3903 §6): until the owner publishes
        /// something else.
        retry_in: Option<Duration>,
    },
    /// The time of the state is over, and it could not be refreshed. It is tried on.
    Expired,
    /// The publication is over. Told exactly once; the id is stale from now on.
    Withdrawn {
        /// What the server has answered: 2xx, 412 if it had forgotten the state already, or why the
        /// state goes on until it expires (408, 503). `None` if nothing was published.
        status: Option<StatusCode>,
    },
}
