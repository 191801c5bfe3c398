//! The dialogs of subscriptions: each is kept as long as a subscription lives in it, or its call.

use std::{collections::HashMap, time::Instant};

use offhook_sansio::Key;

use super::{Notifier, Subscriber};
use crate::{
    call::Calls,
    dialog::{Dialog, DialogId},
    transaction::TransactionLayer,
};

/// A subscription in a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    Subscriber(Key<Subscriber>),
    Notifier(Key<Notifier>),
}

/// What a subscription works with.
pub(crate) struct Ground<'a> {
    pub(crate) layer: &'a mut TransactionLayer,
    pub(crate) calls: &'a mut Calls,
    pub(crate) dialogs: &'a mut Dialogs,
    pub(crate) now: Instant,
}

impl Ground<'_> {
    /// The dialog `id`, be it of a call or of subscriptions alone.
    pub(crate) fn dialog(&mut self, id: &DialogId) -> Option<&mut Dialog> {
        self.dialogs.get(self.calls, id)
    }
}

/// The dialogs without a call, and who lives in which.
#[derive(Debug, Default)]
pub(crate) struct Dialogs {
    own: HashMap<DialogId, Dialog>,
    members: HashMap<DialogId, Vec<Member>>,
}

impl Dialogs {
    /// The dialog `id`. What a call has left when it ended is taken over.
    pub(crate) fn get<'a>(
        &'a mut self,
        calls: &'a mut Calls,
        id: &DialogId,
    ) -> Option<&'a mut Dialog> {
        if calls.with_dialog(id).is_some() {
            return calls.shared(id);
        }
        if let Some(left) = calls.take_left(id) {
            self.own.insert(id.clone(), left);
        }
        self.own.get_mut(id)
    }

    /// Takes a new dialog. It stays when a member joins it.
    pub(crate) fn begin(&mut self, dialog: Dialog) {
        self.own.insert(dialog.id().clone(), dialog);
    }

    /// Those who live in a dialog, in the order of their coming.
    pub(crate) fn members(&self, id: &DialogId) -> &[Member] {
        self.members.get(id).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn join(&mut self, calls: &mut Calls, id: DialogId, member: Member) {
        calls.share(&id);
        self.members.entry(id).or_default().push(member);
    }

    /// The last to leave ends the dialog, unless it is that of a call (RFC 6665 §4.5.2).
    pub(crate) fn leave(&mut self, calls: &mut Calls, id: &DialogId, member: Member) {
        let Some(members) = self.members.get_mut(id) else { return };
        members.retain(|other| *other != member);
        if members.is_empty() {
            self.members.remove(id);
            self.own.remove(id);
            calls.unshare(id);
        }
    }

    /// How many dialogs live without a call.
    pub(crate) fn len(&self) -> usize {
        self.own.len()
    }
}
