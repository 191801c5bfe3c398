//! The user agent: transport, transactions, dialogs and calls composed into one machine.
//!
//! Verbs go down to the calls; datagrams and time go up from the transaction layer, notice by
//! notice.

use std::{net::SocketAddr, time::Instant};

use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random, Transmit};
use offhook_sip_message::StatusCode;

use crate::{
    Body, CallId, Config, Error, Event, Invite, Statistics, call::Calls,
    transaction::TransactionLayer,
};

/// A SIP user agent that places and takes calls (RFC 3261 §8, §13 to §15).
///
/// It obeys the contract of [`Machine`]. Each [`Datagram`] holds one whole SIP message; who reads
/// from a stream cuts it into messages first, with
/// [`Framer`](offhook_sip_message::Framer).
#[derive(Debug)]
pub struct UserAgent {
    layer: TransactionLayer,
    calls: Calls,
}

impl UserAgent {
    /// A user agent that listens nowhere so far.
    pub fn new(config: Config, random: Random) -> Self {
        Self { layer: TransactionLayer::new(config, random), calls: Calls::default() }
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
    /// # Errors
    ///
    /// If no INVITE or re-INVITE of the peer waits, or the status is another.
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
    /// # Errors
    ///
    /// If no INVITE or re-INVITE of the peer waits.
    pub fn answer(&mut self, now: Instant, call: CallId, body: Option<Body>) -> Result<(), Error> {
        self.calls.answer(&mut self.layer, now, call, body)
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

    /// Says that messages cannot be sent on `flow`: a socket error, a fatal ICMP message, a lost
    /// connection. Requests that wait for an answer there fail (RFC 3261 §8.1.3.1, §18.4).
    pub fn transport_failed(&mut self, now: Instant, flow: Flow) {
        for notice in self.layer.transport_failed(flow) {
            self.calls.notice(&mut self.layer, now, notice);
        }
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
}

impl Machine for UserAgent {
    type Event = Event;

    fn receive(&mut self, now: Instant, datagram: Datagram) {
        if let Some(notice) = self.layer.receive(now, datagram) {
            self.calls.notice(&mut self.layer, now, notice);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        // Calls first: where the 64*T1 of a call and that of its transaction meet, the call still
        // has its transaction.
        self.calls.handle_timeout(&mut self.layer, now);
        while let Some(notice) = self.layer.expire(now) {
            self.calls.notice(&mut self.layer, now, notice);
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.layer.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.calls.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.layer.poll_timeout(), self.calls.poll_timeout()].into_iter().flatten().min()
    }
}
