//! Free text and names of software (RFC 3261 §20.25, §20.26, §20.35, §20.36, §20.41).

use std::hash::{Hash, Hasher};

use super::{Header, HeaderName};
use crate::{
    Text, WireText,
    parse::{Fault, ParseError, Parsed, comment, finish, lws, slash, token},
};

macro_rules! texts {
    ($($(#[$doc:meta])* $header:ident $name:ident $rule:ident $rfc:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $header(pub Text);

        impl PartialEq for $header {
            /// White space at the ends is no part of the value (RFC 3261 §7.3.1).
            fn eq(&self, other: &Self) -> bool {
                trimmed(&self.0) == trimmed(&other.0)
            }
        }

        impl Eq for $header {}

        impl Hash for $header {
            fn hash<S: Hasher>(&self, state: &mut S) {
                trimmed(&self.0).hash(state);
            }
        }

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = false;

            fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
                // Text is for people: what stands in it harms no one who does not act upon it.
                if !value.is_tolerant() {
                    finish(value, $rfc, $rule)?;
                }
                Ok(Self(value.slice_ref(trimmed(value))))
            }

            fn write(&self, out: &mut String) {
                out.push_str(&self.0);
            }

            fn fits(&self) -> bool {
                true
            }
        }
    )*};
}

texts! {
    /// The software of the client, RFC 3261 §20.41. The tolerant profile takes any text.
    UserAgent USER_AGENT products "RFC 3261 §20.41";
    /// The software of the server, RFC 3261 §20.35. The tolerant profile takes any text.
    Server SERVER products "RFC 3261 §20.35";
    /// What the call is about, RFC 3261 §20.36.
    Subject SUBJECT text_utf8 "RFC 3261 §20.36";
    /// The organization of the sender, RFC 3261 §20.25.
    Organization ORGANIZATION text_utf8 "RFC 3261 §20.25";
}

/// How urgent the request is, RFC 3261 §20.26: `emergency`, `urgent`, `normal`, `non-urgent` or
/// another token. The tolerant profile takes any text, which is no level that is known.
#[derive(Clone, Debug)]
pub struct Priority(pub Text);

impl Priority {
    /// Whether this is the level `priority`, which has no case.
    pub fn is(&self, priority: &str) -> bool {
        trimmed(&self.0).eq_ignore_ascii_case(priority)
    }
}

impl PartialEq for Priority {
    fn eq(&self, other: &Self) -> bool {
        self.is(trimmed(&other.0))
    }
}

impl Eq for Priority {}

impl Hash for Priority {
    fn hash<S: Hasher>(&self, state: &mut S) {
        trimmed(&self.0).bytes().for_each(|byte| state.write_u8(byte.to_ascii_lowercase()));
    }
}

impl Header for Priority {
    const NAME: HeaderName = HeaderName::PRIORITY;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        if !value.is_tolerant() {
            finish(value, "RFC 3261 §20.26", token)?;
        }
        Ok(Self(value.slice_ref(trimmed(value))))
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

/// `server-val *( LWS server-val )`.
fn products(i: &str) -> Parsed<'_, ()> {
    let (mut rest, ()) = server_val(i)?;
    loop {
        match lws(rest)? {
            (after, white) if after.is_empty() || white.is_empty() => return Ok((rest, ())),
            (after, _) => (rest, ()) = server_val(after)?,
        }
    }
}

/// `token [ SLASH token ] / comment`.
fn server_val(i: &str) -> Parsed<'_, ()> {
    if i.starts_with('(') {
        return comment(i).map(|(rest, _)| (rest, ()));
    }
    let (rest, _) = token(i)?;
    match slash(rest) {
        Ok((version, _)) => token(version).map(|(rest, _)| (rest, ())),
        Err(_) => Ok((rest, ())),
    }
}

/// `[ TEXT-UTF8-TRIM ]`.
fn text_utf8(i: &str) -> Parsed<'_, ()> {
    match i.find(|c: char| c.is_ascii_control() && c != '\t') {
        Some(at) => {
            Fault::error(i.get(at..).unwrap_or_default(), "text without control characters")
        }
        None => Ok(("", ())),
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::super::probe::{forgiven, read, read_strictly, reads, same};
    use super::*;

    fn strict_fault<H: Header>(text: &str) -> usize {
        read_strictly::<H>(text).map(drop).unwrap_err().offset()
    }

    #[test]
    fn software_is_made_of_products_and_comments() {
        same::<UserAgent>("Softphone Beta1.5");
        same::<UserAgent>("A/1.0 (b (c)) D / 2");
        same::<Server>("HomeServer v2");
        reads::<Server>(" HomeServer\t(x) ", "HomeServer\t(x)");
        for text in ["", "Phone, model 5", "Phone (", "Büro 1", "A/ (b)", "[x]", "A(b)"] {
            forgiven::<UserAgent>(text, text);
        }
        assert_eq!(strict_fault::<Server>("Phone 1 @home"), 8);
        assert_eq!(strict_fault::<Server>("Phone (a"), 6);
    }

    #[test]
    fn text_is_of_any_language_or_nothing() {
        same::<Subject>("Žádné, \"téma\" <x>;");
        same::<Organization>("");
        forgiven::<Subject>("a\u{7}b", "a\u{7}b");
        assert_eq!(strict_fault::<Subject>("a\u{7}b"), 1);
    }

    #[test]
    fn a_priority_is_a_token_without_case() {
        assert!(same::<Priority>("non-urgent").is("Non-Urgent"));
        assert_eq!(same::<Priority>("Emergency"), Priority("emergency".into()));
        forgiven::<Priority>("very urgent", "very urgent");
        forgiven::<Priority>("", "");
        assert!(!read::<Priority>("urgent;a").is("urgent"));
    }
}
