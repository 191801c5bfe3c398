//! What a caller prefers: `Accept-Contact`, `Reject-Contact` and `Request-Disposition`
//! (RFC 3841 §9), and what the network can do: `Feature-Caps` (RFC 6809 §6).

use nom::character::complete::char;

use super::{FeatureValue, Header, HeaderName, open_token::open_tokens};
use crate::{
    Parameters, Text, WireText,
    parse::{Fault, ParseError, Parsed, equal, expect, finish, quoted_string, semi, token},
    uri::header_parameters,
};

macro_rules! feature_sets {
    ($($(#[$doc:meta])* $header:ident $name:ident $rule:ident $rfc:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $header {
            /// The parameters behind the asterisk, features and others.
            pub parameters: Parameters,
        }

        impl $header {
            /// The asterisk alone.
            pub fn new() -> Self {
                Self::default()
            }
        }

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = true;

            fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
                let rule = (expect("\"*\"", char('*')), |i| $rule(value, i));
                let (_, parameters) = finish(value, $rfc, rule)?;
                Ok(Self { parameters })
            }

            fn write(&self, out: &mut String) {
                out.push('*');
                self.parameters.write(out);
            }
        }
    )*};
}

feature_sets! {
    /// Features of the user agents that the caller prefers, RFC 3841 §9.2.
    AcceptContact ACCEPT_CONTACT header_parameters "RFC 3841 §9.2";
    /// Features of the user agents that the caller does not want, RFC 3841 §9.2.
    RejectContact REJECT_CONTACT header_parameters "RFC 3841 §9.2";
    /// What an element on the way supports, RFC 6809 §6.
    FeatureCaps FEATURE_CAPS feature_caps "RFC 6809 §6";
}

super::feature::features! { AcceptContact RejectContact FeatureCaps }

impl AcceptContact {
    /// The same features; user agents without them are not to be called.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.parameters.set("require", None::<Text>);
        self
    }

    /// The same features; user agents that do not tell whether they have them are worth less.
    #[must_use]
    pub fn explicit(mut self) -> Self {
        self.parameters.set("explicit", None::<Text>);
        self
    }

    /// Whether user agents without the features are not to be called (RFC 3841 §7.2.4).
    pub fn is_required(&self) -> bool {
        self.parameters.contains("require")
    }

    /// Whether user agents that do not tell whether they have the features are worth less
    /// (RFC 3841 §7.2.4).
    pub fn is_explicit(&self) -> bool {
        self.parameters.contains("explicit")
    }
}

impl FeatureCaps {
    /// All features with their values, in order.
    pub fn features(&self) -> impl Iterator<Item = (&str, Result<FeatureValue<'_>, ParseError>)> {
        self.parameters.iter().map(|(name, value)| (name, FeatureValue::read(value)))
    }
}

/// `*( SEMI "+" fcap-name [ EQUAL quoted-string ] )`; the tolerant profile takes any parameters.
fn feature_caps<'a>(value: &WireText<'_>, i: &'a str) -> Parsed<'a, Parameters> {
    let mut rest = i;
    while !value.is_tolerant()
        && let Ok((after, _)) = semi(rest)
    {
        (rest, _) = feature_name(after)?;
        if let Ok((value, _)) = equal(rest) {
            (rest, _) = quoted_string(value)?;
        }
    }
    header_parameters(value, i)
}

/// `"+" ALPHA *( ALPHA / DIGIT / "!" / "'" / "." / "-" / "%" )`.
fn feature_name(i: &str) -> Parsed<'_, &str> {
    let (rest, name) = token(i)?;
    let more = |byte: u8| byte.is_ascii_alphanumeric() || b"!'.-%".contains(&byte);
    match name.as_bytes() {
        [b'+', first, after @ ..]
            if first.is_ascii_alphabetic() && after.iter().all(|byte| more(*byte)) =>
        {
            Ok((rest, name))
        }
        _ => Fault::error(i, "\"+\" and the name of a feature"),
    }
}

