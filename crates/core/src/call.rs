//! One call: its session description and its media, while the SIP layer holds its dialog.

use std::{collections::VecDeque, net::IpAddr, time::Instant};

use bytes::Bytes;
use offhook_media::{Leg, PlayoutDelay, Settings};
use offhook_rtp::Wallclock;
use offhook_sansio::{Datagram, Random};
use offhook_sdp::{Capabilities, Direction, LocalMedia, NegotiatedMedia, Negotiation};
use offhook_sip::Fork;

use crate::{
    Error, Hold, MediaSockets, early_media::FinalAnswer, elsewhere::Elsewhere, hold::Change,
};

/// How far a call's media has come.
pub(crate) enum Call {
    /// Someone calls; no sockets are chosen before it is answered. `None`: they want our offer.
    Invited {
        /// The offer that came in the INVITE.
        offer: Option<Bytes>,
        /// Where the signalling came from.
        signalling: IpAddr,
    },
    /// Sockets are chosen, and an offer is on its way or agreed.
    Media(Box<CallMedia>),
    /// The owner brings the descriptions.
    Elsewhere(Box<Elsewhere>),
}

impl Call {
    pub(crate) fn media(&self) -> Option<&CallMedia> {
        match self {
            Self::Media(media) => Some(media),
            Self::Invited { .. } | Self::Elsewhere(_) => None,
        }
    }

    pub(crate) fn media_mut(&mut self) -> Option<&mut CallMedia> {
        match self {
            Self::Media(media) => Some(media),
            Self::Invited { .. } | Self::Elsewhere(_) => None,
        }
    }

    /// Why this side hung up by itself.
    pub(crate) fn fault(&self) -> Option<&String> {
        match self {
            Self::Invited { .. } => None,
            Self::Media(media) => media.fault.as_ref(),
            Self::Elsewhere(elsewhere) => elsewhere.fault.as_ref(),
        }
    }

    pub(crate) fn leg_mut(&mut self) -> Option<&mut Leg> {
        self.media_mut()?.leg.as_mut()
    }
}

/// The session of one call.
pub(crate) struct CallMedia {
    pub(crate) sockets: MediaSockets,
    /// Where the signalling comes from: the one other place that media may come from.
    signalling: IpAddr,
    pub(crate) negotiation: Negotiation,
    /// Whose description `negotiation` holds, until our call is answered.
    pub(crate) fork: Option<Fork>,
    /// The sessions with the other forks, each with its own answer and its own UPDATEs
    /// (RFC 3261 §12.1.2). The SIP layer bounds how many there are.
    others: Vec<(Fork, Negotiation)>,
    /// Our first offer before any answer to it: an answer in a provisional response is a preview,
    /// and another fork may answer otherwise (RFC 6337 §3.1.1, RFC 3261 §13.2.1).
    unanswered: Option<Negotiation>,
    pub(crate) leg: Option<Leg>,
    /// Media that overtook the answer: the offerer has to be ready for it (RFC 3264 §5.1).
    early: VecDeque<Datagram>,
    /// What the 200 has to say once there is early media.
    pub(crate) final_answer: FinalAnswer,
    /// Which way media flows while nobody is on hold.
    pub(crate) normal: Direction,
    pub(crate) hold: Hold,
    /// What the owner knows of it.
    pub(crate) hold_told: Hold,
    /// What we have asked the peer for.
    pub(crate) change: Option<Change>,
    /// Why we hung up by ourselves.
    pub(crate) fault: Option<String>,
}

/// What every leg of an endpoint shares.
pub(crate) struct LegOrigin<'a> {
    pub(crate) now: Instant,
    pub(crate) wallclock: Wallclock,
    pub(crate) delay: PlayoutDelay,
    pub(crate) random: &'a mut Random,
}

impl CallMedia {
    pub(crate) fn new(
        capabilities: Capabilities,
        sockets: MediaSockets,
        signalling: IpAddr,
        random: &mut Random,
    ) -> Self {
        let normal = capabilities.direction;
        let local = LocalMedia { rtp: sockets.public_rtp, rtcp: sockets.public_rtcp };
        // The session id is a number of at most 63 bits, so that every peer can hold it
        // (RFC 3264 §5).
        let session_id = random.u64() >> 1;
        let negotiation = Negotiation::new(capabilities, local, session_id);
        Self {
            sockets,
            signalling,
            negotiation,
            fork: None,
            others: Vec::new(),
            unanswered: None,
            leg: None,
            early: VecDeque::new(),
            final_answer: None,
            normal,
            hold: Hold::default(),
            hold_told: Hold::default(),
            change: None,
            fault: None,
        }
    }

