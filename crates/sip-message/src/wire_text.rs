//! Text that is to be read by the grammar.

use std::{fmt, ops::Deref};

use bytes::Bytes;

use crate::{Profile, Text};

/// A header field value, unfolded, one element of a list, or a URI: text as it came, and how
/// exactly it must follow the grammar. Long parts that are read from a message share its bytes.
#[derive(Clone, Copy)]
pub struct WireText<'a> {
    text: &'a str,
    /// The whole field, if the text is one element of a list.
    row: &'a str,
    /// What the text is a part of, if its bytes are shared.
    whole: Option<&'a Bytes>,
    profile: Profile,
}

impl<'a> WireText<'a> {
    /// The text `text`, to be judged by `profile`.
    pub fn new(text: &'a str, profile: Profile) -> Self {
        Self { text, row: text, whole: None, profile }
    }

    /// The text `text`, a part of `whole`.
    pub(crate) fn part_of(whole: &'a Bytes, text: &'a str, profile: Profile) -> Self {
        Self { text, row: text, whole: Some(whole), profile }
    }

    /// The element `text` of the field `row`, which is a part of `whole` if that is there.
    #[inline]
    pub(crate) fn element(
        whole: Option<&'a Bytes>,
        row: &'a str,
        text: &'a str,
        profile: Profile,
    ) -> Self {
        Self { text, row, whole, profile }
    }

    /// How exactly the text must follow the grammar.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// A part of the text, which must be a slice of it. A text of a message is not copied.
    ///
    /// # Panics
    /// When `part` is no slice of the text.
    #[inline]
    pub fn slice_ref(&self, part: &str) -> Text {
        Text::part_of(self.whole, part)
    }

    /// The whole field, of which the text may be one element.
    pub(crate) fn row(&self) -> &'a str {
        self.row
    }

    /// Whether what deployed peers get wrong is forgiven.
    pub(crate) fn is_tolerant(&self) -> bool {
        self.profile == Profile::Tolerant
    }
}

impl Deref for WireText<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.text
    }
}

impl<'a> From<&'a str> for WireText<'a> {
    /// The text `text` in the default profile.
    fn from(text: &'a str) -> Self {
        Self::new(text, Profile::default())
    }
}

impl PartialEq for WireText<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other && self.profile == other.profile
    }
}

impl Eq for WireText<'_> {}

impl fmt::Debug for WireText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WireText").field(&&**self).field(&self.profile).finish()
    }
}
