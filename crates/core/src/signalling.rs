//! What the SIP layer's events mean for a call's session and media.
//!
//! Offers and answers ride in INVITE, its responses and ACK (RFC 3261 §13.2.1): an offer in the
//! INVITE is answered in the 2xx, or in a reliable provisional response before it; an offer in the
//! 2xx is answered in the ACK. Offers in PRACK (RFC 3262 §5) and UPDATE (RFC 3311) are answered in
//! the 2xx to them. Which description is what, the SIP layer says.

use std::time::Instant;

use bytes::Bytes;
use offhook_sip::{Body, CallId, Description, End, Event as Signal, Fork};
use offhook_sip_message::{
    ContentType, Header, Method, ParseError, Reason, ValidRequest, ValidResponse,
};
use tracing::debug;

use crate::{Ending, Endpoint, Error, Event, MediaSockets, call::Call};

impl Endpoint {
    pub(crate) fn signalled(&mut self, now: Instant, signal: Signal) {
        let Some(signal) = self.signalled_elsewhere(now, signal) else { return };
        match signal {
            Signal::Incoming { .. } => self.invited(now, signal),
            Signal::Progress { call, fork, description, response } => {
                self.progressed(now, call, fork, description, &response);
            }
            Signal::Redirected { call, targets } => {
                self.events.push_back(Event::Redirected { call, targets });
            }
            Signal::Answered { call, fork, description, response } => {
                self.answered(now, call, fork, description, &response);
            }
            Signal::Established { call, body } => self.established(now, call, body),
            Signal::Reinvited { call, request } => self.reinvited(now, call, &request),
            Signal::Updated { call, fork, request } => {
                self.offered(now, call, Some(fork), &request);
            }
            Signal::ProgressAcknowledged { call, description, request } => match description {
                Description::Offer => self.offered(now, call, None, &request),
                Description::Answer => self.early_offer_answered(now, call, &request),
                Description::Nothing | Description::Preview => {}
            },
            Signal::ReinviteProgress { call, description, response } => {
                self.change_answered(now, call, false, description, &response);
            }
            Signal::ReinviteAnswered { call, description, response } => {
                self.change_answered(now, call, true, description, &response);
            }
            Signal::UpdateAnswered { call, fork, description, response } => {
                if let Some((media, _)) = self.media_and_origin(now, call) {
                    media.turn_to(fork);
                }
                self.change_answered(now, call, true, description, &response);
            }
            Signal::ReinviteRejected { call, status, retry_after }
            | Signal::UpdateRejected { call, status, retry_after, .. } => {
                self.change_refused(now, call, status, retry_after);
            }
            Signal::Ended { call, end, reasons } => self.ended(now, call, end, reasons),
            Signal::Info { call, package, body, .. } => {
                self.events.push_back(Event::Info { call, package, body });
            }
            Signal::InfoAnswered { call, info, response } => {
                let status = response.status();
                self.events.push_back(Event::InfoAnswered { call, info, status });
            }
            Signal::InfoFailed { call, info, status } => {
                self.events.push_back(Event::InfoAnswered { call, info, status });
            }
            // Every re-INVITE, UPDATE and PRACK is answered at once, so none is left to be
            // withdrawn or to expire. A refresh has changed no description of ours.
            Signal::ReinviteCancelled { .. }
            | Signal::OfferExpired { .. }
            | Signal::Refreshed { .. } => {}
            outside => self.signalled_outside(outside),
        }
    }

    /// What happened outside of calls.
    fn signalled_outside(&mut self, signal: Signal) {
        let event = match signal {
            Signal::Response { request, response } => {
                Event::Response { request, response: Box::new(response) }
            }
            Signal::Failed { request, failure } => Event::Failed { request, failure },
            Signal::Requested { incoming, request, flow, call } => {
                let registration = self.account_of(&request);
                let request = Box::new(request);
                Event::Requested { incoming, request, flow, call, registration }
            }
            Signal::Registration { registration, event } => {
                return self.registration_changed(registration, event);
            }
            Signal::Publication { publication, event } => {
                Event::Publication { publication, event: Box::new(event) }
            }
            Signal::Refer { refer, event } => Event::Refer { refer, event: Box::new(event) },
            Signal::Referral { referral, event } => {
                Event::Referral { referral, event: Box::new(event) }
            }
            Signal::Subscription { subscription, event } => {
                return self.subscription_changed(subscription, event);
            }
            Signal::Subscriber { subscriber, event } => {
                return self.subscriber_changed(subscriber, event);
            }
            other => return debug!(?other, "an event that means nothing here"),
        };
        self.events.push_back(event);
    }

