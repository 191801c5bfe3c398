//! One row of a message in the making: where its text stands.

use crate::{
    HeaderName,
    header::Known,
    parse::{Line, Span},
};

/// A row. It holds no text: [`Line`] tells where in its source name and value stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) line: Line,
    pub(super) source: Source,
    /// The value starts behind values that were taken out: no colon stands before it.
    pub(super) is_cut: bool,
}

/// Where the text of a row stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Source {
    /// In the message that the draft started from. It came so and is passed on so.
    #[default]
    Kept,
    /// In the text of the draft, copied from that message, its name too.
    Copied,
    /// In the text of the draft, under the name that the registry gives.
    Written,
}

impl Row {
    pub(super) fn kept(line: &Line) -> Self {
        Self { line: *line, source: Source::Kept, is_cut: false }
    }

    pub(super) fn known(&self) -> Option<Known> {
        self.line.known
    }

    /// Whether the row, whose name is spelled `spelled`, is named `name`.
    pub(super) fn is(&self, name: &HeaderName, spelled: &[u8]) -> bool {
        match (self.known(), name.as_known()) {
            (Some(own), Some(known)) => own == known,
            (None, None) => name.is(spelled),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// What stands between name and value, a colon among it.
    pub(super) fn colon(&self) -> Span {
        Span { start: self.line.name.end, end: self.line.value.start }
    }
}
