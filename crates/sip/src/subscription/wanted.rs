//! What the owner wants to be told of.

use std::time::Duration;

use offhook_sansio::Flow;
use offhook_sip_message::{Event as EventHeader, HeaderName, NameAddr, Text, Uri};

use super::EventPackage;
use crate::{
    Body, Error, Login, RegistrationId,
    usage::{check_headers, check_security},
};

/// A subscription to the state of a resource (RFC 6665 §4.1.2.1).
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Whose state it is: the Request-URI and the To.
    pub target: Uri,
    /// Who subscribes.
    pub from: NameAddr,
    /// Where to send to: the near end is a listener. If `registration` has a service route, the far
    /// end is its first proxy.
    pub flow: Flow,
    /// The event package, perhaps with an `id`.
    pub event: EventHeader,
    /// For how long to ask; taken in whole seconds. The notifier may grant less. Zero: the state is
    /// fetched once (RFC 6665 §4.4.3).
    pub expires: Duration,
    /// The body types that notifications may have, for `Accept`. Empty: those of the package.
    pub accept: Vec<Text>,
    /// What the subscription is about more closely, such as a filter.
    pub body: Option<Body>,
    /// How many more subscriptions a SUBSCRIBE that was forked may make (RFC 6665 §4.4.1). Those
    /// beyond are refused with 481.
    pub forks: usize,
    /// More header fields of each SUBSCRIBE, in order. A `Route` here has to name loose routers; it
    /// is for the first SUBSCRIBE only.
    pub headers: Vec<(HeaderName, Text)>,
    /// What to answer challenges with (RFC 3261 §22).
    pub logins: Vec<Login>,
    /// The registration whose service route the first SUBSCRIBE takes (RFC 3608 §6.1), as it is
    /// when `subscribe` is called.
    pub registration: Option<RegistrationId>,
}

impl Subscription {
    /// A subscription for the default time of the package, an hour for most, with as many forks as
    /// the package knows.
    pub fn new(target: Uri, event: EventHeader, from: NameAddr, flow: Flow) -> Self {
        Self {
            target,
            from,
            flow,
            expires: Duration::from_secs(EventPackage::default_seconds(&event).into()),
            forks: EventPackage::forks(&event),
            event,
            accept: Vec::new(),
            body: None,
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
        u32::try_from(self.expires.as_secs()).unwrap_or(u32::MAX)
    }
}

/// What a subscription writes itself.
const RESERVED: [HeaderName; 6] = [
    HeaderName::EVENT,
    HeaderName::EXPIRES,
    HeaderName::CONTACT,
    HeaderName::ACCEPT,
    HeaderName::ALLOW,
    HeaderName::ALLOW_EVENTS,
];
