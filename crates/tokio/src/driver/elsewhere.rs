//! Calls whose media is elsewhere: descriptions handed on between their owners and the core.

use std::time::Instant;

use bytes::Bytes;
use offhook_core::{CallId, Description, Error as CoreError, Event, Fork};
use offhook_sip_message::ValidRequest;
use tracing::debug;

use super::{Driver, no_call, respond};
use crate::{
    Error,
    command::{Described, Reply},
    elsewhere::Offered,
};

impl Driver {
    /// The description in an INVITE, if the owners of calls bring theirs. A copy, so that the handle
    /// does not keep the whole message.
    pub(super) fn offer_of(&self, request: &ValidRequest) -> Option<Bytes> {
        let body = request.body();
        let wanted = !self.core.checks_offers() && !body.is_empty();
        wanted.then(|| Bytes::copy_from_slice(&body))
    }

    /// What the core tells of descriptions.
    pub(super) fn heard_description(&mut self, event: Event) {
        match event {
            Event::Described { call, fork, kind: Description::Offer, content } => {
                self.offered(call, fork, Some(content));
            }
            Event::Described { call, content, .. } => self.described(call, content),
            Event::OfferWanted { call } => self.offered(call, None, None),
            Event::OfferWithdrawn { call, .. } => self.tell(call, |status| status.offered = None),
            other => debug!(?other, "an event that no handle waits for"),
        }
    }

    /// An offer of the peer: for who has asked for it, or for who waits for the next.
    fn offered(&mut self, call: CallId, fork: Option<Fork>, content: Option<Bytes>) {
        let number = self.new_id();
        let Some(live) = self.calls.get_mut(&call) else { return };
        if live.modifying.is_some() {
            live.described = content;
            return;
        }
        live.tell(|status| status.offered = Some(Offered { number, fork, content }));
    }

    /// What the peer says to an offer of the owner's.
    fn described(&mut self, call: CallId, content: Bytes) {
        let Some(live) = self.calls.get_mut(&call) else { return };
        if live.modifying.is_some() {
            live.described = Some(content.clone());
        }
        live.tell(|status| {
            status.description = Some(content);
            status.descriptions += 1;
        });
    }

    /// Does what a handle wants.
    pub(super) fn describe(
        &mut self,
        call: CallId,
        described: Described,
        reply: Option<Reply<()>>,
    ) {
        let now = Instant::now();
        let done = match described {
            Described::Progress(status, content) => {
                self.core.progress_with(now, call, status, content)
            }
            Described::Answer(content) => self.core.answer_with(now, call, content),
            Described::Reply(fork, content) => self.core.reply_with(now, call, fork, content),
            Described::Refuse(fork, status) => {
                self.core.refuse_with(now, call, fork, status).or_else(|error| match error {
                    // What cannot be refused leaves no session (RFC 3261 §13.2.2.4).
                    CoreError::CannotRefuse => self.core.hang_up(now, call),
                    other => Err(other),
                })
            }
        };
        match (done, reply) {
            (done, Some(reply)) => respond(reply, done.map_err(Error::from)),
            (Err(error), None) => debug!(?call, %error, "an offer was not refused"),
            (Ok(()), None) => {}
        }
    }

    /// Asks the peer for a change of the session; the reply waits for its description.
    pub(super) fn modify(
        &mut self,
        call: CallId,
        offer: Option<Bytes>,
        reply: Reply<Option<Bytes>>,
    ) {
        let asked = self.core.modify_with(Instant::now(), call, offer);
        match (asked, self.calls.get_mut(&call)) {
            (Ok(()), Some(live)) => (live.modifying, live.described) = (Some(reply), None),
            (Ok(()), None) => respond(reply, Err(no_call())),
            (Err(error), _) => respond(reply, Err(error.into())),
        }
    }

    /// The peer has said yes or no to what was asked for.
    pub(super) fn modified(&mut self, call: CallId, result: Result<(), Error>) {
        let Some(live) = self.calls.get_mut(&call) else { return };
        let described = live.described.take();
        if let Some(reply) = live.modifying.take() {
            respond(reply, result.map(|()| described));
        }
    }
}
