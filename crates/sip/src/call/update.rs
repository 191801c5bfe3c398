//! Modifying a session without an INVITE, in both directions (RFC 3311).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{Method, Response, StatusCode, ValidRequest};

use super::{
    CallId, Calls, Timer, info,
    invite::{allowed, describe, supported},
    offer::{Carrier, Offers, describes},
    refresh::Purpose,
    reinvite::refuse,
    request::{Asking, OutgoingRequest},
    session_timer::{Role, grant},
    usage::{Asked, Usage},
};
use crate::{
    Body, Error, Event, Fork, SessionTimer, dialog::DialogId, transaction::TransactionLayer,
    usage::with_body,
};

impl Calls {
    /// Sends an UPDATE (§5.1).
    pub(crate) fn update(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        fork: Option<Fork>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.send_update(layer, now, call, fork, body, Purpose::User)
    }

    pub(super) fn send_update(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        fork: Option<Fork>,
        body: Option<Body>,
        purpose: Purpose,
    ) -> Result<(), Error> {
        if layer.is_full(layer.config.max_calls) {
            return Err(Error::TooManyTransactions);
        }
        self.check_dialog(call, "update")?;
        let timer = self.session_timer(call);
        let offers = body.is_some();
        if offers && self.awaits_prack_to_description(call) {
            return Err(Error::OfferInProgress);
        }
        let usage = self.usage(call, fork)?;
        if usage.updating.is_some() {
            return Err(Error::UpdateInProgress);
        }
        if offers && usage.offers != Offers::Settled {
            return Err(Error::OfferInProgress);
        }
        let lifetime = usage.lifetime.clone();
        // Sent with a copy, so that a refusal here leaves the sequence number alone.
        let mut copy = usage.dialog.clone();
        let dialog = copy.id().clone();
        let (builder, flow) = copy.request(layer, Method::UPDATE)?;
        let builder = describe(layer, &timer, builder.header(&copy.contact()));
        let builder = lifetime.ask(&timer, builder);
        let request = with_body(builder, body.clone()).build();
        let request = request.map_err(|error| Error::Unbuildable(error.to_string()))?;
        let request = self.authorize(layer, call, request)?;
        let asking = Asking { call, dialog: dialog.clone(), flow, purpose, info: None };
        self.ask(layer, now, OutgoingRequest { asking, request })?;
        if let Some(usage) = self.usage_of(call, &dialog).filter(|_| offers) {
            usage.offers = Offers::Ours(Carrier::Update);
            usage.described.say(body);
        }
        Ok(())
    }

    /// Whether the caller may not have the session that a reliable response of ours describes: then
    /// we offer nothing else (§5.1).
    fn awaits_prack_to_description(&mut self, call: CallId) -> bool {
        let invitation = self.invitation(call, "update").ok();
        let reliable = invitation.and_then(|(invitation, _)| invitation.reliable.as_ref());
        reliable.is_some_and(|reliable| !reliable.describes_nothing())
    }

    /// An UPDATE of the peer (§5.2).
    pub(super) fn update_received(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        dialog: &DialogId,
        request: ValidRequest,
        flow: Flow,
    ) {
        let offers = describes(request.headers(), &request.body());
        let timer = self.timer_in_update(call);
        let Some(usage) = self.usage_of(call, dialog) else {
            let status = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
            return refuse(layer, now, &request, flow, status);
        };
        if let Some(status) = refusal(usage, offers) {
            return refuse(layer, now, &request, flow, status);
        }
        let Some(transaction) = layer.serve(&request, flow, "") else { return };
        let asked = Asked { transaction, request: request.clone() };
        usage.lifetime.learn(request.headers());
        if !offers {
            usage.dialog.refresh_target(request.header().ok().flatten());
            usage.learn_packages(request.headers());
            let answered = answered(layer, &timer, usage, &asked, None);
            if let Some(response) = layer.built(answered) {
                layer.respond(now, transaction, &response);
                self.time_session(now, call, Role::Uas, &request, response.headers());
            }
            return;
        }
        usage.offers = Offers::Theirs(Carrier::Update);
        usage.described.settle();
        self.wait_for_answer(layer, now, call, dialog, asked);
        let Some(usage) = self.usage_of(call, dialog) else { return };
        let fork = usage.fork;
        self.events.push_back(Event::Updated { call, fork, request });
    }

    /// Lets the offer of an UPDATE or PRACK wait for the user's answer.
    pub(super) fn wait_for_answer(
        &mut self,
        layer: &TransactionLayer,
        now: Instant,
        call: CallId,
        dialog: &DialogId,
        asked: Asked,
    ) {
        let Some(usage) = self.usage_of(call, dialog) else { return };
        usage.asked = Some(asked);
        let fork = usage.fork;
        // The peer gives up after 64*T1, and a late answer would not reach it (RFC 4320 §1.2).
        self.set_timer(call, Timer::Unanswered(fork), now + layer.timing().give_up() / 2);
    }

