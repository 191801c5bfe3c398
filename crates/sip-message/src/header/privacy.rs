//! What is to be kept private: `Privacy` (RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §5).

use super::{Header, HeaderName, open_token::open_tokens};
use crate::{
    WireText,
    parse::{Class, Fault, ParseError, Parsed, finish, semi, take_class1},
};

open_tokens! {
    /// A kind of privacy. Compared without case.
    PrivacyValue {
        /// Hide the header fields that identify the user, such as `Via` and `Contact`.
        Header "header",
        /// Hide where the media come from.
        Session "session",
        /// Do what the user agent should have done.
        User "user",
        /// Hide nothing.
        None "none",
        /// Refuse the request where privacy cannot be had.
        Critical "critical",
        /// Hide the identity that the network vouches for (RFC 3325 §9.3).
        Id "id",
        /// Hide `History-Info` (RFC 7044 §5).
        History "history",
    }
}

/// The kinds of privacy that the sender asks for, RFC 3323 §4.2.
#[derive(Clone, Debug)]
pub struct Privacy(pub Vec<PrivacyValue>);

impl Privacy {
    /// The kinds of privacy `values`, of which there must be one at least.
    pub fn new(values: impl IntoIterator<Item = PrivacyValue>) -> Self {
        Self(values.into_iter().collect())
    }

    /// Whether the sender asks for `value`.
    pub fn contains(&self, value: &PrivacyValue) -> bool {
        self.0.contains(value)
    }
}

impl PartialEq for Privacy {
    /// The order is no matter.
    fn eq(&self, other: &Self) -> bool {
        let within = |one: &Self, other: &Self| one.0.iter().all(|value| other.contains(value));
        self.0.len() == other.0.len() && within(self, other) && within(other, self)
    }
}

impl Eq for Privacy {}

impl Header for Privacy {
    const NAME: HeaderName = HeaderName::PRIVACY;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        finish(value, "RFC 3323 §4.2", |i| values(value, i)).map(Self)
    }

    fn write(&self, out: &mut String) {
        for (at, value) in self.0.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { ";" });
            out.push_str(value.as_str());
        }
    }
}

/// `priv-value *( ";" priv-value )`, each of them once.
fn values<'a>(owner: &WireText<'_>, mut i: &'a str) -> Parsed<'a, Vec<PrivacyValue>> {
    let mut values = Vec::new();
    loop {
        let (rest, text) = take_class1(i, Class::TOKEN, "a kind of privacy")?;
        let value = PrivacyValue::from(owner.slice_ref(text));
        if values.len() >= MAX_VALUES || values.contains(&value) {
            return Fault::error(i, "a kind of privacy that has not come before");
        }
        values.push(value);
        // Phones write spaces around the semicolon, as they may between parameters.
        i = match rest.strip_prefix(';') {
            Some(rest) if !owner.is_tolerant() => rest,
            _ if !owner.is_tolerant() => return Ok((rest, values)),
            _ => match semi(rest) {
                Ok((rest, _)) => rest,
                Err(_) => return Ok((rest, values)),
            },
        };
    }
}

/// Far above any use. Each value is held against all others, so their number must be bounded.
const MAX_VALUES: usize = 32;

#[cfg(test)]
mod tests {
    use super::{super::probe::*, *};

    #[test]
    fn values_are_read_and_written() {
        let privacy: Privacy = same("header;session;critical");
        assert!(privacy.contains(&PrivacyValue::Session) && !privacy.contains(&PrivacyValue::Id));
        let privacy: Privacy = same("id");
        assert!(matches!(privacy.0[..], [PrivacyValue::Id]));
        let privacy: Privacy = read_strictly("HISTORY;x-new").unwrap();
        assert_eq!(
            privacy,
            Privacy::new([PrivacyValue::Other("X-New".into()), PrivacyValue::History])
        );
        assert_ne!(privacy, Privacy::new([PrivacyValue::History, PrivacyValue::History]));
    }

    #[test]
    fn spaces_around_the_semicolon_are_forgiven() {
        let privacy: Privacy = forgiven("id ; user", "id;user");
        assert_eq!(privacy, Privacy::new([PrivacyValue::User, PrivacyValue::Id]));
    }

    #[test]
    fn broken_values_are_refused() {
        refused::<Privacy>("", 0);
        refused::<Privacy>("id;", 3);
        refused::<Privacy>("id;;user", 3);
        refused::<Privacy>("id;user;ID", 8);
        refused::<Privacy>("id,user", 2);
        let many: String = (0..40).map(|n| format!("v{n};")).collect();
        refused::<Privacy>(&format!("{many}id"), 118);
    }
}
