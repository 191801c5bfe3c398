//! Event packages: `Event`, `Allow-Events` and `Subscription-State` (RFC 6665 §8.2).

use super::{Header, HeaderName, open_token::open_tokens, shape};
use crate::{
    Parameters, Text, WireText,
    parse::{Class, Fault, ParseError, Parsed, finish, is_token, take_class},
};

/// The event that a subscription, a notification or a publication is about, RFC 6665 §8.2.1.
#[derive(Clone, Debug)]
pub struct Event {
    /// The package and the templates behind it, such as `presence.winfo`. It has case.
    pub event_type: Text,
    /// The parameters, such as `id`.
    pub parameters: Parameters,
}

impl Event {
    /// The event `event_type` without parameters.
    pub fn new(event_type: impl Into<Text>) -> Self {
        Self { event_type: event_type.into(), parameters: Parameters::new() }
    }

    /// The same event with the id `id`, which must be a token.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<Text>) -> Self {
        self.parameters.set("id", Some(id));
        self
    }

    /// The package, without templates: `presence` of `presence.winfo`.
    pub fn package(&self) -> &str {
        self.event_type.split('.').next().unwrap_or_default()
    }

    /// The templates that are applied to the package, such as `winfo`.
    pub fn templates(&self) -> impl Iterator<Item = &str> {
        self.event_type.split('.').skip(1)
    }

    /// Which of several subscriptions of one dialog is meant.
    pub fn id(&self) -> Option<&str> {
        self.parameters.value("id")
    }

    /// Whether a notification of `other` belongs to a subscription to this event: type and id are
    /// the same octets, no other parameter counts (RFC 6665 §8.2.1).
    pub fn matches(&self, other: &Self) -> bool {
        self.event_type == other.event_type && self.id() == other.id()
    }
}

impl PartialEq for Event {
    /// All of it; see [`Event::matches`] for what ties notifications to subscriptions.
    fn eq(&self, other: &Self) -> bool {
        self.matches(other) && self.parameters == other.parameters
    }
}

impl Header for Event {
    const NAME: HeaderName = HeaderName::EVENT;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let (event_type, parameters) =
            shape::with_parameters(value, "RFC 6665 §8.2.1", event_type)?;
        Ok(Self { event_type: value.slice_ref(event_type), parameters })
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.event_type);
        self.parameters.write(out);
    }
}

/// An event package that the sender supports, RFC 6665 §8.2.2.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AllowEvents(pub Text);

impl AllowEvents {
    /// Whether this is the type `event_type`, octet by octet (RFC 6665 §8.2.1).
    pub fn is(&self, event_type: &str) -> bool {
        self.0 == event_type
    }
}

impl Header for AllowEvents {
    const NAME: HeaderName = HeaderName::ALLOW_EVENTS;
    const IS_LIST: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        finish(value, "RFC 6665 §8.2.2", event_type).map(|text| Self(value.slice_ref(text)))
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

/// `event-package *( "." event-template )`.
fn event_type(i: &str) -> Parsed<'_, &str> {
    let (mut rest, _) = token_nodot(i)?;
    while let Some(template) = rest.strip_prefix('.') {
        (rest, _) = token_nodot(template)?;
    }
    let (text, rest) = i.split_at_checked(i.len().saturating_sub(rest.len())).unwrap_or((i, ""));
    Ok((rest, text))
}

/// `token-nodot`.
fn token_nodot(i: &str) -> Parsed<'_, &str> {
    let (token, _) = take_class(i, Class::TOKEN);
    let length = token.find('.').unwrap_or(token.len());
    match i.split_at_checked(length) {
        Some((text, rest)) if !text.is_empty() => Ok((rest, text)),
        _ => Fault::error(i, "an event package"),
    }
}

/// What has become of a subscription, RFC 6665 §8.2.3.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionState {
    /// The state.
    pub state: Substate,
    /// The parameters, such as `expires` and `reason`.
    pub parameters: Parameters,
}

impl SubscriptionState {
    /// The state `state` without parameters.
    pub fn new(state: Substate) -> Self {
        Self { state, parameters: Parameters::new() }
    }

    /// `active`, for another `seconds` seconds.
    pub fn active(seconds: u32) -> Self {
        Self::new(Substate::Active).with_expires(seconds)
    }

    /// `pending`, for another `seconds` seconds.
    pub fn pending(seconds: u32) -> Self {
        Self::new(Substate::Pending).with_expires(seconds)
    }

    /// `terminated`, for `reason`.
    pub fn terminated(reason: &EventReason) -> Self {
        let mut state = Self::new(Substate::Terminated);
        state.parameters.set("reason", Some(reason.as_str()));
        state
    }

    /// The same state, for another `seconds` seconds.
    #[must_use]
    pub fn with_expires(mut self, seconds: u32) -> Self {
        self.parameters.set("expires", Some(seconds.to_string()));
        self
    }

    /// The same state, and that a new subscription should wait `seconds` seconds.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.parameters.set("retry-after", Some(seconds.to_string()));
        self
    }

    /// How many seconds of the subscription are left, if a sound number is given.
    pub fn expires(&self) -> Option<u32> {
        self.parameters.number("expires")
    }

    /// Why the subscription has ended.
    pub fn reason(&self) -> Option<EventReason> {
        self.parameters.value("reason").map(EventReason::from)
    }

    /// How many seconds a new subscription should wait, if a sound number is given.
    pub fn retry_after(&self) -> Option<u32> {
        self.parameters.number("retry-after")
    }
}

impl Header for SubscriptionState {
    const NAME: HeaderName = HeaderName::SUBSCRIPTION_STATE;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let (state, parameters) = shape::token_and_parameters(value, "RFC 6665 §8.2.3")?;
        Ok(Self { state: state.into(), parameters })
    }

    fn write(&self, out: &mut String) {
        out.push_str(self.state.as_str());
        self.parameters.write(out);
    }

    fn fits(&self) -> bool {
        is_token(self.state.as_str()) && self.parameters.fit_header()
    }
}

open_tokens! {
    /// The state of a subscription, RFC 6665 §4.1.3.
    Substate {
        /// It has been accepted and, in general, authorized.
        Active "active",
        /// It has been received; whether it is authorized is still open.
        Pending "pending",
        /// It has ended.
        Terminated "terminated",
    }

    /// Why a subscription has ended, RFC 6665 §4.1.3.
    EventReason {
        /// Subscribe again at once: it moves to another notifier.
        Deactivated "deactivated",
        /// Subscribe again later.
        Probation "probation",
        /// Authorization has changed; do not subscribe again.
        Rejected "rejected",
        /// It was not refreshed.
        Timeout "timeout",
        /// Authorization took too long; subscribe again if you like.
        Giveup "giveup",
        /// What is subscribed to no longer exists.
        Noresource "noresource",
        /// The state will not change again.
        Invariant "invariant",
    }
}

#[cfg(test)]
mod tests;
