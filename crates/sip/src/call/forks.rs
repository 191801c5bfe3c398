//! The early dialogs of a call that we placed (RFC 3261 §12.1.2, §13.2.2.1, §13.2.2.4).
//!
//! 1. Each To tag of a provisional response, 101 to 199, makes a dialog that counts for itself.
//! 2. The first 2xx makes its dialog the call; the others are over, and their requests unknown.
//! 3. A 2xx that still comes in one of those is acknowledged and ended.

use std::time::Instant;

use offhook_sip_message::{StatusCode, ValidResponse};

use super::{
    CallId, Calls, State, Timer, Use,
    acknowledge::body_of,
    offer::{Offers, describes},
    session::Session,
    usage::Usage,
};
use crate::{
    Dropped, Event, Fork,
    dialog::{Dialog, DialogId},
    transaction::{TransactionId, TransactionLayer},
};

impl Calls {
    /// A provisional response, 101 to 199, to our first INVITE.
    pub(super) fn fork_progressed(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        transaction: TransactionId,
        response: ValidResponse,
    ) {
        let Some(dialog) = self.fork(layer, call, transaction, &response) else { return };
        let Some(description) = self.heard(layer, now, call, &dialog, &response) else { return };
        let Some(fork) = self.usage_of(call, &dialog).map(|usage| usage.fork) else { return };
        self.events.push_back(Event::Progress { call, fork, description, response });
    }

    /// The early dialog of the response; the first response with its tag makes it.
    fn fork(
        &mut self,
        layer: &mut TransactionLayer,
        call: CallId,
        transaction: TransactionId,
        response: &ValidResponse,
    ) -> Option<DialogId> {
        let Some(Use::Invite(invite)) = self.uses.get(&transaction) else { return None };
        let (flow, lost) = (invite.flow, invite.lost.len());
        if invite.lost.iter().any(|dialog| is_of(dialog, response)) {
            layer.discard(Dropped::StrayResponse, flow);
            return None;
        }
        let id = DialogId::of_caller(&invite.request, response);
        let forks = self.usages(call).count();
        if self.usage_of(call, &id).is_some() {
            return Some(id);
        }
        if forks + lost >= MAX_FORKS {
            layer.discard(Dropped::TooManyForks, flow);
            return None;
        }
        let usage = self.new_fork(call, transaction, response)?;
        if let State::Calling(caller) = &mut self.get_mut(call).ok()?.state {
            caller.forks.push(usage);
        }
        self.dialogs.insert(id.clone(), call);
        Some(id)
    }

    fn new_fork(
        &mut self,
        call: CallId,
        transaction: TransactionId,
        response: &ValidResponse,
    ) -> Option<Usage> {
        let Some(Use::Invite(invite)) = self.uses.get(&transaction) else { return None };
        let dialog = Dialog::of_caller(&invite.request, response, invite.flow);
        let offered = describes(invite.request.headers(), &invite.request.body());
        let offer = body_of(&invite.request).filter(|_| offered);
        let mut fork = Fork(u32::MAX);
        if let Ok(State::Calling(caller)) = self.get_mut(call).map(|call| &mut call.state) {
            fork = Fork(caller.named);
            caller.named = caller.named.saturating_add(1);
        }
        let mut usage = Usage::new(fork, dialog, Offers::of_caller(offered));
        usage.described.say(offer);
        Some(usage)
    }

    /// The dialog that a 2xx confirms: the early one of its tag, lost or not, or a new one.
    pub(super) fn take_fork(
        &mut self,
        call: CallId,
        transaction: TransactionId,
        response: &ValidResponse,
    ) -> Option<Usage> {
        if let Ok(State::Calling(caller)) = self.get_mut(call).map(|call| &mut call.state)
            && let Some(at) = caller.forks.iter().position(|fork| is_of(&fork.dialog, response))
        {
            let mut usage = caller.forks.swap_remove(at);
            usage.dialog.confirm(response);
            return Some(usage);
        }
        let mut usage = self.new_fork(call, transaction, response)?;
        let Some(Use::Invite(invite)) = self.uses.get(&transaction) else { return None };
        if let Some(lost) = invite.lost.iter().find(|dialog| is_of(dialog, response)) {
            usage.dialog = lost.clone();
            usage.dialog.confirm(response);
        }
        Some(usage)
    }

    /// Lets a dialog stand as the call; the others have lost.
    pub(super) fn stand(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        transaction: TransactionId,
        usage: Usage,
        offers: bool,
    ) {
        let lost = self.drop_forks(layer, now, call);
        if let Some(Use::Invite(invite)) = self.uses.get_mut(&transaction) {
            invite.lost.extend(lost);
        }
        self.dialogs.insert(usage.dialog.id().clone(), call);
        let session = Session::of_caller(usage, offers.then_some(transaction));
        self.become_state(call, State::Standing(Box::new(session)));
    }

    /// Ends all early dialogs of a call that we placed.
    pub(super) fn drop_forks(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
    ) -> Vec<Dialog> {
        let Ok(State::Calling(caller)) = self.get_mut(call).map(|call| &mut call.state) else {
            return Vec::new();
        };
        let forks = std::mem::take(&mut caller.forks);
        forks.into_iter().map(|fork| self.drop_fork(layer, now, call, fork)).collect()
    }

    /// Ends one early dialog, and keeps in mind that it was. The call goes on.
    pub(super) fn lose_fork(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        dialog: &DialogId,
    ) -> Option<Dialog> {
        let Ok(State::Calling(caller)) = self.get_mut(call).map(|call| &mut call.state) else {
            return None;
        };
        let transaction = caller.transaction;
        let at = caller.forks.iter().position(|fork| fork.dialog.id() == dialog)?;
        let fork = caller.forks.swap_remove(at);
        let dialog = self.drop_fork(layer, now, call, fork);
        if let Some(Use::Invite(invite)) = self.uses.get_mut(&transaction) {
            invite.lost.push(dialog.clone());
        }
        Some(dialog)
    }

    fn drop_fork(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        mut fork: Usage,
    ) -> Dialog {
        fork.dismiss(layer, now, StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        self.stop_timer(call, Timer::Unanswered(fork.fork));
        self.leave_to_others(&fork.dialog);
        self.dialogs.remove(fork.dialog.id());
        fork.dialog
    }
}

/// Whether the response belongs to a dialog of its INVITE: all but the tag is the same.
pub(super) fn is_of(dialog: &Dialog, response: &ValidResponse) -> bool {
    dialog.id().remote_tag.as_deref() == response.to().tag()
}

/// How many forks of one INVITE are followed up: a peer that invents tags gets no more memory.
pub(super) const MAX_FORKS: usize = 16;
