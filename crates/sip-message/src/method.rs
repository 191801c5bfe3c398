//! Request methods (RFC 3261 §7.1): an open registry, compared with case.

use std::fmt;

use crate::{
    Text, WireText,
    parse::{ParseError, is_token},
};
use bytes::Bytes;

/// A request method: one of the registered names, or any other token.
///
/// Methods are case-sensitive (RFC 3261 §7.1). The constants can stand in `match` patterns.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Method(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Known(Known),
    /// Never holds a known name, so that derived equality is right.
    Other(Text),
}

macro_rules! methods {
    ($($(#[$doc:meta])* $constant:ident;)*) => {
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(clippy::upper_case_acronyms, reason = "the names are the wire's")]
        enum Known { $($constant,)* }

        impl Method {
            $($(#[$doc])* pub const $constant: Self = Self(Repr::Known(Known::$constant));)*
        }

        impl Known {
            const fn as_str(self) -> &'static str {
                match self { $(Self::$constant => stringify!($constant),)* }
            }

            fn of(text: &str) -> Option<Self> {
                match text { $(stringify!($constant) => Some(Self::$constant),)* _ => None }
            }
        }
    };
}

methods! {
    /// Opens a session, RFC 3261 §13.
    INVITE;
    /// Confirms a final answer to an INVITE, RFC 3261 §13.2.2.4 and §17.1.1.3.
    ACK;
    /// Ends a session, RFC 3261 §15.
    BYE;
    /// Gives up a pending request, RFC 3261 §9.
    CANCEL;
    /// Asks for capabilities, RFC 3261 §11.
    OPTIONS;
    /// Binds a contact to an address of record, RFC 3261 §10.
    REGISTER;
    /// Acknowledges a reliable provisional response, RFC 3262.
    PRACK;
    /// Changes a session before or after its answer, RFC 3311.
    UPDATE;
    /// Carries application information within a dialog, RFC 6086.
    INFO;
    /// Asks to be told of events, RFC 6665.
    SUBSCRIBE;
    /// Tells of an event, RFC 6665.
    NOTIFY;
    /// Publishes event state, RFC 3903.
    PUBLISH;
    /// An instant message, RFC 3428.
    MESSAGE;
    /// Asks the peer to contact a third party, RFC 3515.
    REFER;
}

impl Method {
    /// The method named `name`.
    ///
    /// # Errors
    /// When `name` is not a token (RFC 3261 §25.1).
    pub fn new(name: &str) -> Result<Self, ParseError> {
        match Known::of(name) {
            Some(known) => Ok(Self(Repr::Known(known))),
            None => Self::other(Text::from(name)),
        }
    }

    /// The method `name`, which is a part of `owner`. Nothing is copied.
    #[inline]
    pub(crate) fn of(owner: &WireText<'_>, name: &str) -> Result<Self, ParseError> {
        match Known::of(name) {
            Some(known) => Ok(Self(Repr::Known(known))),
            None => Self::other(owner.slice_ref(name)),
        }
    }

    /// The method `name`, which is a part of `message`. Nothing is copied.
    pub(crate) fn from_part(message: &Bytes, name: &str) -> Result<Self, ParseError> {
        match Known::of(name) {
            Some(known) => Ok(Self(Repr::Known(known))),
            None => Self::other(Text::part_of(Some(message), name)),
        }
    }

    fn other(name: Text) -> Result<Self, ParseError> {
        if is_token(&name) {
            return Ok(Self(Repr::Other(name)));
        }
        Err(ParseError::new(0, "a method token", "RFC 3261 §7.1"))
    }

    /// The method as it stands on the wire.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Known(known) => known.as_str(),
            Repr::Other(name) => name,
        }
    }

    /// Whether this is one of the constants of this type.
    pub fn is_known(&self) -> bool {
        matches!(self.0, Repr::Known(_))
    }
}

impl std::str::FromStr for Method {
    type Err = ParseError;

    fn from_str(name: &str) -> Result<Self, ParseError> {
        Self::new(name)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<str> for Method {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_case_sensitive() {
        assert_eq!(Method::new("INVITE").unwrap(), Method::INVITE);
        assert_ne!(Method::new("invite").unwrap(), Method::INVITE);
        assert!(!Method::new("invite").unwrap().is_known());
    }

    #[test]
    fn anything_but_a_token_is_refused() {
        for name in ["", "A B", "A\r\n", "Ä", "A:B"] {
            assert!(Method::new(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn constants_match_as_patterns() {
        let method = Method::new("BYE").unwrap();
        assert!(matches!(method, Method::BYE));
    }
}
