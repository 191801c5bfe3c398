//! Placing a call (RFC 3261 §8.1.1, §13.2.1).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{
    Allow, AnswerMode, CSeq, CallId as CallIdField, Contact, From, HeaderName, MaxForwards, Method,
    NameAddr, PrivAnswerMode, Privacy, Request, RequestBuilder, Require, Supported, Text, To, Uri,
    UserAgent, ValidRequest,
};

use super::{
    CallId, Calls, State, Use,
    answer::ANSWER_MODE,
    caller::{Caller, OutgoingInvite},
    identity, info,
    inspect::RELIABLE,
    replace::{JOIN, REPLACES},
    session_timer::{TIMER, ask_first},
};
use crate::{
    Body, Config, Error, Login, ReliableProvisionals, SessionTimer,
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
    /// More header fields, in order. A `Route` here has to name loose routers. A `Contact`, such as
    /// a GRUU (RFC 5627 §4.4), takes the place of the public address of the flow.
    ///
    /// `Expires` limits how long the peer may ring: then the call is cancelled.
    pub headers: Vec<(HeaderName, Text)>,
    /// What to answer challenges with, to the INVITE and to later requests of the call
    /// (RFC 3261 §22). Without any a challenge ends the call.
    pub logins: Vec<Login>,
    /// The use of session timers in this call (RFC 4028); `None`:
    /// [`Config::session_timer`](crate::Config::session_timer).
    pub session_timer: Option<SessionTimer>,
    /// What is to be kept private (RFC 3323 §4.2, RFC 3325 §9.3). Anything but `none` makes the From
    /// anonymous; `id` keeps the network's assertion from the callee too.
    pub privacy: Option<Privacy>,
    /// The identity that the network is asked to vouch for (RFC 3325 §9.2): one SIP URI, one tel URI
    /// or both. Only for a proxy that is trusted.
    pub preferred_identity: Vec<NameAddr>,
    /// Who or what is to answer (RFC 5373 §4.3.3).
    pub answer_mode: Option<AnswerMode>,
    /// The same, whatever the callee prefers (RFC 5373 §4.1).
    pub priv_answer_mode: Option<PrivAnswerMode>,
}

impl Invite {
    /// A call without offer, header fields of its own and logins.
    pub fn new(target: Uri, from: NameAddr, flow: Flow) -> Self {
        Self {
            target,
            flow,
            from,
            body: None,
            headers: Vec::new(),
            logins: Vec::new(),
            session_timer: None,
            privacy: None,
            preferred_identity: Vec::new(),
            answer_mode: None,
            priv_answer_mode: None,
        }
    }
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
        let timer = invite.session_timer.unwrap_or(layer.config.session_timer);
        let request = build(layer, &timer, invite)?;
        let length = request.as_bytes().len();
        if largest.is_some_and(|largest| length > largest) {
            return Err(Error::TooLarge { length });
        }
        let transaction = layer.request(now, &request, flow)?;
        let state = State::Calling(Caller::new(transaction));
        let call = self.insert(state, timer).ok_or(Error::TooManyCalls)?;
        self.log_in(layer, call, logins);
        self.start_expires(now, call, &request);
        let invite = OutgoingInvite::new(call, request, flow, None);
        self.uses.insert(transaction, Use::Invite(Box::new(invite)));
        Ok(call)
    }
}

fn build(
    layer: &mut TransactionLayer,
    timer: &SessionTimer,
    invite: Invite,
) -> Result<ValidRequest, Error> {
    check_security(&invite.target, invite.flow)?;
    check_headers(&invite.headers, &WRITTEN_HERE)?;
    let Invite { target, flow, from, body, headers, privacy, preferred_identity, .. } = invite;
    let from = identity::from(from, privacy.as_ref())?;
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
        .header(&CSeq { number: FIRST_CSEQ, method: Method::INVITE });
    if !headers.iter().any(|(name, _)| *name == HeaderName::CONTACT) {
        builder = builder.header(&Contact::new(our_contact));
    }
    builder = info::ask(layer, ask_first(timer, describe(layer, timer, builder)));
    if !layer.config.user_agent.is_empty() {
        builder = builder.header(&UserAgent(layer.config.user_agent.clone()));
    }
    builder = identity::write(&preferred_identity, privacy.as_ref(), builder)?;
    if let Some(mode) = invite.answer_mode {
        builder = builder.header(&mode);
    }
    if let Some(mode) = invite.priv_answer_mode {
        builder = builder.header(&mode);
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
pub(super) fn describe(
    layer: &TransactionLayer,
    timer: &SessionTimer,
    builder: RequestBuilder,
) -> RequestBuilder {
    allow_events(layer, builder.list(&allowed(layer)).list(&supported(layer, timer)))
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
pub(crate) fn supported(layer: &TransactionLayer, timer: &SessionTimer) -> Vec<Supported> {
    let reliable = layer.config.reliable() != ReliableProvisionals::Off;
    let refers = layer.config.takes_refer();
    let Config { replaces, join, answer_mode, .. } = layer.config;
    let extensions = [
        (RELIABLE, reliable),
        (TIMER, timer.is_supported()),
        (REPLACES, replaces),
        (JOIN, join),
        (ANSWER_MODE, answer_mode),
        (NO_REFER_SUB, refers),
        (TARGET_DIALOG, refers),
    ];
    let used = extensions.into_iter().filter(|(_, used)| *used);
    used.map(|(tag, _)| Supported(Text::from_static(tag))).collect()
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

/// What an INVITE says of this side by its settings.
const WRITTEN_HERE: [HeaderName; 4] =
    [HeaderName::ALLOW, HeaderName::SESSION_EXPIRES, HeaderName::MIN_SE, HeaderName::RECV_INFO];
