//! Holding calls and going on with them (RFC 3264 §8.4, RFC 6337 §5.3).
//!
//! 1. The direction of our side changes, and an offer says so: in a re-INVITE, or in an UPDATE while
//!    the call is not answered (RFC 3311 §5.1).
//! 2. The answer puts it into effect. A refusal leaves the session as it was, but for 491: then both
//!    sides have asked at once, and it is tried again after a while (RFC 3261 §14.1).
//! 3. The peer holds us by a direction of its own, or by the address 0.0.0.0.

use std::time::{Duration, Instant};

use bytes::Bytes;
use offhook_sdp::{Direction, NegotiatedMedia};
use offhook_sip::{CallId, Description, Error as SipError};
use offhook_sip_message::{ContentType, StatusCode, ValidResponse};
use tracing::debug;

use crate::{
    Endpoint, Error, Event,
    call::{Call, CallMedia, LegOrigin},
    signalling::{description, sdp_body},
};

/// Who holds a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hold {
    /// This side does: it hears nothing.
    pub by_us: bool,
    /// The peer does: it hears nothing.
    pub by_peer: bool,
}

/// A change of direction that this side has asked for.
#[derive(Debug)]
pub(crate) struct Change {
    wanted: Direction,
    before: Direction,
    /// How often it was asked for.
    tries: u8,
    /// Whether it waits to be asked for again.
    waits: bool,
}

impl Endpoint {
    /// Puts the peer on hold: its sound is neither wanted nor heard, while what is sent to it, such
    /// as music, still flows (`sendonly`). [`Event::Changed`] or [`Event::NotChanged`] follows.
    ///
    /// # Errors
    ///
    /// If the call has no media, a change is under way, or the call cannot be changed in its state.
    pub fn hold(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.change(now, call, Direction::SendOnly)
    }

    /// As [`hold`](Self::hold), with no sound either way (`inactive`).
    ///
    /// # Errors
    ///
    /// As for [`hold`](Self::hold).
    pub fn hold_silently(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.change(now, call, Direction::Inactive)
    }

    /// Goes on with a call that this side has put on hold.
    ///
    /// # Errors
    ///
    /// As for [`hold`](Self::hold).
    pub fn resume(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.change(now, call, Direction::SendRecv)
    }

    /// Who holds a call; `None` if it has no media.
    pub fn held(&self, call: CallId) -> Option<Hold> {
        Some(self.calls.get(&call)?.media()?.hold)
    }

    fn change(&mut self, now: Instant, call: CallId, wanted: Direction) -> Result<(), Error> {
        let normal = self.config.capabilities.direction;
        let media = self.calls.get_mut(&call).ok_or(Error::NoCall)?;
        let media = media.media_mut().ok_or(Error::NoMedia)?;
        if media.change.is_some() {
            return Err(Error::ChangeInProgress);
        }
        let before = media.negotiation.direction();
        let wanted = wanted.within(normal);
        media.change = Some(Change { wanted, before, tries: 0, waits: false });
        let asked = self.ask(now, call);
        if asked.is_err() {
            self.drop_change(call);
        }
        self.pump(now);
        asked
    }

    /// Offers the change, or sees to it that this is done soon.
    pub(crate) fn ask(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        let asked = self.offer_change(now, call);
        let Some(media) = self.calls.get_mut(&call).and_then(Call::media_mut) else {
            return Err(Error::NoCall);
        };
        // Who waits for the answer to a call may wait for long.
        let unanswered = media.awaits_answer();
        let Some(change) = &mut media.change else { return asked };
        change.tries = change.tries.saturating_add(1);
        let soon = asked.as_ref().is_err_and(is_busy) && !unanswered;
        change.waits = soon && change.tries < MOST_TRIES;
        if !change.waits {
            return asked;
        }
        self.retries.set(call, Some(now + BUSY));
        Ok(())
    }

    fn offer_change(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        let media = self.calls.get_mut(&call).and_then(Call::media_mut).ok_or(Error::NoMedia)?;
        let Some(change) = &media.change else { return Err(Error::NoMedia) };
        media.negotiation.set_direction(change.wanted);
        let offer = media.negotiation.offer()?;
        let fork = media.fork.filter(|_| media.awaits_answer());
        let body = Some(sdp_body(offer));
        let asked = match self.agent.reinvite(now, call, body.clone()) {
            // The call is not answered: an early session is changed so.
            Err(SipError::WrongState { .. }) => self.agent.update(now, call, fork, body),
            other => other,
        };
        if asked.is_err()
            && let Some(media) = self.calls.get_mut(&call).and_then(Call::media_mut)
        {
            media.negotiation.roll_back();
        }
        Ok(asked?)
    }

