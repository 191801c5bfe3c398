//! What user agents can do: feature parameters (RFC 3840 §5, §9).

use std::{borrow::Cow, fmt};

use crate::{
    Parameters,
    parse::{Class, ParseError, unquote, write_quoted},
};

/// The value of a feature parameter, such as those of `Contact` and `Accept-Contact`
/// (RFC 3840 §5).
#[derive(Clone, Debug, PartialEq)]
pub enum FeatureValue<'a> {
    /// No value: the feature is there.
    True,
    /// Text, which has case: `description="<PC>"`.
    Text(Cow<'a, str>),
    /// Values, one of which holds: `methods="INVITE,BYE"`.
    AnyOf(Vec<FeatureTag<'a>>),
}

/// One of the values of a feature parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeatureTag<'a> {
    /// Whether `!` stands before it: any other value holds.
    pub negated: bool,
    /// The value.
    pub value: TagValue<'a>,
}

/// A value of a feature parameter, without its negation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TagValue<'a> {
    /// `TRUE` or `FALSE`.
    Boolean(bool),
    /// A token, which has no case.
    Token(&'a str),
    /// `#=5`: this number.
    Equal(f64),
    /// `#>=5`: this number or more.
    AtLeast(f64),
    /// `#<=5`: this number or less.
    AtMost(f64),
    /// `#1:5`: these numbers or what lies between them.
    Between(f64, f64),
}

impl<'a> FeatureValue<'a> {
    /// One of these tokens.
    pub fn tokens(tokens: impl IntoIterator<Item = &'a str>) -> Self {
        let tag = |token| FeatureTag { negated: false, value: TagValue::Token(token) };
        Self::AnyOf(tokens.into_iter().map(tag).collect())
    }

    /// Whether `token` is one of the values: not negated, or not one of the negated ones. Text is
    /// compared with its case.
    pub fn holds(&self, token: &str) -> bool {
        let is = |tag: &FeatureTag<'_>| match tag.value {
            TagValue::Token(own) => own.eq_ignore_ascii_case(token),
            TagValue::Boolean(true) => token.eq_ignore_ascii_case("TRUE"),
            TagValue::Boolean(false) => token.eq_ignore_ascii_case("FALSE"),
            range => token.parse().is_ok_and(|number| range.has(number)),
        };
        match self {
            Self::True => token.eq_ignore_ascii_case("TRUE"),
            Self::Text(text) => text == token,
            Self::AnyOf(tags) => tags.iter().any(|tag| is(tag) != tag.negated),
        }
    }

    /// The parameter `name` of `parameters`.
    pub(super) fn of(parameters: &'a Parameters, name: &str) -> Result<Option<Self>, ParseError> {
        parameters.get(name).map(Self::read).transpose()
    }

    pub(super) fn set(&self, name: &str, parameters: &mut Parameters) {
        let value = match self {
            Self::True => None,
            Self::Text(_) | Self::AnyOf(_) => Some(self.to_string()),
        };
        parameters.set(name, value);
    }

    /// Offsets count from the start of `wire`.
    pub(super) fn read(wire: Option<&'a str>) -> Result<Self, ParseError> {
        let Some(wire) = wire else { return Ok(Self::True) };
        let open = if wire.starts_with('"') { 1 } else { 0 };
        let inside = wire.strip_prefix('"').and_then(|inside| inside.strip_suffix('"'));
        // Without quotes it is still one value.
        let inside = inside.unwrap_or(wire);
        if inside.starts_with('<') {
            return text(wire).map(Self::Text);
        }
        let mut tags = Vec::new();
        let mut at: usize = open;
        for part in inside.split(',') {
            let white = part.len().saturating_sub(part.trim_start().len());
            let tag = FeatureTag::read(part.trim());
            tags.push(tag.map_err(|error| error.moved_by(at.saturating_add(white)))?);
            at = at.saturating_add(part.len()).saturating_add(1);
        }
        Ok(Self::AnyOf(tags))
    }
}

impl fmt::Display for FeatureValue<'_> {
    /// The value as it stands behind the equals sign; nothing for [`FeatureValue::True`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::True => Ok(()),
            Self::Text(text) => {
                let mut quoted = String::new();
                write_quoted(&format!("<{text}>"), &mut quoted);
                f.write_str(&quoted)
            }
            Self::AnyOf(tags) => {
                let mut separator = "\"";
                for tag in tags {
                    write!(f, "{separator}{tag}")?;
                    separator = ",";
                }
                f.write_str("\"")
            }
        }
    }
}

