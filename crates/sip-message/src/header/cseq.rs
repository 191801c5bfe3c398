//! What identifies a request: `CSeq` and `Call-ID` (RFC 3261 §20.16, §20.8).

use super::{Header, HeaderName};
use crate::{
    Method, Text, WireText,
    parse::{Class, ParseError, Parsed, finish, lws1, number, take_class1, write_number},
};

/// The order of a request within its dialog, and its method, RFC 3261 §20.16.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// The sequence number. Below 2^31 when sent (RFC 3261 §8.1.1.5).
    pub number: u32,
    /// The method of the request.
    pub method: Method,
}

impl Header for CSeq {
    const NAME: HeaderName = HeaderName::CSEQ;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let (number, method) = finish(value, "RFC 3261 §20.16", |i| {
            let (i, number) = number(i)?;
            let (i, _) = lws1(i)?;
            let (i, method) = take_class1(i, Class::TOKEN, "a token")?;
            Ok((i, (number, method)))
        })?;
        Ok(Self { number, method: Method::of(value, method)? })
    }

    fn write(&self, out: &mut String) {
        write_number(self.number, out);
        out.push(' ');
        out.push_str(self.method.as_str());
    }

    fn fits(&self) -> bool {
        true
    }
}

/// The identifier that all messages of a call share, RFC 3261 §20.8. It is compared octet by octet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub Text);

impl CallId {
    /// The identifier as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CallId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Header for CallId {
    const NAME: HeaderName = HeaderName::CALL_ID;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        finish(value, "RFC 3261 §20.8", call_id).map(|text| Self(value.slice_ref(text)))
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }

    fn fits(&self) -> bool {
        let (first, second) = self.0.split_once('@').unwrap_or((&self.0, "x"));
        [first, second].iter().all(|word| !word.is_empty() && Class::WORD.covers(word))
    }
}

/// `callid`.
pub(super) fn call_id(i: &str) -> Parsed<'_, &str> {
    let (mut rest, _) = word(i)?;
    if let Some(after) = rest.strip_prefix('@')
        && let Ok((end, _)) = word(after)
    {
        rest = end;
    }
    let length = i.len().saturating_sub(rest.len());
    Ok((rest, i.get(..length).unwrap_or_default()))
}

/// `word` (RFC 3261 §25.1).
fn word(i: &str) -> Parsed<'_, &str> {
    take_class1(i, Class::WORD, "a word")
}