open_tokens! {
    /// What a proxy should do with a request, RFC 3841 §9.1.
    Directive {
        /// Pass it on.
        Proxy "proxy",
        /// Tell the caller where to send it.
        Redirect "redirect",
        /// Cancel the other branches when one is answered.
        Cancel "cancel",
        /// Leave the cancelling to the caller.
        NoCancel "no-cancel",
        /// Send it to several addresses.
        Fork "fork",
        /// Send it to one address.
        NoFork "no-fork",
        /// Follow redirections.
        Recurse "recurse",
        /// Pass redirections back to the caller.
        NoRecurse "no-recurse",
        /// Try all addresses at once.
        Parallel "parallel",
        /// Try one address after the other.
        Sequential "sequential",
        /// Queue it if the callee is busy.
        Queue "queue",
        /// Do not queue it.
        NoQueue "no-queue",
    }
}

/// What a proxy should do with a request, RFC 3841 §9.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestDisposition(pub Directive);

impl Header for RequestDisposition {
    const NAME: HeaderName = HeaderName::REQUEST_DISPOSITION;
    const IS_LIST: bool = true;

    /// The set of directives is closed. The tolerant profile takes others too: who does not know
    /// them does not follow them.
    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let text = finish(value, "RFC 3841 §9.1", token)?;
        match Directive::from(value.slice_ref(text)) {
            Directive::Other(_) if !value.is_tolerant() => {
                Err(ParseError::new(0, "a directive", "RFC 3841 §9.1"))
            }
            directive => Ok(Self(directive)),
        }
    }

    fn write(&self, out: &mut String) {
        out.push_str(self.0.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::super::probe::{forgiven, reads, refused, same};
    use super::*;

    #[test]
    fn preferred_contacts_have_features() {
        let text = "*;mobility=\"mobile\";methods=\"INVITE\"";
        let mobile: AcceptContact = same(text);
        assert!(mobile.feature("methods").unwrap().unwrap().holds("invite"));
        assert!(!mobile.is_required() && !mobile.is_explicit());
        let made = AcceptContact::new()
            .with_feature("mobility", &FeatureValue::tokens(["mobile"]))
            .with_feature("methods", &FeatureValue::tokens(["INVITE"]));
        assert_eq!(made, mobile);
        let audio = same("*;audio;require;explicit");
        assert_eq!(
            AcceptContact::new().with_feature("audio", &FeatureValue::True).required().explicit(),
            audio
        );
        assert!(audio.is_required() && audio.is_explicit());
        let rejected: RejectContact = same("*;actor=\"msg-taker\";video");
        assert_eq!(rejected.feature("video"), Ok(Some(FeatureValue::True)));
        forgiven::<AcceptContact>("*;+sip.instance=<urn:uuid:1>", "*;+sip.instance=<urn:uuid:1>");
    }

    #[test]
    fn features_of_the_network_have_a_plus() {
        let caps: FeatureCaps = same("*;+sip.pns=\"acme\";+sip.pnsreg=\"121\"");
        let features: Vec<_> =
            caps.features().map(|(name, value)| (name, value.unwrap())).collect();
        let token = |text| FeatureValue::tokens([text]);
        assert_eq!(features, [("+sip.pns", token("acme")), ("+sip.pnsreg", token("121"))]);
        assert_eq!(
            same::<FeatureCaps>("*;+sip.608").feature("+sip.608"),
            Ok(Some(FeatureValue::True))
        );
        forgiven::<FeatureCaps>("*;sip.608", "*;sip.608");
        forgiven::<FeatureCaps>("*;+sip.pns=acme", "*;+sip.pns=acme");
        forgiven::<FeatureCaps>("*;+1", "*;+1");
    }

    #[test]
    fn a_set_of_features_begins_with_an_asterisk() {
        refused::<AcceptContact>("", 0);
        refused::<AcceptContact>("audio", 0);
        refused::<AcceptContact>("*;audio;AUDIO", 8);
        refused::<RejectContact>("* audio", 2);
        refused::<FeatureCaps>("*;;", 2);
    }

    #[test]
    fn directives_are_a_closed_set() {
        assert_eq!(same::<RequestDisposition>("no-fork"), RequestDisposition(Directive::NoFork));
        reads::<RequestDisposition>("Parallel", "parallel");
        let other: RequestDisposition = forgiven("teleport", "teleport");
        assert_eq!(other.0.as_str(), "teleport");
        refused::<RequestDisposition>("", 0);
        refused::<RequestDisposition>("proxy;a", 5);
    }
}
