//! The calls that this one answers: `In-Reply-To` (RFC 3261 §20.21).

use super::{CallId, Header, HeaderName, cseq::call_id};
use crate::{
    Profile, WireText,
    parse::{ParseError, finish},
};

/// A call that this one refers to or returns, RFC 3261 §20.21.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InReplyTo(pub CallId);

impl Header for InReplyTo {
    const NAME: HeaderName = HeaderName::IN_REPLY_TO;
    const IS_LIST: bool = true;

    /// A Call-ID may hold quotes and angle brackets, in any order, but no comma.
    fn element_length(text: &[u8], _: Profile) -> usize {
        memchr::memchr(b',', text).unwrap_or(text.len())
    }

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let id = finish(value, "RFC 3261 §20.21", call_id)?;
        Ok(Self(CallId(value.slice_ref(id))))
    }

    fn write(&self, out: &mut String) {
        self.0.write(out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::probe::{refused, same};
    use super::*;

    #[test]
    fn call_ids_are_listed() {
        assert_eq!(
            same::<InReplyTo>("70710@saturn.bell-tel.com").0.as_str(),
            "70710@saturn.bell-tel.com"
        );
        let message = "MESSAGE sip:a@b.example SIP/2.0\r\nIn-Reply-To: a<\"b@c , <d\r\n\r\n";
        let message = crate::Message::parse(message.into()).unwrap();
        let ids: Result<Vec<InReplyTo>, _> = message.headers_of().collect();
        assert_eq!(ids.unwrap(), [same("a<\"b@c"), same("<d")]);
        refused::<InReplyTo>("a@", 1);
        refused::<InReplyTo>("a b", 2);
    }
}
