//! The verbs of requests outside of dialogs.

use std::time::Instant;

use offhook_sip_message::{HeaderName, StatusCode, Text};

use super::UserAgent;
use crate::{Body, Error, IncomingId, OutgoingRequest, RequestId, request::Sent};

impl UserAgent {
    /// Sends a request outside of any dialog (RFC 3261 §8.1): [`Event::Response`] or
    /// [`Event::Failed`] follows. It is sent again when it is challenged and there is a login for
    /// that.
    ///
    /// [`Event::Response`]: crate::Event::Response
    /// [`Event::Failed`]: crate::Event::Failed
    ///
    /// # Errors
    ///
    /// If there is no room, nothing listens at the near end of the flow, the registration is over,
    /// the method has a verb of its own, or the request cannot be built. Nothing is sent then.
    pub fn send(&mut self, now: Instant, request: OutgoingRequest) -> Result<RequestId, Error> {
        if self.sent.len() >= self.layer.config.max_requests {
            return Err(Error::TooManyRequests);
        }
        let routes = self.routes(request.registration)?;
        let sent = Sent::start(&mut self.layer, now, request, &routes)?;
        self.sent.begin(sent).map(RequestId).ok_or(Error::TooManyRequests)
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
        self.incoming.respond(&mut self.layer, now, incoming, status, body, headers)
    }

    /// How many requests wait: ours for their response, and those of others for ours.
    pub fn waiting_requests(&self) -> usize {
        self.sent.len() + self.incoming.len()
    }
}
