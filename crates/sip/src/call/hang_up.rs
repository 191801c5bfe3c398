//! Ending a call, whatever its state (RFC 3261 §15).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{Headers, Method, Reason, StatusCode, ValidRequest, ValidResponse};

use super::{
    Call, CallId, Calls, State, Use, caller::Step, inspect, invite::supported, session::Exchange,
};
use crate::{
    End, Error,
    dialog::{Dialog, DialogId},
    transaction::{TransactionId, TransactionLayer},
};

/// A BYE of ours, for as long as its transaction lives.
#[derive(Debug)]
pub(crate) struct OutgoingBye {
    pub(crate) call: CallId,
    pub(crate) request: ValidRequest,
    pub(crate) flow: Flow,
    /// How the call ends with it. `None`: its dialog is one that the call does not want.
    pub(crate) end: Option<End>,
}

impl Calls {
    /// Hangs up: with CANCEL, BYE or 480, as the state asks.
    pub(crate) fn hang_up(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
    ) -> Result<(), Error> {
        match &self.get(call)?.state {
            State::Calling(caller) => match caller.step {
                Step::Calling => self.set_step(call, Step::Withdrawing),
                Step::Proceeding => self.send_cancel(layer, now, call),
                Step::Redirected => self.end(layer, now, call, End::Cancelled),
                Step::Withdrawing | Step::Cancelling => {}
            },
            State::Ringing(_) => {
                let status = StatusCode::TEMPORARILY_UNAVAILABLE;
                return self.refuse(layer, now, call, status, End::Refused { status });
            }
            State::Standing(_) => self.hang_up_session(layer, now, call, End::HungUp),
            State::Leaving(_) => {}
        }
        Ok(())
    }

    /// Hangs up, and says why in the BYE or CANCEL (RFC 3326).
    pub(crate) fn hang_up_because(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        reason: Reason,
    ) -> Result<(), Error> {
        self.get_mut(call)?.reason = Some(Box::new(reason));
        self.hang_up(layer, now, call)
    }

    /// Why the peer ends the call (RFC 3326).
    pub(super) fn hear_reasons(&mut self, call: CallId, headers: &Headers) {
        if let Ok(call) = self.get_mut(call) {
            call.reasons = headers.headers_of().flatten().take(MOST_REASONS).collect();
        }
    }

    /// Hangs up a call that stands; it ends with `end`.
    pub(super) fn hang_up_session(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        end: End,
    ) {
        let Some(session) = self.session_mut(call) else { return };
        match &session.exchange {
            // §15: no BYE before the ACK to our 2xx, or its time, has come.
            Exchange::Answered(_) => session.hung_up = true,
            _ => {
                self.break_off(layer, now, call);
                self.leave(layer, now, call, end);
            }
        }
    }

    /// Ends the INVITE that is under way in a call that stands: nobody will answer it any more.
    pub(super) fn break_off(&mut self, layer: &mut TransactionLayer, now: Instant, call: CallId) {
        let Some(session) = self.session_mut(call) else { return };
        match &session.exchange {
            Exchange::Invited(_) => {
                let status = StatusCode::REQUEST_TERMINATED;
                let refused = self.refuse(layer, now, call, status, End::HungUp);
                layer.built(refused);
            }
            Exchange::Unacknowledged { transaction } => {
                let (transaction, dialog) = (*transaction, session.usage.dialog.clone());
                self.acknowledge_with(layer, transaction, &dialog, None);
            }
            // The peer stops repeating its 2xx once the call is over, so that one may never come.
            Exchange::Inviting { transaction } => layer.limit(now, *transaction),
            Exchange::Idle | Exchange::Answered(_) => {}
        }
    }

    /// Sends the BYE of a call that stands and waits for its answer (§15.1.1).
    pub(super) fn leave(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        end: End,
    ) {
        let Some(session) = self.session_mut(call) else { return };
        session.usage.dismiss(layer, now, StatusCode::REQUEST_TERMINATED);
        let dialog = session.usage.dialog.clone();
        self.stop_session_timer(call);
        if self.send_bye(layer, now, call, dialog, Some(end.clone())).is_some() {
            let Some(session) = self.session(call) else { return };
            let dialog = session.usage.dialog.clone();
            self.become_state(call, State::Leaving(Box::new(dialog)));
        } else {
            self.end(layer, now, call, end);
        }
    }

    /// Sends the BYE of a dialog that is no call, or no call any more.
    pub(super) fn say_bye(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        dialog: Dialog,
    ) {
        self.send_bye(layer, now, call, dialog, None);
    }

