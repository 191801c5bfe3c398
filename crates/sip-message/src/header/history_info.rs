//! The way of a request through retargeting: `History-Info` (RFC 7044 §5).

use std::{fmt, str::FromStr};

use smallvec::SmallVec;

use super::{Header, HeaderName, HistoryInfo, Reason};
use crate::{
    Profile, Text, WireText,
    parse::{Class, ParseError, write_number},
    unescape,
};

/// The place of an entry in the tree of a request's history, such as `1.2.1` (RFC 7044 §5).
///
/// Indices are ordered as the tree is walked: an entry, what came of it, the next entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HistoryIndex(SmallVec<[u32; 6]>);

impl HistoryIndex {
    /// `1`: the first entry.
    pub fn first() -> Self {
        Self(SmallVec::from_slice(&[1]))
    }

    /// The numbers between the dots.
    pub fn numbers(&self) -> &[u32] {
        &self.0
    }

    /// The index of what comes of this entry: `1.2.1` of `1.2`, if `number` is 1.
    #[must_use]
    pub fn child(&self, number: u32) -> Self {
        let mut numbers = self.0.clone();
        numbers.push(number);
        Self(numbers)
    }

    /// The index of the entry that this one came of.
    pub fn parent(&self) -> Option<Self> {
        match self.numbers() {
            [] | [_] => None,
            [numbers @ .., _] => Some(Self(numbers.into())),
        }
    }
}

impl FromStr for HistoryIndex {
    type Err = ParseError;

    /// `number *( "." number )`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut numbers = SmallVec::new();
        let mut at = 0_usize;
        for part in text.split('.') {
            let is_number = Class::DIGIT.covers(part) && (part == "0" || !part.starts_with('0'));
            let number = part.parse().ok().filter(|_| is_number);
            let refuse = || ParseError::new(at, "numbers with dots between them", "RFC 7044 §5");
            numbers.push(number.ok_or_else(refuse)?);
            at = at.saturating_add(part.len()).saturating_add(1);
        }
        Ok(Self(numbers))
    }
}

impl fmt::Display for HistoryIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for number in &self.0 {
            if !text.is_empty() {
                text.push('.');
            }
            write_number(*number, &mut text);
        }
        f.pad(&text)
    }
}

/// How the URI of an entry was found, and the index of the entry that it was found from
/// (RFC 7044 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryTarget {
    /// `rc`: the Request-URI has changed, the target user is the same.
    Rc(HistoryIndex),
    /// `mp`: the request goes to another user.
    Mp(HistoryIndex),
    /// `np`: the Request-URI has not changed.
    Np(HistoryIndex),
}

impl HistoryTarget {
    fn parts(&self) -> (&'static str, &HistoryIndex) {
        match self {
            Self::Rc(from) => ("rc", from),
            Self::Mp(from) => ("mp", from),
            Self::Np(from) => ("np", from),
        }
    }

    /// The index of the entry that the URI was found from.
    pub fn from(&self) -> &HistoryIndex {
        self.parts().1
    }
}

impl HistoryInfo {
    /// The same entry at the place `index`, which every entry has.
    #[must_use]
    pub fn with_index(mut self, index: &HistoryIndex) -> Self {
        self.parameters.set("index", Some(index.to_string()));
        self
    }

    /// The same entry, found as `target` tells.
    #[must_use]
    pub fn with_target(mut self, target: &HistoryTarget) -> Self {
        let (name, from) = target.parts();
        self.parameters.set(name, Some(from.to_string()));
        self
    }

    /// The place of the entry, if a sound one is given.
    pub fn index(&self) -> Option<HistoryIndex> {
        self.index_in("index")
    }

    /// How the URI was found, if `rc`, `mp` or `np` tells.
    pub fn target(&self) -> Option<HistoryTarget> {
        let rc = || self.index_in("rc").map(HistoryTarget::Rc);
        let mp = || self.index_in("mp").map(HistoryTarget::Mp);
        let np = || self.index_in("np").map(HistoryTarget::Np);
        rc().or_else(mp).or_else(np)
    }

    /// Why the request was retargeted, from the `Reason` header field within the URI; of several
    /// reasons the first.
    ///
    /// # Errors
    /// When that field does not follow its grammar. Offsets count within it, without escapes.
    pub fn reason(&self) -> Result<Option<Reason>, ParseError> {
        match self.field(&HeaderName::REASON) {
            Some(value) => {
                let length = Reason::element_length(value.as_bytes(), Profile::Tolerant);
                let first = value.get(..length).unwrap_or_default();
                Reason::parse(&WireText::from(first)).map(Some)
            }
            None => Ok(None),
        }
    }

    /// Whether the entry must be made anonymous before it leaves the domain: the `Privacy` header
    /// field within the URI says `history` (RFC 7044 §5).
    pub fn is_private(&self) -> bool {
        let privacy = self.field(&HeaderName::PRIVACY).unwrap_or_default();
        privacy.split(';').any(|value| value.trim().eq_ignore_ascii_case("history"))
    }

    fn index_in(&self, name: &str) -> Option<HistoryIndex> {
        self.parameters.value(name)?.parse().ok()
    }

    /// The header field `name` within the URI, without escapes.
    fn field(&self, name: &HeaderName) -> Option<Text> {
        let fields = self.uri().as_sip()?.headers.as_deref()?.split('&');
        let mut fields = fields.filter_map(|field| field.split_once('='));
        let (_, value) = fields.find(|(own, _)| name.is(&unescape(own)))?;
        String::from_utf8(unescape(value).into_owned()).ok().map(Text::from)
    }
}

#[cfg(test)]
mod tests;
