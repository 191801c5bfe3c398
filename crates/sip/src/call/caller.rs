//! The caller's side until the first final answer (RFC 3261 §13.2).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{Text, ValidRequest, ValidResponse};

use super::{CallId, Calls, State, Timer, Use, session::Session};
use crate::{
    Dropped, End, Event,
    dialog::{Dialog, Outgoing},
    transaction::{Failure, TransactionId, TransactionLayer},
};

/// A call that we placed and that nobody has answered finally.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) transaction: TransactionId,
    pub(crate) step: Step,
}

/// How far the INVITE got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing has come back.
    Calling,
    /// Nothing has come back, and the user has hung up: CANCEL follows the first provisional
    /// (RFC 3261 §9.1).
    Withdrawing,
    /// A provisional response has come.
    Proceeding,
    /// CANCEL was sent.
    Cancelling,
}

/// An INVITE of ours, for as long as its transaction lives.
#[derive(Debug)]
pub(crate) struct OutgoingInvite {
    pub(crate) call: CallId,
    pub(crate) request: ValidRequest,
    pub(crate) flow: Flow,
    /// The dialog that a re-INVITE was sent in.
    pub(crate) dialog: Option<Dialog>,
    /// The ACKs sent, to be sent again with each repetition of their 2xx (RFC 3261 §13.2.2.4).
    pub(crate) acks: Vec<Ack>,
}

/// The ACK to the 2xx of one fork.
#[derive(Debug)]
pub(crate) struct Ack {
    pub(crate) remote_tag: Option<Text>,
    pub(crate) outgoing: Outgoing,
}

impl OutgoingInvite {
    fn ack_to(&self, response: &ValidResponse) -> Option<&Outgoing> {
        let of_fork = |ack: &&Ack| ack.remote_tag.as_deref() == response.to().tag();
        self.acks.iter().find(of_fork).map(|ack| &ack.outgoing)
    }

    /// Whether the 2xx carries the offer, so that the ACK has to carry the answer (§13.2.1).
    pub(crate) fn offers(&self, response: &ValidResponse) -> bool {
        self.request.body().is_empty() && !response.body().is_empty()
    }
}

impl Calls {
    /// A response to an INVITE of ours.
    pub(super) fn invite_answered(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        transaction: TransactionId,
        response: ValidResponse,
    ) {
        let Some(Use::Invite(invite)) = self.uses.get(&transaction) else { return };
        let (call, first) = (invite.call, invite.dialog.is_none());
        if response.status().is_final() && self.invite_again(layer, now, transaction, &response) {
            return;
        }
        let Some(Use::Invite(invite)) = self.uses.get(&transaction) else { return };
        if response.status().is_success() {
            if let Some(ack) = invite.ack_to(&response) {
                return layer.send(ack.flow, &ack.message);
            }
            return self.accepted(layer, now, transaction, response);
        }
        match (first, response.status().is_provisional()) {
            (true, true) => self.progressed(layer, now, call, transaction, response),
            (true, false) => self.rejected(call, transaction, &response),
            (false, true) => {}
            (false, false) => {
                let status = response.status();
                self.reinvite_rejected(layer, now, call, transaction, status, None);
            }
        }
    }

    /// Nobody answered our INVITE, or it could not be sent (RFC 3261 §8.1.3.1).
    pub(super) fn invite_failed(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        transaction: TransactionId,
        invite: &OutgoingInvite,
        failure: Failure,
    ) {
        let (call, end) = (invite.call, End::from(failure));
        if invite.dialog.is_some() {
            let Some(status) = end.status() else { return };
            return self.reinvite_rejected(layer, now, call, transaction, status, Some(end));
        }
        match self.caller(call, transaction) {
            Some(Step::Withdrawing | Step::Cancelling) => self.end(call, End::Cancelled),
            Some(Step::Calling | Step::Proceeding) => self.end(call, end),
            None => {}
        }
    }