    /// Answers the offer of an UPDATE or PRACK with 200.
    pub(crate) fn answer_offer(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        fork: Option<Fork>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        let timer = self.timer_in_update(call);
        let usage = self.usage(call, fork)?;
        let waits = Error::WrongState { verb: "answer_offer", expected: OFFER_WAITS };
        let asked = usage.asked.as_ref().ok_or(waits)?;
        let response = answered(layer, &timer, usage, asked, body.clone())?;
        layer.respond(now, asked.transaction, &response);
        let request = asked.request.clone();
        if request.method() == Method::UPDATE {
            // The target counts from the acceptance on (RFC 3261 §12.2.2).
            let contact = request.header().ok().flatten();
            usage.dialog.refresh_target(contact);
            usage.learn_packages(request.headers());
        }
        usage.settle_asked();
        usage.described.say(body);
        let fork = usage.fork;
        if request.method() == Method::UPDATE {
            self.time_session(now, call, Role::Uas, &request, response.headers());
        }
        self.answered_offer(layer, now, call, fork);
        Ok(())
    }

    /// Refuses the offer of an UPDATE; the session stays as it was (§5.2).
    pub(crate) fn reject_offer(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        fork: Option<Fork>,
        status: StatusCode,
    ) -> Result<(), Error> {
        if !(300..=699).contains(&status.as_u16()) {
            return Err(Error::InvalidStatus { status, expected: "300 to 699" });
        }
        let usage = self.usage(call, fork)?;
        if usage.is_asked_in_prack() {
            let expected = "the offer of an UPDATE; a PRACK gets 2xx (RFC 3262 §3)";
            return Err(Error::WrongState { verb: "reject_offer", expected });
        }
        let waits = Error::WrongState { verb: "reject_offer", expected: OFFER_WAITS };
        let asked = usage.settle_asked().ok_or(waits)?;
        let fork = usage.fork;
        asked.reply(layer, now, status);
        self.answered_offer(layer, now, call, fork);
        Ok(())
    }

    /// Timer: the user has not answered the offer in time. §5.2 names 504 for an UPDATE.
    pub(super) fn offer_expired(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        fork: Fork,
    ) {
        let Ok(usage) = self.usage(call, Some(fork)) else { return };
        let status = match usage.is_asked_in_prack() {
            true => StatusCode::OK,
            false => StatusCode::SERVER_TIME_OUT,
        };
        let Some(asked) = usage.settle_asked() else { return };
        asked.reply(layer, now, status);
        self.events.push_back(Event::OfferExpired { call, fork });
        self.answered_offer(layer, now, call, fork);
    }

    /// What an UPDATE sets, once the INVITE is answered: before that its 2xx is still to come.
    fn timer_in_update(&self, call: CallId) -> SessionTimer {
        match self.session(call) {
            Some(_) => self.session_timer(call),
            None => SessionTimer::OFF,
        }
    }

    /// What has waited for the offer to be answered goes on.
    fn answered_offer(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        fork: Fork,
    ) {
        self.stop_timer(call, Timer::Unanswered(fork));
        self.go_on_with_progress(layer, now, call);
    }
}

impl Usage {
    /// Nothing is asked any more; gives what was.
    fn settle_asked(&mut self) -> Option<Asked> {
        let asked = self.asked.take()?;
        [Carrier::Update, Carrier::Prack].into_iter().for_each(|by| self.offers.settle(by));
        Some(asked)
    }
}

/// Why an UPDATE cannot be taken at this moment (§5.2).
fn refusal(usage: &Usage, offers: bool) -> Option<StatusCode> {
    if usage.asked.as_ref().is_some_and(|asked| asked.request.method() == Method::UPDATE) {
        return Some(StatusCode::SERVER_INTERNAL_ERROR);
    }
    if offers { usage.offers.refusal() } else { None }
}

/// The 200 to an UPDATE or PRACK. That to an UPDATE refreshes our target (§5.1).
fn answered(
    layer: &TransactionLayer,
    timer: &SessionTimer,
    usage: &Usage,
    asked: &Asked,
    body: Option<Body>,
) -> Result<Response, Error> {
    let mut builder = layer.reply(&asked.request, StatusCode::OK, "");
    if asked.request.method() == Method::UPDATE {
        builder = builder.header(&usage.dialog.contact());
        builder = builder.list(&allowed(layer)).list(&supported(layer, timer));
        builder = grant(timer, &asked.request, builder);
    }
    builder = info::tell(layer, &asked.request, builder);
    if let Some(body) = body {
        builder = builder.body(&body.content_type, body.content);
    }
    builder.build().map_err(|error| Error::Unbuildable(error.to_string()))
}

const OFFER_WAITS: &str = "an UPDATE or PRACK of the peer whose offer waits";
