//! The machine that users drive: verbs in, calls out.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::{IpAddr, SocketAddr},
    time::{Instant, SystemTime},
};

use bytes::Bytes;
use offhook_media::{Heard, Leg};
use offhook_rtp::Wallclock;
use offhook_sansio::{Datagram, Deadlines, Flow, IdMap, Machine, Protocol, Random, Transmit};
use offhook_sip::{Body, CallId, Invite, UserAgent};
use offhook_sip_message::{ParseError, Reason, StatusCode, Uri};
use tracing::debug;

use crate::{
    CallStatistics, Config, Error, Event, MediaSockets, Outgoing, Statistics,
    accounts::Account,
    call::{Call, CallMedia, LegOrigin},
    demux::Spoken,
    signalling::sdp_body,
};

/// A SIP endpoint: it places and takes calls and carries their sound.
///
/// It obeys the contract of [`Machine`]. Sound is not part of that contract: hand it a captured
/// frame with [`send_audio`](Self::send_audio) and fetch the next one to play with
/// [`play_audio`](Self::play_audio), each once a frame time.
pub struct Endpoint {
    pub(crate) config: Config,
    pub(crate) agent: UserAgent,
    pub(crate) calls: IdMap<CallId, Call>,
    sockets: HashMap<SocketAddr, CallId>,
    /// Where signalling arrives: no place for media.
    listening: HashSet<SocketAddr>,
    deadlines: Deadlines<CallId>,
    /// When changes of sessions are asked for again.
    pub(crate) retries: Deadlines<CallId>,
    /// The registrations, to know whom a call is for.
    pub(crate) accounts: Vec<Account>,
    transmits: VecDeque<Transmit>,
    pub(crate) events: VecDeque<Event>,
    wallclock: Wallclock,
    random: Random,
    pub(crate) statistics: Statistics,
}

impl Endpoint {
    /// An endpoint that listens nowhere yet.
    ///
    /// The wall clock of its RTCP reports says 1970 at `now`; set it with
    /// [`set_wallclock`](Self::set_wallclock) where absolute time matters.
    pub fn new(now: Instant, config: Config, mut random: Random) -> Self {
        Self {
            agent: UserAgent::new(config.sip.clone(), random.fork()),
            config,
            calls: IdMap::default(),
            sockets: HashMap::new(),
            listening: HashSet::new(),
            deadlines: Deadlines::new(),
            retries: Deadlines::new(),
            accounts: Vec::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            wallclock: Wallclock::new(now, SystemTime::UNIX_EPOCH),
            random,
            statistics: Statistics::default(),
        }
    }

    /// Says what time it is, for the NTP timestamps of sender reports (RFC 3550 §4).
    pub fn set_wallclock(&mut self, wallclock: Wallclock) {
        self.wallclock = wallclock;
    }

    /// Says that signalling arrives at `local`, which peers reach as `public`.
    pub fn listen(&mut self, protocol: Protocol, local: SocketAddr, public: SocketAddr) {
        self.listening.insert(local);
        self.agent.listen(protocol, local, public);
    }

    /// Calls someone. What becomes of it comes as events.
    ///
    /// # Errors
    ///
    /// If a media socket is in use, or the SIP layer has no room or no listener for the flow.
    pub fn call(
        &mut self,
        now: Instant,
        outgoing: Outgoing,
        sockets: MediaSockets,
    ) -> Result<CallId, Error> {
        self.check_free(sockets)?;
        let mut media = self.new_media(sockets, outgoing.flow.remote.ip());
        let offer = media.offer()?;
        let call = self.place(now, outgoing, Some(sdp_body(offer)))?;
        self.occupy(call, sockets);
        self.calls.insert(call, Call::Media(Box::new(media)));
        self.pump(now);
        Ok(call)
    }

