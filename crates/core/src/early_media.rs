//! Sound before the answer, at the callee (RFC 3960, RFC 6337 §3.1).
//!
//! 1. A 183 carries the answer to the caller's offer, and sound flows.
//! 2. Sent reliably it is the answer, and the 200 carries none; else it is a preview, and the 200
//!    says the same again (RFC 3261 §13.2.1).
//! 3. To an INVITE without offer a reliable 183 makes one, which the PRACK answers (RFC 3262 §5).

use std::time::Instant;

use bytes::Bytes;
use offhook_sip::CallId;
use offhook_sip_message::{ContentType, StatusCode, ValidRequest};

use crate::{
    Endpoint, Error, Event, MediaSockets,
    call::{Call, CallMedia},
    signalling::{description, sdp_body},
};

impl Endpoint {
    /// Lets an incoming call hear sound before it is answered: 183 with our session description.
    ///
    /// The call is taken with [`answer_early`](Self::answer_early) then.
    ///
    /// # Errors
    ///
    /// If the call does not wait for an answer, has early media already, has made no offer and does
    /// not take provisional responses reliably, or a media socket is in use.
    pub fn early_media(
        &mut self,
        now: Instant,
        call: CallId,
        sockets: MediaSockets,
    ) -> Result<(), Error> {
        self.check_free(sockets)?;
        let (offer, signalling) = self.invitation(call)?;
        let reliable = self.agent.progress_is_reliable(call);
        let mut media = self.new_media(sockets, signalling);
        let body = match offer {
            Some(offer) => media.answer(&offer, &mut self.leg_origin(now))?,
            None if reliable => media.offer()?,
            None => return Err(Error::NoOffer),
        };
        let status = StatusCode::SESSION_PROGRESS;
        self.agent.progress(now, call, status, Some(sdp_body(body.clone())))?;
        media.final_answer = Some((!reliable).then_some(body));
        self.occupy(call, sockets);
        self.calls.insert(call, Call::Media(Box::new(media)));
        self.pump(now);
        Ok(())
    }

    /// Takes an incoming call that has early media.
    ///
    /// # Errors
    ///
    /// If it has none, or does not wait for an answer.
    pub fn answer_early(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        let media = self.calls.get_mut(&call).ok_or(Error::NoCall)?.media_mut();
        let media = media.filter(|media| media.final_answer.is_some()).ok_or(Error::NotWaiting)?;
        let body = media.final_answer.clone().flatten().map(sdp_body);
        self.agent.answer(now, call, body)?;
        if let Some(media) = self.calls.get_mut(&call).and_then(Call::media_mut) {
            media.final_answer = None;
        }
        self.pump(now);
        Ok(())
    }

    /// Whether a call that came has early media and is not answered.
    pub fn has_early_media(&self, call: CallId) -> bool {
        let media = self.calls.get(&call).and_then(Call::media);
        media.is_some_and(|media: &CallMedia| media.final_answer.is_some())
    }

    /// The PRACK brings the answer to the offer of our provisional response.
    pub(crate) fn early_offer_answered(
        &mut self,
        now: Instant,
        call: CallId,
        request: &ValidRequest,
    ) {
        let answer = description(request.body(), request.header::<ContentType>());
        let Some((media, mut origin)) = self.media_and_origin(now, call) else { return };
        let agreed = match answer {
            Ok(Some(answer)) => media.agree(&answer, &mut origin),
            Ok(None) => Err(Error::NoMedia),
            Err(error) => Err(error),
        };
        self.settle(now, call, agreed, Event::EarlyMedia { call });
    }
}

/// What the 200 says after early media; `None` inside: nothing, for the 183 was the answer.
pub(crate) type FinalAnswer = Option<Option<Bytes>>;