    /// The change is not to be had: the direction is what it was.
    fn drop_change(&mut self, call: CallId) {
        let Some(media) = self.calls.get_mut(&call).and_then(Call::media_mut) else { return };
        if let Some(change) = media.change.take() {
            media.negotiation.set_direction(change.before);
        }
        self.retries.set(call, None);
    }

    /// A response to our offer that may bring its answer.
    pub(crate) fn change_answered(
        &mut self,
        now: Instant,
        call: CallId,
        is_final: bool,
        told: Description,
        response: &ValidResponse,
    ) {
        let answer = description(response.body(), response.header::<ContentType>());
        let Some((media, mut origin)) = self.media_and_origin(now, call) else { return };
        let agreed = match (told, answer) {
            (Description::Answer, Ok(Some(answer))) => media.take_answer(&answer, &mut origin),
            (Description::Answer, Err(error)) => Err(error),
            // The answer came reliably before.
            _ if !is_final || !media.offers() => Ok(()),
            _ => Err(Error::NoMedia),
        };
        if !is_final && agreed.is_ok() {
            return self.media_changed(call);
        }
        media.change = None;
        self.settle(now, call, agreed, Event::Changed { call });
    }

    /// Our offer was refused.
    pub(crate) fn change_refused(
        &mut self,
        now: Instant,
        call: CallId,
        status: StatusCode,
        retry_after: Option<Duration>,
    ) {
        let Some(media) = self.calls.get_mut(&call).and_then(Call::media_mut) else { return };
        media.negotiation.roll_back();
        let Some(change) = &mut media.change else { return };
        if let Some(wait) = retry_after.filter(|_| change.tries < MOST_TRIES) {
            change.waits = true;
            return self.retries.set(call, Some(now + wait));
        }
        self.drop_change(call);
        self.events.push_back(Event::NotChanged { call, status });
    }

    /// Asks again for the changes whose time has come.
    pub(crate) fn ask_again(&mut self, now: Instant) {
        while let Some(call) = self.retries.expired(now) {
            if let Err(error) = self.ask(now, call) {
                debug!(?call, %error, "the session cannot be changed");
                self.drop_change(call);
                let status = StatusCode::REQUEST_PENDING;
                self.events.push_back(Event::NotChanged { call, status });
            }
        }
    }

    /// Moves what a leg has to say into this endpoint's queues, and tells who holds the call if that
    /// has changed.
    pub(crate) fn media_changed(&mut self, call: CallId) {
        self.drain_leg(call);
        let Some(media) = self.calls.get_mut(&call).and_then(Call::media_mut) else { return };
        if std::mem::replace(&mut media.hold_told, media.hold) != media.hold {
            let hold = media.hold;
            self.events.push_back(Event::Hold { call, hold });
        }
    }
}

impl CallMedia {
    /// Takes the answer to an offer that changes the session.
    fn take_answer(&mut self, answer: &Bytes, origin: &mut LegOrigin<'_>) -> Result<(), Error> {
        let negotiated = self.negotiation.receive_answer(answer)?;
        self.put_into_effect(&negotiated, origin)
    }

    /// Whether an offer of ours waits for its answer.
    fn offers(&self) -> bool {
        self.negotiation.pending() == offhook_sdp::Pending::Local
    }

    /// Works out who holds the call by what was agreed.
    pub(crate) fn note_hold(&mut self, agreed: &NegotiatedMedia) {
        let ours = self.negotiation.direction();
        let nowhere = agreed.remote_rtp.ip().is_unspecified();
        let by_peer = match ours.sends() {
            true => !agreed.direction.sends(),
            // Whoever is sent nothing cannot be seen to refuse it.
            false => nowhere || self.hold.by_peer,
        };
        self.hold = Hold { by_us: ours != self.normal, by_peer };
    }
}

/// Whether the call can be changed a little later.
fn is_busy(error: &Error) -> bool {
    matches!(
        error,
        Error::Sip(
            SipError::InviteInProgress | SipError::OfferInProgress | SipError::UpdateInProgress
        ) | Error::Sdp(offhook_sdp::Error::WrongState { .. })
    )
}

/// How often a change is asked for while the peer asks for others.
const MOST_TRIES: u8 = 8;
/// How long to wait for what is under way in the call: T1.
const BUSY: Duration = Duration::from_millis(500);
