//! The machine of one call leg's media.
//!
//! 1. A captured frame is encoded and packed ([`Leg::send_audio`] → outgoing → `poll_transmit`).
//! 2. A received packet is checked for where it came from and put into the jitter buffer
//!    ([`Machine::receive`] → path → session).
//! 3. A frame to play is taken out, decoded or concealed ([`Leg::play_audio`] → incoming).
//! 4. Reports go out and are read on the RTCP timer.

use std::{
    collections::VecDeque,
    fmt,
    time::{Duration, Instant},
};

use bytes::Bytes;
use offhook_rtp::{JitterConfig, Session, SessionConfig, is_rtcp};
use offhook_sansio::{Datagram, Flow, Machine, Random, Transmit};
use offhook_sdp::{Codec, NegotiatedMedia};
use tracing::debug;

use crate::{
    Error, Event, Frames, Heard, LegStatistics, Settings,
    incoming::{Incoming, LONGEST_PACKET},
    outgoing::Outgoing,
    path::{Kind, Path},
    statistics::{heard_r_factor, opinion},
};

/// One call leg's media: sending, receiving, reports.
pub struct Leg {
    negotiated: NegotiatedMedia,
    /// The frame of the first agreement. A later `a=ptime` is a wish that changes nothing here.
    frame_time: Duration,
    path: Path,
    session: Session,
    outgoing: Outgoing,
    incoming: Incoming,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
    frames: Frames,
    foreign: u64,
    not_media: u64,
    receiving: bool,
    closed: bool,
}

impl Leg {
    /// A leg that may send and receive at once.
    ///
    /// # Errors
    ///
    /// [`Error::NoCodec`] if the negotiated codec is not there, [`Error::FrameTime`] if a packet
    /// is to carry no sound, or more than 200 ms of it.
    pub fn new(now: Instant, settings: Settings, random: Random) -> Result<Self, Error> {
        let ptime = settings.negotiated.ptime;
        if samples_in(ptime, settings.negotiated.codec.clock_rate) == 0 || ptime > LONGEST_PACKET {
            return Err(Error::FrameTime(ptime));
        }
        let config = session_config(&settings);
        let Settings { negotiated, receivable, rtp, rtcp, signalling, .. } = settings;
        Ok(Self {
            path: Path::new(rtp, rtcp, signalling, &negotiated),
            session: Session::new(now, &config, random),
            outgoing: Outgoing::new(&negotiated)?,
            incoming: Incoming::new(&receivable)?,
            frame_time: negotiated.ptime,
            negotiated,
            transmits: VecDeque::with_capacity(QUEUE),
            events: VecDeque::new(),
            frames: Frames::default(),
            foreign: 0,
            not_media: 0,
            receiving: false,
            closed: false,
        })
    }

    /// Puts a new agreement into effect. Sequence numbers, SSRC and figures go on.
    ///
    /// # Errors
    ///
    /// [`Error::NoCodec`] if the negotiated codec is not there, [`Error::ClockRate`] if it has
    /// another clock rate than the running one, [`Error::Closed`] after the end. The leg stays as it
    /// was.
    pub fn renegotiate(
        &mut self,
        negotiated: &NegotiatedMedia,
        receivable: &[Codec],
    ) -> Result<(), Error> {
        if self.closed {
            return Err(Error::Closed);
        }
        let (running, new) = (self.sample_rate(), negotiated.codec.clock_rate);
        if running != new {
            return Err(Error::ClockRate { running, new });
        }
        let codecs = receivable.iter().chain([&negotiated.codec]);
        if let Some(codec) = codecs.into_iter().find(|codec| !supports(codec)) {
            return Err(Error::no_codec(codec));
        }
        self.incoming.renegotiate(receivable)?;
        self.outgoing.renegotiate(negotiated)?;
        self.session.set_send_payload_type(negotiated.send_payload_type);
        self.session.set_receive_payload_types(&payload_types(receivable));
        self.path.renegotiate(negotiated);
        self.negotiated = negotiated.clone();
        Ok(())
    }

    /// Sends one captured frame of [`frame`](Self::frame) samples, as one packet.
    ///
    /// # Errors
    ///
    /// If the frame has another length, or the leg is closed.
    pub fn send_audio(&mut self, now: Instant, samples: &[i16]) -> Result<(), Error> {
        self.check(samples.len())?;
        if let Some(packet) = self.outgoing.packet(now, samples, &mut self.session)? {
            self.transmit(Kind::Rtp, packet);
        }
        Ok(())
    }

    /// Fills `samples` with the next frame to play; call it once a frame time.
    ///
    /// # Errors
    ///
    /// If the frame has another length, or the leg is closed.
    pub fn play_audio(&mut self, now: Instant, samples: &mut [i16]) -> Result<Heard, Error> {
        self.check(samples.len())?;
        let heard = self.incoming.frame(now, samples, &mut self.session);
        let count = match heard {
            Heard::Speech => &mut self.frames.speech,
            Heard::Concealed => &mut self.frames.concealed,
            Heard::Silence => &mut self.frames.silence,
        };
        *count = count.saturating_add(1);
        Ok(heard)
    }

    /// Takes a packet that came before the agreement. Nobody could tell strangers from the far side
    /// then, so only the place that it describes is believed.
    pub fn receive_early(&mut self, now: Instant, datagram: Datagram) {
        if self.path.describes(datagram.flow.remote) {
            return self.receive(now, datagram);
        }
        self.foreign = self.foreign.saturating_add(1);
        debug!(flow = %datagram.flow, "dropped: it came early, and not from the described place");
    }

