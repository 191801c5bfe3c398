//! The user agent: transport, transactions, dialogs, calls and what is outside of calls, composed
//! into one machine.
//!
//! Verbs go down to the usages; datagrams and time go up from the transaction layer, notice by
//! notice, to the usage that owns the transaction.

mod publications;
mod registrations;
mod requests;
mod subscribers;
mod subscriptions;

use std::{net::SocketAddr, time::Instant};

use bytes::Bytes;
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random, Transmit};
use offhook_sip_message::{
    AnswerModeValue, Contact, Join, ParseError, Reason, Replaces, StatusCode, Uri, ValidRequest,
};

use crate::{
    Body, CallId, Config, Error, Event, Fork, Info, InfoId, Invite, Login, Statistics,
    call::Calls,
    publication::Publishing,
    registration::Registrations,
    request::{Incoming, Sent},
    subscription::Subscriptions,
    transaction::{Notice, TransactionLayer},
    transport::Stun,
    usage::Usages,
};

/// A SIP user agent that places and takes calls (RFC 3261 §8, §13 to §15), registers (§10),
/// subscribes and is subscribed to (RFC 6665), and sends and answers requests outside of dialogs.
///
/// It obeys the contract of [`Machine`]. Each [`Datagram`] holds one whole SIP message; who reads
/// from a stream cuts it into messages first, with
/// [`Framer`](offhook_sip_message::Framer). A pong, one CRLF, is a datagram too: flows that are kept
/// alive wait for it (RFC 5626 §4.4.1).
#[derive(Debug)]
pub struct UserAgent {
    layer: TransactionLayer,
    calls: Calls,
    sent: Usages<Sent>,
    incoming: Incoming,
    registrations: Registrations,
    publications: Usages<Publishing>,
    subscriptions: Subscriptions,
}

impl UserAgent {
    /// A user agent that listens nowhere so far.
    pub fn new(config: Config, random: Random) -> Self {
        Self {
            layer: TransactionLayer::new(config, random),
            calls: Calls::default(),
            sent: Usages::new(),
            incoming: Incoming::default(),
            registrations: Registrations::new(),
            publications: Usages::new(),
            subscriptions: Subscriptions::new(),
        }
    }

    /// Says that the owner receives at `local`, and that peers reach it as `public`.
    ///
    /// `public` goes into `Via` and `Contact`; it differs from `local` behind a 1:1 NAT.
    pub fn listen(&mut self, protocol: Protocol, local: SocketAddr, public: SocketAddr) {
        self.layer.listeners.listen(protocol, local, public);
    }

    /// Places a call: sends an INVITE (RFC 3261 §13.2). It is sent again when it is challenged and
    /// there is a login for that.
    ///
    /// # Errors
    ///
    /// If there is no room, nothing listens at the near end of the flow, or the INVITE cannot be
    /// built. Nothing is sent then.
    pub fn invite(&mut self, now: Instant, invite: Invite) -> Result<CallId, Error> {
        self.calls.invite(&mut self.layer, now, invite, None)
    }

    /// As [`invite`](Self::invite), unless the INVITE has more than `largest` bytes. One of more
    /// than 1300 has to go over a transport that controls congestion, if the path MTU is unknown
    /// (RFC 3261 §18.1.1): its owner then looks for another flow,
    /// [`over_stream`](crate::NextHop::over_stream).
    ///
    /// # Errors
    ///
    /// As for [`invite`](Self::invite), and [`Error::TooLarge`].
    pub fn invite_within(
        &mut self,
        now: Instant,
        invite: Invite,
        largest: usize,
    ) -> Result<CallId, Error> {
        self.calls.invite(&mut self.layer, now, invite, Some(largest))
    }

    /// Tells the caller that the user is alerted: 180 (Ringing).
    ///
    /// # Errors
    ///
    /// As for [`progress`](Self::progress).
    pub fn ring(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.progress(now, call, StatusCode::RINGING, None)
    }

