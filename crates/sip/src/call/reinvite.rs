//! Modifying a call that stands, in both directions (RFC 3261 §14).

use std::time::{Duration, Instant};

use offhook_sansio::Flow;
use offhook_sip_message::{Method, RetryAfter, StatusCode, ValidRequest, ValidResponse};

use super::{
    CallId, Calls, State, Timer, Use,
    callee::Invitation,
    caller::OutgoingInvite,
    info, inspect,
    invite::describe,
    offer::{Carrier, Offers, describes},
    refresh::{Failed, Purpose},
    session::Exchange,
    session_timer::Role,
};
use crate::{
    Body, Description, Error, Event,
    dialog::Dialog,
    transaction::{TransactionId, TransactionLayer},
    usage::with_body,
};

impl Calls {
    /// Sends a re-INVITE (§14.1).
    pub(crate) fn reinvite(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.send_reinvite(layer, now, call, body, Purpose::User)
    }

    pub(super) fn send_reinvite(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        body: Option<Body>,
        purpose: Purpose,
    ) -> Result<(), Error> {
        if layer.is_full(layer.config.max_calls) {
            return Err(Error::TooManyTransactions);
        }
        self.get(call)?;
        let timer = self.session_timer(call);
        let wrong = Error::WrongState { verb: "reinvite", expected: "a call that stands" };
        let session = self.session_mut(call).ok_or(wrong)?;
        let unconfirmed = session.refused.is_some_and(|refused| layer.awaits_ack(refused));
        if unconfirmed || !matches!(session.exchange, Exchange::Idle) {
            return Err(Error::InviteInProgress);
        }
        if session.usage.offers != Offers::Settled {
            return Err(Error::OfferInProgress);
        }
        let offers = Offers::of_caller(body.is_some());
        let lifetime = session.usage.lifetime.clone();
        // Sent with a copy, so that a refusal here leaves the sequence number alone.
        let mut dialog = session.usage.dialog.clone();
        let (builder, flow) = dialog.request(layer, Method::INVITE)?;
        let builder = describe(layer, &timer, builder.header(&dialog.contact()));
        let builder = info::ask(layer, lifetime.ask(&timer, builder));
        let request = with_body(builder, body.clone()).build();
        let request = request.map_err(|error| Error::Unbuildable(error.to_string()))?;
        let request = self.authorize(layer, call, request)?;
        let transaction = layer.request(now, &request, flow)?;
        let session = self.session_mut(call).ok_or(Error::NoCall)?;
        session.usage.dialog = dialog.clone();
        session.usage.offers = offers;
        session.usage.described.settle();
        session.usage.described.say(body);
        session.exchange = Exchange::Inviting { transaction };
        let invite = OutgoingInvite::new(call, request, flow, Some(dialog)).with_purpose(purpose);
        self.uses.insert(transaction, Use::Invite(Box::new(invite)));
        Ok(())
    }

    /// A re-INVITE of the peer (§14.2).
    pub(super) fn reinvited(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        request: ValidRequest,
        flow: Flow,
    ) {
        if let Some(status) = self.reinvite_refusal(call) {
            return refuse(layer, now, &request, flow, status);
        }
        let tag = request.to().tag().unwrap_or_default().into();
        let Some(transaction) = layer.serve(&request, flow, "") else { return };
        layer.send_trying(now, transaction);
        let invitation = Invitation::new(layer, transaction, request.clone(), tag);
        let offers = Offers::of_callee(describes(request.headers(), &request.body()));
        let Some(session) = self.session_mut(call) else { return };
        session.exchange = Exchange::Invited(invitation);
        session.usage.offers = offers;
        session.usage.described.settle();
        session.usage.lifetime.learn(request.headers());
        self.uses.insert(transaction, Use::Invitation { call, late: None });
        self.set_timer(call, Timer::Progress, now + super::progress::REFRESH);
        self.start_expires(now, call, &request);
        self.events.push_back(Event::Reinvited { call, request });
    }

    /// Why a re-INVITE cannot be taken at this moment.
    fn reinvite_refusal(&self, call: CallId) -> Option<StatusCode> {
        match &self.get(call).ok()?.state {
            // §14.2: the first INVITE has no final response.
            State::Ringing(_) => Some(StatusCode::SERVER_INTERNAL_ERROR),
            State::Standing(session) => match &session.exchange {
                // An offer in PRACK or UPDATE waits for its answer (RFC 3311 §5.2).
                Exchange::Idle => session.usage.offers.refusal(),
                Exchange::Invited(_) => Some(StatusCode::SERVER_INTERNAL_ERROR),
                // An INVITE of ours is in progress, or the ACK to our 2xx is missing: the peer
                // may try again when that is settled.
                Exchange::Inviting { .. }
                | Exchange::Unacknowledged { .. }
                | Exchange::Answered(_) => Some(StatusCode::REQUEST_PENDING),
            },
            // §14.2: an INVITE of ours is in progress in this early dialog.
            State::Calling(_) => Some(StatusCode::REQUEST_PENDING),
            State::Leaving(_) => Some(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST),
        }
    }

