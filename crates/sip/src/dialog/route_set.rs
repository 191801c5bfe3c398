//! The proxies that want to see every request of a dialog (RFC 3261 §12.1, §12.2.1.1).

use offhook_sip_message::{RecordRoute, Route, Uri, ValidRequest, ValidResponse};

/// The route set, nearest proxy first.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteSet(Vec<Route>);

/// A request's way through the route set.
#[derive(Debug)]
pub(crate) struct Routed {
    pub(crate) request_uri: Uri,
    pub(crate) routes: Vec<Route>,
    strict: bool,
}

impl RouteSet {
    /// In the order of the request (§12.1.1); `None` if a value cannot be read.
    pub(crate) fn of_callee(invite: &ValidRequest) -> Option<Self> {
        let recorded: Result<Vec<_>, _> = invite.headers_of::<RecordRoute>().collect();
        Some(Self(recorded.ok()?.into_iter().map(route).collect()))
    }

    /// In the reverse order of the response (§12.1.2). A value that cannot be read is left out: the
    /// call stands, and has to be acknowledged somehow.
    pub(crate) fn of_caller(response: &ValidResponse) -> Self {
        let mut routes: Vec<_> =
            response.headers_of::<RecordRoute>().flatten().map(route).collect();
        routes.reverse();
        Self(routes)
    }

    /// Request-URI and `Route` for a request to `target` (§12.2.1.1).
    pub(crate) fn route(&self, target: &Uri) -> Routed {
        match self.0.split_first() {
            Some((first, rest)) if !is_loose(&first.address.uri) => {
                let mut routes = rest.to_vec();
                routes.push(Route::new(target.clone()));
                let request_uri = for_request_line(&first.address.uri);
                Routed { request_uri, routes, strict: true }
            }
            Some(_) | None => Routed {
                request_uri: for_request_line(target),
                routes: self.0.clone(),
                strict: false,
            },
        }
    }
}

impl Routed {
    /// What the destination is computed from (§8.1.2): the strict router stands in the
    /// Request-URI, a loose one in the first `Route`.
    pub(crate) fn next_hop(&self) -> &Uri {
        match self.routes.first() {
            Some(route) if !self.strict => &route.address.uri,
            Some(_) | None => &self.request_uri,
        }
    }
}

/// `uri` without what a Request-URI may not have: headers and `method` (§19.1.1, table 1).
pub(crate) fn for_request_line(uri: &Uri) -> Uri {
    let mut uri = uri.clone();
    if let Uri::Sip(uri) = &mut uri {
        uri.parameters.remove("method");
        uri.headers = None;
    }
    uri
}

fn is_loose(uri: &Uri) -> bool {
    uri.as_sip().is_some_and(offhook_sip_message::SipUri::is_loose_router)
}

fn route(recorded: RecordRoute) -> Route {
    Route { address: recorded.address, parameters: recorded.parameters }
}
