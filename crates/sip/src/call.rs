//! Calls: the INVITE usage of a dialog (RFC 3261 §13 to §15), one file a verb.
//!
//! ```text
//!            invite                                   INVITE received
//!              │                                            │
//!          Calling ── failure, CANCEL ──► over ◄── reject, CANCEL ── Ringing
//!              │ 2xx                                        │ answer
//!              └───────────────► Standing ◄─────────────────┘
//!                                    │ hang_up
//!                                 Leaving ── BYE answered or timed out ──► over
//! ```

mod acknowledge;
mod answer;
mod callee;
mod caller;
mod cancel;
mod credentials;
mod described;
mod forks;
mod hang_up;
mod identity;
mod info;
pub use info::{Info, InfoId};
mod inspect;
pub(crate) use inspect::{Asker, inspect, send};
mod invite;
pub use invite::Invite;
pub(crate) use invite::{allowed, for_from_or_to, supported};
mod offer;
mod options;
mod other;
mod prack;
mod progress;
mod redirect;
mod refresh;
mod reinvite;
mod reject;
mod reliable;
mod replace;
mod request;
mod session;
mod session_timer;
mod shared;
mod update;
mod usage;

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use offhook_sansio::{Deadlines, Flow, IdMap, Key, Table, Timers};
use offhook_sip_message::{Method, Reason, StatusCode, ValidRequest, ValidResponse};
use tracing::debug;

use self::{
    callee::Callee,
    caller::{Caller, OutgoingInvite},
    hang_up::OutgoingBye,
    reliable::Late,
    request::OutgoingRequest,
    session::Session,
};
use crate::{
    Authenticator, End, Error, Event, Fork, SessionTimer,
    dialog::{Dialog, DialogId},
    transaction::{Failure, Notice, TransactionId, TransactionLayer},
};

/// Names one call of a [`UserAgent`](crate::UserAgent), until it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(Key<Call>);

/// All calls of a user agent, and the dialogs and transactions by which messages find them.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    calls: Table<Call>,
    dialogs: HashMap<DialogId, CallId>,
    uses: IdMap<TransactionId, Use>,
    /// The provisional responses whose PRACK may come after the final response (RFC 3262 §3).
    late: HashMap<DialogId, Late>,
    /// The dialogs that subscriptions share, and what calls that are over have left of them.
    shared: HashMap<DialogId, Option<Dialog>>,
    deadlines: Deadlines<CallId>,
    events: VecDeque<Event>,
    /// Dialogs that were of calls, the latest last.
    ended: VecDeque<DialogId>,
    /// How many INFOs were sent.
    infos: u64,
}

/// What a transaction is for. It lives as long as the transaction, which may outlive the call.
#[derive(Debug)]
enum Use {
    /// An INVITE of ours, first or later.
    Invite(Box<OutgoingInvite>),
    /// A BYE of ours.
    Bye(Box<OutgoingBye>),
    /// A PRACK, UPDATE or INFO of ours.
    Request(Box<OutgoingRequest>),
    /// An INVITE of the peer, first or later.
    Invitation {
        call: CallId,
        /// The dialog in which the PRACK to a provisional response is missing.
        late: Option<DialogId>,
    },
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    state: State,
    timers: Timers<Timer>,
    /// Answers challenges, if the call was placed with logins.
    authenticator: Option<Box<Authenticator>>,
    session_timer: SessionTimer,
    /// Why we hang up (RFC 3326).
    reason: Option<Box<Reason>>,
    /// Why the peer ends the call.
    reasons: Vec<Reason>,
    /// How many 422s have come since the last 2xx.
    too_small: u8,
}

#[derive(Debug)]
enum State {
    /// We called; no final answer so far.
    Calling(Caller),
    /// We are called; no final answer so far.
    Ringing(Box<Callee>),
    /// A 2xx was sent or received.
    Standing(Box<Session>),
    /// Our BYE is under way.
    Leaving(Box<Dialog>),
}

