//! Reliable provisional responses at the callee (RFC 3262 §3).
//!
//! 1. Each one has the next number and is sent again until its PRACK comes.
//! 2. The next one waits for that PRACK, and so does a 2xx if the session is negotiated in them.
//! 3. Without a PRACK within 64*T1 the INVITE is refused.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use offhook_sansio::Flow;
use offhook_sip_message::{CSeq, RAck, RSeq, Require, Response, StatusCode, Text, ValidRequest};

use super::{
    CallId, Calls, Timer, Use, info,
    inspect::{self, RELIABLE, asks_for_reliable},
    invite::allowed,
    offer::{Carrier, Offers, describes},
    usage::{Asked, Usage},
};
use crate::{
    Body, Description, End, Error, Event, ReliableProvisionals,
    dialog::DialogId,
    transaction::{TransactionId, TransactionLayer},
};

/// The reliable provisional responses to one INVITE.
#[derive(Debug)]
pub(crate) struct Reliable {
    /// Whether the peer takes no others.
    required: bool,
    /// The CSeq of the INVITE.
    cseq: CSeq,
    /// The number of the next one.
    next: u32,
    last: Option<StatusCode>,
    unacknowledged: Option<Provisional>,
    waiting: VecDeque<Provisional>,
    /// The 2xx that waits for the PRACK.
    accepted: Option<Accepted>,
}

/// A reliable provisional response.
#[derive(Debug)]
pub(crate) struct Provisional {
    number: u32,
    response: Response,
    described: Option<Body>,
    interval: Duration,
}

/// A 2xx to an INVITE.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) response: Response,
    pub(crate) described: Option<Body>,
}

/// A provisional response whose INVITE was answered finally before its PRACK came.
#[derive(Debug)]
pub(crate) struct Late {
    pub(crate) rack: RAck,
    pub(crate) invite: TransactionId,
}

impl Reliable {
    /// `None` if the settings, or the peer, want none.
    pub(crate) fn of(layer: &mut TransactionLayer, invite: &ValidRequest) -> Option<Self> {
        let (required, supported) = asks_for_reliable(invite);
        let wanted = match layer.config.reliable() {
            ReliableProvisionals::Off => false,
            ReliableProvisionals::Supported => required,
            ReliableProvisionals::Preferred | ReliableProvisionals::Required => {
                required || supported
            }
        };
        wanted.then(|| Self {
            required,
            cseq: invite.cseq().clone(),
            // Between 1 and 2^31 - 1.
            next: (layer.random.u32() >> 1).max(1),
            last: None,
            unacknowledged: None,
            waiting: VecDeque::new(),
            accepted: None,
        })
    }

    /// Whether a response has to be sent so, or may.
    ///
    /// The first one has to bring the offer if the INVITE has none (§5).
    pub(crate) fn takes(&self, offers: Offers, described: bool) -> Result<bool, Error> {
        if self.accepted.is_some() {
            let expected = "an INVITE that was not answered";
            return Err(Error::WrongState { verb: "progress", expected });
        }
        if described && !(offers.may_describe() && self.describes_nothing()) {
            return Err(Error::AlreadyNegotiated);
        }
        let unoffered = self.last.is_none() && offers == Offers::Wanted && !described;
        if unoffered && self.required {
            let expected = "an offer: the INVITE has none and requires 100rel (RFC 3262 §5)";
            return Err(Error::WrongState { verb: "progress", expected });
        }
        Ok(!unoffered)
    }

    /// The status last sent so.
    pub(crate) fn last(&self) -> Option<StatusCode> {
        self.last
    }

    /// Whether one has no PRACK so far, or a 2xx is about to follow.
    pub(crate) fn is_busy(&self) -> bool {
        self.unacknowledged.is_some() || self.accepted.is_some()
    }

    /// Whether a 2xx has to wait: the session is being negotiated (§3, §5).
    pub(crate) fn delays_answer(&self, usage: &Usage) -> bool {
        !self.describes_nothing() || usage.is_asked_in_prack()
    }

    /// Whether no response without PRACK describes the session.
    pub(crate) fn describes_nothing(&self) -> bool {
        let mut unsettled = self.unacknowledged.iter().chain(&self.waiting);
        !unsettled.any(|provisional| provisional.described.is_some())
    }

    /// Lets the 2xx wait; false if one does already.
    pub(crate) fn wait(&mut self, accepted: Accepted) -> bool {
        let first = self.accepted.is_none();
        if first {
            self.accepted = Some(accepted);
        }
        first
    }

    /// What acknowledges the response that has no PRACK so far.
    pub(crate) fn awaited(&self) -> Option<RAck> {
        let number = RSeq(self.unacknowledged.as_ref()?.number);
        Some(RAck::new(number, &self.cseq))
    }
}

impl Calls {
    /// Sends a provisional response reliably, or lets it wait for the PRACK to the one before.
    pub(super) fn progress_reliably(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        status: StatusCode,
        body: Option<Body>,
    ) -> Result<(), Error> {
        let (invitation, usage) = self.invitation(call, "progress")?;
        let builder = invitation.reply_in_dialog(layer, &usage.dialog, status);
        let Some(reliable) = &mut invitation.reliable else { return Err(Error::NoCall) };
        if reliable.waiting.len() >= MAX_WAITING {
            return Err(Error::TooManyProvisionals);
        }
        let (number, described) = (reliable.next, body.clone());
        let mut builder = builder
            .list(&allowed(layer))
            .header(&Require(Text::from_static(RELIABLE)))
            .header(&RSeq(number));
        builder = info::tell(layer, &invitation.request, builder);
        if let Some(body) = body {
            builder = builder.body(&body.content_type, body.content);
        }
        let response = builder.build().map_err(|error| Error::Unbuildable(error.to_string()))?;
        // It begins below 2^31, so that there are more numbers than can be used up.
        reliable.next = number.saturating_add(1);
        reliable.last = Some(status);
        let interval = layer.timing().t1;
        reliable.waiting.push_back(Provisional { number, response, described, interval });
        self.go_on_with_progress(layer, now, call);
        Ok(())
    }