    /// A 2xx of a fork that has not sent one before (RFC 3261 §13.2.2.4).
    fn accepted(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        transaction: TransactionId,
        response: ValidResponse,
    ) {
        let Some(Use::Invite(invite)) = self.uses.get(&transaction) else { return };
        let (call, offers) = (invite.call, invite.offers(&response));
        if let Some(dialog) = invite.dialog.clone() {
            // A re-INVITE does not fork (§14.1): another tag is another's answer.
            if dialog.id().remote_tag.as_deref() != response.to().tag() {
                layer.discard(Dropped::StrayResponse, invite.flow);
                return;
            }
            return self.reinvite_accepted(layer, transaction, &dialog, response, offers);
        }
        if invite.acks.len() >= MAX_FORKS {
            layer.discard(Dropped::TooManyForks, invite.flow);
            return;
        }
        let dialog = Dialog::of_caller(&invite.request, &response, invite.flow);
        match self.caller(call, transaction) {
            Some(Step::Calling | Step::Proceeding) => {
                self.stand(call, dialog.clone(), transaction, offers);
                if !offers {
                    self.acknowledge_with(layer, transaction, &dialog, None);
                }
                self.events.push_back(Event::Answered { call, response });
            }
            // The 2xx has overtaken our CANCEL: take the call, and end it.
            Some(Step::Withdrawing | Step::Cancelling) => {
                self.acknowledge_with(layer, transaction, &dialog, None);
                self.stand(call, dialog, transaction, false);
                self.leave(layer, now, call);
            }
            None if self.awaits_answer(call, &dialog) => {}
            None => {
                self.acknowledge_with(layer, transaction, &dialog, None);
                self.say_bye(layer, now, call, dialog);
            }
        }
    }

    /// Another failure than ours to reach anybody (RFC 3261 §13.2.2.3).
    fn rejected(&mut self, call: CallId, transaction: TransactionId, response: &ValidResponse) {
        match self.caller(call, transaction) {
            Some(Step::Withdrawing | Step::Cancelling) => self.end(call, End::Cancelled),
            Some(Step::Calling | Step::Proceeding) => {
                let reason = Text::from(response.reason());
                self.end(call, End::Rejected { status: response.status(), reason });
            }
            None => {}
        }
    }

    /// A provisional response (RFC 3261 §13.2.2.1); the CANCEL that waited for it goes out.
    fn progressed(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        transaction: TransactionId,
        response: ValidResponse,
    ) {
        match self.caller(call, transaction) {
            Some(Step::Withdrawing) => self.send_cancel(layer, now, call),
            Some(Step::Calling | Step::Proceeding) => {
                self.set_step(call, Step::Proceeding);
                if response.status().as_u16() > 100 {
                    self.events.push_back(Event::Progress { call, response });
                }
            }
            Some(Step::Cancelling) | None => {}
        }
    }

    /// Lets a dialog stand as the call.
    fn stand(&mut self, call: CallId, dialog: Dialog, transaction: TransactionId, offers: bool) {
        self.dialogs.insert(dialog.id().clone(), call);
        let session = Session::of_caller(dialog, offers.then_some(transaction));
        self.become_state(call, State::Standing(Box::new(session)));
    }

    /// How far `transaction` got for a call that still waits for it.
    pub(super) fn caller(&self, call: CallId, transaction: TransactionId) -> Option<Step> {
        match &self.get(call).ok()?.state {
            State::Calling(caller) if caller.transaction == transaction => Some(caller.step),
            _ => None,
        }
    }

    pub(super) fn set_step(&mut self, call: CallId, step: Step) {
        if let Ok(call) = self.get_mut(call)
            && let State::Calling(caller) = &mut call.state
        {
            caller.step = step;
        }
    }

    /// Starts the `Expires` of an INVITE (RFC 3261 §13.2.1, §13.3.1).
    pub(super) fn start_expires(&mut self, now: Instant, call: CallId, invite: &ValidRequest) {
        if let Ok(Some(expires)) = invite.header::<offhook_sip_message::Expires>() {
            let duration = std::time::Duration::from_secs(expires.0.into());
            self.set_timer(call, Timer::Expires, now + duration);
        }
    }
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TimedOut => Self::TimedOut,
            Failure::Transport => Self::TransportFailed,
        }
    }
}

/// How many forks of one INVITE are followed up: a peer that invents tags gets no more memory.
const MAX_FORKS: usize = 16;