    /// Someone calls. A call whose offer cannot be answered is refused before it rings anybody.
    fn invited(&mut self, now: Instant, signal: Signal) {
        let Signal::Incoming {
            call,
            request,
            flow,
            replaces,
            joins,
            asserted,
            answer_mode,
            priv_answer_mode,
        } = signal
        else {
            return;
        };
        let body = description(request.body(), request.header::<ContentType>());
        let checks = self.config.check_offers;
        let offer = match body.and_then(|offer| match checks {
            true => self.check_offer(offer),
            false => Ok(offer),
        }) {
            Ok(offer) => offer,
            Err(refusal) => return self.refuse_offer(now, call, &refusal),
        };
        self.calls.insert(call, Call::Invited { offer, signalling: flow.remote.ip() });
        let registration = self.account_of(&request);
        let request = Box::new(request);
        self.events.push_back(Event::Incoming {
            call,
            request,
            flow,
            registration,
            replaces,
            joins,
            asserted,
            answer_mode,
            priv_answer_mode,
        });
    }

    /// Tries the offer on a session that is thrown away.
    fn check_offer(&mut self, offer: Option<Bytes>) -> Result<Option<Bytes>, Error> {
        let Some(offer) = offer else { return Ok(None) };
        let trial = MediaSockets::pair(([192, 0, 2, 1], 9).into());
        self.new_media(trial, trial.rtp.ip()).try_answer(&offer)?;
        Ok(Some(offer))
    }

    fn refuse_offer(&mut self, now: Instant, call: CallId, refusal: &Error) {
        self.statistics.refused_offers += 1;
        debug!(?call, %refusal, "offer refused");
        let (status, why) = (refusal.status(), refusal.to_string());
        if let Err(error) = self.agent.reject_because(now, call, status, &why) {
            debug!(?call, %error, "the offer could not be refused");
        }
    }

    /// A provisional response. Of several forks the one that described its session last is heard.
    fn progressed(
        &mut self,
        now: Instant,
        call: CallId,
        fork: Fork,
        description: Description,
        response: &ValidResponse,
    ) {
        let answer = self::description(response.body(), response.header::<ContentType>());
        let Some((media, mut origin)) = self.media_and_origin(now, call) else { return };
        if matches!(description, Description::Preview | Description::Answer)
            && let Ok(Some(answer)) = answer
        {
            media.turn_to(fork);
            if let Err(error) = media.preview(&answer, &mut origin) {
                debug!(?call, %error, "early media ignored");
            }
        }
        let early_media = media.leg.is_some();
        self.media_changed(call);
        self.events.push_back(Event::Progress { call, status: response.status(), early_media });
    }

    fn answered(
        &mut self,
        now: Instant,
        call: CallId,
        fork: Fork,
        description: Description,
        response: &ValidResponse,
    ) {
        let answer = self::description(response.body(), response.header::<ContentType>());
        let Some((media, mut origin)) = self.media_and_origin(now, call) else { return };
        media.turn_to(fork);
        let agreed = match (description, answer) {
            (Description::Answer, Ok(Some(answer))) => media.agree(&answer, &mut origin),
            (Description::Answer, Err(error)) => Err(error),
            // The answer came reliably before, or is missing.
            (_, _) => media.agree_to_preview(&mut origin),
        };
        self.settle(now, call, agreed, Event::Answered { call });
    }

    /// The ACK came. It carries the answer when our 2xx carried the offer.
    fn established(&mut self, now: Instant, call: CallId, body: Option<Body>) {
        let answer = body.map_or(Ok(None), |body| {
            description(
                body.content,
                ContentType::parse(&body.content_type.as_str().into()).map(Some),
            )
        });
        let Some((media, mut origin)) = self.media_and_origin(now, call) else { return };
        let agreed = match answer {
            _ if !media.awaits_answer() => Ok(()),
            Ok(Some(answer)) => media.agree(&answer, &mut origin),
            Ok(None) => Err(Error::NoMedia),
            Err(error) => Err(error),
        };
        self.settle(now, call, agreed, Event::Established { call });
    }

