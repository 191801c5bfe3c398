//! Calls whose media is elsewhere: their owner brings the session descriptions and is told those of
//! the peer, as back-to-back user agents and controllers do (RFC 3725, RFC 7092).
//!
//! Descriptions pass as they are; who offers and who answers is kept right by the SIP layer
//! (RFC 3261 §13.2.1, RFC 3262 §5, RFC 3311 §5). No media socket is used.

use std::time::Instant;

use bytes::Bytes;
use offhook_sip::{Body, CallId, Description, Event as Signal, Fork};
use offhook_sip_message::{ContentType, Header, StatusCode, ValidRequest, ValidResponse};
use tracing::debug;

use crate::{
    Endpoint, Error, Event, Outgoing,
    call::Call,
    signalling::{description, sdp_body},
};

/// A call without media here.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    /// What waits for a description of ours: at most one thing in each dialog.
    awaited: Vec<Awaited>,
    /// Why we hung up by ourselves.
    pub(crate) fault: Option<String>,
}

/// What a description of ours answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// The offer of a 2xx: its ACK waits.
    Ack,
    /// The offer of a reliable provisional response: its PRACK waits.
    Prack(Option<Fork>),
    /// A re-INVITE, with an offer or asking for ours.
    Reinvite,
    /// The offer of an UPDATE, or of a PRACK of the peer.
    Offer(Option<Fork>),
}

impl Awaited {
    fn fork(self) -> Option<Fork> {
        match self {
            Self::Ack | Self::Reinvite => None,
            Self::Prack(fork) | Self::Offer(fork) => fork,
        }
    }
}

impl Endpoint {
    /// Calls someone with an offer of the owner's; `None`: the peer is to make one.
    /// [`Event::Described`] tells what the peer says to it.
    ///
    /// # Errors
    ///
    /// If the SIP layer has no room or no listener for the flow.
    pub fn call_with(
        &mut self,
        now: Instant,
        outgoing: Outgoing,
        offer: Option<Bytes>,
    ) -> Result<CallId, Error> {
        let call = self.place(now, outgoing, offer.map(sdp_body))?;
        self.calls.insert(call, Call::Elsewhere(Box::default()));
        self.pump(now);
        Ok(call)
    }