/// The timers of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// Sends the 2xx again until its ACK comes (RFC 3261 §13.3.1.4).
    Accepted,
    /// Gives up waiting for the ACK to a 2xx (RFC 3261 §13.3.1.4).
    NotAcknowledged,
    /// Sends a provisional response again, so that no proxy gives up (RFC 3261 §13.3.1.1).
    Progress,
    /// Sends a reliable provisional response again until its PRACK comes (RFC 3262 §3).
    Unacknowledged,
    /// Gives up waiting for the PRACK (RFC 3262 §3).
    NotPracked,
    /// Gives up waiting for the owner to follow a redirect.
    Redirected,
    /// Gives up waiting for the user to answer the offer of an UPDATE or PRACK (RFC 3311 §5.2).
    Unanswered(Fork),
    /// Refreshes the session (RFC 4028 §10).
    Refresh,
    /// Gives up a session that nobody has refreshed (RFC 4028 §10).
    SessionExpires,
    /// The invitation's `Expires` has run out (RFC 3261 §13.2.1, §13.3.1).
    Expires,
}

impl Calls {
    /// Takes what the transaction layer has to tell.
    pub(crate) fn notice(&mut self, layer: &mut TransactionLayer, now: Instant, notice: Notice) {
        match notice {
            Notice::Request { request, flow } => self.receive(layer, now, request, flow),
            Notice::Ack { request, flow } => self.acknowledged(layer, now, &request, flow),
            Notice::Response { transaction, response } => {
                self.responded(layer, now, transaction, response);
            }
            Notice::Unsent { transaction } => self.not_heard(layer, now, transaction),
            Notice::Terminated { transaction, failure } => {
                self.terminated(layer, now, transaction, failure);
            }
        }
    }

