//! The dialogs of calls that subscriptions share (RFC 6665 §4.5.2): one count of CSeq, one
//! route set, one target. A dialog that is shared outlives its call.

use offhook_sip_message::{Text, Uri};

use super::{CallId, Calls, State};
use crate::{
    Error,
    dialog::{Dialog, DialogId},
};

impl Calls {
    /// The call that has this dialog.
    pub(crate) fn with_dialog(&self, dialog: &DialogId) -> Option<CallId> {
        self.dialogs.get(dialog).copied()
    }

    /// The call with this dialog, if it may begin something more: it is not about to end.
    pub(crate) fn shareable(&self, dialog: &DialogId) -> Option<CallId> {
        let call = self.with_dialog(dialog)?;
        let leaves = matches!(self.get(call).ok()?.state, State::Leaving(_));
        (!leaves).then_some(call)
    }

    /// The dialog, as long as its call lives.
    pub(crate) fn shared(&mut self, dialog: &DialogId) -> Option<&mut Dialog> {
        let call = self.with_dialog(dialog)?;
        self.dialog_mut(call, dialog)
    }

    /// The dialog of a call that stands.
    pub(crate) fn standing(&self, call: CallId, verb: &'static str) -> Result<&Dialog, Error> {
        self.get(call)?;
        let wrong = Error::WrongState { verb, expected: "a call that stands" };
        self.session(call).map(|session| &session.usage.dialog).ok_or(wrong)
    }

    /// Says that a subscription shares a dialog.
    pub(crate) fn share(&mut self, dialog: &DialogId) {
        if self.dialogs.contains_key(dialog) {
            self.shared.entry(dialog.clone()).or_default();
        }
    }

    /// Says that no subscription shares a dialog any more.
    pub(crate) fn unshare(&mut self, dialog: &DialogId) {
        self.shared.remove(dialog);
    }

    /// What a call that is over has left to those that share its dialog.
    pub(crate) fn take_left(&mut self, dialog: &DialogId) -> Option<Dialog> {
        self.shared.get_mut(dialog)?.take()
    }

    /// Leaves a dialog to those that share it.
    pub(super) fn leave_to_others(&mut self, dialog: &Dialog) {
        if let Some(left) = self.shared.get_mut(dialog.id()) {
            *left = Some(dialog.clone());
        }
    }
}

impl Dialog {
    /// The remote target with the `Replaces` of this dialog (RFC 3891 §3, RFC 5589 §7.3): who calls
    /// it takes this side's place.
    pub(crate) fn replacing(&self) -> Uri {
        let mut uri = self.remote_target().clone();
        let (to, from) = (self.id().remote_tag.as_deref().unwrap_or("0"), &self.id().local_tag);
        let replaces = format!("{};to-tag={to};from-tag={from}", self.id().call_id);
        if let Uri::Sip(uri) = &mut uri {
            uri.headers = Some(Text::from(format!("Replaces={}", escaped(&replaces))));
        }
        uri
    }
}

/// `value` as an `hvalue` of a URI (RFC 3261 §25.1).
fn escaped(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()[]/?:+$".contains(&byte);
    value.bytes().fold(String::new(), |mut text, byte| {
        match plain(byte) {
            true => text.push(byte.into()),
            false => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}
