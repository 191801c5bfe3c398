//! The version of an event state: `SIP-ETag` and `SIP-If-Match` (RFC 3903 §11.3), and
//! `Suppress-If-Match` (RFC 5839 §7.3).

use super::{Header, HeaderName};
use crate::{
    Text, WireText,
    parse::{ParseError, finish, token},
};

macro_rules! entity_tags {
    ($($(#[$doc:meta])* $header:ident $name:ident $rfc:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $header(pub Text);

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = false;

            fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
                finish(value, $rfc, token).map(|tag| Self(value.slice_ref(tag)))
            }

            fn write(&self, out: &mut String) {
                out.push_str(&self.0);
            }
        }
    )*};
}

entity_tags! {
    /// The entity-tag that a publication has got, RFC 3903 §11.3.1. It means nothing but to who
    /// made it, and is compared octet by octet.
    SipEtag SIP_ETAG "RFC 3903 §11.3.1";
    /// The entity-tag of the publication that is to be refreshed, changed or removed, RFC 3903
    /// §11.3.2.
    SipIfMatch SIP_IF_MATCH "RFC 3903 §11.3.2";
}

/// The state that the subscriber knows already, so that it need not be told, RFC 5839 §7.3.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SuppressIfMatch {
    /// `*`: any state.
    Any,
    /// The state with this entity-tag.
    EntityTag(Text),
}

impl Header for SuppressIfMatch {
    const NAME: HeaderName = HeaderName::SUPPRESS_IF_MATCH;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        // The asterisk is a token too.
        match finish(value, "RFC 5839 §7.3", token)? {
            "*" => Ok(Self::Any),
            tag => Ok(Self::EntityTag(value.slice_ref(tag))),
        }
    }

    fn write(&self, out: &mut String) {
        out.push_str(match self {
            Self::Any => "*",
            Self::EntityTag(tag) => tag,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::probe::{refused, same};
    use super::*;

    #[test]
    fn entity_tags_are_tokens() {
        assert_eq!(same::<SipEtag>("dx200xyz"), SipEtag("dx200xyz".into()));
        assert_ne!(same::<SipIfMatch>("dx200xyz"), SipIfMatch("DX200XYZ".into()));
        refused::<SipEtag>("", 0);
        refused::<SipEtag>("a,b", 1);
        refused::<SipIfMatch>("\"a\"", 0);
    }

    #[test]
    fn an_asterisk_suppresses_any_state() {
        assert_eq!(same::<SuppressIfMatch>("*"), SuppressIfMatch::Any);
        assert_eq!(same::<SuppressIfMatch>("a*"), SuppressIfMatch::EntityTag("a*".into()));
        refused::<SuppressIfMatch>("* *", 2);
    }
}
