//! Calling on where a redirect points (RFC 3261 §8.1.3.4, §13.2.2.2, §21.3).
//!
//! 1. The contacts of a 300, 301 or 302 become targets, the most wanted first; each is tried once.
//! 2. The owner is told, resolves the one it likes, and says on which flow to follow.
//! 3. The same INVITE goes there, with the next number. Should that fail, the next target is told of.

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{
    CSeq, Contact, HeaderName, Method, Request, StatusCode, Uri, ValidRequest, ValidResponse,
};

use super::{
    CallId, Calls, State, Timer, Use,
    caller::{OutgoingInvite, Step},
};
use crate::{
    End, Error, Event,
    dialog::{contact, for_request_line},
    transaction::TransactionLayer,
    usage::check_security,
};

/// Where a call of ours may go on.
#[derive(Debug, Default)]
pub(crate) struct Redirection {
    /// Not tried so far, the most wanted first.
    targets: Vec<Uri>,
    /// The Request-URIs of all INVITEs. None is tried twice, so that redirects cannot go in circles.
    tried: Vec<Uri>,
    /// The INVITE to send again; `None` before any has failed.
    invite: Option<ValidRequest>,
    /// How the call ends if nobody follows.
    failure: Option<End>,
}

impl Redirection {
    /// Takes the contacts of a redirect.
    fn extend(&mut self, response: &ValidResponse) {
        let mut contacts: Vec<_> = response.headers_of::<Contact>().flatten().collect();
        // A stable order: of those wanted alike the first one named comes first.
        contacts.sort_by_key(|contact| std::cmp::Reverse(contact.q().unwrap_or_default()));
        for uri in contacts.iter().filter_map(Contact::uri) {
            let uri = for_request_line(uri);
            let known = self.tried.contains(&uri) || self.targets.contains(&uri);
            if matches!(uri, Uri::Sip(_)) && !known && self.targets.len() < MAX_TARGETS {
                self.targets.push(uri);
            }
        }
    }
}

impl Calls {
    /// The INVITE has failed finally: says whether the call may go on elsewhere. Then the owner is
    /// told, and the call waits for it to [`follow`](Self::follow).
    pub(super) fn redirected(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        invite: &ValidRequest,
        failure: &End,
        response: Option<&ValidResponse>,
    ) -> bool {
        let most = usize::from(layer.config.max_redirects);
        let Ok(State::Calling(caller)) = self.get_mut(call).map(|call| &mut call.state) else {
            return false;
        };
        let redirection = &mut caller.redirection;
        redirection.tried.push(invite.request_uri().clone());
        redirection.invite = Some(invite.clone());
        redirection.failure = Some(failure.clone());
        let status = response.map_or(StatusCode::REQUEST_TIMEOUT, |it| it.status());
        if let Some(response) = response.filter(|_| REDIRECTS.contains(&status)) {
            redirection.extend(response);
        }
        // §21.6: nobody else is to be asked.
        if status.as_u16() >= 600 {
            return false;
        }
        if redirection.targets.is_empty() || redirection.tried.len() > most {
            return false;
        }
        caller.step = Step::Redirected;
        let targets = redirection.targets.clone();
        self.drop_forks(layer, now, call);
        self.set_timer(call, Timer::Redirected, now + layer.timing().give_up());
        self.events.push_back(Event::Redirected { call, targets });
        true
    }

    /// Sends the INVITE to a target that a redirect named.
    pub(crate) fn follow(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        target: &Uri,
        flow: Flow,
    ) -> Result<(), Error> {
        let State::Calling(caller) = &self.get(call)?.state else { return Err(NOT_REDIRECTED) };
        let redirection = &caller.redirection;
        let known = redirection.targets.iter().any(|it| it == target);
        let Some(before) = redirection.invite.clone().filter(|_| known) else {
            return Err(NOT_REDIRECTED);
        };
        if caller.step != Step::Redirected {
            return Err(NOT_REDIRECTED);
        }
        check_security(target, flow)?;
        if layer.is_full(layer.config.max_calls) {
            return Err(Error::TooManyTransactions);
        }
        let request = again_to(layer, &before, target, flow)?;
        let request = self.authorize(layer, call, request)?;
        let transaction = layer.request(now, &request, flow)?;
        if let State::Calling(caller) = &mut self.get_mut(call)?.state {
            caller.transaction = transaction;
            caller.step = Step::Calling;
            caller.redirection.targets.retain(|other| other != target);
        }
        self.stop_timer(call, Timer::Redirected);
        let invite = OutgoingInvite::new(call, request, flow, None);
        self.uses.insert(transaction, Use::Invite(Box::new(invite)));
        Ok(())
    }

    /// Timer: the owner has not followed. The call ends as it would have without redirects.
    pub(super) fn not_followed(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
    ) {
        let Ok(State::Calling(caller)) = self.get(call).map(|call| &call.state) else { return };
        let failure = caller.redirection.failure.clone().unwrap_or(End::TimedOut);
        self.end(layer, now, call, failure);
    }
}

/// The same INVITE to another target: with its Call-ID, From and To, and the next number.
fn again_to(
    layer: &mut TransactionLayer,
    before: &ValidRequest,
    target: &Uri,
    flow: Flow,
) -> Result<Request, Error> {
    let public = layer.public(flow)?;
    let number = before.cseq().number.checked_add(1);
    let number = number.ok_or(Error::Unbuildable("no sequence number is left".to_owned()))?;
    let contact = Contact::new(contact(&before.from().address.uri, target, flow, public));
    // Credentials are for who has asked for them; those for this target are added again.
    let builder =
        before.edit().remove(HeaderName::AUTHORIZATION).remove(HeaderName::PROXY_AUTHORIZATION);
    let builder = builder.uri(target).replace(&layer.new_via(flow)?).replace(&contact);
    let request = builder.replace(&CSeq { number, method: Method::INVITE }).build();
    request.map_err(|error| Error::Unbuildable(error.to_string()))
}

/// 305 and 380 have contacts of another meaning (§21.3.4, §21.3.5).
const REDIRECTS: [StatusCode; 3] =
    [StatusCode::MULTIPLE_CHOICES, StatusCode::MOVED_PERMANENTLY, StatusCode::MOVED_TEMPORARILY];
/// How many targets one call keeps: a server that names more gets no more memory.
const MAX_TARGETS: usize = 16;
const NOT_REDIRECTED: Error =
    Error::WrongState { verb: "follow", expected: "a redirect that named the target" };
