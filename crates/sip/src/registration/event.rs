//! What becomes of a registration.

use std::time::Duration;

use offhook_sip_message::{StatusCode, ValidResponse};

use super::Registered;

/// Something that happened to a registration.
#[derive(Clone, Debug)]
pub enum RegistrationEvent {
    /// The contact is registered: told at first, and with each refresh.
    Registered(Box<Registered>),
    /// The registrar has refused, or has not answered. A binding that stood before goes on until it
    /// expires.
    Failed {
        /// The final status; 408 if nobody answered. A 2xx that grants nothing counts too.
        status: StatusCode,
        /// The response, if there was one.
        response: Option<ValidResponse>,
        /// When it is tried again; `None` if that is useless, as with refused credentials
        /// (RFC 3261 §22.1) or a 403 (§21.4.4): until the owner says
        /// [`refresh`](crate::UserAgent::refresh).
        retry_in: Option<Duration>,
    },
    /// The flow has failed: requests to the contact do not arrive any more. Counts as 503.
    ///
    /// Another flow is taken with [`retarget`](crate::UserAgent::retarget).
    Lost {
        /// When the same flow is tried again; `None` if the registrar has refused for good before.
        retry_in: Option<Duration>,
    },
    /// The time of the binding is over, and it could not be refreshed. It is tried on.
    Expired,
    /// The registration is over. Told exactly once; the id is stale from now on.
    Unregistered {
        /// What the registrar has answered: 2xx, or why the binding goes on until it expires (408
        /// if nobody answered, 503 if nothing could be sent). `None` if there was no binding.
        status: Option<StatusCode>,
    },
}