    /// The final answer to a BYE of ours: whatever it is, the dialog is over (§15.1.1), unless it
    /// asks for credentials.
    pub(super) fn bye_answered(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        transaction: TransactionId,
        response: &ValidResponse,
    ) {
        let Some(Use::Bye(bye)) = self.uses.get(&transaction) else { return };
        let (call, flow, end) = (bye.call, bye.flow, bye.end.clone());
        let challenged = bye.request.clone();
        let shared = self.leaving(call).filter(|_| end.is_some()).map(Dialog::next_cseq);
        let next = shared.unwrap_or_else(|| challenged.cseq().number.checked_add(1));
        let again = next.and_then(|n| self.again(layer, call, &challenged, response, flow, n));
        if let Some(request) = again {
            let sent = layer.request(now, &request, flow);
            if let Some(next) = layer.built(sent) {
                self.count(call, &request);
                let bye = OutgoingBye { call, request, flow, end };
                self.uses.insert(next, Use::Bye(Box::new(bye)));
                return;
            }
        }
        if let Some(end) = end {
            self.end(layer, now, call, end);
        }
    }

    fn send_bye(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        mut dialog: Dialog,
        end: Option<End>,
    ) -> Option<TransactionId> {
        let built = dialog.request(layer, Method::BYE);
        let (builder, flow) = layer.built(built)?;
        let builder = builder.list(&supported(layer, &self.session_timer(call)));
        let reason = self.get(call).ok().and_then(|call| call.reason.as_deref());
        let builder = match reason.filter(|_| end.is_some()) {
            Some(reason) => builder.header(reason),
            None => builder,
        };
        let bye = layer.built(builder.build())?;
        let bye = self.authorize(layer, call, bye);
        let request = layer.built(bye)?;
        let sent = layer.request(now, &request, flow);
        let transaction = layer.built(sent)?;
        self.count(call, &request);
        let bye = OutgoingBye { call, request, flow, end };
        self.uses.insert(transaction, Use::Bye(Box::new(bye)));
        Some(transaction)
    }

    /// The dialog of a call whose BYE is under way.
    fn leaving(&self, call: CallId) -> Option<&Dialog> {
        match &self.get(call).ok()?.state {
            State::Leaving(dialog) => Some(dialog),
            State::Calling(_) | State::Ringing(_) | State::Standing(_) => None,
        }
    }

    /// The dialog counts on from a BYE: others may share it, and an early one that is over may still
    /// be accepted (§13.2.2.4: the numbers stay).
    fn count(&mut self, call: CallId, bye: &ValidRequest) {
        let (id, number) = (DialogId::of_own(bye), bye.cseq().number);
        if let Some(dialog) = self.dialog_mut(call, &id) {
            return dialog.sent(number);
        }
        let Ok(State::Calling(caller)) = self.get(call).map(|call| &call.state) else { return };
        let transaction = caller.transaction;
        if let Some(Use::Invite(invite)) = self.uses.get_mut(&transaction) {
            let lost = invite.lost.iter_mut().filter(|lost| *lost.id() == id);
            lost.for_each(|lost| lost.sent(number));
        }
    }

    /// The peer hangs up (§15.1.2); what it asked before is answered with 487.
    pub(super) fn bye_received(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        dialog: &DialogId,
        bye: &ValidRequest,
        flow: Flow,
    ) {
        inspect::answer(layer, now, bye, flow, StatusCode::OK);
        let leaves = |call: &Call| matches!(call.state, State::Ringing(_) | State::Standing(_));
        if self.get(call).is_ok_and(leaves) {
            self.hear_reasons(call, bye.headers());
        }
        if matches!(self.get(call).map(|call| &call.state), Ok(State::Calling(_))) {
            // §15: a callee has no business to say BYE in an early dialog. That dialog is over; the
            // call is not, before its INVITE is answered.
            self.lose_fork(layer, now, call, dialog);
            return;
        }
        if matches!(self.get(call).map(|call| &call.state), Ok(State::Leaving(_))) {
            // Both have hung up; ours ends with the answer to our own BYE.
            return;
        }
        self.break_off(layer, now, call);
        if self.invitation(call, "bye").is_ok() {
            let status = StatusCode::REQUEST_TERMINATED;
            let refused = self.refuse(layer, now, call, status, End::PeerHungUp);
            layer.built(refused);
        }
        self.end(layer, now, call, End::PeerHungUp);
    }
}

/// How many reasons of a peer are told: there is to be one of each protocol (RFC 3326 §2).
const MOST_REASONS: usize = 8;