    /// Sends a provisional response, 101 to 199, to the INVITE that waits (RFC 3261 §13.3.1.1).
    ///
    /// It is sent reliably if [`Config::reliable_provisionals`] and the peer want it so; then it may
    /// wait for the PRACK to the one before (RFC 3262 §3).
    ///
    /// # Errors
    ///
    /// If no INVITE or re-INVITE of the peer waits, or the status is another. If the INVITE requires
    /// reliable responses and has no offer: then the first of them has to bring one
    /// (RFC 3262 §5). If too many wait for a PRACK, or one of them has described the session.
    pub fn progress(
        &mut self,
        now: Instant,
        call: CallId,
        status: StatusCode,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.calls.progress(&mut self.layer, now, call, status, body)
    }

    /// Sends 200 to the INVITE or re-INVITE that waits, until the ACK comes (RFC 3261 §13.3.1.4).
    ///
    /// It goes out later if the session is negotiated in a provisional response whose PRACK has not
    /// come so far, or in a PRACK whose offer is not answered (RFC 3262 §3, §5).
    ///
    /// # Errors
    ///
    /// If no INVITE or re-INVITE of the peer waits. If a reliable provisional response has described
    /// the session: then the 2xx has no body ([`Error::AlreadyNegotiated`]).
    pub fn answer(&mut self, now: Instant, call: CallId, body: Option<Body>) -> Result<(), Error> {
        self.calls.answer(&mut self.layer, now, call, body, None)
    }

    /// As [`answer`](Self::answer), and says whether a person or a machine has answered
    /// (RFC 5373 §5). Say it only to callers who may know.
    ///
    /// # Errors
    ///
    /// As for [`answer`](Self::answer), and if the caller requires another mode: such a call is to
    /// be rejected with 403.
    pub fn answer_as(
        &mut self,
        now: Instant,
        call: CallId,
        mode: &AnswerModeValue,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.calls.answer(&mut self.layer, now, call, body, Some(mode))
    }

    /// Sends a final failure, 300 to 699, to the INVITE or re-INVITE that waits.
    ///
    /// A refused INVITE ends the call; after a refused re-INVITE it goes on as it was.
    ///
    /// # Errors
    ///
    /// If no INVITE or re-INVITE of the peer waits, or the status is another.
    pub fn reject(&mut self, now: Instant, call: CallId, status: StatusCode) -> Result<(), Error> {
        self.calls.reject(&mut self.layer, now, call, status)
    }

    /// As [`reject`](Self::reject), with words for people: they go into the reason phrase of a 400
    /// and into a `Warning` of any other status (RFC 3261 §13.3.1.3, §21.4.1).
    ///
    /// # Errors
    ///
    /// As for [`reject`](Self::reject).
    pub fn reject_because(
        &mut self,
        now: Instant,
        call: CallId,
        status: StatusCode,
        why: &str,
    ) -> Result<(), Error> {
        self.calls.reject_because(&mut self.layer, now, call, status, why)
    }

    /// Refuses the INVITE that waits with `status`, 300 to 399, and names where to call instead, the
    /// most wanted by its `q` (RFC 3261 §21.3).
    ///
    /// # Errors
    ///
    /// If no INVITE or re-INVITE of the peer waits, the status is another, or a contact is `*` or cannot
    /// be written.
    pub fn redirect(
        &mut self,
        now: Instant,
        call: CallId,
        status: StatusCode,
        contacts: &[Contact],
    ) -> Result<(), Error> {
        self.calls.redirect(&mut self.layer, now, call, status, contacts)
    }

    /// Answers the offer that a 2xx has brought, in its ACK (RFC 3261 §13.2.2.4).
    ///
    /// # Errors
    ///
    /// If no ACK waits for it. It does when an INVITE or re-INVITE without body was answered with
    /// one: see [`Event::Answered`] and [`Event::ReinviteAnswered`].
    pub fn acknowledge(
        &mut self,
        _now: Instant,
        call: CallId,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.calls.acknowledge(&mut self.layer, call, body)
    }

    /// Asks the peer to modify the session: sends a re-INVITE (RFC 3261 §14.1).
    ///
    /// # Errors
    ///
    /// If the call does not stand, or an INVITE of either side is under way in it.
    pub fn reinvite(
        &mut self,
        now: Instant,
        call: CallId,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.calls.reinvite(&mut self.layer, now, call, body)
    }

