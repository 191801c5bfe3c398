//! Text that is to be read by the grammar.

use std::ops::Deref;

use bytestring::ByteString;

use crate::Profile;

/// A header field value, unfolded, one element of a list, or a URI: text as it came, and how
/// exactly it must follow the grammar. What is read from it shares its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireText {
    text: ByteString,
    profile: Profile,
}

impl WireText {
    /// The text `text`, to be judged by `profile`.
    pub fn new(text: impl Into<ByteString>, profile: Profile) -> Self {
        Self { text: text.into(), profile }
    }

    /// How exactly the text must follow the grammar.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Whether what deployed peers get wrong is forgiven.
    pub(crate) fn is_tolerant(&self) -> bool {
        self.profile == Profile::Tolerant
    }
}

impl Deref for WireText {
    type Target = ByteString;

    fn deref(&self) -> &ByteString {
        &self.text
    }
}

impl<T: Into<ByteString>> From<T> for WireText {
    /// The text `text` in the default profile.
    fn from(text: T) -> Self {
        Self::new(text, Profile::default())
    }
}
