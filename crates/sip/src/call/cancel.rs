//! CANCEL, in both directions (RFC 3261 §9).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{
    BuildError, CSeq, MaxForwards, Method, Reason, Request, Route, StatusCode, ValidRequest,
};

use super::{CallId, Calls, State, Use, caller::Step, inspect};
use crate::{dialog::MAX_FORWARDS, transaction::TransactionLayer};

impl Calls {
    /// Cancels our INVITE; a provisional response has come (§9.1).
    pub(super) fn send_cancel(&mut self, layer: &mut TransactionLayer, now: Instant, call: CallId) {
        let Ok(State::Calling(caller)) = self.get(call).map(|call| &call.state) else { return };
        let Some(Use::Invite(invite)) = self.uses.get(&caller.transaction) else { return };
        let (transaction, flow) = (caller.transaction, invite.flow);
        let reason = self.get(call).ok().and_then(|call| call.reason.as_deref());
        let cancel = layer.built(cancel(&invite.request, reason));
        let cancel = cancel.and_then(|cancel| layer.valid(cancel).ok());
        // Should it not be built, the time limit ends the call all the same.
        if let Some(cancel) = cancel {
            let sent = layer.request(now, &cancel, flow);
            layer.built(sent);
        }
        self.set_step(call, Step::Cancelling);
        self.stop_invite_timers(call);
        layer.limit(now, transaction);
    }

    /// The peer cancels an INVITE of its own (§9.2).
    pub(super) fn cancel_received(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        cancel: &ValidRequest,
        flow: Flow,
    ) {
        let cancelled = layer.cancelled(cancel, flow);
        // One INVITE without the magic cookie has as many CANCELs as there are To tags (§17.2.3).
        let reserve = if cancelled.is_some() { layer.config.max_calls } else { 0 };
        if layer.is_full(reserve) {
            return layer.refuse(cancel, flow, StatusCode::SERVICE_UNAVAILABLE);
        }
        let Some(cancelled) = cancelled else {
            let status = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
            return inspect::answer_stranger(layer, now, cancel, flow, status);
        };
        // The To tag of the answer is that of the INVITE's answers.
        let tag = layer.response_tag(cancelled).unwrap_or_default();
        inspect::answer_with_tag(layer, now, cancel, flow, StatusCode::OK, &tag);
        if let Some(Use::Invitation { call, .. }) = self.uses.get(&cancelled)
            && layer.awaits_final_response(cancelled)
        {
            let call = *call;
            if matches!(self.get(call).map(|call| &call.state), Ok(State::Ringing(_))) {
                self.hear_reasons(call, cancel.headers());
            }
            self.withdraw(layer, now, call);
        }
    }
}

/// The CANCEL of `invite`: its fields, its only `Via`, its routes (§9.1).
fn cancel(invite: &ValidRequest, reason: Option<&Reason>) -> Result<Request, BuildError> {
    let mut cancel = Request::builder(Method::CANCEL, invite.request_uri())
        .header(invite.via())
        .header(&MaxForwards(MAX_FORWARDS))
        .header(invite.from())
        .header(invite.to())
        .header(invite.call_id())
        .header(&CSeq { number: invite.cseq().number, method: Method::CANCEL });
    if let Some(reason) = reason {
        cancel = cancel.header(reason);
    }
    for route in invite.headers_of::<Route>().flatten() {
        cancel = cancel.header(&route);
    }
    cancel.build()
}