    /// Sends the INVITE of a redirected call to one of the targets that [`Event::Redirected`] has
    /// named, on a flow that leads there (RFC 3261 §8.1.3.4). URI headers of a target are left out.
    ///
    /// # Errors
    ///
    /// If the call was not redirected to it, nothing listens at the near end of the flow, a `sips`
    /// target is not secured by it, or there is no room. The call still waits.
    pub fn follow(
        &mut self,
        now: Instant,
        call: CallId,
        target: &Uri,
        flow: Flow,
    ) -> Result<(), Error> {
        self.calls.follow(&mut self.layer, now, call, target, flow)
    }

    /// Answers the offer that a reliable provisional response has brought, in its PRACK
    /// (RFC 3262 §5). `fork` is the one that [`Event::Progress`] names; `None` if there is only one.
    ///
    /// # Errors
    ///
    /// If no PRACK waits for it.
    pub fn prack(
        &mut self,
        now: Instant,
        call: CallId,
        fork: Option<Fork>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.calls.prack(&mut self.layer, now, call, fork, body)
    }

    /// Asks the peer to modify the session by an UPDATE, in an early dialog too, or refreshes the
    /// target without a body (RFC 3311 §5.1). `fork` names the dialog; `None` if there is only one.
    /// [`Event::UpdateAnswered`] or [`Event::UpdateRejected`] follows, unless the call ends before.
    ///
    /// # Errors
    ///
    /// If an UPDATE of ours is under way in the dialog, or there is no dialog so far, or `body` is an offer and another offer
    /// waits for its answer there; in an early dialog that is the one of the INVITE, until it is
    /// answered in a reliable provisional response, and for the callee until the PRACK to that.
    pub fn update(
        &mut self,
        now: Instant,
        call: CallId,
        fork: Option<Fork>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.calls.update(&mut self.layer, now, call, fork, body)
    }

    /// Answers the offer of an UPDATE or PRACK with 200 (RFC 3311 §5.2, RFC 3262 §5).
    ///
    /// # Errors
    ///
    /// If no such offer waits in the dialog.
    pub fn answer_offer(
        &mut self,
        now: Instant,
        call: CallId,
        fork: Option<Fork>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.calls.answer_offer(&mut self.layer, now, call, fork, body)
    }

    /// Refuses the offer of an UPDATE with `status`, 300 to 699; the session stays as it was
    /// (RFC 3311 §5.2). One in a PRACK cannot be refused so, for its PRACK gets 2xx.
    ///
    /// # Errors
    ///
    /// If no offer of an UPDATE waits in the dialog, or the status is another.
    pub fn reject_offer(
        &mut self,
        now: Instant,
        call: CallId,
        fork: Option<Fork>,
        status: StatusCode,
    ) -> Result<(), Error> {
        self.calls.reject_offer(&mut self.layer, now, call, fork, status)
    }

    /// Gives a call what to answer challenges with (RFC 3261 §22): one that has come in has no logins
    /// so far, and its requests may be challenged too.
    ///
    /// # Errors
    ///
    /// If the call is over.
    pub fn log_in(&mut self, call: CallId, logins: Vec<Login>) -> Result<(), Error> {
        self.calls.log_in_later(&mut self.layer, call, logins)
    }

    /// What a third party writes into its INVITE to take this side's place in the call (RFC 3891 §4):
    /// in an attended transfer it goes into the `Refer-To`, whose URI is the
    /// [`remote_target`](Self::remote_target) of the call.
    ///
    /// # Errors
    ///
    /// If the call is over or being hung up, or this side has placed it and it is not answered.
    pub fn replaces(&self, call: CallId) -> Result<Replaces, Error> {
        self.calls.replaces(call)
    }

    /// What a third party writes into its INVITE to join the call (RFC 3911 §5).
    ///
    /// # Errors
    ///
    /// If the call is over or being hung up, or has no dialog, or several.
    pub fn join(&self, call: CallId) -> Result<Join, Error> {
        self.calls.join(call)
    }

    /// Where the peer of the call is reached: its `Contact` (RFC 3261 §12.1).
    ///
    /// # Errors
    ///
    /// As for [`join`](Self::join).
    pub fn remote_target(&self, call: CallId) -> Result<Uri, Error> {
        self.calls.remote_target(call)
    }