    /// Sends the INVITE of a call.
    pub(crate) fn place(
        &mut self,
        now: Instant,
        mut outgoing: Outgoing,
        body: Option<Body>,
    ) -> Result<CallId, Error> {
        let headers = self.headers_of(&mut outgoing)?;
        let from = outgoing.from.unwrap_or_else(|| self.config.identity.clone());
        let invite = Invite {
            body,
            headers,
            logins: outgoing.logins,
            session_timer: outgoing.session_timer,
            privacy: outgoing.privacy,
            preferred_identity: outgoing.preferred_identity,
            answer_mode: outgoing.answer_mode,
            priv_answer_mode: outgoing.priv_answer_mode,
            ..Invite::new(outgoing.target, from, outgoing.flow)
        };
        Ok(match outgoing.largest {
            Some(largest) => self.agent.invite_within(now, invite, largest)?,
            None => self.agent.invite(now, invite)?,
        })
    }

    /// Calls on where a redirect has pointed, with the same offer (RFC 3261 §8.1.3.4).
    ///
    /// # Errors
    ///
    /// If the call was not redirected to `target`, or the SIP layer has no room or no listener for
    /// the flow. The call still waits.
    pub fn follow(
        &mut self,
        now: Instant,
        call: CallId,
        target: &Uri,
        flow: Flow,
    ) -> Result<(), Error> {
        self.agent.follow(now, call, target, flow)?;
        self.pump(now);
        Ok(())
    }

    /// Tells the caller that someone is being alerted (180).
    ///
    /// # Errors
    ///
    /// If the call is not one that came in and waits.
    pub fn ring(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.agent.ring(now, call)?;
        self.pump(now);
        Ok(())
    }

    /// Takes an incoming call.
    ///
    /// # Errors
    ///
    /// If the call does not wait for an answer, or a media socket is in use. The call then still
    /// waits.
    pub fn answer(
        &mut self,
        now: Instant,
        call: CallId,
        sockets: MediaSockets,
    ) -> Result<(), Error> {
        self.check_free(sockets)?;
        let (offer, signalling) = self.invitation(call)?;
        let mut media = self.new_media(sockets, signalling);
        let body = match offer {
            Some(offer) => media.answer(&offer, &mut self.leg_origin(now))?,
            None => media.offer()?,
        };
        self.agent.answer(now, call, Some(sdp_body(body)))?;
        self.occupy(call, sockets);
        self.calls.insert(call, Call::Media(Box::new(media)));
        self.media_changed(call);
        self.pump(now);
        Ok(())
    }

    /// As [`reject`](Self::reject), with words for people (RFC 3261 §13.3.1.3, §21.4.1).
    ///
    /// # Errors
    ///
    /// If the call does not wait for an answer.
    pub fn reject_because(
        &mut self,
        now: Instant,
        call: CallId,
        status: StatusCode,
        why: &str,
    ) -> Result<(), Error> {
        self.agent.reject_because(now, call, status, why)?;
        self.pump(now);
        Ok(())
    }

    /// Refuses an incoming call with `status`, which must be a failure (400 to 699).
    ///
    /// # Errors
    ///
    /// If the call does not wait for an answer.
    pub fn reject(&mut self, now: Instant, call: CallId, status: StatusCode) -> Result<(), Error> {
        self.agent.reject(now, call, status)?;
        self.pump(now);
        Ok(())
    }

    /// Ends the call as its state asks: with CANCEL, BYE or a refusal. Sound stops at once
    /// (RFC 3261 §15.1.1); [`Event::Ended`] follows when the far side knows, or cannot be told.
    ///
    /// # Errors
    ///
    /// If the call is over.
    pub fn hang_up(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.agent.hang_up(now, call)?;
        self.fall_silent(now, call);
        Ok(())
    }

    fn fall_silent(&mut self, now: Instant, call: CallId) {
        if let Some(leg) = self.calls.get_mut(&call).and_then(Call::leg_mut) {
            leg.close(now);
        }
        self.drain_leg(call);
        self.pump(now);
    }