    /// A first 2xx to our re-INVITE. `sent_in` is the dialog as it was then; the call may be over.
    pub(super) fn reinvite_accepted(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        transaction: TransactionId,
        sent_in: &Dialog,
        response: ValidResponse,
    ) {
        let Some(Use::Invite(invite)) = self.uses.get(&transaction) else { return };
        let (call, purpose, request) = (invite.call, invite.purpose, invite.request.clone());
        let Some(session) = self.inviting(call, transaction) else {
            // The call has ended meanwhile, or waits for its user's answer to this very offer.
            if !self.awaits_answer(call, sent_in) {
                self.acknowledge_with(layer, transaction, sent_in, None);
            }
            return;
        };
        session.usage.dialog.refresh_target(response.header().ok().flatten());
        session.usage.learn_packages(response.headers());
        let described = describes(response.headers(), &response.body());
        let description = session.usage.offers.receive_response(Carrier::Accepted, described);
        let offers = description == Description::Offer;
        session.exchange = match offers {
            true => Exchange::Unacknowledged { transaction },
            false => Exchange::Idle,
        };
        if !offers {
            let dialog = session.usage.dialog.clone();
            self.acknowledge_with(layer, transaction, &dialog, None);
        }
        self.time_session(now, call, Role::Uac, &request, response.headers());
        self.events.push_back(match purpose {
            Purpose::User => Event::ReinviteAnswered { call, description, response },
            Purpose::Refresh => Event::Refreshed { call, description, response },
        });
    }

    /// A provisional response, 101 to 199, to our re-INVITE.
    pub(super) fn reinvite_progressed(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        transaction: TransactionId,
        response: ValidResponse,
    ) {
        let Some(session) = self.inviting(call, transaction) else { return };
        let dialog = session.usage.dialog.id().clone();
        if dialog.remote_tag.as_deref() != response.to().tag() {
            return;
        }
        if let Some(description) = self.heard(layer, now, call, &dialog, &response) {
            self.events.push_back(Event::ReinviteProgress { call, description, response });
        }
    }

    /// Our re-INVITE failed: the session stays as it was, unless the peer knows nothing of it any
    /// more (§14.1, §12.2.1.2).
    pub(super) fn reinvite_rejected(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        transaction: TransactionId,
        call: CallId,
        purpose: Purpose,
        failed: Failed,
    ) {
        let Some(session) = self.inviting(call, transaction) else { return };
        session.exchange = Exchange::Idle;
        session.usage.offers.roll_back();
        session.usage.described.take_back();
        let status = failed.status;
        if failed.is_lost() {
            let dialog = session.usage.dialog.clone();
            self.say_bye(layer, now, call, dialog);
            return self.end(layer, now, call, failed.end);
        }
        let retry_after = (status == StatusCode::REQUEST_PENDING)
            .then(|| retry_after(layer, session.usage.dialog.owns_call_id()));
        match purpose {
            Purpose::User => {
                self.events.push_back(Event::ReinviteRejected { call, status, retry_after });
            }
            Purpose::Refresh => {
                self.refresh_refused(now, call, &Method::INVITE, &failed, retry_after);
            }
        }
    }

    /// The session whose re-INVITE `transaction` is.
    fn inviting(
        &mut self,
        call: CallId,
        transaction: TransactionId,
    ) -> Option<&mut super::Session> {
        self.session_mut(call).filter(|session| {
            matches!(session.exchange, Exchange::Inviting { transaction: t } if t == transaction)
        })
    }
}

/// Refuses a re-INVITE or UPDATE; 500 says when to try again (§14.2, RFC 3311 §5.2).
pub(super) fn refuse(
    layer: &mut TransactionLayer,
    now: Instant,
    request: &ValidRequest,
    flow: Flow,
    status: StatusCode,
) {
    let tag = layer.stateless_tag(request);
    let mut builder = layer.reply(request, status, &tag);
    if status == StatusCode::SERVER_INTERNAL_ERROR {
        builder = builder.header(&RetryAfter::new(layer.random.u32() % 11));
    }
    inspect::send(layer, now, request, flow, builder, inspect::Asker::Peer);
}

/// How long to wait after 491 (§14.1, RFC 3311 §5.3), in units of 10 ms: the one who made the Call-ID longer.
pub(super) fn retry_after(layer: &mut TransactionLayer, owns_call_id: bool) -> Duration {
    let units = match owns_call_id {
        true => 210 + layer.random.u32() % 191,
        false => layer.random.u32() % 201,
    };
    Duration::from_millis(u64::from(units) * 10)
}
