//! A dialog: what two user agents remember of each other (RFC 3261 §12).

mod id;
pub(crate) use id::DialogId;

mod route_set;
use route_set::RouteSet;
pub(crate) use route_set::for_request_line;

use std::net::SocketAddr;

use bytes::Bytes;
use offhook_sansio::{Flow, Protocol};
use offhook_sip_message::{
    CSeq, CallId, Contact, From, MaxForwards, Method, NameAddr, Request, RequestBuilder, SipUri,
    To, Uri, UserAgent, ValidRequest, ValidResponse,
};

use crate::{Error, transaction::TransactionLayer, transport::next_hop};

/// The state of one dialog (RFC 3261 §12.1).
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    id: DialogId,
    local: NameAddr,
    remote: NameAddr,
    remote_target: Uri,
    route_set: RouteSet,
    /// `None` until this side sends its first request.
    local_cseq: Option<u32>,
    /// `None` until the peer sends its first request.
    remote_cseq: Option<u32>,
    /// The path of the messages that made the dialog.
    flow: Flow,
    /// Whether this side made the Call-ID (§14.1).
    owns_call_id: bool,
    /// Our own `Contact`, the same throughout (§12.2.1.1).
    contact: Uri,
}

impl Dialog {
    /// The callee's dialog (§12.1.1); `None` if the INVITE does not say how its
    /// caller is reached.
    pub(crate) fn of_callee(
        invite: &ValidRequest,
        tag: &str,
        flow: Flow,
        public: SocketAddr,
    ) -> Option<Self> {
        Some(Self {
            id: DialogId::of_callee(invite, tag),
            local: invite.to().address.clone(),
            remote: invite.from().address.clone(),
            remote_target: contact_of(invite.header::<Contact>().ok()?)?,
            route_set: RouteSet::of_callee(invite)?,
            local_cseq: None,
            remote_cseq: Some(invite.cseq().number),
            flow,
            owns_call_id: false,
            contact: contact(invite.request_uri(), invite.request_uri(), flow, public),
        })
    }

    /// The caller's dialog (§12.1.2). A response without `Contact` leaves the target where it was.
    pub(crate) fn of_caller(invite: &ValidRequest, response: &ValidResponse, flow: Flow) -> Self {
        let target = response.header::<Contact>().ok().and_then(contact_of);
        let ours = invite.header::<Contact>().ok().and_then(contact_of);
        Self {
            id: DialogId::of_caller(invite, response),
            local: invite.from().address.clone(),
            remote: invite.to().address.clone(),
            remote_target: target.unwrap_or_else(|| invite.request_uri().clone()),
            route_set: RouteSet::of_caller(response),
            local_cseq: Some(invite.cseq().number),
            remote_cseq: None,
            flow,
            owns_call_id: true,
            contact: ours.unwrap_or_else(|| invite.from().address.uri.clone()),
        }
    }

    /// The subscriber's dialog, which the first NOTIFY makes (RFC 6665 §4.4.1); `None` if that does
    /// not say where the notifier is reached. `local_cseq` is the number of our last SUBSCRIBE,
    /// which went out on `flow`.
    pub(crate) fn of_subscriber(
        notify: &ValidRequest,
        local_cseq: u32,
        flow: Flow,
        contact: Uri,
    ) -> Option<Self> {
        Some(Self {
            id: DialogId::of_request(notify)?,
            local: notify.to().address.clone(),
            remote: notify.from().address.clone(),
            remote_target: contact_of(notify.header::<Contact>().ok()?)?,
            route_set: RouteSet::of_callee(notify)?,
            local_cseq: Some(local_cseq),
            remote_cseq: None,
            flow,
            owns_call_id: true,
            contact,
        })
    }

    /// Takes the sequence number of a request of the peer; false if it is out of order (§12.2.2).
    pub(crate) fn receive_cseq(&mut self, number: u32) -> bool {
        let in_order = self.remote_cseq.is_none_or(|last| number > last);
        if in_order {
            self.remote_cseq = Some(number);
        }
        in_order
    }

    /// Takes the `Contact` of a re-INVITE or UPDATE, or of the 2xx to one (§12.2.1.2, §12.2.2).
    pub(crate) fn refresh_target(&mut self, contact: Option<Contact>) {
        if let Some(target) = contact_of(contact) {
            self.remote_target = target;
        }
    }

    /// Goes on over another flow: the connection of before is lost.
    pub(crate) fn move_to(&mut self, flow: Flow) {
        self.flow = flow;
    }

