//! PRACK, UPDATE and INFO of ours, from their sending to their final answer (RFC 3261 §12.2.1).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{Method, StatusCode, ValidRequest, ValidResponse};
use tracing::debug;

use super::{
    CallId, Calls, InfoId, State, Use,
    offer::describes,
    refresh::{Failed, Purpose},
    reinvite::retry_after,
    session_timer::Role,
    usage::Usage,
};
use crate::{
    End, Error, Event,
    dialog::DialogId,
    transaction::{Failure, TransactionId, TransactionLayer},
};

/// A PRACK, UPDATE or INFO of ours, for as long as its transaction lives.
#[derive(Debug)]
pub(crate) struct OutgoingRequest {
    pub(crate) asking: Asking,
    pub(crate) request: ValidRequest,
}

/// Who asks, and where.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) call: CallId,
    pub(crate) dialog: DialogId,
    pub(crate) flow: Flow,
    pub(crate) purpose: Purpose,
    /// Which INFO it is.
    pub(crate) info: Option<InfoId>,
}

impl Calls {
    /// Sends the request, whose number its dialog counts from now on.
    pub(super) fn ask(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        outgoing: OutgoingRequest,
    ) -> Result<TransactionId, Error> {
        let OutgoingRequest { asking, request } = &outgoing;
        let transaction = layer.request(now, request, asking.flow)?;
        if let Some(usage) = self.usage_of(asking.call, &asking.dialog) {
            usage.dialog.sent(request.cseq().number);
            if request.method() == Method::UPDATE {
                usage.updating = Some(transaction);
            }
        }
        self.uses.insert(transaction, Use::Request(Box::new(outgoing)));
        Ok(transaction)
    }

    /// The final answer to a PRACK, UPDATE or INFO of ours.
    pub(super) fn request_answered(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        transaction: TransactionId,
        response: &ValidResponse,
    ) {
        let Some(Use::Request(outgoing)) = self.uses.get(&transaction) else { return };
        let (asking, asked) = (outgoing.asking.clone(), outgoing.request.clone());
        let next = self.usage_of(asking.call, &asking.dialog).and_then(|u| u.dialog.next_cseq());
        let again = next.and_then(|number| {
            self.again(layer, asking.call, &asked, response, asking.flow, number)
        });
        if let Some(request) = again {
            let sent = self.ask(layer, now, OutgoingRequest { asking: asking.clone(), request });
            if layer.built(sent).is_some() {
                return;
            }
        }
        if let Some(info) = asking.info {
            self.info_answered(asking.call, info, response.clone());
        }
        if response.status().is_success() {
            return self.request_accepted(now, transaction, &asking, &asked, response);
        }
        let failed = Failed::by(response);
        self.request_refused(layer, now, transaction, &asking, &asked, failed);
    }

    /// Nobody answered, or it could not be sent (RFC 3261 §8.1.3.1).
    pub(super) fn request_failed(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        transaction: TransactionId,
        outgoing: &OutgoingRequest,
        failure: Failure,
    ) {
        let Some(failed) = Failed::without_answer(failure.into()) else { return };
        let OutgoingRequest { asking, request } = outgoing;
        if let Some(info) = asking.info {
            self.info_failed(asking.call, info, &failed);
        }
        self.request_refused(layer, now, transaction, asking, request, failed);
    }

    fn request_accepted(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        asking: &Asking,
        asked: &ValidRequest,
        response: &ValidResponse,
    ) {
        if asked.method() != Method::UPDATE {
            return;
        }
        let call = asking.call;
        let Some(usage) = self.updating(asking, transaction) else { return };
        usage.dialog.refresh_target(response.header().ok().flatten());
        usage.learn_packages(response.headers());
        let described = describes(response.headers(), &response.body());
        let description = usage.offers.receive_update_answer(described);
        let (fork, response) = (usage.fork, response.clone());
        self.time_session(now, call, Role::Uac, asked, response.headers());
        self.events.push_back(match asking.purpose {
            Purpose::User => Event::UpdateAnswered { call, fork, description, response },
            Purpose::Refresh => Event::Refreshed { call, description, response },
        });
    }

    fn request_refused(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        transaction: TransactionId,
        asking: &Asking,
        asked: &ValidRequest,
        failed: Failed,
    ) {
        let status = failed.status;
        let call = asking.call;
        if asked.method() == Method::PRACK {
            debug!(?call, status = status.as_u16(), "PRACK refused");
            // 481 says that this PRACK matches nothing, which a repetition does not either
            // (RFC 3262 §3); the final response tells how the call goes on.
            return;
        }
        if asked.method() == Method::INFO {
            if failed.is_lost() {
                self.dialog_lost(layer, now, call, &asking.dialog, failed.end);
            }
            return;
        }
        let Some(usage) = self.updating(asking, transaction) else { return };
        if usage.offers.our_update_is_over() {
            usage.described.take_back();
        }
        let fork = usage.fork;
        let retry_after = (status == StatusCode::REQUEST_PENDING)
            .then(|| retry_after(layer, usage.dialog.owns_call_id()));
        if asking.purpose == Purpose::User {
            self.events.push_back(Event::UpdateRejected { call, fork, status, retry_after });
        }
        if failed.is_lost() {
            self.dialog_lost(layer, now, call, &asking.dialog, failed.end);
        } else if asking.purpose == Purpose::Refresh {
            self.refresh_refused(now, call, &Method::UPDATE, &failed, retry_after);
        }
    }

    /// The peer knows nothing of the dialog any more, or is gone: it is over (§12.2.1.2).
    fn dialog_lost(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        dialog: &DialogId,
        end: End,
    ) {
        match self.get(call).map(|call| &call.state) {
            Ok(State::Calling(_)) => {
                if let Some(lost) = self.lose_fork(layer, now, call, dialog) {
                    self.say_bye(layer, now, call, lost);
                }
            }
            // §15: a callee cannot say BYE in an early dialog.
            Ok(State::Ringing(_)) => {
                let status = StatusCode::TEMPORARILY_UNAVAILABLE;
                let refused = self.refuse(layer, now, call, status, end);
                layer.built(refused);
            }
            // The peer may know nothing of it so far: our 2xx or its ACK is on its way, and no BYE
            // goes out before the ACK (§15).
            Ok(State::Standing(session)) if session.awaits_any_ack() => {}
            Ok(State::Standing(session)) => {
                let dialog = session.usage.dialog.clone();
                self.break_off(layer, now, call);
                self.say_bye(layer, now, call, dialog);
                self.end(layer, now, call, end);
            }
            Ok(State::Leaving(_)) | Err(_) => {}
        }
    }

    /// The usage that waits for this UPDATE; it does not any more.
    fn updating(&mut self, asking: &Asking, transaction: TransactionId) -> Option<&mut Usage> {
        let usage = self.usage_of(asking.call, &asking.dialog)?;
        if usage.updating != Some(transaction) {
            return None;
        }
        usage.updating = None;
        Some(usage)
    }
}