    /// Writes our offer.
    pub(crate) fn offer(&mut self) -> Result<Bytes, Error> {
        let offer = self.negotiation.offer()?;
        self.unanswered = Some(self.negotiation.clone());
        Ok(offer)
    }

    /// Answers the peer's offer, and puts what was agreed into effect.
    pub(crate) fn answer(
        &mut self,
        offer: &[u8],
        origin: &mut LegOrigin<'_>,
    ) -> Result<Bytes, Error> {
        self.negotiation.receive_offer(offer)?;
        let answered = self.negotiation.answer();
        if answered.is_err() {
            self.negotiation.roll_back();
        }
        let (answer, negotiated) = answered?;
        self.put_into_effect(&negotiated, origin)?;
        Ok(answer)
    }

    /// Finds out whether an offer can be answered, and leaves the session of no more use.
    pub(crate) fn try_answer(mut self, offer: &[u8]) -> Result<(), Error> {
        Ok(self.negotiation.receive_offer(offer)?)
    }

    /// Takes the answer of a provisional response: good until the final one (RFC 3261 §13.2.1).
    pub(crate) fn preview(
        &mut self,
        answer: &[u8],
        origin: &mut LegOrigin<'_>,
    ) -> Result<(), Error> {
        if let Some(offer) = &self.unanswered {
            self.negotiation = offer.clone();
        }
        let negotiated = self.negotiation.receive_answer(answer)?;
        self.put_into_effect(&negotiated, origin)
    }

    /// Takes the final answer to our offer.
    pub(crate) fn agree(&mut self, answer: &[u8], origin: &mut LegOrigin<'_>) -> Result<(), Error> {
        self.preview(answer, origin)?;
        self.forget_forks();
        Ok(())
    }

    /// The final response came without a description that counts: what was agreed with its fork
    /// before stands, if anything was.
    pub(crate) fn agree_to_preview(&mut self, origin: &mut LegOrigin<'_>) -> Result<(), Error> {
        self.forget_forks();
        let agreed = self.negotiation.agreed().cloned();
        self.put_into_effect(&agreed.ok_or(Error::NoMedia)?, origin)
    }

    /// The next description is one of `fork`: each fork has its own session, made from the one
    /// offer. What was put into effect last stays so until then.
    pub(crate) fn turn_to(&mut self, fork: Fork) {
        let Some(offer) = &self.unanswered else { return };
        if self.fork == Some(fork) {
            return;
        }
        let known = self.others.iter().position(|(other, _)| *other == fork);
        let known = known.map(|at| self.others.swap_remove(at).1);
        let negotiation = known.unwrap_or_else(|| offer.clone());
        let before = std::mem::replace(&mut self.negotiation, negotiation);
        if let Some(other) = self.fork.replace(fork) {
            self.others.push((other, before));
        }
    }

    fn forget_forks(&mut self) {
        self.unanswered = None;
        self.others.clear();
    }

    /// Keeps a packet that came before the answer. Says whether there was room for it.
    pub(crate) fn keep_early(&mut self, datagram: Datagram) -> bool {
        let room = self.awaits_answer() && self.early.len() < MOST_EARLY;
        if room {
            self.early.push_back(datagram);
        }
        room
    }

    /// Whether our offer is out and has no final answer.
    pub(crate) const fn awaits_answer(&self) -> bool {
        self.unanswered.is_some()
    }

    pub(crate) fn put_into_effect(
        &mut self,
        negotiated: &NegotiatedMedia,
        origin: &mut LegOrigin<'_>,
    ) -> Result<(), Error> {
        self.note_hold(negotiated);
        let receivable = self.negotiation.receivable();
        match &mut self.leg {
            Some(leg) => leg.renegotiate(negotiated, receivable)?,
            None => {
                let settings = Settings {
                    negotiated: negotiated.clone(),
                    receivable: receivable.to_vec(),
                    rtp: self.sockets.rtp,
                    rtcp: self.sockets.rtcp,
                    signalling: Some(self.signalling),
                    // RFC 7022 §4.2: a random CNAME for each session tells nobody who we are.
                    cname: origin.random.token(CNAME),
                    wallclock: origin.wallclock,
                    delay: origin.delay,
                };
                let mut leg = Leg::new(origin.now, settings, origin.random.fork())?;
                self.early.drain(..).for_each(|early| leg.receive_early(origin.now, early));
                self.leg = Some(leg);
            }
        }
        Ok(())
    }
}

/// A second of packets, so that the beginning of what is said is not lost.
const MOST_EARLY: usize = 50;
/// Characters of a canonical name: 100 random bits, more than the 96 of RFC 7022 §5.
const CNAME: usize = 20;