    /// A request within the dialog and where it goes (§12.2.1.1), still open to be added to.
    pub(crate) fn request(
        &mut self,
        layer: &mut TransactionLayer,
        method: Method,
    ) -> Result<(RequestBuilder, Flow), Error> {
        let number = match self.local_cseq {
            Some(last) => last.saturating_add(1),
            None => FIRST_CSEQ,
        };
        self.local_cseq = Some(number);
        self.compose(layer, &CSeq { number, method })
    }

    /// Notes that a request with the sequence number `number` was sent (§12.2.1.1).
    pub(crate) fn sent(&mut self, number: u32) {
        self.local_cseq = self.local_cseq.max(Some(number));
    }

    /// The number of the next request; `None` when all are used up.
    pub(crate) fn next_cseq(&self) -> Option<u32> {
        self.local_cseq.map_or(Some(FIRST_CSEQ), |last| last.checked_add(1))
    }

    /// The 2xx confirms the early dialog: its routes and its target count (§13.2.2.4).
    pub(crate) fn confirm(&mut self, response: &ValidResponse) {
        self.route_set = RouteSet::of_caller(response);
        self.refresh_target(response.header().ok().flatten());
    }

    /// The ACK to a 2xx: a request of the dialog with the INVITE's number (§13.2.2.4).
    pub(crate) fn acknowledge(
        &self,
        layer: &mut TransactionLayer,
        number: u32,
    ) -> Result<(RequestBuilder, Flow), Error> {
        self.compose(layer, &CSeq { number, method: Method::ACK })
    }

    pub(crate) fn id(&self) -> &DialogId {
        &self.id
    }

    pub(crate) fn remote_target(&self) -> &Uri {
        &self.remote_target
    }

    pub(crate) fn contact(&self) -> Contact {
        Contact::new(self.contact.clone())
    }

    pub(crate) fn flow(&self) -> Flow {
        self.flow
    }

    pub(crate) fn owns_call_id(&self) -> bool {
        self.owns_call_id
    }

    fn compose(
        &self,
        layer: &mut TransactionLayer,
        cseq: &CSeq,
    ) -> Result<(RequestBuilder, Flow), Error> {
        let routed = self.route_set.route(&self.remote_target);
        let flow = next_hop(routed.next_hop(), self.flow);
        let from = From::new(self.local.clone()).with_tag(self.id.local_tag.clone());
        let mut to = To::new(self.remote.clone());
        if let Some(tag) = &self.id.remote_tag {
            to = to.with_tag(tag.clone());
        }
        let mut builder = Request::builder(cseq.method.clone(), &routed.request_uri)
            .header(&layer.new_via(flow)?)
            .header(&MaxForwards(MAX_FORWARDS))
            .header(&from)
            .header(&to)
            .header(&CallId(self.id.call_id.clone()))
            .header(cseq);
        for route in &routed.routes {
            builder = builder.header(route);
        }
        if !layer.config.user_agent.is_empty() {
            builder = builder.header(&UserAgent(layer.config.user_agent.clone()));
        }
        Ok((builder, flow))
    }
}

/// A message ready to be sent, and where to.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) flow: Flow,
    pub(crate) message: Bytes,
}

/// The `Contact` of this side on `flow`, `sips` if `request_uri` is (§8.1.1.8, §12.1.1).
pub(crate) fn contact(user_of: &Uri, request_uri: &Uri, flow: Flow, public: SocketAddr) -> Uri {
    let user = match user_of {
        Uri::Sip(uri) => uri.user.clone(),
        Uri::Tel(_) | Uri::Absolute(_) => None,
    };
    let secure = matches!(request_uri, Uri::Sip(uri) if uri.secure);
    let mut uri = SipUri::new(public.ip().into()).with_port(public.port());
    uri.user = user;
    uri.secure = secure;
    // UDP for sip and TLS for sips go without saying (RFC 3263 §4.1).
    if !matches!((secure, flow.protocol), (false, Protocol::Udp) | (true, Protocol::Tls)) {
        uri.parameters.set("transport", Some(flow.protocol.as_str().to_ascii_lowercase()));
    }
    Uri::Sip(uri)
}

/// The number of this side's first request. §8.1.1.5 leaves it open; a small one is easy to read
/// in a trace and fits the counters of every peer.
pub(crate) const FIRST_CSEQ: u32 = 1;

/// The remote target that a `Contact` names: a SIP URI (§8.1.1.8).
fn contact_of(contact: Option<Contact>) -> Option<Uri> {
    match contact? {
        Contact::Star => None,
        Contact::Address { address, .. } => {
            matches!(address.uri, Uri::Sip(_)).then_some(address.uri)
        }
    }
}

/// RFC 3261 §8.1.1.6.
pub(crate) const MAX_FORWARDS: u8 = 70;
