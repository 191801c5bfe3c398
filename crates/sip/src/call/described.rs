//! The session descriptions that this side has sent in a dialog, for the re-INVITE that refreshes it
//! unchanged (RFC 4028 §7.4).

use crate::Body;

/// The last description, and the one before it until the last is agreed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Described {
    agreed: Option<Body>,
    said: Option<Body>,
}

impl Described {
    /// A new offer is made by either side: what was said before is agreed.
    pub(crate) fn settle(&mut self) {
        if let Some(said) = self.said.take() {
            self.agreed = Some(said);
        }
    }

    /// This side says `body`.
    pub(crate) fn say(&mut self, body: Option<Body>) {
        if body.is_some() {
            self.settle();
            self.said = body;
        }
    }

    /// What was said last was refused: the session is as it was (RFC 3261 §14.1).
    pub(crate) fn take_back(&mut self) {
        self.said = None;
    }

    /// The description that is in force.
    pub(crate) fn last(&self) -> Option<&Body> {
        self.said.as_ref().or(self.agreed.as_ref())
    }
}