impl<'a> FeatureTag<'a> {
    /// `["!"] ( token-nobang / boolean / numeric )`.
    fn read(text: &'a str) -> Result<Self, ParseError> {
        let (negated, value) = match text.strip_prefix('!') {
            Some(value) => (true, value),
            None => (false, text),
        };
        let value = match value.strip_prefix('#') {
            Some(number) => TagValue::number(number),
            None => TagValue::token(value),
        };
        match value {
            Some(value) => Ok(Self { negated, value }),
            None => Err(ParseError::new(0, "a value of a feature", RFC)),
        }
    }
}

impl fmt::Display for FeatureTag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.negated { "!" } else { "" })?;
        match self.value {
            TagValue::Boolean(true) => f.write_str("TRUE"),
            TagValue::Boolean(false) => f.write_str("FALSE"),
            TagValue::Token(token) => f.write_str(token),
            TagValue::Equal(number) => write!(f, "#={number}"),
            TagValue::AtLeast(number) => write!(f, "#>={number}"),
            TagValue::AtMost(number) => write!(f, "#<={number}"),
            TagValue::Between(low, high) => write!(f, "#{low}:{high}"),
        }
    }
}

impl<'a> TagValue<'a> {
    /// Peers leave the colons of URNs unescaped; whatever is one word is taken.
    fn token(text: &'a str) -> Option<Self> {
        match text {
            _ if text.eq_ignore_ascii_case("TRUE") => Some(Self::Boolean(true)),
            _ if text.eq_ignore_ascii_case("FALSE") => Some(Self::Boolean(false)),
            _ if text.is_empty() || text.contains('!') || !Class::LAX_VALUE.covers(text) => None,
            _ => Some(Self::Token(text)),
        }
    }

    /// `numeric-relation number`.
    fn number(text: &str) -> Option<Self> {
        if let Some(number) = text.strip_prefix(">=") {
            return decimal(number).map(Self::AtLeast);
        }
        if let Some(number) = text.strip_prefix("<=") {
            return decimal(number).map(Self::AtMost);
        }
        if let Some(number) = text.strip_prefix('=') {
            return decimal(number).map(Self::Equal);
        }
        let (low, high) = text.split_once(':')?;
        Some(Self::Between(decimal(low)?, decimal(high)?))
    }

    /// Whether `number` is one of those that this stands for.
    pub fn has(&self, number: f64) -> bool {
        match *self {
            Self::Boolean(_) | Self::Token(_) => false,
            Self::Equal(own) => own == number,
            Self::AtLeast(least) => number >= least,
            Self::AtMost(most) => number <= most,
            Self::Between(low, high) => (low..=high).contains(&number),
        }
    }
}

/// `"<" *( qdtext-no-abkt / quoted-pair ) ">"`.
fn text(wire: &str) -> Result<Cow<'_, str>, ParseError> {
    let inside = |text: &str| match text.strip_prefix('<')?.strip_suffix('>') {
        Some(inside) if !inside.contains(['<', '>']) => Some(inside.len()),
        _ => None,
    };
    let text = unquote(wire);
    let Some(length) = inside(&text) else {
        return Err(ParseError::new(0, "text in angle brackets", RFC));
    };
    Ok(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(1..=length).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(1..=length).unwrap_or_default().to_owned()),
    })
}

/// `[ "+" / "-" ] 1*DIGIT [ "." *DIGIT ]`, within the range of a double.
fn decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_decimal = !whole.is_empty() && Class::DIGIT.covers(whole) && Class::DIGIT.covers(part);
    let number: f64 = if is_decimal { text.parse().ok()? } else { return None };
    number.is_finite().then_some(number)
}

/// The accessors of header fields with feature parameters in `parameters`.
macro_rules! features {
    ($($header:ident)*) => {$(
        impl $header {
            /// The feature parameter `name`, such as `methods` or `+sip.instance`.
            ///
            /// # Errors
            /// When its value does not follow RFC 3840 §9; offsets count from its start.
            pub fn feature(
                &self,
                name: &str,
            ) -> Result<Option<super::FeatureValue<'_>>, ParseError> {
                super::FeatureValue::of(&self.parameters, name)
            }

            /// The same field with the feature parameter `name`.
            #[must_use]
            pub fn with_feature(mut self, name: &str, value: &super::FeatureValue<'_>) -> Self {
                value.set(name, &mut self.parameters);
                self
            }
        }
    )*};
}

pub(super) use features;

const RFC: &str = "RFC 3840 §9";

#[cfg(test)]
mod tests;
