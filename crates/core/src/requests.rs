//! Requests outside of calls: those of this side, those of others that the owner answers, and
//! published states.

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip::{Body, IncomingId, OutgoingRequest, Publication, PublicationId, RequestId};
use offhook_sip_message::{HeaderName, StatusCode, Text};

use crate::{Endpoint, Error};

impl Endpoint {
    /// Sends a request outside of any dialog, such as MESSAGE or OPTIONS (RFC 3261 §8.1):
    /// [`Event::Response`](crate::Event::Response) or [`Event::Failed`](crate::Event::Failed)
    /// follows.
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::send`](offhook_sip::UserAgent::send).
    pub fn send(&mut self, now: Instant, request: OutgoingRequest) -> Result<RequestId, Error> {
        let id = self.agent.send(now, request)?;
        self.pump(now);
        Ok(id)
    }

    /// Answers a request of [`Event::Requested`](crate::Event::Requested) finally.
    ///
    /// # Errors
    ///
    /// If it has been answered, the status is not from 200 to 699, or the response cannot be built.
    pub fn respond(
        &mut self,
        now: Instant,
        incoming: IncomingId,
        status: StatusCode,
        body: Option<Body>,
        headers: &[(HeaderName, Text)],
    ) -> Result<(), Error> {
        self.agent.respond(now, incoming, status, body, headers)?;
        self.pump(now);
        Ok(())
    }

    /// Publishes a state and keeps it published (RFC 3903 §4). What becomes of it comes as
    /// [`Event::Publication`](crate::Event::Publication).
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::publish`](offhook_sip::UserAgent::publish).
    pub fn publish(
        &mut self,
        now: Instant,
        publication: Publication,
    ) -> Result<PublicationId, Error> {
        let id = self.agent.publish(now, publication)?;
        self.pump(now);
        Ok(id)
    }

    /// Publishes another state in place of the one of before (RFC 3903 §4.4).
    ///
    /// # Errors
    ///
    /// If the publication is over or being withdrawn.
    pub fn republish(&mut self, now: Instant, id: PublicationId, body: Body) -> Result<(), Error> {
        self.agent.republish(now, id, body)?;
        self.pump(now);
        Ok(())
    }

    /// Sends the next PUBLISH over another flow.
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::retarget_publication`](offhook_sip::UserAgent::retarget_publication).
    pub fn retarget_publication(&mut self, id: PublicationId, flow: Flow) -> Result<(), Error> {
        Ok(self.agent.retarget_publication(id, flow)?)
    }

    /// Removes the state (RFC 3903 §4.5); the last event of the publication follows.
    ///
    /// # Errors
    ///
    /// If the publication is over.
    pub fn withdraw(&mut self, now: Instant, id: PublicationId) -> Result<(), Error> {
        self.agent.withdraw(now, id)?;
        self.pump(now);
        Ok(())
    }
}
