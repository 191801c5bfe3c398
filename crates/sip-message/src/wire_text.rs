//! Text that is to be read by the grammar.

use std::{fmt, ops::Deref};

use bytestring::ByteString;

use crate::Profile;

/// A header field value, unfolded, one element of a list, or a URI: text as it came, and how
/// exactly it must follow the grammar. What is read from it shares its bytes.
#[derive(Clone)]
pub struct WireText {
    /// The text may be a part of this one.
    whole: ByteString,
    start: usize,
    end: usize,
    profile: Profile,
}

impl WireText {
    /// The text `text`, to be judged by `profile`.
    pub fn new(text: impl Into<ByteString>, profile: Profile) -> Self {
        let whole = text.into();
        Self { start: 0, end: whole.len(), whole, profile }
    }

    /// How exactly the text must follow the grammar.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// A part of the text, which must be a slice of it, without a copy.
    ///
    /// # Panics
    /// When `part` is no slice of the text.
    pub fn slice_ref(&self, part: &str) -> ByteString {
        self.whole.slice_ref(part)
    }

    /// Whether what deployed peers get wrong is forgiven.
    pub(crate) fn is_tolerant(&self) -> bool {
        self.profile == Profile::Tolerant
    }

    /// The text that this one may be a part of.
    pub(crate) fn whole(&self) -> &str {
        &self.whole
    }

    /// Makes this the part of the whole text from `start` to `end`.
    pub(crate) fn narrow(&mut self, start: usize, end: usize) {
        (self.start, self.end) = (start, end);
    }
}

impl Deref for WireText {
    type Target = str;

    fn deref(&self) -> &str {
        self.whole.get(self.start..self.end).unwrap_or_default()
    }
}

impl<T: Into<ByteString>> From<T> for WireText {
    /// The text `text` in the default profile.
    fn from(text: T) -> Self {
        Self::new(text, Profile::default())
    }
}

impl PartialEq for WireText {
    fn eq(&self, other: &Self) -> bool {
        **self == **other && self.profile == other.profile
    }
}

impl Eq for WireText {}

impl fmt::Debug for WireText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WireText").field(&&**self).field(&self.profile).finish()
    }
}
