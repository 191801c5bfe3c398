//! Why something happened: `Reason` (RFC 3326 §2) and `Warning` (RFC 3261 §20.43).

use bytestring::ByteString;
use nom::{bytes::complete::take_while1, combinator::verify};

use super::{Header, HeaderName};
use crate::{
    Parameters, WireText,
    parse::{
        ParseError, expect, finish, is_host_char, lws1, number, quoted_string, token, unquote,
        write_quoted,
    },
    uri::header_parameters,
};

/// Why a request was sent, RFC 3326 §2.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The protocol that the cause is of, such as `SIP` or `Q.850`.
    pub protocol: ByteString,
    /// The parameters `cause`, `text` and others.
    pub parameters: Parameters,
}

impl Reason {
    /// A SIP status as the reason (RFC 3326 §2).
    pub fn sip(status: crate::StatusCode, text: &str) -> Self {
        let mut parameters = Parameters::new();
        parameters.set("cause", Some(status.to_string()));
        parameters.set_quoted("text", text);
        Self { protocol: ByteString::from_static("SIP"), parameters }
    }

    /// The cause: a SIP status or a Q.850 cause value.
    pub fn cause(&self) -> Option<u16> {
        self.parameters.number("cause")
    }

    /// The text for people.
    pub fn text(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.parameters.text("text")
    }
}

impl Header for Reason {
    const NAME: HeaderName = HeaderName::REASON;
    const IS_LIST: bool = true;

    fn parse(value: &WireText) -> Result<Self, ParseError> {
        let rule = (token, |i| header_parameters(value, i));
        let (protocol, parameters) = finish(value, "RFC 3326 §2", rule)?;
        Ok(Self { protocol: value.slice_ref(protocol), parameters })
    }

    fn write(&self, out: &mut String) {
        out.push_str(&format!("{}{}", self.protocol, self.parameters));
    }
}

/// More about the status of a response, RFC 3261 §20.43.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The code, 100 to 999.
    pub code: u16,
    /// The host, with its port, or the pseudonym that adds the warning.
    pub agent: ByteString,
    /// The text for people, without quotes and escapes.
    pub text: ByteString,
}

impl Header for Warning {
    const NAME: HeaderName = HeaderName::WARNING;
    const IS_LIST: bool = true;

    fn parse(value: &WireText) -> Result<Self, ParseError> {
        let code =
            expect("a code of three digits", verify(number, |code| (100..=999).contains(code)));
        let agent = expect("a host or a pseudonym", take_while1(is_host_char));
        let rule = (code, lws1, agent, lws1, quoted_string);
        let (code, _, agent, _, text) = finish(value, "RFC 3261 §20.43", rule)?;
        let text = unquote(text).into_owned().into();
        Ok(Self { code, agent: value.slice_ref(agent), text })
    }

    fn write(&self, out: &mut String) {
        out.push_str(&format!("{} {} ", self.code, self.agent));
        write_quoted(&self.text, out);
    }
}