    /// Tells of an agreed session, or hangs up on one that cannot be had.
    pub(crate) fn settle(
        &mut self,
        now: Instant,
        call: CallId,
        agreed: Result<(), Error>,
        event: Event,
    ) {
        self.media_changed(call);
        let Err(error) = agreed else { return self.events.push_back(event) };
        debug!(?call, %error, "call hung up: its session description cannot be used");
        if let Some((media, _)) = self.media_and_origin(now, call) {
            media.fault = Some(error.to_string());
            if let Some(leg) = &mut media.leg {
                leg.close(now);
            }
        }
        self.media_changed(call);
        if let Err(error) = self.agent.hang_up(now, call) {
            debug!(?call, %error, "the call could not be hung up");
        }
    }

    /// A re-INVITE: with an offer to be answered, or asking for ours (RFC 3261 §14.2).
    fn reinvited(&mut self, now: Instant, call: CallId, request: &ValidRequest) {
        let offer = description(request.body(), request.header::<ContentType>());
        let Some((media, mut origin)) = self.media_and_origin(now, call) else { return };
        let reply = match offer {
            Ok(Some(offer)) => media.answer(&offer, &mut origin),
            Ok(None) => media.offer(),
            Err(error) => Err(error),
        };
        self.media_changed(call);
        match reply {
            Err(refusal) => self.refuse_offer(now, call, &refusal),
            Ok(body) => {
                if let Err(error) = self.agent.answer(now, call, Some(sdp_body(body))) {
                    debug!(?call, %error, "the re-INVITE could not be answered");
                }
            }
        }
    }

    /// An UPDATE or a PRACK with an offer, answered as one in a re-INVITE is (RFC 3311 §5.2).
    fn offered(&mut self, now: Instant, call: CallId, fork: Option<Fork>, request: &ValidRequest) {
        let offer = description(request.body(), request.header::<ContentType>());
        let reply = match (self.media_and_origin(now, call), offer) {
            (Some((media, mut origin)), Ok(Some(offer))) => {
                fork.into_iter().for_each(|fork| media.turn_to(fork));
                media.answer(&offer, &mut origin)
            }
            (_, Err(error)) => Err(error),
            (None, _) | (_, Ok(None)) => Err(Error::NoMedia),
        };
        self.media_changed(call);
        match reply {
            Err(refusal) => self.refuse_modification(now, call, fork, request, refusal),
            Ok(body) => {
                if let Err(error) = self.agent.answer_offer(now, call, fork, Some(sdp_body(body))) {
                    debug!(?call, %error, "the offer could not be answered");
                }
            }
        }
    }

    /// Refuses the offer of an UPDATE. One in a PRACK can only be left without an answer, and then
    /// there is no session (RFC 3262 §3).
    fn refuse_modification(
        &mut self,
        now: Instant,
        call: CallId,
        fork: Option<Fork>,
        request: &ValidRequest,
        refusal: Error,
    ) {
        self.statistics.refused_offers += 1;
        debug!(?call, %refusal, "offer refused");
        let in_update = request.method() == Method::UPDATE;
        let refused = match in_update {
            true => self.agent.reject_offer(now, call, fork, refusal.status()),
            false => self.agent.answer_offer(now, call, fork, None),
        };
        if let Err(error) = refused {
            debug!(?call, %error, "the offer could not be refused");
        }
        if !in_update {
            self.settle(now, call, Err(refusal), Event::Established { call });
        }
    }

    fn ended(&mut self, now: Instant, call: CallId, end: End, reasons: Vec<Reason>) {
        let (statistics, removed) = self.remove(now, call);
        // A call that was refused at once was never told of.
        let Some(removed) = removed else { return };
        let fault = removed.fault().cloned();
        let ending = fault.map_or(Ending::Signalling(end), Ending::BadDescription);
        let statistics = Box::new(statistics);
        self.events.push_back(Event::Ended { call, ending, reasons, statistics });
    }
}

/// The session description in a message; `None` if it has no body.
pub(crate) fn description(
    body: Bytes,
    content_type: Result<Option<ContentType>, ParseError>,
) -> Result<Option<Bytes>, Error> {
    if body.is_empty() {
        return Ok(None);
    }
    match content_type? {
        Some(kind) if kind.is(SDP) => Ok(Some(body)),
        _ => Err(Error::ContentType),
    }
}

pub(crate) fn sdp_body(content: Bytes) -> Body {
    Body { content_type: SDP.into(), content }
}

/// The media type of session descriptions (RFC 8866 §8.1).
const SDP: &str = "application/sdp";

#[cfg(test)]
mod tests;
