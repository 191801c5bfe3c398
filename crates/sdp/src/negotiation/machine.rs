//! Whose turn it is (RFC 3264 §4, §8).
//!
//! ```text
//!            offer() ┌───────────────────┐ receive_answer(), roll_back()
//!          ┌────────►│ our offer pending ├────────┐
//!          │         └───────────────────┘        ▼
//!     ┌────┴─────────────────────────────────────────┐
//!     │ nothing pending: no session, or one in force │
//!     └────┬─────────────────────────────────────────┘
//!          │         ┌─────────────────────┐      ▲
//!          └────────►│ their offer pending ├──────┘
//!    receive_offer() └─────────────────────┘ answer(), roll_back()
//! ```

use bytes::Bytes;

use super::{
    agreement::NegotiatedMedia,
    answer::{self, Accepted},
    capabilities::{Capabilities, LocalMedia},
    offer,
    proposal::Proposal,
};
use crate::{
    codec::Codec,
    description::{Direction, SessionDescription},
    error::{Error, Pending},
};

/// The offer/answer exchange of one session.
///
/// Either side may make the first offer and any later one, as often as it likes. An exchange that
/// fails leaves the session as it was.
#[derive(Clone, Debug)]
pub struct Negotiation {
    capabilities: Capabilities,
    local: LocalMedia,
    session_id: u64,
    /// The last description that the peer got, also one that it refused.
    sent: Option<Sent>,
    agreed: Option<Agreed>,
    state: State,
}

impl Negotiation {
    /// A session without an agreement so far.
    ///
    /// `session_id` goes into the `o=` line and should be random. Its top bit is dropped, for the
    /// number must fit a signed integer of 64 bits (RFC 3264 §5).
    pub const fn new(capabilities: Capabilities, local: LocalMedia, session_id: u64) -> Self {
        let session_id = session_id & (u64::MAX >> 1);
        Self { capabilities, local, session_id, sent: None, agreed: None, state: State::Stable }
    }

    /// Makes an offer: all our codecs at first, later our last description again.
    ///
    /// # Errors
    /// [`Error::WrongState`] while an offer is pending, [`Error::NoCodec`],
    /// [`Error::TooManyCodecs`] or [`Error::Unwritable`] for capabilities that cannot be offered.
    pub fn offer(&mut self) -> Result<Bytes, Error> {
        let State::Stable = self.state else { return Err(self.wrong_state()) };
        let proposal = match &self.agreed {
            Some(agreed) => offer::repeated(&agreed.local, self.capabilities.direction),
            None => offer::initial(&self.capabilities)?,
        };
        let text = self.describe(&proposal)?;
        self.state = State::Offered(Box::new(proposal));
        Ok(text)
    }

    /// Takes the peer's offer and works out the answer.
    ///
    /// # Errors
    /// [`Error::WrongState`] while an offer is pending: glare when it is ours. Any other error
    /// means that the offer is to be refused with [`Error::status`]; no [`Negotiation::roll_back`]
    /// is needed then.
    pub fn receive_offer(&mut self, offer: &[u8]) -> Result<(), Error> {
        let State::Stable = self.state else { return Err(self.wrong_state()) };
        let offer = SessionDescription::parse(offer)?;
        let current = self.agreed.as_ref().map(|agreed| agreed.local.index());
        let accepted = answer::accept(&offer, &self.capabilities, current)?;
        self.state = State::Received(Box::new(accepted));
        Ok(())
    }

    /// Answers the peer's offer. The agreement is in force from here on.
    ///
    /// # Errors
    /// [`Error::WrongState`] when no offer of the peer is pending, [`Error::Unwritable`] for
    /// capabilities that cannot be written; the offer then stays pending.
    pub fn answer(&mut self) -> Result<(Bytes, NegotiatedMedia), Error> {
        let State::Received(accepted) = &self.state else { return Err(self.wrong_state()) };
        let Accepted { proposal, media } = (**accepted).clone();
        let text = self.describe(&proposal)?;
        let receivable = vec![media.codec.clone()];
        self.agreed = Some(Agreed { local: proposal, media: media.clone(), receivable });
        self.state = State::Stable;
        Ok((text, media))
    }

    /// Takes the answer to our offer. The agreement is in force from here on.
    ///
    /// # Errors
    /// [`Error::WrongState`] when no offer of ours is pending. Any other error means that the
    /// answer cannot be used. Our offer is over then, and the session is as it was before it.
    pub fn receive_answer(&mut self, answer: &[u8]) -> Result<NegotiatedMedia, Error> {
        let State::Offered(proposal) = &self.state else { return Err(self.wrong_state()) };
        let local = (**proposal).clone();
        self.state = State::Stable;
        let answer = SessionDescription::parse(answer)?;
        let (media, receivable) = offer::conclude(&local, &answer)?;
        self.agreed = Some(Agreed { local, media: media.clone(), receivable });
        Ok(media)
    }

    /// Forgets the pending offer, for it was rejected. What was agreed before stays in force.
    pub fn roll_back(&mut self) {
        self.state = State::Stable;
    }

    /// Which way media may flow from the next exchange on, from our point of view: what receives
    /// nothing puts the peer on hold (RFC 3264 §8.4). What is agreed stays until then.
    pub const fn set_direction(&mut self, direction: Direction) {
        self.capabilities.direction = direction;
    }

    /// Which way media may flow, from our point of view.
    pub const fn direction(&self) -> Direction {
        self.capabilities.direction
    }

    /// The offer that waits for its answer.
    pub const fn pending(&self) -> Pending {
        match self.state {
            State::Stable => Pending::None,
            State::Offered(_) => Pending::Local,
            State::Received(_) => Pending::Remote,
        }
    }

    /// What is in force.
    pub fn agreed(&self) -> Option<&NegotiatedMedia> {
        self.agreed.as_ref().map(|agreed| &agreed.media)
    }

    /// The codecs that the peer may send at any time under what is in force, each with the
    /// payload type that we announced (RFC 3264 §5.1).
    ///
    /// After an answer of ours this is the one codec in use. A peer that answers our offer may
    /// list several.
    pub fn receivable(&self) -> &[Codec] {
        self.agreed.as_ref().map_or(&[], |agreed| &agreed.receivable)
    }

    /// Writes a description. The version goes up when it says something else than the last one
    /// that the peer got (RFC 3264 §8), even if the peer refused that.
    fn describe(&mut self, proposal: &Proposal) -> Result<Bytes, Error> {
        let version = match &self.sent {
            None => FIRST_VERSION,
            Some(sent) if sent.proposal == *proposal => sent.version,
            Some(sent) => sent.version.saturating_add(1),
        };
        let text = proposal.write(self.session_id, version, &self.local)?;
        self.sent = Some(Sent { proposal: proposal.clone(), version });
        Ok(text)
    }

    const fn wrong_state(&self) -> Error {
        Error::WrongState { pending: self.pending() }
    }
}

#[derive(Clone, Debug)]
enum State {
    /// Nothing is pending.
    Stable,
    /// Our offer waits for the peer's answer.
    Offered(Box<Proposal>),
    /// The peer's offer waits for our answer, which is ready.
    Received(Box<Accepted>),
}

#[derive(Clone, Debug)]
struct Sent {
    proposal: Proposal,
    version: u64,
}

#[derive(Clone, Debug)]
struct Agreed {
    /// Our description, offer or answer.
    local: Proposal,
    media: NegotiatedMedia,
    receivable: Vec<Codec>,
}

/// Versions begin low, far from the bound of 2⁶² (RFC 3264 §5).
const FIRST_VERSION: u64 = 1;
