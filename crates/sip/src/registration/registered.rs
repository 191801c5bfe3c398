//! What a registrar has granted (RFC 3261 §10.2.4).

use std::{net::SocketAddr, time::Duration};

use offhook_sansio::Flow;
use offhook_sip_message::{
    Contact, Expires, FeatureCaps, FlowTimer, Path, Require, Route, ServiceRoute, Uri,
    ValidResponse, Via,
};
use tracing::debug;

use super::Registration;

/// A binding that stands.
#[derive(Clone, Debug)]
pub struct Registered {
    /// For how long; it is refreshed before.
    pub expires: Duration,
    /// The contact that was registered.
    pub contact: Uri,
    /// The flow that it was registered on.
    pub flow: Flow,
    /// The address that the registrar saw the request come from, by `received` and `rport` of the
    /// Via (RFC 3581 §4). Where it is not that of the contact, there is a NAT between.
    pub seen: Option<SocketAddr>,
    /// The way that requests of this user take (RFC 3608), first proxy first. Empty: none.
    pub service_route: Vec<Route>,
    /// The way that requests to this user take (RFC 3327).
    pub path: Vec<Path>,
    /// The public GRUU (RFC 5627 §4.2).
    pub pub_gruu: Option<Uri>,
    /// The temporary GRUU of this response (RFC 5627 §4.2).
    pub temp_gruu: Option<Uri>,
    /// Whether requests come over this very flow (RFC 5626 §4.2.1).
    pub outbound: bool,
    /// Whether the first hop wants keepalives on the flow, be it without outbound (RFC 6223 §4.3).
    pub keep: bool,
    /// How long the first hop waits for a keepalive (RFC 5626 §4.4, RFC 6223 §5).
    pub flow_timer: Option<Duration>,
    /// Whether a proxy sends the push notifications that were asked for (RFC 8599 §4.1.1).
    pub push: bool,
    /// The response, with all bindings of the address of record.
    pub response: ValidResponse,
}

impl Registered {
    /// Reads a 2xx; `None` if it does not grant `contact`.
    pub(super) fn read(
        response: ValidResponse,
        wanted: &Registration,
        contact: Uri,
        asked: u32,
    ) -> Option<Self> {
        let ours = ours(&response, wanted, &contact);
        if ours.is_none() {
            // Some registrars list nothing, some network boxes rewrite what they see.
            debug!("the registrar does not list the contact");
        }
        let header = || response.header::<Expires>().ok().flatten().map(|Expires(it)| it);
        let seconds = ours.as_ref().and_then(Contact::expires).or_else(header).unwrap_or(asked);
        if seconds == 0 {
            return None;
        }
        let gruu = |name| ours.as_ref()?.parameters()?.text(name)?.parse().ok();
        let keep = response.via().parameters.value("keep").and_then(|it| it.parse::<u32>().ok());
        let flow_timer = response.header::<FlowTimer>().ok().flatten().map(|FlowTimer(it)| it);
        let flow_timer = flow_timer.or(keep.filter(|seconds| *seconds > 0));
        Some(Self {
            expires: Duration::from_secs(seconds.into()),
            contact,
            flow: wanted.flow,
            seen: seen(response.via()),
            service_route: service_route(&response),
            path: response.headers_of::<Path>().flatten().collect(),
            pub_gruu: gruu("pub-gruu"),
            temp_gruu: gruu("temp-gruu"),
            outbound: wanted.reg_id.is_some() && requires_outbound(&response),
            keep: keep.is_some(),
            flow_timer: flow_timer.map(|seconds| Duration::from_secs(seconds.into())),
            push: wanted.push.as_ref().is_some_and(|push| pushes(&response, &push.provider)),
            response,
        })
    }
}

/// Our own contact in the response: by its URI (§10.2.4, §19.1.4), or by the instance and the
/// number of the flow, which stay the same where a URI was rewritten (RFC 5626 §6).
fn ours(response: &ValidResponse, wanted: &Registration, uri: &Uri) -> Option<Contact> {
    let of_flow = |contact: &Contact| {
        let reg_id = contact.parameters().and_then(|all| all.value("reg-id"));
        reg_id.is_none_or(|given| given.parse().ok() == wanted.reg_id)
    };
    let contacts: Vec<Contact> =
        response.headers_of::<Contact>().flatten().filter(of_flow).collect();
    let by_uri = contacts.iter().find(|contact| contact.uri() == Some(uri));
    let by_instance = || contacts.iter().find(|contact| is_instance(contact, wanted));
    by_uri.or_else(by_instance).cloned()
}

fn is_instance(contact: &Contact, wanted: &Registration) -> bool {
    let given = contact.parameters().and_then(|all| all.text("+sip.instance"));
    let (Some(given), Some(instance)) = (given, &wanted.instance) else { return false };
    given.trim_matches(['<', '>']).eq_ignore_ascii_case(instance)
}

fn seen(via: &Via) -> Option<SocketAddr> {
    let ip = via.received().or_else(|| via.host.ip())?;
    Some(SocketAddr::new(ip, via.rport()?))
}

/// A route through a strict router would change the Request-URI: RFC 3608 §5 has none.
fn service_route(response: &ValidResponse) -> Vec<Route> {
    let route = |it: ServiceRoute| Route { address: it.address, parameters: it.parameters };
    let read: Result<Vec<_>, _> = response.headers_of::<ServiceRoute>().collect();
    let routes: Vec<_> = read.unwrap_or_default().into_iter().map(route).collect();
    let loose = |route: &Route| route.uri().as_sip().is_some_and(|uri| uri.is_loose_router());
    if !routes.iter().all(loose) {
        debug!("service route ignored: not all of it is loose (RFC 3608 §5)");
        return Vec::new();
    }
    routes
}

fn requires_outbound(response: &ValidResponse) -> bool {
    let mut required = response.headers_of::<Require>().flatten();
    required.any(|Require(tag)| tag.eq_ignore_ascii_case("outbound"))
}

fn pushes(response: &ValidResponse, provider: &str) -> bool {
    let mut caps = response.headers_of::<FeatureCaps>().flatten();
    caps.any(|caps| matches!(caps.feature("+sip.pns"), Ok(Some(pns)) if pns.holds(provider)))
}
