//! The text of a value: folds undone, and the way back to where it stood (RFC 3261 §7.3.1).

use super::{Headers, is_white, white_prefix};
use crate::{Header, ParseError, Text, WireText};

/// The text of a header field value and where it stands in the message.
#[derive(Clone)]
pub(crate) struct RowText<'a> {
    headers: &'a Headers,
    /// The value as it came.
    raw: &'a str,
    start: usize,
    unfolded: Option<Box<Unfolded>>,
}

/// A value that stood on more than one line.
#[derive(Clone)]
struct Unfolded {
    value: String,
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
    /// The text `raw`, which stands at byte `start` of the message.
    #[inline]
    pub(super) fn new(headers: &'a Headers, raw: &'a str, start: usize) -> Self {
        Self { headers, raw, start, unfolded: None }
    }

    /// The text of `folded`, which starts at byte `start` of the message.
    pub(super) fn unfolded(headers: &'a Headers, folded: &'a str, start: usize) -> Self {
        let mut folds = Vec::new();
        let value = unfold(folded, |fold| folds.push(fold));
        let unfolded = Some(Box::new(Unfolded { value, folds }));
        Self { headers, raw: folded, start, unfolded }
    }

    /// The value.
    #[inline]
    pub(crate) fn as_str(&self) -> &str {
        match &self.unfolded {
            None => self.raw,
            Some(unfolded) => &unfolded.value,
        }
    }

    /// The value, to be kept.
    pub(super) fn to_text(&self) -> Text {
        let value = self.as_str();
        self.wire_text(value, value).slice_ref(value)
    }

    /// Reads the value as one `H`.
    #[inline]
    pub(super) fn parse<H: Header>(&self) -> Result<H, ParseError> {
        self.parse_part(0, self.as_str())
    }

    /// Reads the part of the value at byte `start` as one `H`.
    #[inline]
    pub(super) fn parse_part<H: Header>(&self, start: usize, part: &str) -> Result<H, ParseError> {
        let mut value = H::parse(&self.wire_text(self.as_str(), part));
        // In place: values are large, and each way out of a match would copy them.
        if let Err(error) = &mut value {
            self.place::<H>(start, error);
        }
        value
    }

    /// What is unfolded is no part of the message any more.
    #[inline]
    fn wire_text<'b>(&'b self, row: &'b str, part: &'b str) -> WireText<'b> {
        let whole = if self.unfolded.is_none() { Some(&self.headers.bytes) } else { None };
        WireText::element(whole, row, part, self.headers.profile)
    }

    /// Gives the error, which was found in what begins at `start`, its place in the message.
    #[cold]
    fn place<H: Header>(&self, start: usize, error: &mut ParseError) {
        let offset = self.offset_in_message(start.saturating_add(error.offset()));
        *error = error.clone().at(offset).within(H::NAME);
    }

    /// Where in the message the byte `offset` of the value stands.
    fn offset_in_message(&self, offset: usize) -> usize {
        // A search: a list of thousands of broken elements asks for each of them.
        let folds = self.unfolded.as_ref().map_or(&[][..], |unfolded| &unfolded.folds);
        let after = folds.partition_point(|fold| fold.unfolded <= offset);
        let fold = after.checked_sub(1).and_then(|last| folds.get(last));
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