    /// Sends what has waited for a PRACK, once nothing stands before it.
    pub(super) fn go_on_with_progress(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
    ) {
        let Ok((invitation, usage)) = self.invitation(call, "progress") else { return };
        let Some(reliable) = &mut invitation.reliable else { return };
        if reliable.unacknowledged.is_some() || usage.is_asked_in_prack() {
            return;
        }
        let Some(provisional) = reliable.waiting.pop_front() else {
            if let Some(accepted) = reliable.accepted.take() {
                self.accept(layer, now, call, accepted);
            }
            return;
        };
        layer.respond(now, invitation.transaction, &provisional.response);
        usage.offers.send_response(Carrier::Progress, provisional.described.is_some());
        usage.described.say(provisional.described.clone());
        reliable.unacknowledged = Some(provisional);
        let timing = layer.timing();
        self.set_timer(call, Timer::Unacknowledged, now + timing.t1);
        self.set_timer(call, Timer::NotPracked, now + timing.give_up());
        self.set_timer(call, Timer::Progress, now + REFRESH);
    }

    /// Timer: the PRACK has not come so far. The interval has no bound but 64*T1 (§3).
    pub(super) fn repeat_reliable(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
    ) {
        let Ok((invitation, _)) = self.invitation(call, "progress") else { return };
        let Some(reliable) = &mut invitation.reliable else { return };
        let Some(provisional) = &mut reliable.unacknowledged else { return };
        layer.respond(now, invitation.transaction, &provisional.response);
        provisional.interval = provisional.interval.saturating_mul(2);
        let deadline = now + provisional.interval;
        self.set_timer(call, Timer::Unacknowledged, deadline);
    }

    /// Timer: the PRACK has not come within 64*T1 (§3).
    pub(super) fn not_pracked(&mut self, layer: &mut TransactionLayer, now: Instant, call: CallId) {
        let again = self.session_mut(call).is_some();
        let status = StatusCode::SERVER_TIME_OUT;
        let refused = self.refuse(layer, now, call, status, End::Refused { status });
        if layer.built(refused).is_some() && again {
            self.events.push_back(Event::ReinviteCancelled { call });
        }
    }

    /// A PRACK of the peer of a call (§3).
    pub(super) fn prack_received(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        dialog: &DialogId,
        request: ValidRequest,
        flow: Flow,
    ) {
        let Ok(Some(rack)) = request.header::<RAck>() else {
            return inspect::answer(layer, now, &request, flow, StatusCode::BAD_REQUEST);
        };
        let Ok((invitation, usage)) = self.invitation(call, "prack") else {
            return self.late_prack(layer, now, dialog, &request, flow);
        };
        let reliable = invitation.reliable.as_mut();
        let Some(reliable) = reliable.filter(|reliable| reliable.awaited() == Some(rack)) else {
            return self.late_prack(layer, now, dialog, &request, flow);
        };
        let Some(transaction) = layer.serve(&request, flow, "") else { return };
        reliable.unacknowledged = None;
        let described = describes(request.headers(), &request.body());
        let description = usage.offers.receive_prack(described);
        let asked = Asked { transaction, request: request.clone() };
        self.stop_timer(call, Timer::Unacknowledged);
        self.stop_timer(call, Timer::NotPracked);
        match description {
            Description::Offer => self.wait_for_answer(layer, now, call, dialog, asked),
            _ => asked.reply(layer, now, StatusCode::OK),
        }
        self.events.push_back(Event::ProgressAcknowledged { call, description, request });
        self.go_on_with_progress(layer, now, call);
    }

    /// A PRACK for which no provisional response waits any more. One may have been overtaken by the
    /// final response (§3).
    pub(super) fn late_prack(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        dialog: &DialogId,
        request: &ValidRequest,
        flow: Flow,
    ) {
        let rack = request.header::<RAck>().ok().flatten();
        let awaited = self.late.get(dialog).is_some_and(|late| Some(&late.rack) == rack.as_ref());
        if awaited {
            self.late.remove(dialog);
            return inspect::answer(layer, now, request, flow, StatusCode::OK);
        }
        let status = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
        inspect::answer_stranger(layer, now, request, flow, status);
    }

    /// The INVITE is answered finally: its provisional responses are not repeated any more, and a
    /// PRACK to the last may still come (§3).
    pub(super) fn settle_progress(&mut self, call: CallId) {
        let Ok((invitation, usage)) = self.invitation(call, "progress") else { return };
        let Some(rack) = invitation.reliable.as_ref().and_then(|it| it.awaited()) else { return };
        let (invite, dialog) = (invitation.transaction, usage.dialog.id().clone());
        if let Some(Use::Invitation { late, .. }) = self.uses.get_mut(&invite) {
            *late = Some(dialog.clone());
            self.late.insert(dialog, Late { rack, invite });
        }
    }

    /// The INVITE transaction is over, and with it the time for a late PRACK.
    pub(super) fn forget_late(&mut self, transaction: TransactionId, dialog: &DialogId) {
        if self.late.get(dialog).is_some_and(|late| late.invite == transaction) {
            self.late.remove(dialog);
        }
    }
}

/// How many provisional responses may wait for the PRACK to the one before: more than any call
/// goes through while one message travels.
const MAX_WAITING: usize = 8;
/// RFC 3262 §3: every two and a half minutes, as proxies wait for three.
const REFRESH: Duration = Duration::from_secs(150);