    /// Tells the peer something by INFO, of an info package or without one (RFC 6086 §4.2.1).
    /// [`Event::InfoAnswered`] or [`Event::InfoFailed`] follows, unless the call ends before. Two
    /// INFOs under way at a time may overtake each other (§4.4).
    ///
    /// # Errors
    ///
    /// If the peer has not said that it takes the package, the call has no such dialog, a header
    /// field is reserved, or there is no room.
    pub fn info(&mut self, now: Instant, call: CallId, info: Info) -> Result<InfoId, Error> {
        self.calls.info(&mut self.layer, now, call, info)
    }

    /// Hangs up, in whatever state the call is: a CANCEL, a BYE or a 480 goes out, at once or as
    /// soon as RFC 3261 §9.1 and §15 allow. [`Event::Ended`] follows.
    ///
    /// Hanging up twice is harmless.
    ///
    /// # Errors
    ///
    /// If the call is over.
    pub fn hang_up(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.calls.hang_up(&mut self.layer, now, call)
    }

    /// As [`hang_up`](Self::hang_up), and says why in the CANCEL or BYE (RFC 3326). A call that was
    /// not answered is refused with 480, which has no room for it: see [`reject`](Self::reject).
    ///
    /// # Errors
    ///
    /// If the call is over.
    pub fn hang_up_because(
        &mut self,
        now: Instant,
        call: CallId,
        reason: Reason,
    ) -> Result<(), Error> {
        self.calls.hang_up_because(&mut self.layer, now, call, reason)
    }

    /// Says that messages cannot be sent on `flow`: a socket error, a fatal ICMP message, a lost
    /// connection. Requests that wait for an answer there fail (RFC 3261 §8.1.3.1, §18.4). Responses may
    /// find another way: see [`response_failed`](Self::response_failed).
    pub fn transport_failed(&mut self, now: Instant, flow: Flow) {
        for notice in self.layer.transport_failed(flow) {
            self.notice(now, notice);
        }
        self.registrations.flow_failed(&mut self.layer, now, flow);
    }

    /// Says that a response could not be sent, nor by any other way that RFC 3261 §18.2.2 and RFC 3263
    /// §5 name for it. A call that was not answered ends then: nobody hears that it rings. One that was
    /// answered has 64*T1 for its ACK (RFC 3261 §13.3.1.4, §17.2.4; RFC 6026 §8.8). Nothing else ends:
    /// who has sent a request that waits may send it again.
    ///
    /// A `transmit` that is no response of this side, or not the last one to its request, is ignored.
    pub fn response_failed(&mut self, now: Instant, transmit: &Transmit) {
        if let Some(notice) = self.layer.response_failed(transmit.flow, &transmit.payload) {
            self.notice(now, notice);
        }
    }

    /// Answers a request of a stream whose end cannot be told, such as for want of a `Content-Length`:
    /// 400 (RFC 3261 §18.3). `head` is its start line and its header fields, `error` what is wrong.
    /// Nothing that follows on the stream can be read: it is to be closed.
    pub fn refuse_unframed(&mut self, flow: Flow, head: &Bytes, error: ParseError) {
        self.layer.refuse_unframed(flow, head, error);
    }

    /// Whether provisional responses to the INVITE that waits are sent reliably (RFC 3262 §3): what
    /// they describe is then not said again in the 2xx.
    pub fn progress_is_reliable(&self, call: CallId) -> bool {
        self.calls.progress_is_reliable(call)
    }

    /// How many calls live.
    pub fn live_calls(&self) -> usize {
        self.calls.live()
    }

    /// How many transactions live. They outlive their calls to absorb repetitions.
    pub fn live_transactions(&self) -> usize {
        self.layer.live()
    }

    /// Whether a refusal of ours waits for its ACK: it may be lost, and is repeated until then.
    pub fn awaits_acks(&self) -> bool {
        self.layer.awaits_acks()
    }

    /// What was dropped, and why.
    pub fn statistics(&self) -> &Statistics {
        &self.layer.statistics
    }