    /// Does what is due at `now`.
    pub(crate) fn handle_timeout(&mut self, layer: &mut TransactionLayer, now: Instant) {
        while let Some(id) = self.deadlines.expired(now) {
            while let Some(timer) = self.timer(id, now) {
                match timer {
                    Timer::Accepted => self.repeat_answer(layer, now, id),
                    Timer::NotAcknowledged => self.not_acknowledged(layer, now, id),
                    Timer::Progress => self.repeat_progress(layer, now, id),
                    Timer::Unacknowledged => self.repeat_reliable(layer, now, id),
                    Timer::NotPracked => self.not_pracked(layer, now, id),
                    Timer::Redirected => self.not_followed(layer, now, id),
                    Timer::Unanswered(fork) => self.offer_expired(layer, now, id, fork),
                    Timer::Refresh => self.refresh(layer, now, id),
                    Timer::SessionExpires => self.session_expired(layer, now, id),
                    Timer::Expires => self.expired(layer, now, id),
                }
            }
            self.reschedule(id);
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    pub(crate) fn live(&self) -> usize {
        self.calls.len()
    }

    fn responded(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        transaction: TransactionId,
        response: ValidResponse,
    ) {
        match self.uses.get(&transaction) {
            Some(Use::Invite(_)) => self.invite_answered(layer, now, transaction, response),
            Some(Use::Bye(_)) if response.status().is_final() => {
                self.bye_answered(layer, now, transaction, &response);
            }
            Some(Use::Request(_)) if response.status().is_final() => {
                self.request_answered(layer, now, transaction, &response);
            }
            // Provisional responses to other than INVITE, and whatever a CANCEL is answered with.
            Some(Use::Bye(_) | Use::Request(_) | Use::Invitation { .. }) | None => {}
        }
    }

    fn terminated(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        transaction: TransactionId,
        failure: Option<Failure>,
    ) {
        match (self.uses.remove(&transaction), failure) {
            (Some(Use::Invite(invite)), Some(failure)) => {
                self.invite_failed(layer, now, transaction, &invite, failure);
            }
            (Some(Use::Bye(bye)), Some(_)) => {
                if let Some(end) = bye.end {
                    self.end(layer, now, bye.call, end);
                }
            }
            (Some(Use::Request(request)), Some(failure)) => {
                self.request_failed(layer, now, transaction, &request, failure);
            }
            (Some(Use::Invitation { late: Some(dialog), .. }), _) => {
                self.forget_late(transaction, &dialog);
            }
            (Some(_) | None, _) => {}
        }
    }

    /// A request that no transaction knows (RFC 3261 §8.2).
    fn receive(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        request: ValidRequest,
        flow: Flow,
    ) {
        if request.method() == Method::CANCEL {
            return self.cancel_received(layer, now, &request, flow);
        }
        let dialog = DialogId::of_request(&request);
        let call = dialog.as_ref().and_then(|dialog| self.dialogs.get(dialog)).copied();
        // Requests of calls that stand find room even when strangers have filled the table.
        let reserve = if call.is_some() { layer.config.max_calls } else { 0 };
        if layer.is_full(reserve) {
            return layer.refuse(&request, flow, StatusCode::SERVICE_UNAVAILABLE);
        }
        let timer = call.map_or(layer.config.session_timer, |call| self.session_timer(call));
        if let Err(refusal) = inspect(layer, &timer, &request) {
            let asker = if call.is_some() { Asker::Peer } else { Asker::Stranger };
            return refusal.send(layer, now, &request, flow, asker);
        }
        match (call, dialog) {
            (Some(call), Some(dialog)) => {
                self.receive_in_dialog(layer, now, call, &dialog, request, flow);
            }
            (_, Some(dialog)) if request.method() == Method::PRACK => {
                self.late_prack(layer, now, &dialog, &request, flow);
            }
            (_, Some(_)) => {
                let status = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
                inspect::answer_stranger(layer, now, &request, flow, status);
            }
            (_, None) => self.receive_out_of_dialog(layer, now, request, flow),
        }
    }

    fn receive_out_of_dialog(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        request: ValidRequest,
        flow: Flow,
    ) {
        match request.method() {
            Method::INVITE => self.invited(layer, now, request, flow),
            Method::OPTIONS => options::answer(layer, now, &request, flow, Asker::Stranger),
            // BYE, or a method that is listed in `allow` and means nothing without a dialog.
            _ => {
                let status = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
                inspect::answer_stranger(layer, now, &request, flow, status);
            }
        }
    }

    fn receive_in_dialog(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        dialog: &DialogId,
        request: ValidRequest,
        flow: Flow,
    ) {
        let number = request.cseq().number;
        let in_order =
            self.dialog_mut(call, dialog).is_some_and(|dialog| dialog.receive_cseq(number));
        if !in_order {
            // §12.2.2: out of order.
            let status = StatusCode::SERVER_INTERNAL_ERROR;
            return inspect::answer(layer, now, &request, flow, status);
        }
        match request.method() {
            Method::INVITE => self.reinvited(layer, now, call, request, flow),
            Method::BYE => self.bye_received(layer, now, call, dialog, &request, flow),
            Method::PRACK => self.prack_received(layer, now, call, dialog, request, flow),
            Method::UPDATE => self.update_received(layer, now, call, dialog, request, flow),
            Method::INFO => self.info_received(layer, now, call, dialog, request, flow),
            Method::OPTIONS => options::answer(layer, now, &request, flow, Asker::Peer),
            _ => {
                let status = StatusCode::METHOD_NOT_ALLOWED;
                inspect::answer(layer, now, &request, flow, status);
            }
        }
    }

    fn insert(&mut self, state: State, session_timer: SessionTimer) -> Option<CallId> {
        let call = Call {
            state,
            timers: Timers::new(),
            authenticator: None,
            session_timer,
            reason: None,
            reasons: Vec::new(),
            too_small: 0,
        };
        self.calls.insert(call).map(CallId)
    }

    fn get(&self, id: CallId) -> Result<&Call, Error> {
        self.calls.get(id.0).ok_or(Error::NoCall)
    }

    fn get_mut(&mut self, id: CallId) -> Result<&mut Call, Error> {
        self.calls.get_mut(id.0).ok_or(Error::NoCall)
    }

    fn session(&self, id: CallId) -> Option<&Session> {
        match &self.calls.get(id.0)?.state {
            State::Standing(session) => Some(session),
            State::Calling(_) | State::Ringing(_) | State::Leaving(_) => None,
        }
    }

    fn session_mut(&mut self, id: CallId) -> Option<&mut Session> {
        match &mut self.calls.get_mut(id.0)?.state {
            State::Standing(session) => Some(session),
            State::Calling(_) | State::Ringing(_) | State::Leaving(_) => None,
        }
    }

    fn dialog_mut(&mut self, id: CallId, dialog: &DialogId) -> Option<&mut Dialog> {
        if !matches!(self.calls.get(id.0)?.state, State::Leaving(_)) {
            return self.usage_of(id, dialog).map(|usage| &mut usage.dialog);
        }
        match &mut self.calls.get_mut(id.0)?.state {
            State::Leaving(dialog) => Some(dialog),
            State::Calling(_) | State::Ringing(_) | State::Standing(_) => None,
        }
    }

    /// Moves a call to its next state and stops the timers of the INVITE before.
    fn become_state(&mut self, id: CallId, state: State) {
        if let Some(call) = self.calls.get_mut(id.0) {
            call.state = state;
        }
        self.stop_invite_timers(id);
    }

    fn set_timer(&mut self, id: CallId, timer: Timer, deadline: Instant) {
        if let Some(call) = self.calls.get_mut(id.0) {
            call.timers.set(timer, deadline);
        }
        self.reschedule(id);
    }

    fn stop_timer(&mut self, id: CallId, timer: Timer) {
        if let Some(call) = self.calls.get_mut(id.0) {
            call.timers.stop(timer);
        }
        self.reschedule(id);
    }

    /// Stops what repeats and limits an INVITE and its responses.
    fn stop_invite_timers(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(id.0) {
            OF_INVITE.into_iter().for_each(|timer| call.timers.stop(timer));
        }
        self.reschedule(id);
    }

    fn timer(&mut self, id: CallId, now: Instant) -> Option<Timer> {
        self.calls.get_mut(id.0)?.timers.expired(now)
    }

    fn reschedule(&mut self, id: CallId) {
        let deadline = self.calls.get(id.0).and_then(|call| call.timers.next());
        self.deadlines.set(id, deadline);
    }

    /// Ends a call: the one place from which [`Event::Ended`] is told.
    ///
    /// Whatever the peer has asked and nobody has answered gets 487 (RFC 3261 §15.1.2).
    fn end(&mut self, layer: &mut TransactionLayer, now: Instant, id: CallId, end: End) {
        let mut dialogs = Vec::new();
        for usage in self.usages_mut(id) {
            usage.dismiss(layer, now, StatusCode::REQUEST_TERMINATED);
            dialogs.push(usage.dialog.clone());
        }
        if let Ok(State::Leaving(dialog)) = self.get(id).map(|call| &call.state) {
            dialogs.push(Dialog::clone(dialog));
        }
        for dialog in &dialogs {
            self.bury(dialog.id());
            self.leave_to_others(dialog);
            self.dialogs.remove(dialog.id());
        }
        self.deadlines.set(id, None);
        if let Some(call) = self.calls.remove(id.0) {
            debug!(call = ?id, ?end, "call ended");
            let reasons = call.reasons;
            self.events.push_back(Event::Ended { call: id, end, reasons });
        }
    }
}

/// The timers that end with the INVITE they belong to.
const OF_INVITE: [Timer; 6] = [
    Timer::Accepted,
    Timer::NotAcknowledged,
    Timer::Progress,
    Timer::Unacknowledged,
    Timer::NotPracked,
    Timer::Expires,
];
