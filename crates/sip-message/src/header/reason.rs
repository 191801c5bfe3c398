//! Why something happened: `Reason` (RFC 3326 §2) and `Warning` (RFC 3261 §20.43).

use std::borrow::Cow;

use super::{Header, HeaderName, shape};
use crate::{
    Parameters, Text, WireText,
    parse::{
        Class, Fault, ParseError, Parsed, finish, is_token, lws1, quoted_string, take_class,
        take_class1, unquote, write_number, write_quoted,
    },
    uri::host_port,
};

/// Why a request was sent, RFC 3326 §2.
#[derive(Clone, Debug)]
pub struct Reason {
    /// The protocol that the cause is of, such as `SIP` or `Q.850`.
    pub protocol: Text,
    /// The parameters `cause`, `text` and others.
    pub parameters: Parameters,
}

impl Reason {
    /// A reason of the protocol `protocol`, without parameters.
    pub fn new(protocol: impl Into<Text>) -> Self {
        Self { protocol: protocol.into(), parameters: Parameters::new() }
    }

    /// A SIP status as the reason (RFC 3326 §2).
    pub fn sip(status: crate::StatusCode, text: &str) -> Self {
        Self::new(Text::from_static("SIP")).with_cause(status.as_u16()).with_text(text)
    }

    /// An ISDN cause value as the reason (RFC 3326 §2).
    pub fn q850(cause: u8, text: &str) -> Self {
        Self::new(Text::from_static("Q.850")).with_cause(cause.into()).with_text(text)
    }

    /// The same reason with the cause `cause`.
    #[must_use]
    pub fn with_cause(mut self, cause: u16) -> Self {
        self.parameters.set("cause", Some(cause.to_string()));
        self
    }

    /// The same reason with a text for people.
    #[must_use]
    pub fn with_text(mut self, text: &str) -> Self {
        self.parameters.set_quoted("text", text);
        self
    }

    /// Whether the cause is of `protocol`.
    pub fn is(&self, protocol: &str) -> bool {
        self.protocol.eq_ignore_ascii_case(protocol)
    }

    /// The cause: a SIP status or a Q.850 cause value.
    pub fn cause(&self) -> Option<u16> {
        self.parameters.number("cause")
    }

    /// The text for people.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        self.parameters.text("text")
    }
}

impl PartialEq for Reason {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.protocol) && self.parameters == other.parameters
    }
}

impl Header for Reason {
    const NAME: HeaderName = HeaderName::REASON;
    const IS_LIST: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let (protocol, parameters) = shape::token_and_parameters(value, "RFC 3326 §2")?;
        Ok(Self { protocol, parameters })
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.protocol);
        self.parameters.write(out);
    }

    fn fits(&self) -> bool {
        is_token(&self.protocol) && self.parameters.fit_header()
    }
}

/// More about the status of a response, RFC 3261 §20.43.
#[derive(Clone, Debug)]
pub struct Warning {
    /// The code, 0 to 999.
    pub code: u16,
    /// The host, with its port, or the pseudonym that adds the warning.
    pub agent: Text,
    /// The text for people, without quotes and escapes.
    pub text: Text,
}

impl Warning {
    /// The warning `code`, of at most three digits, by `agent`.
    pub fn new(code: u16, agent: impl Into<Text>, text: impl Into<Text>) -> Self {
        Self { code, agent: agent.into(), text: text.into() }
    }
}

impl PartialEq for Warning {
    /// Hosts and tokens have no case, text has.
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
            && self.agent.eq_ignore_ascii_case(&other.agent)
            && self.text == other.text
    }
}

impl Eq for Warning {}

impl Header for Warning {
    const NAME: HeaderName = HeaderName::WARNING;
    const IS_LIST: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let gap = |i| gap(value, i);
        let rule = (warn_code, gap, |i| warn_agent(value, i), gap, quoted_string);
        let (code, _, agent, _, text) = finish(value, "RFC 3261 §20.43", rule)?;
        let text = match unquote(text) {
            Cow::Borrowed(text) => value.slice_ref(text),
            Cow::Owned(text) => text.into(),
        };
        Ok(Self { code, agent: value.slice_ref(agent), text })
    }

    fn write(&self, out: &mut String) {
        let zeros = match self.code {
            0..10 => "00",
            10..100 => "0",
            _ => "",
        };
        out.push_str(zeros);
        write_number(self.code, out);
        out.push(' ');
        out.push_str(&self.agent);
        out.push(' ');
        write_quoted(&self.text, out);
    }
}

