//! Consent of relay recipients: `Trigger-Consent` (RFC 5360 §5.11.2).

use std::borrow::Cow;

use super::{
    Header, HeaderName,
    address::{ReadAddress, addr_spec},
    parts::{bracketed_uri, write_bracketed_uri},
};
use crate::{
    Parameters, Uri, WireText,
    parse::{Class, Fault, ParseError, Parsed, finish, take_class},
    uri::header_parameters,
};

/// Which relay is to ask a recipient for consent, RFC 5360 §5.11.2.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerConsent {
    /// The URI of the relay.
    pub uri: Uri,
    /// The parameters, such as `target-uri`.
    pub parameters: Parameters,
}

impl TriggerConsent {
    /// The relay at `uri`.
    pub fn new(uri: Uri) -> Self {
        Self { uri, parameters: Parameters::new() }
    }

    /// The same relay, which translates to `target`.
    #[must_use]
    pub fn with_target_uri(mut self, target: &Uri) -> Self {
        self.parameters.set_quoted("target-uri", &target.to_string());
        self
    }

    /// The URI that the relay translates to.
    pub fn target_uri(&self) -> Option<Cow<'_, str>> {
        self.parameters.text("target-uri")
    }
}

impl Header for TriggerConsent {
    const NAME: HeaderName = HeaderName::TRIGGER_CONSENT;
    const IS_LIST: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let rule = (|i| relay(value, i), |i| header_parameters(value, i));
        let (uri, parameters) = finish(value, "RFC 5360 §5.11.2", rule)?;
        let quoted = |text: &str| text.starts_with('"');
        let target = parameters.get("target-uri");
        if !value.is_tolerant() && target.is_some_and(|text| !text.is_some_and(quoted)) {
            let error = ParseError::new(0, "a quoted target-uri", "RFC 5360 §5.11.2");
            return Err(error);
        }
        Ok(Self { uri, parameters })
    }

    fn write(&self, out: &mut String) {
        let start = out.len();
        write_bracketed_uri(&self.uri, out);
        // Without brackets what follows these would be read as no part of the URI.
        let written = out.get(start..).unwrap_or_default();
        if !written.contains([';', ',', '?']) {
            out.pop();
            out.remove(start);
        }
        self.parameters.write(out);
    }
}

/// A URI without brackets. Those who know `Contact` put it in brackets, which makes the bounds of
/// the URI only clearer.
fn relay<'a>(owner: &WireText<'_>, i: &'a str) -> Parsed<'a, Uri> {
    let bracketed = take_class(i, Class::WHITE).1.starts_with('<');
    match (bracketed, owner.is_tolerant()) {
        (true, true) => bracketed_uri(owner, i),
        (true, false) => Fault::error(i, "a URI without brackets"),
        (false, _) => {
            let mut read = ReadAddress::default();
            let rest = addr_spec(owner, i, &mut read)?;
            Ok((rest, read.of(owner).uri))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::probe::*, *};

    #[test]
    fn relays_are_read_and_written() {
        let text = "sip:123@relay.example.com;target-uri=\"sip:friends@relay.example.com;a=b\"";
        let relay: TriggerConsent = same(text);
        assert_eq!(relay.target_uri().unwrap(), "sip:friends@relay.example.com;a=b");
        let target = "sip:friends@relay.example.com;a=b".parse::<Uri>().unwrap();
        assert_eq!(TriggerConsent::new(relay.uri.clone()).with_target_uri(&target), relay);
        refused::<TriggerConsent>("", 0);
        refused::<TriggerConsent>("Bob", 3);
        refused::<TriggerConsent>("sip:a.example;;", 14);
    }

    #[test]
    fn brackets_are_forgiven_and_written_where_they_are_needed() {
        let _: TriggerConsent = forgiven("<sip:a@b.example>;x=1", "sip:a@b.example;x=1");
        forgiven::<TriggerConsent>("<sip:a@b.example;lr>;x=1", "<sip:a@b.example;lr>;x=1");
        let bare = "sip:a.example;target-uri=sip:b.example";
        forgiven::<TriggerConsent>(bare, bare);
    }
}
