//! The text of a part of a message.

use std::{
    borrow::{Borrow, Cow},
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
};

use arrayvec::ArrayString;
use bytes::Bytes;
use bytestring::ByteString;

/// A text that cannot be changed and is cheap to clone: of up to 20 bytes in its place, a constant,
/// or a share of a longer one, such as the message it was read from.
///
/// Most parts of a message are short, so that reading them touches no count of shares.
#[derive(Clone)]
pub struct Text(Repr);

#[derive(Clone)]
enum Repr {
    Short(ArrayString<SHORT>),
    Shared(ByteString),
}

/// As long as fits beside the fields of the other kind.
const SHORT: usize = 20;

impl Text {
    /// The empty text.
    pub const fn new() -> Self {
        Self(Repr::Shared(ByteString::new()))
    }

    /// The constant `text`.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Repr::Shared(ByteString::from_static(text)))
    }

    /// The text as it is.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Short(text) => text,
            Repr::Shared(text) => text,
        }
    }

    /// A part of the text, which must be a slice of it. Nothing is allocated.
    ///
    /// # Panics
    /// When `part` is longer than 20 bytes and no slice of the text.
    pub fn slice_ref(&self, part: &str) -> Self {
        match &self.0 {
            Repr::Shared(text) => Self::part_of(Some(text.as_bytes()), part),
            Repr::Short(_) => Self::from(part),
        }
    }

    /// The text `part`: a share of `owner` if it is long, which it must be a slice of then.
    #[inline]
    pub(crate) fn part_of(owner: Option<&Bytes>, part: &str) -> Self {
        match (ArrayString::from(part), owner) {
            (Ok(short), _) => Self(Repr::Short(short)),
            (Err(_), Some(owner)) => Self::share_of(owner, part),
            (Err(_), None) => Self(Repr::Shared(part.into())),
        }
    }

    fn share_of(owner: &Bytes, part: &str) -> Self {
        let share = ByteString::try_from(owner.slice_ref(part.as_bytes()));
        // A slice of a text is text.
        Self(Repr::Shared(share.unwrap_or_default()))
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Text {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::part_of(None, text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        match ArrayString::from(&text) {
            Ok(short) => Self(Repr::Short(short)),
            Err(_) => Self(Repr::Shared(text.into())),
        }
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl From<ByteString> for Text {
    fn from(text: ByteString) -> Self {
        Self(Repr::Shared(text))
    }
}

impl From<Text> for ByteString {
    fn from(text: Text) -> Self {
        match text.0 {
            Repr::Short(text) => Self::from(&*text),
            Repr::Shared(text) => text,
        }
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.as_str().to_owned()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialEq<Text> for str {
    fn eq(&self, other: &Text) -> bool {
        *self == **other
    }
}

impl PartialEq<Text> for &str {
    fn eq(&self, other: &Text) -> bool {
        **self == **other
    }
}

impl PartialEq<String> for Text {
    fn eq(&self, other: &String) -> bool {
        **self == **other
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        str::cmp(self, other)
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        str::hash(self, state);
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_stand_in_place_of_the_share() {
        assert_eq!(size_of::<Text>(), size_of::<ByteString>());
    }

    #[test]
    fn short_and_shared_texts_are_the_same_to_those_who_read() {
        let whole = ByteString::from("a text of more than twenty bytes");
        for length in 0..=whole.len() {
            let part = &whole[..length];
            let text = Text::part_of(Some(whole.as_bytes()), part);
            assert_eq!(text, part);
            assert_eq!(text, Text::from(part));
            assert_eq!(text, Text::from(ByteString::from(part)));
            assert_eq!(ByteString::from(text.clone()), part);
            assert_eq!(text.slice_ref(&text[length / 2..]), part[length / 2..]);
            assert_eq!(text.cmp(&Text::from_static("a t")), part.cmp("a t"));
        }
    }

    #[test]
    fn long_parts_share_their_bytes() {
        let whole = ByteString::from("a text of more than twenty bytes");
        let text = Text::part_of(Some(whole.as_bytes()), &whole[1..]);
        assert_eq!(text.as_ptr(), whole[1..].as_ptr());
        assert_eq!(text.slice_ref(&text[1..]).as_ptr(), whole[2..].as_ptr());
    }
}
