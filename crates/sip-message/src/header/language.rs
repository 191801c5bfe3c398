//! Languages: `Accept-Language` and `Content-Language` (RFC 3261 §20.3, §20.13).

use nom::{
    Parser,
    branch::alt,
    bytes::complete::{tag, take_while_m_n},
    character::complete::char,
    combinator::recognize,
    multi::many0_count,
};

use super::{Header, HeaderName, shape};
use crate::{
    Parameters, Text, WireText,
    parse::{ParseError, Parsed, expect, finish, token},
};

/// A language that is welcome, RFC 3261 §20.3. A field without any value welcomes none.
#[derive(Clone, Debug)]
pub struct AcceptLanguage {
    /// The language, such as `en-gb`; `*` stands for all.
    pub range: Text,
    /// The parameters, such as `q`.
    pub parameters: Parameters,
}

impl AcceptLanguage {
    /// The language `range` without parameters.
    pub fn new(range: impl Into<Text>) -> Self {
        Self { range: range.into(), parameters: Parameters::new() }
    }

    /// Whether this range covers the language `tag`: it is the same, or the start of it up to a
    /// hyphen (RFC 2616 §14.4).
    pub fn covers(&self, tag: &str) -> bool {
        let range: &str = &self.range;
        let (start, rest) = tag.split_at_checked(range.len()).unwrap_or_default();
        let ends = rest.is_empty() || rest.starts_with('-');
        range == "*" || start.eq_ignore_ascii_case(range) && ends && !range.is_empty()
    }
}

impl PartialEq for AcceptLanguage {
    fn eq(&self, other: &Self) -> bool {
        self.range.eq_ignore_ascii_case(&other.range) && self.parameters == other.parameters
    }
}

impl Header for AcceptLanguage {
    const NAME: HeaderName = HeaderName::ACCEPT_LANGUAGE;
    const IS_LIST: bool = true;
    const MAY_BE_EMPTY: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let range = |i| alt((tag("*"), |i| language_tag(value, i))).parse(i);
        let range = expect("a language or \"*\"", range);
        let (range, parameters) = shape::with_parameters(value, "RFC 3261 §20.3", range)?;
        Ok(Self { range: value.slice_ref(range), parameters })
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.range);
        self.parameters.write(out);
    }
}

super::quality::qualities! { AcceptLanguage }

/// A language of the body, RFC 3261 §20.13.
#[derive(Clone, Debug)]
pub struct ContentLanguage(pub Text);

impl ContentLanguage {
    /// Whether this is the language `tag`. Language tags have no case (RFC 5646 §2.1.1).
    pub fn is(&self, tag: &str) -> bool {
        self.0.eq_ignore_ascii_case(tag)
    }
}

impl PartialEq for ContentLanguage {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for ContentLanguage {}

impl Header for ContentLanguage {
    const NAME: HeaderName = HeaderName::CONTENT_LANGUAGE;
    const IS_LIST: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let tag = finish(value, "RFC 3261 §20.13", |i| language_tag(value, i))?;
        Ok(Self(value.slice_ref(tag)))
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

/// `1*8ALPHA *( "-" 1*8ALPHA )`. Phones send names of locales, such as `en_US`, and tags of later
/// RFCs hold digits, such as `es-419` (RFC 5646 §2.1): each is still one token.
fn language_tag<'a>(value: &WireText<'_>, i: &'a str) -> Parsed<'a, &'a str> {
    if value.is_tolerant() {
        return expect("a language", token).parse(i);
    }
    let part = || take_while_m_n(1, 8, |c: char| c.is_ascii_alphabetic());
    expect("a language", recognize((part(), many0_count((char('-'), part()))))).parse(i)
}

#[cfg(test)]
mod tests {
    use super::super::probe::{forgiven, refused, same};
    use super::*;
    use crate::Quality;

    #[test]
    fn languages_have_a_preference() {
        assert_eq!(same::<AcceptLanguage>("da").q(), None);
        let english: AcceptLanguage = same("en-gb;q=0.8");
        assert_eq!(english.q(), Quality::new(800));
        assert!(english.covers("EN-GB-oed") && !english.covers("en") && !english.covers("en-gbx"));
        assert!(same::<AcceptLanguage>("*").covers("fr"));
        assert_eq!(AcceptLanguage::new("EN-gb").with_q(Quality::new(800).unwrap()), english);
        assert!(same::<ContentLanguage>("fr").is("FR"));
    }

    #[test]
    fn names_of_locales_and_digits_are_forgiven() {
        forgiven::<ContentLanguage>("en_US", "en_US");
        forgiven::<ContentLanguage>("es-419", "es-419");
        forgiven::<AcceptLanguage>("zh_CN;q=1", "zh_CN;q=1");
        forgiven::<AcceptLanguage>("en;q=0.1;", "en;q=0.1");
    }

    #[test]
    fn what_is_no_language_is_refused() {
        refused::<ContentLanguage>("", 0);
        refused::<ContentLanguage>("fr en", 3);
        refused::<AcceptLanguage>("fr;=1", 3);
        assert!(super::super::probe::read_strictly::<ContentLanguage>("abcdefghi").is_err());
        assert!(super::super::probe::read_strictly::<ContentLanguage>("en-").is_err());
    }
}