/// `3DIGIT`.
fn warn_code(i: &str) -> Parsed<'_, u16> {
    match take_class(i, Class::DIGIT) {
        (digits, rest) if digits.len() == 3 => Ok((rest, digits.parse().unwrap_or_default())),
        _ => Fault::error(i, "a code of three digits"),
    }
}

/// `SP`; some servers align what they write with more of them.
fn gap<'a>(value: &WireText<'_>, i: &'a str) -> Parsed<'a, &'a str> {
    match lws1(i)? {
        (rest, white) if white == " " || value.is_tolerant() => Ok((rest, white)),
        _ => Fault::error(i, "one space"),
    }
}

/// `hostport / pseudonym`; servers also put in SIP addresses and names with slashes or underscores.
fn warn_agent<'a>(value: &WireText<'_>, i: &'a str) -> Parsed<'a, &'a str> {
    let (rest, agent) = take_class1(i, Class::LAX_VALUE, "a host or a pseudonym")?;
    let is_host = || matches!(host_port(value, false, agent), Ok(("", _)));
    if value.is_tolerant() || is_token(agent) || is_host() {
        return Ok((rest, agent));
    }
    Fault::error(i, "a host or a pseudonym")
}

#[cfg(test)]
mod tests {
    use super::super::probe::{forgiven, read, reads, refused, same};
    use super::*;
    use crate::StatusCode;

    #[test]
    fn a_reason_has_a_cause_and_a_text() {
        let reason: Reason = same("Q.850;cause=16;text=\"Terminated\"");
        assert_eq!((reason.cause(), reason.text().as_deref()), (Some(16), Some("Terminated")));
        assert_eq!(Reason::q850(16, "Terminated"), reason);
        let reason: Reason = reads(
            "SIP ;cause=200 ;text=\"Call completed elsewhere\"",
            "SIP;cause=200;text=\"Call completed elsewhere\"",
        );
        assert_eq!(Reason::sip(StatusCode::OK, "Call completed elsewhere"), reason);
        assert_eq!(read::<Reason>("sip;CAUSE=487"), Reason::new("SIP").with_cause(487));
        assert!(reason.is("Sip") && !reason.is("Q.850"));
        forgiven::<Reason>("Q.850;cause=16;", "Q.850;cause=16");
        refused::<Reason>("", 0);
        refused::<Reason>("Q.850 cause=16", 6);
    }

    #[test]
    fn a_warning_has_a_code_an_agent_and_a_text() {
        let text = "307 isi.edu:5060 \"Session parameter 'foo' not understood\"";
        let warning: Warning = same(text);
        assert_eq!((warning.code, &*warning.agent), (307, "isi.edu:5060"));
        assert_eq!(
            Warning::new(307, "ISI.EDU:5060", "Session parameter 'foo' not understood"),
            warning
        );
        same::<Warning>("399 [2001:db8::1]:5060 \"a, \\\"b\\\"\"");
        same::<Warning>("007 ~pseudo.nym \"\"");
        assert_eq!(read::<Warning>("399 a \"b\\\\c\"").text, "b\\c");
    }

    #[test]
    fn agents_that_are_no_host_are_forgiven() {
        let text = "399 sip:proxy@isi.edu \"busy\"";
        assert_eq!(forgiven::<Warning>(text, text).agent, "sip:proxy@isi.edu");
        forgiven::<Warning>("399 isi.edu:port \"busy\"", "399 isi.edu:port \"busy\"");
        forgiven::<Warning>("399  isi.edu\t\"busy\"", "399 isi.edu \"busy\"");
    }

    #[test]
    fn what_is_no_warning_is_refused() {
        refused::<Warning>("1812 overture \"In Progress\"", 0);
        refused::<Warning>("99 a \"b\"", 0);
        refused::<Warning>("0307 a \"b\"", 0);
        refused::<Warning>("399 \"busy\"", 4);
        refused::<Warning>("399 isi.edu busy", 12);
        refused::<Warning>("399 isi.edu", 11);
        refused::<Warning>("399 a b \"c\"", 6);
        refused::<Warning>("399 a;b \"c\"", 5);
    }
}