    /// Sends a provisional response, 101 to 199, to an incoming call, with a description of the
    /// owner's or without.
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::progress`](offhook_sip::UserAgent::progress), and if the call has media
    /// here.
    pub fn progress_with(
        &mut self,
        now: Instant,
        call: CallId,
        status: StatusCode,
        content: Option<Bytes>,
    ) -> Result<(), Error> {
        self.check_elsewhere(call)?;
        self.agent.progress(now, call, status, content.map(sdp_body))?;
        self.turn_elsewhere(call);
        self.pump(now);
        Ok(())
    }

    /// Takes an incoming call with a description of the owner's: the answer to the offer of the
    /// INVITE, or an offer if it had none. `None`: a provisional response has brought it reliably.
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::answer`](offhook_sip::UserAgent::answer), and if the call has media here.
    pub fn answer_with(
        &mut self,
        now: Instant,
        call: CallId,
        content: Option<Bytes>,
    ) -> Result<(), Error> {
        self.check_elsewhere(call)?;
        self.agent.answer(now, call, content.map(sdp_body))?;
        self.turn_elsewhere(call);
        self.pump(now);
        Ok(())
    }

    /// Gives the description that the peer waits for: the answer to the offer of
    /// [`Event::Described`], or the offer of [`Event::OfferWanted`]. `fork` is the one that the event
    /// names.
    ///
    /// # Errors
    ///
    /// If nothing waits for it.
    pub fn reply_with(
        &mut self,
        now: Instant,
        call: CallId,
        fork: Option<Fork>,
        content: Bytes,
    ) -> Result<(), Error> {
        let awaited = self.awaited(call, fork)?;
        let body = Some(sdp_body(content));
        match awaited {
            Awaited::Ack => self.agent.acknowledge(now, call, body)?,
            Awaited::Prack(fork) => self.agent.prack(now, call, fork, body)?,
            Awaited::Reinvite => self.agent.answer(now, call, body)?,
            Awaited::Offer(fork) => self.agent.answer_offer(now, call, fork, body)?,
        }
        self.no_more_awaited(call, awaited);
        self.pump(now);
        Ok(())
    }

    /// Refuses the offer of a re-INVITE or an UPDATE with `status`, 300 to 699: the session stays as
    /// it was.
    ///
    /// # Errors
    ///
    /// If no offer waits, and [`Error::CannotRefuse`] for that of a 2xx, of a provisional response or
    /// of a PRACK: answer it or hang up.
    pub fn refuse_with(
        &mut self,
        now: Instant,
        call: CallId,
        fork: Option<Fork>,
        status: StatusCode,
    ) -> Result<(), Error> {
        let awaited = self.awaited(call, fork)?;
        match awaited {
            Awaited::Reinvite => self.agent.reject(now, call, status)?,
            Awaited::Offer(fork) => self.agent.reject_offer(now, call, fork, status)?,
            Awaited::Ack | Awaited::Prack(_) => return Err(Error::CannotRefuse),
        }
        self.no_more_awaited(call, awaited);
        self.pump(now);
        Ok(())
    }

    /// Asks the peer to change the session, by a re-INVITE with the owner's offer; `None`: the peer
    /// is to make one. [`Event::Described`] and [`Event::Changed`] follow, or [`Event::NotChanged`].
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::reinvite`](offhook_sip::UserAgent::reinvite), and if the call has media
    /// here.
    pub fn modify_with(
        &mut self,
        now: Instant,
        call: CallId,
        offer: Option<Bytes>,
    ) -> Result<(), Error> {
        self.elsewhere(call)?;
        self.agent.reinvite(now, call, offer.map(sdp_body))?;
        self.pump(now);
        Ok(())
    }

    /// Whether a call has its media elsewhere.
    pub fn is_elsewhere(&self, call: CallId) -> bool {
        matches!(self.calls.get(&call), Some(Call::Elsewhere(_)))
    }

    /// Takes what is for a call whose media is elsewhere; gives back what is not.
    pub(crate) fn signalled_elsewhere(&mut self, now: Instant, signal: Signal) -> Option<Signal> {
        let call = call_of(&signal).filter(|call| self.is_elsewhere(*call));
        let Some(call) = call else { return Some(signal) };
        match signal {
            Signal::Progress { fork, description, response, .. } => {
                let awaited = Awaited::Prack(Some(fork));
                if self.told(now, call, description, &response, awaited) {
                    let status = response.status();
                    self.events.push_back(Event::Progress { call, status, early_media: false });
                }
            }
            Signal::ReinviteProgress { description, response, .. } => {
                self.told(now, call, description, &response, Awaited::Prack(None));
            }
            Signal::Answered { description, response, .. } => {
                if self.told(now, call, description, &response, Awaited::Ack) {
                    self.events.push_back(Event::Answered { call });
                }
            }
            Signal::ReinviteAnswered { description, response, .. }
            | Signal::UpdateAnswered { description, response, .. } => {
                if self.told(now, call, description, &response, Awaited::Ack) {
                    self.events.push_back(Event::Changed { call });
                }
            }
            Signal::Refreshed { description, response, .. } => {
                self.told(now, call, description, &response, Awaited::Ack);
            }
            other => return self.asked_elsewhere(now, call, other),
        }
        None
    }

    /// The requests of the peer, and refusals.
    fn asked_elsewhere(&mut self, now: Instant, call: CallId, signal: Signal) -> Option<Signal> {
        match signal {
            Signal::Established { body, .. } => self.established_elsewhere(call, body),
            Signal::Reinvited { request, .. } => self.asked(now, call, &request, Awaited::Reinvite),
            Signal::Updated { fork, request, .. } => {
                self.asked(now, call, &request, Awaited::Offer(Some(fork)));
            }
            Signal::ProgressAcknowledged { description, request, .. } => match description {
                Description::Offer => self.asked(now, call, &request, Awaited::Offer(None)),
                Description::Answer => {
                    let content = description_of(&request).ok().flatten();
                    self.describe(call, None, description, content);
                }
                Description::Nothing | Description::Preview => {}
            },
            Signal::ReinviteRejected { status, .. } | Signal::UpdateRejected { status, .. } => {
                self.events.push_back(Event::NotChanged { call, status });
            }
            Signal::ReinviteCancelled { .. } => self.withdrawn(call, Awaited::Reinvite),
            Signal::OfferExpired { fork, .. } => {
                self.withdrawn(call, Awaited::Offer(None));
                self.withdrawn(call, Awaited::Offer(Some(fork)));
            }
            other => return Some(other),
        }
        None
    }

    /// Tells of the description in a response; false: it cannot be used, and the call is hung up.
    fn told(
        &mut self,
        now: Instant,
        call: CallId,
        kind: Description,
        response: &ValidResponse,
        awaited: Awaited,
    ) -> bool {
        if kind == Description::Nothing {
            return true;
        }
        let content = description(response.body(), response.header::<ContentType>());
        match (content, kind) {
            (Ok(content), _) => {
                if kind == Description::Offer {
                    self.await_reply(call, awaited);
                }
                self.describe(call, awaited.fork(), kind, content);
                true
            }
            (Err(error), Description::Preview) => {
                debug!(?call, %error, "description ignored");
                true
            }
            (Err(error), _) => {
                self.give_up(now, call, &error);
                false
            }
        }
    }

    /// An offer of the peer, or a re-INVITE that asks for ours.
    fn asked(&mut self, now: Instant, call: CallId, request: &ValidRequest, awaited: Awaited) {
        match description_of(request) {
            Ok(Some(content)) => {
                self.await_reply(call, awaited);
                self.describe(call, awaited.fork(), Description::Offer, Some(content));
            }
            Ok(None) => {
                self.await_reply(call, awaited);
                self.events.push_back(Event::OfferWanted { call });
            }
            Err(refusal) => {
                self.statistics.refused_offers += 1;
                self.await_reply(call, awaited);
                let refused = self.refuse_with(now, call, awaited.fork(), refusal.status());
                debug!(?call, %refusal, ?refused, "offer refused");
            }
        }
    }

    fn established_elsewhere(&mut self, call: CallId, body: Option<Body>) {
        let content = body.and_then(|body| {
            let kind = ContentType::parse(&body.content_type.as_str().into()).map(Some);
            description(body.content, kind).ok().flatten()
        });
        self.describe(call, None, Description::Answer, content);
        self.events.push_back(Event::Established { call });
    }

    fn describe(
        &mut self,
        call: CallId,
        fork: Option<Fork>,
        kind: Description,
        content: Option<Bytes>,
    ) {
        if let Some(content) = content {
            self.events.push_back(Event::Described { call, fork, kind, content });
        }
    }

    /// Nobody has to answer the offer any more.
    fn withdrawn(&mut self, call: CallId, awaited: Awaited) {
        if self.no_more_awaited(call, awaited) {
            self.events.push_back(Event::OfferWithdrawn { call, fork: awaited.fork() });
        }
    }

    fn give_up(&mut self, now: Instant, call: CallId, error: &Error) {
        debug!(?call, %error, "call hung up: its session description cannot be used");
        if let Ok(elsewhere) = self.elsewhere(call) {
            elsewhere.fault = Some(error.to_string());
        }
        if let Err(error) = self.agent.hang_up(now, call) {
            debug!(?call, %error, "the call could not be hung up");
        }
    }

    fn await_reply(&mut self, call: CallId, awaited: Awaited) {
        if let Ok(elsewhere) = self.elsewhere(call)
            && !elsewhere.awaited.contains(&awaited)
        {
            elsewhere.awaited.push(awaited);
        }
    }

    /// What of a call waits for a description; the last thing of all if no fork is named.
    fn awaited(&mut self, call: CallId, fork: Option<Fork>) -> Result<Awaited, Error> {
        let awaited = &self.elsewhere(call)?.awaited;
        let found = awaited.iter().rev().find(|one| fork.is_none() || one.fork() == fork);
        found.copied().ok_or(Error::NotWaiting)
    }

    fn no_more_awaited(&mut self, call: CallId, awaited: Awaited) -> bool {
        let Ok(elsewhere) = self.elsewhere(call) else { return false };
        let before = elsewhere.awaited.len();
        elsewhere.awaited.retain(|one| *one != awaited);
        elsewhere.awaited.len() < before
    }

    fn elsewhere(&mut self, call: CallId) -> Result<&mut Elsewhere, Error> {
        match self.calls.get_mut(&call) {
            Some(Call::Elsewhere(elsewhere)) => Ok(elsewhere),
            Some(Call::Invited { .. } | Call::Media(_)) => Err(Error::MediaHere),
            None => Err(Error::NoCall),
        }
    }

    fn check_elsewhere(&self, call: CallId) -> Result<(), Error> {
        match self.calls.get(&call) {
            Some(Call::Elsewhere(_) | Call::Invited { .. }) => Ok(()),
            Some(Call::Media(_)) => Err(Error::MediaHere),
            None => Err(Error::NoCall),
        }
    }

    fn turn_elsewhere(&mut self, call: CallId) {
        if let Some(invited @ Call::Invited { .. }) = self.calls.get_mut(&call) {
            *invited = Call::Elsewhere(Box::default());
        }
    }
}

fn description_of(request: &ValidRequest) -> Result<Option<Bytes>, Error> {
    description(request.body(), request.header::<ContentType>())
}

/// The call that a signal about its session is of.
fn call_of(signal: &Signal) -> Option<CallId> {
    match signal {
        Signal::Progress { call, .. }
        | Signal::Answered { call, .. }
        | Signal::Established { call, .. }
        | Signal::Reinvited { call, .. }
        | Signal::ReinviteCancelled { call }
        | Signal::ReinviteProgress { call, .. }
        | Signal::ReinviteAnswered { call, .. }
        | Signal::ReinviteRejected { call, .. }
        | Signal::ProgressAcknowledged { call, .. }
        | Signal::Updated { call, .. }
        | Signal::OfferExpired { call, .. }
        | Signal::UpdateAnswered { call, .. }
        | Signal::UpdateRejected { call, .. }
        | Signal::Refreshed { call, .. } => Some(*call),
        _ => None,
    }
}
