//! The names of event packages (RFC 6665 §8.2.1).

use offhook_sip_message::{
    AllowEvents, Event as EventHeader, RequestBuilder, ResponseBuilder, Text,
};

use crate::transaction::TransactionLayer;

/// An event package: what is subscribed to. The names are an open registry, compared octet by octet
/// (RFC 6665 §8.2.1); the bodies of each stay opaque to this crate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventPackage(Text);

impl EventPackage {
    /// The registrations of an address of record (RFC 3680).
    pub const REG: Self = Self(Text::from_static("reg"));
    /// The dialogs of a user (RFC 4235).
    pub const DIALOG: Self = Self(Text::from_static("dialog"));
    /// The presence of a user (RFC 3856).
    pub const PRESENCE: Self = Self(Text::from_static("presence"));
    /// The messages that wait in a mailbox (RFC 3842).
    pub const MESSAGE_SUMMARY: Self = Self(Text::from_static("message-summary"));
    /// The participants of a conference (RFC 4575).
    pub const CONFERENCE: Self = Self(Text::from_static("conference"));
    /// The progress of what a REFER has asked for (RFC 3515).
    pub const REFER: Self = Self(Text::from_static("refer"));

    /// The package with this name, which may have templates behind it, as `presence.winfo` has.
    pub fn new(name: impl Into<Text>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The `Event` field of a subscription to it, without an id.
    pub fn event(&self) -> EventHeader {
        EventHeader::new(self.0.clone())
    }

    /// Whether `event` is of this package.
    pub fn is_of(&self, event: &EventHeader) -> bool {
        event.event_type == self.0
    }

    /// How many more subscriptions a forked SUBSCRIBE makes by the rules of the package: RFC 4235
    /// §3.9 and RFC 3842 §3.10 let the subscriber merge what several tell, the others know one.
    pub(crate) fn forks(event: &EventHeader) -> usize {
        let several = [Self::DIALOG, Self::MESSAGE_SUMMARY, Self::REFER];
        if several.iter().any(|package| package.is_of(event)) { FORKS } else { 0 }
    }

    /// The seconds of a SUBSCRIBE without `Expires`: RFC 3680 §4.4, and an hour for the others that
    /// have a name here (RFC 4235 §3.4, RFC 3856 §6.4, RFC 3842 §3.4, RFC 4575 §3.3).
    pub(crate) fn default_seconds(event: &EventHeader) -> u32 {
        if Self::REG.is_of(event) { 3761 } else { 3600 }
    }
}

/// A request with the packages that this side tells of, if there are any (§4.4.4).
pub(crate) fn allow_events(layer: &TransactionLayer, builder: RequestBuilder) -> RequestBuilder {
    match packages(layer) {
        packages if packages.is_empty() => builder,
        packages => builder.list(&packages),
    }
}

/// The same for a response.
pub(crate) fn events_allowed(
    layer: &TransactionLayer,
    builder: ResponseBuilder,
) -> ResponseBuilder {
    match packages(layer) {
        packages if packages.is_empty() => builder,
        packages => builder.list(&packages),
    }
}

/// Templates are not listed.
fn packages(layer: &TransactionLayer) -> Vec<AllowEvents> {
    let packages = layer.config.event_packages.iter();
    let named = packages.filter(|package| !package.as_str().contains('.'));
    named.map(|package| AllowEvents(package.0.clone())).collect()
}

/// As many forks as an INVITE may have: a peer that invents tags gets no more memory.
pub(super) const FORKS: usize = 15;
