//! Ending a call, whatever its state (RFC 3261 §15).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{Method, StatusCode, ValidRequest};

use super::{
    CallId, Calls, State, Use,
    caller::Step,
    inspect,
    session::{Exchange, Session},
};
use crate::{
    End, Error,
    dialog::Dialog,
    transaction::{TransactionId, TransactionLayer},
};

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
                Step::Withdrawing | Step::Cancelling => {}
            },
            State::Ringing(_) => {
                let status = StatusCode::TEMPORARILY_UNAVAILABLE;
                return self.refuse(layer, now, call, status, End::Refused { status });
            }
            State::Standing(_) => self.hang_up_session(layer, now, call),
            State::Leaving(_) => {}
        }
        Ok(())
    }

    fn hang_up_session(&mut self, layer: &mut TransactionLayer, now: Instant, call: CallId) {
        let Some(session) = self.session_mut(call) else { return };
        match &session.exchange {
            // §15: no BYE before the ACK to our 2xx, or its time, has come.
            Exchange::Answered(_) => session.hung_up = true,
            Exchange::Invited(_) => {
                let status = StatusCode::REQUEST_TERMINATED;
                let refused = self.refuse(layer, now, call, status, End::HungUp);
                layer.built(refused);
                self.leave(layer, now, call);
            }
            Exchange::Unacknowledged { transaction } => {
                let (transaction, dialog) = (*transaction, session.dialog.clone());
                self.acknowledge_with(layer, transaction, &dialog, None);
                self.leave(layer, now, call);
            }
            Exchange::Idle | Exchange::Inviting { .. } => self.leave(layer, now, call),
        }
    }

    /// Sends the BYE of a call that stands and waits for its answer (§15.1.1).
    pub(super) fn leave(&mut self, layer: &mut TransactionLayer, now: Instant, call: CallId) {
        let Some(session) = self.session_mut(call) else { return };
        limit_reinvite(layer, now, session);
        let mut dialog = session.dialog.clone();
        match send_bye(layer, now, &mut dialog) {
            Some(transaction) => {
                self.uses.insert(transaction, Use::Bye(call));
                self.become_state(call, State::Leaving(Box::new(dialog)));
            }
            None => self.end(call, End::HungUp),
        }
    }

    /// Sends the BYE of a dialog that is no call, or no call any more.
    pub(super) fn say_bye(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        mut dialog: Dialog,
    ) {
        send_bye(layer, now, &mut dialog);
    }

    /// The peer hangs up (§15.1.2); what it asked before is answered with 487.
    pub(super) fn bye_received(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        bye: &ValidRequest,
        flow: Flow,
    ) {
        inspect::answer(layer, now, bye, flow, StatusCode::OK);
        if matches!(self.get(call).map(|call| &call.state), Ok(State::Leaving(_))) {
            // Both have hung up; ours ends with the answer to our own BYE.
            return;
        }
        if let Some(session) = self.session_mut(call) {
            limit_reinvite(layer, now, session);
        }
        if self.invitation(call, "bye").is_ok() {
            let status = StatusCode::REQUEST_TERMINATED;
            let refused = self.refuse(layer, now, call, status, End::PeerHungUp);
            layer.built(refused);
        }
        self.end(call, End::PeerHungUp);
    }
}

/// A re-INVITE of ours may never be answered once the call is over: the peer has stopped to repeat
/// its 2xx.
fn limit_reinvite(layer: &mut TransactionLayer, now: Instant, session: &Session) {
    if let Exchange::Inviting { transaction } = session.exchange {
        layer.limit(now, transaction);
    }
}

fn send_bye(
    layer: &mut TransactionLayer,
    now: Instant,
    dialog: &mut Dialog,
) -> Option<TransactionId> {
    let built = dialog.request(layer, Method::BYE);
    let (builder, flow) = layer.built(built)?;
    let bye = layer.built(builder.build())?;
    let bye = layer.valid(bye);
    let bye = layer.built(bye)?;
    let sent = layer.request(now, &bye, flow);
    layer.built(sent)
}
