//! What the owner wants to be published.

use std::time::Duration;

use offhook_sansio::Flow;
use offhook_sip_message::{Event as EventHeader, HeaderName, NameAddr, Text, Uri};

use crate::{
    Body, Error, Login, RegistrationId,
    usage::{check_headers, check_security},
};

/// An event state to publish (RFC 3903 §4).
#[derive(Clone, Debug)]
pub struct Publication {
    /// Whose state it is: the Request-URI and the To.
    pub target: Uri,
    /// Who publishes it.
    pub from: NameAddr,
    /// Where to send to: the near end is a listener. If `registration` has a service route, the far
    /// end is its first proxy.
    pub flow: Flow,
    /// The event package, such as `presence`.
    pub event: EventHeader,
    /// The state.
    pub body: Body,
    /// For how long to ask. The server may grant less; taken in whole seconds, at least one.
    pub expires: Duration,
    /// More header fields of each PUBLISH, in order. A `Route` here has to name loose routers.
    pub headers: Vec<(HeaderName, Text)>,
    /// What to answer challenges with (RFC 3261 §22).
    pub logins: Vec<Login>,
    /// The registration whose service route the requests take (RFC 3608 §6.1), as it is when
    /// `publish` is called.
    pub registration: Option<RegistrationId>,
}

impl Publication {
    /// A user's own state, for an hour.
    pub fn new(user: Uri, event: EventHeader, body: Body, flow: Flow) -> Self {
        Self {
            from: NameAddr::new(user.clone()),
            target: user,
            flow,
            event,
            body,
            expires: EXPIRES,
            headers: Vec::new(),
            logins: Vec::new(),
            registration: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_security(&self.target, self.flow)?;
        check_headers(&self.headers, &RESERVED)
    }

    /// The time to ask for, in seconds.
    pub(super) fn seconds(&self) -> u32 {
        u32::try_from(self.expires.as_secs()).unwrap_or(u32::MAX).max(1)
    }
}

/// The default of the presence package (RFC 3856 §6.4).
const EXPIRES: Duration = Duration::from_secs(3600);
/// What a publication writes itself.
const RESERVED: [HeaderName; 3] =
    [HeaderName::EVENT, HeaderName::EXPIRES, HeaderName::SIP_IF_MATCH];
