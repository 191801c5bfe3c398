//! The caller's side until the first final answer (RFC 3261 §13.2).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{Text, ValidRequest, ValidResponse};

use super::{
    CallId, Calls, State, Timer, Use,
    forks::{MAX_FORKS, is_of},
    offer::{Carrier, describes},
    redirect::Redirection,
    refresh::{Failed, Purpose},
    session_timer::Role,
    usage::Usage,
};
use crate::{
    Description, Dropped, End, Event,
    dialog::{Dialog, Outgoing},
    transaction::{Failure, TransactionId, TransactionLayer},
};

/// A call that we placed and that nobody has answered finally.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) transaction: TransactionId,
    pub(crate) step: Step,
    /// The early dialogs, one with each who has answered provisionally (RFC 3261 §12.1.2).
    pub(crate) forks: Vec<Usage>,
    /// How many forks have had a name.
    pub(crate) named: u32,
    pub(crate) redirection: Redirection,
}

impl Caller {
    pub(crate) fn new(transaction: TransactionId) -> Self {
        let redirection = Redirection::default();
        Self { transaction, step: Step::Calling, forks: Vec::new(), named: 0, redirection }
    }
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
    /// Nothing is under way: the owner is to say whether to follow a redirect.
    Redirected,
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
    /// The early dialogs that did not become the call. A 2xx may still come in one, and its BYE
    /// counts on from what was sent in it.
    pub(crate) lost: Vec<Dialog>,
    /// Why a re-INVITE was sent.
    pub(crate) purpose: Purpose,
}

/// The ACK to the 2xx of one fork.
#[derive(Debug)]
pub(crate) struct Ack {
    pub(crate) remote_tag: Option<Text>,
    pub(crate) outgoing: Outgoing,
}

impl OutgoingInvite {
    pub(crate) const fn new(
        call: CallId,
        request: ValidRequest,
        flow: Flow,
        dialog: Option<Dialog>,
    ) -> Self {
        let purpose = Purpose::User;
        Self { call, request, flow, dialog, acks: Vec::new(), lost: Vec::new(), purpose }
    }

    /// The same, sent for `purpose`.
    pub(crate) fn with_purpose(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }

    fn ack_to(&self, response: &ValidResponse) -> Option<&Outgoing> {
        let of_fork = |ack: &&Ack| ack.remote_tag.as_deref() == response.to().tag();
        self.acks.iter().find(of_fork).map(|ack| &ack.outgoing)
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
        let (call, first, purpose) = (invite.call, invite.dialog.is_none(), invite.purpose);
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
            (true, false) => self.rejected(layer, now, call, transaction, &response),
            (false, true) if response.status().as_u16() > 100 => {
                self.reinvite_progressed(layer, now, call, transaction, response);
            }
            (false, true) => {}
            (false, false) => {
                let failed = Failed::by(&response);
                self.reinvite_rejected(layer, now, transaction, call, purpose, failed);
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
            let Some(failed) = Failed::without_answer(end) else { return };
            let purpose = invite.purpose;
            return self.reinvite_rejected(layer, now, transaction, call, purpose, failed);
        }
        match self.caller(call, transaction) {
            Some(Step::Withdrawing | Step::Cancelling) => {
                self.end(layer, now, call, End::Cancelled);
            }
            Some(Step::Calling | Step::Proceeding) => {
                if !self.redirected(layer, now, call, &invite.request, &end, None) {
                    self.end(layer, now, call, end);
                }
            }
            Some(Step::Redirected) | None => {}
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
        let call = invite.call;
        if let Some(dialog) = invite.dialog.clone() {
            // A re-INVITE does not fork (§14.1): another tag is another's answer.
            if dialog.id().remote_tag.as_deref() != response.to().tag() {
                layer.discard(Dropped::StrayResponse, invite.flow);
                return;
            }
            return self.reinvite_accepted(layer, now, transaction, &dialog, response);
        }
        if invite.acks.len() >= MAX_FORKS {
            layer.discard(Dropped::TooManyForks, invite.flow);
            return;
        }
        let gone = invite.lost.iter().any(|dialog| is_of(dialog, &response));
        match self.caller(call, transaction) {
            Some(Step::Calling | Step::Proceeding) if !gone => {
                self.taken(layer, now, call, transaction, response);
            }
            // The 2xx has overtaken our CANCEL, or comes in a dialog that is over: take the call,
            // and end it.
            Some(_) => {
                let Some(usage) = self.take_fork(call, transaction, &response) else { return };
                self.acknowledge_with(layer, transaction, &usage.dialog, None);
                self.stand(layer, now, call, transaction, usage, false);
                self.leave(layer, now, call, End::HungUp);
            }
            None => {
                let Some(usage) = self.take_fork(call, transaction, &response) else { return };
                if !self.awaits_answer(call, &usage.dialog) {
                    self.acknowledge_with(layer, transaction, &usage.dialog, None);
                    self.say_bye(layer, now, call, usage.dialog);
                }
            }
        }
    }

    /// The first 2xx makes the call.
    fn taken(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        transaction: TransactionId,
        response: ValidResponse,
    ) {
        let Some(mut usage) = self.take_fork(call, transaction, &response) else { return };
        let described = describes(response.headers(), &response.body());
        let description = usage.offers.receive_response(Carrier::Accepted, described);
        usage.learn_packages(response.headers());
        let offers = description == Description::Offer;
        let (fork, dialog) = (usage.fork, usage.dialog.clone());
        self.stand(layer, now, call, transaction, usage, offers);
        if let Some(Use::Invite(invite)) = self.uses.get(&transaction) {
            let request = invite.request.clone();
            self.time_session(now, call, Role::Uac, &request, response.headers());
        }
        if !offers {
            self.acknowledge_with(layer, transaction, &dialog, None);
        }
        self.events.push_back(Event::Answered { call, fork, description, response });
    }

    /// Another failure than ours to reach anybody (RFC 3261 §13.2.2.3).
    fn rejected(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        transaction: TransactionId,
        response: &ValidResponse,
    ) {
        match self.caller(call, transaction) {
            Some(Step::Withdrawing | Step::Cancelling) => {
                self.end(layer, now, call, End::Cancelled);
            }
            Some(Step::Calling | Step::Proceeding) => {
                let Some(Use::Invite(invite)) = self.uses.get(&transaction) else { return };
                let invite = invite.request.clone();
                let reason = Text::from(response.reason());
                let end = End::Rejected { status: response.status(), reason };
                self.hear_reasons(call, response.headers());
                if !self.redirected(layer, now, call, &invite, &end, Some(response)) {
                    self.end(layer, now, call, end);
                }
            }
            Some(Step::Redirected) | None => {}
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
                    self.fork_progressed(layer, now, call, transaction, response);
                }
            }
            Some(Step::Cancelling | Step::Redirected) | None => {}
        }
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
