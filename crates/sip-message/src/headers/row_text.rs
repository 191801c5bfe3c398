//! The text of a value: folds undone, and the way back to where it stood (RFC 3261 §7.3.1).

use std::borrow::Cow;

use bytes::Bytes;

use super::{is_white, white_prefix};
use crate::{Header, ParseError, Profile, Text, WireText};

/// The text of a header field value and where it stands in the message.
#[derive(Clone, Debug)]
pub(crate) struct RowText<'a> {
    value: Cow<'a, str>,
    /// What the value is a part of, unless it had to be unfolded.
    whole: Option<&'a Bytes>,
    profile: Profile,
    start: usize,
    /// Where each folded line begins, in order.
    folds: Vec<Fold>,
}

/// Where a folded line begins, behind its leading white space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fold {
    /// In the text as it came.
    raw: usize,
    /// In the unfolded text.
    unfolded: usize,
}

impl<'a> RowText<'a> {
    /// The text `value`, which stands at byte `start` of `whole`.
    #[inline]
    pub(super) fn new(whole: &'a Bytes, value: &'a str, start: usize, profile: Profile) -> Self {
        let (value, whole) = (Cow::Borrowed(value), Some(whole));
        Self { value, whole, profile, start, folds: Vec::new() }
    }

    /// The text of `folded`, which starts at byte `start` of the message.
    pub(super) fn unfolded(folded: &str, start: usize, profile: Profile) -> Self {
        let mut folds = Vec::new();
        let value = Cow::Owned(unfold(folded, |fold| folds.push(fold)));
        Self { value, whole: None, profile, start, folds }
    }

    /// The value.
    pub(crate) fn as_str(&self) -> &str {
        &self.value
    }

    pub(crate) fn profile(&self) -> Profile {
        self.profile
    }

    /// The value, to be kept.
    pub(super) fn to_text(&self) -> Text {
        Text::part_of(self.whole, &self.value)
    }

    /// Reads the value as one `H`.
    pub(super) fn parse<H: Header>(&self) -> Result<H, ParseError> {
        self.parse_part(0, self.value.len())
    }

    /// Reads the part of the value from byte `start` to `end` as one `H`.
    pub(super) fn parse_part<H: Header>(&self, start: usize, end: usize) -> Result<H, ParseError> {
        let part = self.value.get(start..end).unwrap_or_default();
        let text = WireText::element(self.whole, &self.value, part, self.profile);
        H::parse(&text).map_err(|error| self.place::<H>(start, error))
    }

    /// The same error, at its place in the message. It was found in what begins at `start`.
    #[cold]
    fn place<H: Header>(&self, start: usize, error: ParseError) -> ParseError {
        let offset = self.offset_in_message(start.saturating_add(error.offset()));
        error.at(offset).within(H::NAME)
    }

    /// Where in the message the byte `offset` of the value stands.
    fn offset_in_message(&self, offset: usize) -> usize {
        // A search: a list of thousands of broken elements asks for each of them.
        let after = self.folds.partition_point(|fold| fold.unfolded <= offset);
        let fold = after.checked_sub(1).and_then(|last| self.folds.get(last));
        let (raw, unfolded) = fold.map_or((0, 0), |fold| (fold.raw, fold.unfolded));
        self.start.saturating_add(raw).saturating_add(offset.saturating_sub(unfolded))
    }
}

/// A fold and the white space around it stand for one space (RFC 3261 §7.3.1). Tells `fold` of each.
pub(crate) fn unfold(text: &str, mut fold: impl FnMut(Fold)) -> String {
    let mut unfolded = String::with_capacity(text.len());
    let mut start = 0_usize;
    for line in text.split_inclusive('\n') {
        let leading = white_prefix(line.as_bytes());
        if start == 0 {
            unfolded.push_str(line.trim_end_matches(is_white_char));
        } else {
            unfolded.push(' ');
            fold(Fold { raw: start.saturating_add(leading), unfolded: unfolded.len() });
            unfolded.push_str(line.trim_matches(is_white_char));
        }
        start = start.saturating_add(line.len());
    }
    unfolded
}

fn is_white_char(c: char) -> bool {
    u8::try_from(c).is_ok_and(is_white)
}
