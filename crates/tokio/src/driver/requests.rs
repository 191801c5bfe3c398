//! Requests outside of calls: those of this side, at one target after the other, and those of others.

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip::{
    Body, Failure, IncomingId, LocateError, LookupId, OutgoingRequest, RequestFailure, RequestId,
};
use offhook_sip_message::{Method, NameAddr, StatusCode, Uri, ValidRequest, ValidResponse};
use tracing::debug;

use super::{
    Driver, UNAVAILABLE,
    errand::{Purpose, Size},
    respond,
};
use crate::{AccountId, Error, IncomingRequest, command::Reply};

/// A request of ours.
pub(crate) struct Asking {
    pub(crate) method: Method,
    pub(crate) target: Uri,
    pub(crate) from: NameAddr,
    pub(crate) account: Option<AccountId>,
    pub(crate) body: Option<Body>,
    pub(super) size: Size,
    /// What the last server has said, to be told if there is no other.
    pub(super) refusal: Option<ValidResponse>,
    pub(crate) reply: Reply<ValidResponse>,
}

impl Asking {
    pub(crate) const fn new(
        method: Method,
        target: Uri,
        from: NameAddr,
        account: Option<AccountId>,
        body: Option<Body>,
        reply: Reply<ValidResponse>,
    ) -> Self {
        Self { method, target, from, account, body, size: Size::Unknown, refusal: None, reply }
    }
}

/// One that waits for its response, and the search that has named its target.
pub(super) type Asked = (Box<Asking>, Option<LookupId>);

impl Driver {
    /// Starts to look for where a request goes.
    pub(super) fn seek_new_request(&mut self, mut asking: Box<Asking>) {
        let length = asking.body.as_ref().map_or(0, |body| body.content.len());
        if length > LARGEST_BODY {
            asking.size = Size::Large;
        }
        match asking.account.and_then(|account| self.bound_flow(account)) {
            Some(flow) => self.ask(asking, None, flow),
            None => self.seek_request(asking),
        }
    }

    pub(super) fn seek_request(&mut self, asking: Box<Asking>) {
        let hop = self.hop_of(asking.account, &asking.target).map(|hop| asking.size.of(hop));
        self.seek(Purpose::Ask(asking), hop, None);
    }

    pub(super) fn ask(&mut self, asking: Box<Asking>, lookup: Option<LookupId>, flow: Flow) {
        let mut request = OutgoingRequest::new(
            asking.method.clone(),
            asking.target.clone(),
            asking.from.clone(),
            flow,
        );
        request.body.clone_from(&asking.body);
        if let Some(account) = asking.account.and_then(|id| self.accounts.get(&id)) {
            request.from = account.settings.aor.clone();
            request.logins.clone_from(&account.settings.logins);
            request.registration = account.registration;
            request.headers.extend(self.proxy_routes(account));
        }
        match self.core.send(Instant::now(), request) {
            Ok(id) => {
                self.asked.insert(id, (asking, lookup));
            }
            Err(error) => {
                if let Some(lookup) = lookup {
                    self.locator.abandon(lookup);
                }
                respond(asking.reply, Err(error.into()));
            }
        }
    }

    /// The final response to a request of ours.
    pub(super) fn responded(&mut self, request: RequestId, response: ValidResponse) {
        let Some((mut asking, lookup)) = self.asked.remove(&request) else { return };
        let unavailable = response.status() == StatusCode::SERVICE_UNAVAILABLE;
        match lookup.filter(|_| unavailable && !self.closing.has_begun()) {
            Some(lookup) => {
                asking.refusal = Some(response);
                let failure = Failure::Unavailable { retry_after: None };
                self.ask_elsewhere(asking, lookup, failure);
            }
            None => {
                self.reach_target(lookup);
                respond(asking.reply, Ok(response));
            }
        }
    }

    /// A request of ours has had no response.
    pub(super) fn unanswered(&mut self, request: RequestId, failure: RequestFailure) {
        let Some((asking, lookup)) = self.asked.remove(&request) else { return };
        let error = Err(Error::NoResponse(failure));
        match (failure, lookup) {
            (RequestFailure::Transport, Some(lookup)) if !self.closing.has_begun() => {
                self.ask_elsewhere(asking, lookup, Failure::Transport);
            }
            // No time is left for another target (RFC 4321 §1.3), but others are spared this one.
            (RequestFailure::TimedOut, Some(lookup)) => {
                let _ = self.locator.failed(Instant::now(), lookup, Failure::TimedOut);
                self.locator.abandon(lookup);
                respond(asking.reply, error);
            }
            (_, _) => respond(asking.reply, error),
        }
    }

    fn ask_elsewhere(&mut self, asking: Box<Asking>, lookup: LookupId, failure: Failure) {
        match self.locator.failed(Instant::now(), lookup, failure) {
            Ok(()) => drop(self.take_on(Purpose::Ask(asking), Some(lookup))),
            Err(error) => self.no_answer(*asking, error, None),
        }
    }

    /// No server is left: tells what the last one has said.
    pub(super) fn no_answer(&self, asking: Asking, error: LocateError, fault: Option<String>) {
        let Asking { target, refusal, reply, .. } = asking;
        respond(reply, refusal.ok_or_else(|| Error::no_way(&target, error, fault)));
    }

    /// Someone asks: makes a handle and gives it to whoever waits for requests.
    pub(super) fn requested(
        &mut self,
        incoming: IncomingId,
        request: Box<ValidRequest>,
        account: Option<AccountId>,
    ) {
        let commands = self.commands.upgrade().filter(|_| !self.closing.has_begun());
        let taken = commands.is_some_and(|commands| {
            let handle = IncomingRequest::new(incoming, request, account, commands);
            match self.incoming_requests.try_send(handle) {
                Ok(()) => true,
                Err(refused) => {
                    refused.into_inner().forget();
                    false
                }
            }
        });
        if !taken {
            self.refuse_request(incoming);
        }
    }

    pub(super) fn refuse_request(&mut self, incoming: IncomingId) {
        let now = Instant::now();
        if let Err(error) = self.core.respond(now, incoming, UNAVAILABLE, None, &[]) {
            debug!(%error, "the request has its answer");
        }
    }
}

/// A body beyond this is likely to make a request of more than 1300 bytes, which goes over a stream
/// if there is one (RFC 3261 §18.1.1, RFC 3428 §8).
const LARGEST_BODY: usize = 700;
