//! The identifier of a session from end to end: `Session-ID` (RFC 7989 §5; RFC 7329 for old peers).

use std::fmt;

use super::{Header, HeaderName, shape::append};
use crate::{
    Parameters, WireText,
    parse::{Fault, ParseError, Parsed, finish},
    uri::header_parameters,
};

/// The identifiers that both ends have given their session, RFC 7989 §5.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionId {
    /// That of the sender.
    pub local: SessionUuid,
    /// That of the receiver; absent from peers of RFC 7329, which knows one identifier only.
    pub remote: Option<SessionUuid>,
    /// All other parameters.
    pub parameters: Parameters,
}

/// A UUID, 32 hexadecimal digits; zero is the nil UUID of an end that is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionUuid(pub u128);

impl SessionId {
    /// The identifiers of both ends; that of the far end is [`SessionUuid::NIL`] at first.
    pub fn new(local: SessionUuid, remote: SessionUuid) -> Self {
        Self { local, remote: Some(remote), parameters: Parameters::new() }
    }
}

impl SessionUuid {
    /// The UUID of an end that is not known yet (RFC 7989 §5).
    pub const NIL: Self = Self(0);

    /// Whether it stands for an end that is not known yet.
    pub fn is_nil(self) -> bool {
        self == Self::NIL
    }

    /// `32( DIGIT / %x61-66 )`. Capital letters come from peers that write UUIDs their own way.
    fn read(text: &str, tolerant: bool) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_hexdigit() && (tolerant || !byte.is_ascii_uppercase());
        let sound = text.len() == 32 && text.bytes().all(digit);
        u128::from_str_radix(text, 16).ok().filter(|_| sound).map(Self)
    }
}

impl fmt::Display for SessionUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Header for SessionId {
    const NAME: HeaderName = HeaderName::SESSION_ID;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        finish(value, "RFC 7989 §5", |i| session_id(value, i))
    }

    fn write(&self, out: &mut String) {
        append(self.local, out);
        if let Some(remote) = self.remote {
            append(format_args!(";remote={remote}"), out);
        }
        self.parameters.write(out);
    }
}

/// `local-uuid *( SEMI sess-id-param )`.
fn session_id<'a>(owner: &WireText<'_>, i: &'a str) -> Parsed<'a, SessionId> {
    let end = i.bytes().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(i.len());
    let (text, at) = i.split_at_checked(end).unwrap_or((i, ""));
    let Some(local) = SessionUuid::read(text, owner.is_tolerant()) else {
        return Fault::error(i, DIGITS);
    };
    let (rest, mut parameters) = header_parameters(owner, at)?;
    let remote = match parameters.get("remote") {
        None => None,
        Some(text) => {
            let remote = SessionUuid::read(text.unwrap_or_default(), owner.is_tolerant());
            let Some(remote) = remote else { return Fault::error(at, DIGITS_OF_REMOTE) };
            parameters.remove("remote");
            Some(remote)
        }
    };
    Ok((rest, SessionId { local, remote, parameters }))
}

const DIGITS: &str = "32 lower-case hexadecimal digits";
const DIGITS_OF_REMOTE: &str = "32 lower-case hexadecimal digits as remote";

#[cfg(test)]
mod tests {
    use super::{super::probe::*, *};

    #[test]
    fn both_ends_are_read_and_written() {
        let text = "ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2";
        let id: SessionId = same(text);
        assert_eq!(id.local.to_string(), "ab30317f1a784dc48ff824d0d3715d86");
        assert_eq!(id.remote.unwrap().to_string(), "47755a9de7794ba387653f2099600ef2");
        let text = "0b30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000;x=1";
        let id: SessionId = same(text);
        assert!(id.remote.unwrap().is_nil());
        let mut built = SessionId::new(id.local, SessionUuid::NIL);
        assert_ne!(id, built);
        built.parameters.set("x", Some("1"));
        assert_eq!(id, built);
    }

    #[test]
    fn peers_of_rfc_7329_have_one_identifier() {
        let id: SessionId = same("f81d4fae7dec11d0a76500a0c91e6bf6");
        assert_eq!(id.remote, None);
    }

    #[test]
    fn capital_letters_are_forgiven() {
        let id: SessionId = forgiven(&"F81D4FAE".repeat(4), &"f81d4fae".repeat(4));
        assert_eq!(id.local.to_string(), "f81d4fae".repeat(4));
    }

    #[test]
    fn broken_identifiers_are_refused() {
        refused::<SessionId>("", 0);
        refused::<SessionId>("f81d4fae7dec11d0a76500a0c91e6bf", 0);
        refused::<SessionId>("f81d4fae7dec11d0a76500a0c91e6bf66", 0);
        refused::<SessionId>("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", 0);
        refused::<SessionId>("f81d4fae7dec11d0a76500a0c91e6bf6;remote=1", 32);
        refused::<SessionId>("f81d4fae7dec11d0a76500a0c91e6bf6;remote", 32);
        refused::<SessionId>("f81d4fae7dec11d0a76500a0c91e6bf6 x", 33);
    }
}