    /// As [`hang_up`](Self::hang_up), and says why in the CANCEL or BYE (RFC 3326).
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
        self.agent.hang_up_because(now, call, reason)?;
        self.fall_silent(now, call);
        Ok(())
    }

    /// Says that a flow cannot be sent on: the socket gave an error (RFC 3261 §8.1.3.1).
    pub fn transport_failed(&mut self, now: Instant, flow: Flow) {
        self.agent.transport_failed(now, flow);
        self.pump(now);
    }

    /// Says that a response could not be sent, by no way that there is (RFC 3261 §17.2.4, §18.2.2): a
    /// call that was not answered ends.
    pub fn response_failed(&mut self, now: Instant, transmit: &Transmit) {
        self.agent.response_failed(now, transmit);
        self.pump(now);
    }

    /// Answers a request of a stream whose end cannot be told with 400 (RFC 3261 §18.3); the stream is
    /// then to be closed. `head` is its start line and its header fields.
    pub fn refuse_unframed(&mut self, now: Instant, flow: Flow, head: &Bytes, error: ParseError) {
        self.agent.refuse_unframed(flow, head, error);
        self.pump(now);
    }

    /// Sends one captured frame: as many samples as [`Leg::frame`] says.
    ///
    /// # Errors
    ///
    /// If the call has no media, or the frame has another length.
    pub fn send_audio(&mut self, now: Instant, call: CallId, samples: &[i16]) -> Result<(), Error> {
        self.leg_mut(call)?.send_audio(now, samples)?;
        self.drain_leg(call);
        Ok(())
    }

    /// Fills `samples` with the next frame to play.
    ///
    /// # Errors
    ///
    /// If the call has no media, or the frame has another length.
    pub fn play_audio(
        &mut self,
        now: Instant,
        call: CallId,
        samples: &mut [i16],
    ) -> Result<Heard, Error> {
        Ok(self.leg_mut(call)?.play_audio(now, samples)?)
    }

    /// The media of a call, to ask about its frames and sample rate.
    pub fn leg(&self, call: CallId) -> Option<&Leg> {
        self.calls.get(&call)?.media()?.leg.as_ref()
    }

    /// The figures of a call at this moment; `None` if it is over.
    pub fn call_statistics(&self, now: Instant, call: CallId) -> Option<CallStatistics> {
        let leg = self.calls.get(&call)?.media().and_then(|media| media.leg.as_ref());
        Some(CallStatistics { media: leg.map(|leg| leg.statistics(now)) })
    }

    /// What the endpoint itself counted.
    pub const fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// The SIP layer, to ask about its calls, transactions and counters.
    pub const fn agent(&self) -> &UserAgent {
        &self.agent
    }

    /// Whether offers are tried before calls are told of: [`Config::check_offers`].
    pub const fn checks_offers(&self) -> bool {
        self.config.check_offers
    }

    /// How many calls are there, in whatever state.
    pub fn live_calls(&self) -> usize {
        self.calls.len()
    }

    fn leg_mut(&mut self, call: CallId) -> Result<&mut Leg, Error> {
        let call = self.calls.get_mut(&call).ok_or(Error::NoCall)?;
        call.leg_mut().ok_or(Error::NoMedia)
    }

    pub(crate) fn new_media(&mut self, sockets: MediaSockets, signalling: IpAddr) -> CallMedia {
        CallMedia::new(self.config.capabilities.clone(), sockets, signalling, &mut self.random)
    }

    pub(crate) fn leg_origin(&mut self, now: Instant) -> LegOrigin<'_> {
        let (wallclock, delay) = (self.wallclock, self.config.delay);
        LegOrigin { now, wallclock, delay, random: &mut self.random }
    }

    /// The media of a call together with what a new leg of it needs.
    pub(crate) fn media_and_origin(
        &mut self,
        now: Instant,
        call: CallId,
    ) -> Option<(&mut CallMedia, LegOrigin<'_>)> {
        let media = self.calls.get_mut(&call)?.media_mut()?;
        let (wallclock, delay) = (self.wallclock, self.config.delay);
        let origin = LegOrigin { now, wallclock, delay, random: &mut self.random };
        Some((media, origin))
    }

    /// The offer of a call that waits for its answer, and where its signalling comes from.
    pub(crate) fn invitation(&self, call: CallId) -> Result<(Option<Bytes>, IpAddr), Error> {
        match self.calls.get(&call) {
            Some(Call::Invited { offer, signalling }) => Ok((offer.clone(), *signalling)),
            Some(Call::Media(_) | Call::Elsewhere(_)) => Err(Error::NotWaiting),
            None => Err(Error::NoCall),
        }
    }

    pub(crate) fn check_free(&self, sockets: MediaSockets) -> Result<(), Error> {
        let taken = |socket: &SocketAddr| {
            self.sockets.contains_key(socket) || self.listening.contains(socket)
        };
        match [sockets.rtp, sockets.rtcp].into_iter().find(taken) {
            Some(socket) => Err(Error::SocketInUse(socket)),
            None => Ok(()),
        }
    }

    pub(crate) fn occupy(&mut self, call: CallId, sockets: MediaSockets) {
        self.sockets.insert(sockets.rtp, call);
        self.sockets.insert(sockets.rtcp, call);
    }

    /// Takes a call out of the tables and gives its last figures.
    pub(crate) fn remove(&mut self, now: Instant, call: CallId) -> (CallStatistics, Option<Call>) {
        if let Some(leg) = self.calls.get_mut(&call).and_then(Call::leg_mut) {
            leg.close(now);
        }
        self.drain_leg(call);
        let statistics = self.call_statistics(now, call).unwrap_or_default();
        self.deadlines.set(call, None);
        self.retries.set(call, None);
        let removed = self.calls.remove(&call);
        if let Some(media) = removed.as_ref().and_then(Call::media) {
            self.sockets.remove(&media.sockets.rtp);
            self.sockets.remove(&media.sockets.rtcp);
        }
        (statistics, removed)
    }

    /// Moves what the SIP layer has to say into this endpoint's queues.
    pub(crate) fn pump(&mut self, now: Instant) {
        while let Some(event) = self.agent.poll_event() {
            self.signalled(now, event);
        }
        while let Some(transmit) = self.agent.poll_transmit() {
            self.transmits.push_back(transmit);
        }
    }

    /// Moves what a leg has to say into this endpoint's queues.
    pub(crate) fn drain_leg(&mut self, call: CallId) {
        let Some(leg) = self.calls.get_mut(&call).and_then(Call::leg_mut) else { return };
        while let Some(transmit) = leg.poll_transmit() {
            self.transmits.push_back(transmit);
        }
        while let Some(event) = leg.poll_event() {
            debug!(?call, ?event, "media");
        }
        self.deadlines.set(call, leg.poll_timeout());
    }

    fn receive_media(&mut self, now: Instant, call: CallId, datagram: Datagram) {
        let Some(media) = self.calls.get_mut(&call).and_then(Call::media_mut) else { return };
        let Some(leg) = &mut media.leg else {
            if !media.keep_early(datagram) {
                self.statistics.stray_media += 1;
                debug!(?call, "media dropped: the call has agreed on none");
            }
            return;
        };
        leg.receive(now, datagram);
        self.drain_leg(call);
    }
}

impl Machine for Endpoint {
    type Event = Event;

    fn receive(&mut self, now: Instant, datagram: Datagram) {
        if let Some(call) = self.sockets.get(&datagram.flow.local) {
            return self.receive_media(now, *call, datagram);
        }
        match Spoken::of(&datagram.payload) {
            Spoken::Sip | Spoken::Stun => {
                self.agent.receive(now, datagram);
                self.pump(now);
            }
            Spoken::Media => {
                self.statistics.stray_media += 1;
                debug!(flow = %datagram.flow, "media dropped: no call uses the socket");
            }
            Spoken::Other => {
                self.statistics.unknown_protocol += 1;
                debug!(flow = %datagram.flow, "datagram dropped: neither SIP nor media");
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        while let Some(call) = self.deadlines.expired(now) {
            if let Some(leg) = self.calls.get_mut(&call).and_then(Call::leg_mut) {
                leg.handle_timeout(now);
            }
            self.drain_leg(call);
        }
        self.ask_again(now);
        self.agent.handle_timeout(now);
        self.pump(now);
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let own = [self.deadlines.next(), self.retries.next()];
        own.into_iter().chain([self.agent.poll_timeout()]).flatten().min()
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("calls", &self.calls.len()).finish_non_exhaustive()
    }
}