    /// STUN on a port of SIP: keepalives, and the answers to ours (RFC 5626 §8).
    fn receive_stun(&mut self, now: Instant, flow: Flow, stun: Stun) {
        let answer = match stun {
            Stun::Request { id, unknown } => {
                return self.layer.answer_binding(flow, id, &unknown);
            }
            Stun::Success { id, mapped } => (id, Some(mapped)),
            Stun::Failure { id } => (id, None),
        };
        self.registrations.bound(&mut self.layer, now, flow, answer);
    }

    /// Gives a notice to the usage that owns its transaction.
    fn notice(&mut self, now: Instant, notice: Notice) {
        let Self { layer, calls, subscriptions, .. } = self;
        match notice {
            Notice::Request { request, flow } if subscriptions.wants(layer, &request) => {
                subscriptions.receive(layer, calls, now, request, flow);
            }
            Notice::Request { request, flow } if Incoming::wants(&self.layer, &request) => {
                self.requested(now, request, flow);
            }
            Notice::Response { transaction, .. } | Notice::Terminated { transaction, .. }
                if self.sent.owns(transaction) =>
            {
                self.sent.notice(&mut self.layer, now, notice);
            }
            Notice::Response { transaction, .. } | Notice::Terminated { transaction, .. }
                if self.registrations.owns(transaction) =>
            {
                self.registrations.notice(&mut self.layer, now, notice);
            }
            Notice::Response { transaction, .. } | Notice::Terminated { transaction, .. }
                if self.publications.owns(transaction) =>
            {
                self.publications.notice(&mut self.layer, now, notice);
            }
            Notice::Response { transaction, .. } | Notice::Terminated { transaction, .. }
                if self.subscriptions.owns(transaction) =>
            {
                self.subscriptions.notice(&mut self.layer, &mut self.calls, now, notice);
            }
            Notice::Request { .. }
            | Notice::Ack { .. }
            | Notice::Response { .. }
            | Notice::Unsent { .. }
            | Notice::Terminated { .. } => self.calls.notice(&mut self.layer, now, notice),
        }
    }

    /// A request that its owner answers, in a call or outside of calls.
    fn requested(&mut self, now: Instant, request: ValidRequest, flow: Flow) {
        if !self.incoming.has_room(&self.layer) {
            return self.layer.refuse(&request, flow, StatusCode::SERVICE_UNAVAILABLE);
        }
        match self.calls.call_of(&request) {
            Ok(call) => self.incoming.receive(&mut self.layer, now, request, flow, call),
            Err(status) => self.layer.refuse(&request, flow, status),
        }
    }
}

impl Machine for UserAgent {
    type Event = Event;

    fn receive(&mut self, now: Instant, datagram: Datagram) {
        if datagram.flow.protocol.is_reliable() && datagram.payload == PONG {
            self.registrations.pong(datagram.flow);
        }
        if datagram.flow.protocol == Protocol::Udp
            && let Some(stun) = Stun::read(&datagram.payload)
        {
            return self.receive_stun(now, datagram.flow, stun);
        }
        if let Some(notice) = self.layer.receive(now, datagram) {
            self.notice(now, notice);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        // Calls first: where the 64*T1 of a call and that of its transaction meet, the call still
        // has its transaction.
        self.calls.handle_timeout(&mut self.layer, now);
        self.incoming.handle_timeout(&mut self.layer, now);
        self.registrations.handle_timeout(&mut self.layer, now);
        self.publications.handle_timeout(&mut self.layer, now);
        self.subscriptions.handle_timeout(&mut self.layer, &mut self.calls, now);
        while let Some(notice) = self.layer.expire(now) {
            self.notice(now, notice);
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.layer.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<Event> {
        let Self { calls, sent, incoming, registrations, publications, subscriptions, .. } = self;
        let subscribed = || subscriptions.poll_event();
        let published = || publications.poll_event().or_else(subscribed);
        let soft = || registrations.0.poll_event().or_else(published);
        let others = || sent.poll_event().or_else(soft);
        calls.poll_event().or_else(|| incoming.poll_event()).or_else(others)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [
            self.layer.poll_timeout(),
            self.calls.poll_timeout(),
            self.incoming.poll_timeout(),
            self.registrations.0.poll_timeout(),
            self.publications.poll_timeout(),
            self.subscriptions.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// The answer to a ping (RFC 5626 §4.4.1).
const PONG: &[u8] = b"\r\n";
