//! Sending SUBSCRIBE and REFER (RFC 6665 §4.1.2, RFC 3515 §2.4.1).

use std::mem;

use offhook_sansio::Flow;
use offhook_sip_message::{
    Contact, Expires, HeaderName, Method, RequestBuilder, StatusCode, ValidResponse,
};
use tracing::debug;

use super::{super::Ground, Ask, Asking, Outside, State, Subject, Subscriber, Timer};
use crate::{
    Error,
    call::{allowed, supported},
    dialog::{contact, for_request_line},
    subscription::allow_events,
    transaction::TransactionLayer,
    usage::{Draft, Exchange, Identity, with_body},
};

impl Subscriber {
    /// Sends a request; if that cannot be, it has failed.
    pub(super) fn ask(&mut self, ground: &mut Ground<'_>, ask: Ask, tries: u32) {
        let Err(error) = self.send(ground, ask, tries) else { return };
        debug!(%error, ?ask, "request not sent");
        self.refused(ground, ask, StatusCode::SERVICE_UNAVAILABLE, None);
    }

    pub(super) fn send(
        &mut self,
        ground: &mut Ground<'_>,
        ask: Ask,
        tries: u32,
    ) -> Result<(), Error> {
        if ask == Ask::Begin && tries == 0 {
            self.begin_anew(ground);
        }
        let seconds = if ask == Ask::Leave { 0 } else { self.seconds };
        let (builder, flow) = self.compose(ground, ask)?;
        let request = self.describe(ground.layer, builder, ask, seconds).build();
        let request = request.map_err(|error| Error::Unbuildable(error.to_string()))?;
        let authenticator = self.authenticator.as_deref_mut();
        let exchange = Exchange::start(ground.layer, ground.now, request, flow, authenticator)?;
        self.sent(ground, ask, exchange.cseq());
        self.left |= ask == Ask::Leave;
        self.state = State::Asking(Box::new(Asking { exchange, ask, seconds, tries }));
        Ok(())
    }

    /// A new subscription has a Call-ID and a tag of its own (§4.1.2.2).
    fn begin_anew(&mut self, ground: &mut Ground<'_>) {
        self.asked_at = ground.now;
        self.granted = None;
        let Some(outside) = &mut self.outside else { return };
        let to = offhook_sip_message::NameAddr::new(outside.target.clone());
        outside.identity = Identity::new(ground.layer, outside.from.clone(), to);
        self.cseq = 0;
        if self.forks > 0 {
            let deadline = ground.now + ground.layer.timing().give_up();
            self.timers.set(Timer::Forks, deadline);
        }
    }

    /// Counts a request that was sent, and waits for its NOTIFY (§4.1.2.2, §4.1.2.4).
    pub(super) fn sent(&mut self, ground: &mut Ground<'_>, ask: Ask, number: u32) {
        self.cseq = number;
        if let Some(dialog) = self.dialog.as_ref().and_then(|id| ground.dialog(id)) {
            dialog.sent(number);
        }
        if let (Ask::Begin, Subject::Progress(progress)) = (ask, &mut self.subject) {
            progress.cseq = number;
        }
        self.timers.stop(Timer::Refresh);
        self.timers.stop(Timer::Retry);
        self.timers.set(Timer::N, ground.now + ground.layer.timing().give_up());
    }

    /// All that is not of the method: within the dialog, or outside of any.
    fn compose(
        &mut self,
        ground: &mut Ground<'_>,
        ask: Ask,
    ) -> Result<(RequestBuilder, Flow), Error> {
        let method = self.method(ask);
        if let Some(id) = &self.dialog {
            // Sent with a copy, so that a failure leaves the sequence number alone.
            let mut copy = ground.dialog(id).ok_or(Error::NoCall)?.clone();
            let (builder, flow) = copy.request(ground.layer, method)?;
            let builder = builder.header(&copy.contact());
            return Ok((self.add_headers(builder, ask), flow));
        }
        let outside = self.outside.as_ref().ok_or(Error::NoCall)?;
        let contact = outside.contact(ground.layer)?;
        let draft = Draft {
            method,
            target: &outside.target,
            identity: &outside.identity,
            cseq: self.cseq.saturating_add(1),
            flow: outside.flow,
            routes: &outside.routes,
            headers: &self.headers,
        };
        Ok((draft.compose(ground.layer)?.header(&contact), outside.flow))
    }

    fn method(&self, ask: Ask) -> Method {
        match (&self.subject, ask) {
            (Subject::Progress(_), Ask::Begin) => Method::REFER,
            _ => Method::SUBSCRIBE,
        }
    }

    /// The owner's header fields, within a dialog. Its routes are those of the dialog, and a REFER
    /// says nothing of later requests.
    fn add_headers(&self, mut builder: RequestBuilder, ask: Ask) -> RequestBuilder {
        if self.is_refer() && ask != Ask::Begin {
            return builder;
        }
        for (name, value) in self.headers.iter().filter(|(name, _)| *name != HeaderName::ROUTE) {
            builder = builder.raw(name.clone(), value);
        }
        builder
    }

    /// What makes it a SUBSCRIBE or REFER.
    fn describe(
        &self,
        layer: &TransactionLayer,
        builder: RequestBuilder,
        ask: Ask,
        seconds: u32,
    ) -> RequestBuilder {
        match (&self.subject, ask) {
            (Subject::Progress(progress), Ask::Begin) => {
                let builder = progress.reference.write(builder, &allowed(layer));
                allow_events(layer, builder.list(&supported(layer, &layer.config.session_timer)))
            }
            (Subject::Progress(progress), _) => {
                let builder = builder.header(&progress.event).header(&Expires(seconds));
                builder.list(&allowed(layer))
            }
            (Subject::Resource { event, accept, body, .. }, _) => {
                let mut builder = builder.header(event).header(&Expires(seconds));
                for accepted in accept {
                    builder = builder.raw(HeaderName::ACCEPT, accepted);
                }
                builder = builder
                    .list(&allowed(layer))
                    .list(&supported(layer, &layer.config.session_timer));
                let builder = allow_events(layer, builder);
                with_body(builder, body.clone().filter(|_| ask == Ask::Begin))
            }
        }
    }

    /// Answers a challenge; false if the request has failed.
    pub(super) fn challenged(&mut self, ground: &mut Ground<'_>, response: &ValidResponse) -> bool {
        let State::Asking(asking) = &mut self.state else { return false };
        let number = match &self.dialog {
            Some(id) => ground.dialog(id).and_then(|dialog| dialog.next_cseq()),
            None => asking.exchange.cseq().checked_add(1),
        };
        let again = asking.exchange.challenged_in_dialog(
            ground.layer,
            ground.now,
            response,
            self.authenticator.as_deref_mut(),
            number,
        );
        let (ask, number) = (asking.ask, asking.exchange.cseq());
        if again {
            self.sent(ground, ask, number);
        }
        again
    }

    /// The request under way is over.
    pub(super) fn rest(&mut self) -> Option<Asking> {
        match mem::replace(&mut self.state, State::Resting) {
            State::Asking(asking) => Some(*asking),
            other => {
                self.state = other;
                None
            }
        }
    }
}

impl Outside {
    pub(super) fn contact(&self, layer: &TransactionLayer) -> Result<Contact, Error> {
        let public = layer.public(self.flow)?;
        let target = for_request_line(&self.target);
        Ok(Contact::new(contact(&self.from.uri, &target, self.flow, public)))
    }
}
