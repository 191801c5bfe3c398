//! Placing a call (RFC 3261 §8.1.1, §13.2.1).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{
    Allow, CSeq, CallId as CallIdField, Contact, From, HeaderName, MaxForwards, Method, NameAddr,
    Request, RequestBuilder, Require, Supported, Text, To, Uri, UserAgent, ValidRequest,
};

use super::{
    CallId, Calls, State, Use,
    caller::{Caller, OutgoingInvite},
    inspect::RELIABLE,
};
use crate::{
    Body, Config, Error, Login, ReliableProvisionals,
    dialog::{FIRST_CSEQ, MAX_FORWARDS, contact, for_request_line},
    subscription::{NO_REFER_SUB, TARGET_DIALOG, allow_events},
    transaction::TransactionLayer,
    usage::{check_headers, check_security, with_body},
};

/// A call to place.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Whom to call: the Request-URI, and the To without what a To may not have
    /// (RFC 3261 §19.1.1).
    pub target: Uri,
    /// Where to send the INVITE: the near end is a listener, the far end the resolved next hop.
    pub flow: Flow,
    /// Who calls. Port and transport parameters are left out of the From (RFC 3261 §19.1.1).
    pub from: NameAddr,
    /// The offer. Without one the peer is asked to offer, and its offer is answered with
    /// [`UserAgent::acknowledge`](crate::UserAgent::acknowledge).
    pub body: Option<Body>,
    /// More header fields, in order. A `Route` here has to name loose routers.
    ///
    /// `Expires` limits how long the peer may ring: then the call is cancelled.
    pub headers: Vec<(HeaderName, Text)>,
    /// What to answer challenges with, to the INVITE and to later requests of the call
    /// (RFC 3261 §22). Without any a challenge ends the call.
    pub logins: Vec<Login>,
}

impl Calls {
    /// Sends the INVITE.
    pub(crate) fn invite(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        mut invite: Invite,
        largest: Option<usize>,
    ) -> Result<CallId, Error> {
        if self.calls.len() >= layer.config.max_calls {
            return Err(Error::TooManyCalls);
        }
        // Strangers who have filled the table keep nobody from calling out.
        if layer.is_full(layer.config.max_calls) {
            return Err(Error::TooManyTransactions);
        }
        let (flow, logins) = (invite.flow, std::mem::take(&mut invite.logins));
        let request = build(layer, invite)?;
        let length = request.as_bytes().len();
        if largest.is_some_and(|largest| length > largest) {
            return Err(Error::TooLarge { length });
        }
        let transaction = layer.request(now, &request, flow)?;
        let state = State::Calling(Caller::new(transaction));
        let call = self.insert(state).ok_or(Error::TooManyCalls)?;
        self.log_in(layer, call, logins);
        self.start_expires(now, call, &request);
        let invite = OutgoingInvite::new(call, request, flow, None);
        self.uses.insert(transaction, Use::Invite(Box::new(invite)));
        Ok(call)
    }
}

fn build(layer: &mut TransactionLayer, invite: Invite) -> Result<ValidRequest, Error> {
    check_security(&invite.target, invite.flow)?;
    check_headers(&invite.headers, &[HeaderName::ALLOW, HeaderName::CONTACT])?;
    let Invite { target, flow, from, body, headers, logins: _ } = invite;
    let public = layer.public(flow)?;
    let target = for_request_line(&target);
    let our_contact = contact(&from.uri, &target, flow, public);
    let local = From::new(for_from_or_to(from)).with_tag(layer.new_tag());
    let mut builder = Request::builder(Method::INVITE, &target)
        .header(&layer.new_via(flow)?)
        .header(&MaxForwards(MAX_FORWARDS))
        .header(&local)
        .header(&To::new(for_from_or_to(NameAddr::new(target.clone()))))
        .header(&CallIdField(layer.new_call_id()))
        .header(&CSeq { number: FIRST_CSEQ, method: Method::INVITE })
        .header(&Contact::new(our_contact));
    builder = describe(layer, builder);
    if !layer.config.user_agent.is_empty() {
        builder = builder.header(&UserAgent(layer.config.user_agent.clone()));
    }
    for (name, value) in headers {
        builder = builder.raw(name, &value);
    }
    if layer.config.reliable() == ReliableProvisionals::Required {
        builder = builder.header(&Require(Text::from_static(RELIABLE)));
    }
    let request = with_body(builder, body).build();
    layer.valid(request.map_err(|error| Error::Unbuildable(error.to_string()))?)
}

/// What an INVITE says of this side's abilities (§13.2.1).
pub(super) fn describe(layer: &TransactionLayer, builder: RequestBuilder) -> RequestBuilder {
    allow_events(layer, builder.list(&allowed(layer)).list(&supported(layer)))
}

/// The methods of `Allow` (§20.5).
pub(crate) fn allowed(layer: &TransactionLayer) -> Vec<Allow> {
    let Config { allow, answered_by_owner, .. } = &layer.config;
    let off = |method: &Method| match method {
        method if *method == Method::PRACK => layer.config.reliable() == ReliableProvisionals::Off,
        method if *method == Method::REFER => !layer.config.takes_refer(),
        _ => false,
    };
    let own = allow.iter().filter(|method| !off(method));
    let answered = |method: &&Method| !allow.contains(method) || **method == Method::REFER;
    let more = answered_by_owner.iter().filter(answered);
    let more = more.filter(|method| !own.clone().any(|own| own == *method));
    own.clone().chain(more).cloned().map(Allow).collect()
}

/// The extensions of `Supported` (§20.37).
pub(crate) fn supported(layer: &TransactionLayer) -> Vec<Supported> {
    let reliable = layer.config.reliable() != ReliableProvisionals::Off;
    let refers = layer.config.takes_refer();
    let extensions = [(reliable, RELIABLE), (refers, NO_REFER_SUB), (refers, TARGET_DIALOG)];
    let used = extensions.into_iter().filter(|(used, _)| *used);
    used.map(|(_, tag)| Supported(Text::from_static(tag))).collect()
}

/// An address without the URI parts that §19.1.1, table 1, keeps out of From and To.
pub(crate) fn for_from_or_to(mut address: NameAddr) -> NameAddr {
    if let Uri::Sip(uri) = &mut address.uri {
        uri.port = None;
        uri.headers = None;
        for name in ["method", "maddr", "ttl", "transport", "lr"] {
            uri.parameters.remove(name);
        }
    }
    address
}
