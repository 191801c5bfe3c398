//! From where and why a call was diverted: `Diversion` (RFC 5806).

use super::{Diversion, open_token::open_tokens};
use crate::Parameters;

open_tokens! {
    /// Why a call was diverted, RFC 5806 §4.
    DiversionReason {
        /// No one knows.
        Unknown "unknown",
        /// The callee is busy.
        UserBusy "user-busy",
        /// The callee does not answer.
        NoAnswer "no-answer",
        /// The callee cannot be reached.
        Unavailable "unavailable",
        /// All calls are diverted.
        Unconditional "unconditional",
        /// Calls are diverted at this time of the day.
        TimeOfDay "time-of-day",
        /// The callee does not want to be disturbed.
        DoNotDisturb "do-not-disturb",
        /// The callee has diverted this call.
        Deflection "deflection",
        /// The callee is somewhere else.
        FollowMe "follow-me",
        /// The callee is out of service.
        OutOfService "out-of-service",
        /// The callee is away.
        Away "away",
    }

    /// What the diverting user wants to be hidden, RFC 5806 §4.
    DiversionPrivacy {
        /// Name and URI.
        Full "full",
        /// The name.
        Name "name",
        /// The URI.
        Uri "uri",
        /// Nothing.
        Off "off",
    }

    /// Whether the diverting user has been verified, RFC 5806 §4.
    DiversionScreen {
        /// It has been.
        Yes "yes",
        /// It has not been.
        No "no",
    }
}

impl Diversion {
    /// The same diversion, for `reason`.
    #[must_use]
    pub fn with_reason(mut self, reason: &DiversionReason) -> Self {
        self.parameters.set("reason", Some(reason.as_str()));
        self
    }

    /// The same diversion, which stands for `counter` of them. The grammar has two digits.
    #[must_use]
    pub fn with_counter(mut self, counter: u8) -> Self {
        self.parameters.set("counter", Some(counter.to_string()));
        self
    }

    /// The same diversion, after which at most `limit` more may follow. The grammar has two digits.
    #[must_use]
    pub fn with_limit(mut self, limit: u8) -> Self {
        self.parameters.set("limit", Some(limit.to_string()));
        self
    }

    /// The same diversion with something hidden.
    #[must_use]
    pub fn with_privacy(mut self, privacy: &DiversionPrivacy) -> Self {
        self.parameters.set("privacy", Some(privacy.as_str()));
        self
    }

    /// The same diversion, and whether its user has been verified.
    #[must_use]
    pub fn with_screen(mut self, screen: &DiversionScreen) -> Self {
        self.parameters.set("screen", Some(screen.as_str()));
        self
    }

    /// Why the call was diverted.
    pub fn reason(&self) -> Option<DiversionReason> {
        open(&self.parameters, "reason")
    }

    /// For how many diversions this one stands, if a sound number is given; 1 without one
    /// (RFC 5806 §9.2.4).
    pub fn counter(&self) -> Option<u8> {
        self.parameters.number("counter")
    }

    /// How many more diversions may follow, if a sound number is given.
    pub fn limit(&self) -> Option<u8> {
        self.parameters.number("limit")
    }

    /// What the diverting user wants to be hidden.
    pub fn privacy(&self) -> Option<DiversionPrivacy> {
        open(&self.parameters, "privacy")
    }

    /// Whether the diverting user has been verified.
    pub fn screen(&self) -> Option<DiversionScreen> {
        open(&self.parameters, "screen")
    }

    /// The extension `name`, without quotes.
    pub fn extension(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        self.parameters.text(name)
    }
}

/// A value that may be a quoted string as well as a token.
fn open<T: From<String>>(parameters: &Parameters, name: &str) -> Option<T> {
    parameters.text(name).map(|text| T::from(text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::probe::{forgiven, read, refused, same};
    use super::*;
    use crate::Uri;

    #[test]
    fn a_diversion_tells_from_where_and_why() {
        let text = "<sip:WeSellPizza@p2.isp.com>;reason=time-of-day;counter=2;limit=9;privacy=off;screen=yes";
        let diversion: Diversion = same(text);
        assert_eq!(diversion.reason(), Some(DiversionReason::TimeOfDay));
        assert_eq!((diversion.counter(), diversion.limit()), (Some(2), Some(9)));
        assert_eq!(diversion.privacy(), Some(DiversionPrivacy::Off));
        assert_eq!(diversion.screen(), Some(DiversionScreen::Yes));
        let made = Diversion::new("sip:WeSellPizza@p2.isp.com".parse::<Uri>().unwrap())
            .with_reason(&DiversionReason::TimeOfDay)
            .with_counter(2)
            .with_limit(9)
            .with_privacy(&DiversionPrivacy::Off)
            .with_screen(&DiversionScreen::Yes);
        assert_eq!(made, diversion);
    }

    #[test]
    fn values_may_be_quoted_or_new() {
        let text = "A <tel:+49123>;reason=\"USER-busy\";privacy=\"a b\";ext=\"c\";counter=x";
        let diversion: Diversion = same(text);
        assert_eq!(diversion.reason(), Some(DiversionReason::UserBusy));
        assert_eq!(diversion.privacy().unwrap().as_str(), "a b");
        assert_eq!(diversion.extension("ext").as_deref(), Some("c"));
        assert_eq!(diversion.counter(), None);
        assert_eq!(read::<Diversion>("<sip:a@b.example>").reason(), None);
    }

    #[test]
    fn missing_brackets_are_forgiven() {
        let diversion: Diversion =
            forgiven("sip:a@b.example;reason=away", "<sip:a@b.example>;reason=away");
        assert_eq!(diversion.reason(), Some(DiversionReason::Away));
        refused::<Diversion>("<sip:a@b.example", 16);
        refused::<Diversion>("", 0);
    }
}