    /// Ends the leg: says BYE in RTCP (RFC 3550 §6.3.7), and sends and plays nothing more.
    pub fn close(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        self.closed = true;
        let session = &mut self.session;
        let goodbye = self.outgoing.report(|room| session.bye(now, room));
        self.transmit(Kind::Rtcp, goodbye);
    }

    /// How many samples a frame has.
    pub fn frame(&self) -> usize {
        samples_in(self.frame_time, self.sample_rate())
    }

    /// How long a frame lasts.
    pub const fn frame_time(&self) -> Duration {
        self.frame_time
    }

    /// Samples a second.
    pub const fn sample_rate(&self) -> u32 {
        self.negotiated.codec.clock_rate
    }

    /// What was agreed on.
    pub const fn negotiated(&self) -> &NegotiatedMedia {
        &self.negotiated
    }

    /// The figures at this moment.
    pub fn statistics(&self, now: Instant) -> LegStatistics {
        let rtp = self.session.statistics(now);
        let r_factor = heard_r_factor(&rtp, self.frame_time);
        LegStatistics {
            codec: self.negotiated.codec.to_string(),
            frame_time: self.frame_time,
            rtp,
            frames: self.frames,
            foreign: self.foreign,
            not_media: self.not_media,
            undecodable: self.incoming.undecodable(),
            r_factor,
            mos: opinion(r_factor),
        }
    }

    fn check(&self, given: usize) -> Result<(), Error> {
        let expected = self.frame();
        match self.closed {
            true => Err(Error::Closed),
            false if given != expected => Err(Error::FrameLength { expected, given }),
            false => Ok(()),
        }
    }

    fn transmit(&mut self, kind: Kind, payload: Bytes) {
        if let Some(flow) = self.path.flow(kind).filter(|_| !payload.is_empty()) {
            self.transmits.push_back(Transmit { flow, payload });
        }
    }

    /// The packet is of a kind and from a place that is agreed on.
    fn accept(&mut self, now: Instant, kind: Kind, datagram: &Datagram) {
        let accepted = match kind {
            Kind::Rtp => self.session.receive_rtp(now, &datagram.payload),
            Kind::Rtcp => self.session.receive_rtcp(now, &datagram.payload),
        };
        match accepted {
            Ok(()) => self.accepted(kind, datagram.flow),
            Err(reason) => debug!(flow = %datagram.flow, %reason, "media packet dropped"),
        }
    }

    /// Settles where the far side is. One packet that looks like RTP is no proof: its source has to
    /// be validated (RFC 3550 §A.1).
    fn accepted(&mut self, kind: Kind, flow: Flow) {
        if kind == Kind::Rtp && self.session.remote_ssrc().is_none() {
            return;
        }
        self.path.latch(flow, kind);
        if kind == Kind::Rtp && !self.receiving {
            self.receiving = true;
            self.events.push_back(Event::Receiving { from: flow.remote });
        }
    }
}

impl Machine for Leg {
    type Event = Event;

    fn receive(&mut self, now: Instant, datagram: Datagram) {
        if !matches!(datagram.payload.first(), Some(128..=191)) {
            self.not_media = self.not_media.saturating_add(1);
            debug!(flow = %datagram.flow, "dropped: neither RTP nor RTCP (RFC 7983 §7)");
            return;
        }
        let kind = if is_rtcp(&datagram.payload) { Kind::Rtcp } else { Kind::Rtp };
        let wanted = kind == Kind::Rtcp || self.negotiated.direction.receives();
        if self.closed || !wanted || !self.path.admits(datagram.flow, kind) {
            self.foreign = self.foreign.saturating_add(1);
            debug!(flow = %datagram.flow, ?kind, "dropped: no media is agreed from there");
            return;
        }
        self.accept(now, kind, &datagram);
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        self.session.handle_timeout(now);
        let session = &mut self.session;
        let report = self.outgoing.report(|room| session.write_rtcp(now, room).unwrap_or(0));
        self.transmit(Kind::Rtcp, report);
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        if self.closed { None } else { self.session.poll_timeout() }
    }
}

impl fmt::Debug for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leg").field("codec", &self.negotiated.codec).finish_non_exhaustive()
    }
}

fn session_config(settings: &Settings) -> SessionConfig {
    let Settings { negotiated, delay, .. } = settings;
    let clock_rate = negotiated.codec.clock_rate;
    let cname = settings.cname.clone();
    SessionConfig {
        receive_payload_types: payload_types(&settings.receivable),
        jitter: JitterConfig {
            initial_delay: delay.initial,
            min_delay: delay.min,
            max_delay: delay.max,
            ..JitterConfig::new(clock_rate, negotiated.ptime)
        },
        ..SessionConfig::new(
            cname,
            negotiated.send_payload_type,
            clock_rate,
            negotiated.ptime,
            settings.wallclock,
        )
    }
}

fn payload_types(receivable: &[Codec]) -> Vec<u8> {
    receivable.iter().filter_map(|codec| codec.payload_type).collect()
}

/// Whether there is an encoder and a decoder for `codec`.
pub fn supports(codec: &Codec) -> bool {
    let (name, rate) = (&codec.encoding, codec.clock_rate);
    let one_channel = codec.channels == 1;
    let coder = offhook_codec::encoder(name, rate).zip(offhook_codec::decoder(name, rate));
    one_channel && coder.is_some()
}

/// How many samples pass in `time`.
pub(crate) fn samples_in(time: Duration, rate: u32) -> usize {
    let samples = time.as_nanos().saturating_mul(u128::from(rate)) / 1_000_000_000;
    usize::try_from(samples).unwrap_or(usize::MAX)
}

/// The packets that may wait to be polled before the queue grows.
const QUEUE: usize = 8;
