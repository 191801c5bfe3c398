//! Where a request goes (RFC 3261 §8.1.1.6, §12.2.1.1).

use offhook_sip_message::Uri;

use super::Found;
use crate::{
    Rule,
    audit::{dialog::Dialog, scene::Scene},
};

pub(super) fn max_forwards_is_there(scene: &Scene<'_>, found: &mut Found) {
    if scene.sip.max_forwards.is_none() {
        scene.breach(found, Rule::MaxForwards, "Max-Forwards");
    }
}

pub(super) fn request_uri_is_the_target(scene: &Scene<'_>, found: &mut Found) {
    let (Some(dialog), Some(uri)) = (dialog(scene), scene.sip.uri()) else { return };
    let expected: &[Uri] = match dialog.route_set.first() {
        Some(strict) if !is_loose(strict) => std::slice::from_ref(strict),
        _ => &dialog.targets,
    };
    if !expected.is_empty() && !expected.contains(&uri) {
        let [.., last] = expected else { return };
        scene.breach(found, Rule::RequestUri, format!("the Request-URI {last}"));
    }
}

/// A strict router gets the remote target as the last Route.
pub(super) fn routes_are_the_route_set(scene: &Scene<'_>, found: &mut Found) {
    let Some(dialog) = dialog(scene) else { return };
    let routes = scene.sip.routes();
    let is_right = match dialog.route_set.as_slice() {
        [strict, rest @ ..] if !is_loose(strict) => match routes.as_slice() {
            [others @ .., target] => others == rest && dialog.targets.contains(target),
            [] => false,
        },
        route_set => route_set == routes,
    };
    if !is_right {
        let set: Vec<_> = dialog.route_set.iter().map(ToString::to_string).collect();
        scene.breach(found, Rule::RouteSet, format!("the route set {set:?} as its Routes"));
    }
}

/// The dialog of a new request, or of the first ACK to a 2xx.
fn dialog<'a>(scene: &Scene<'a>) -> Option<&'a Dialog> {
    let is_ack_to_success = scene.is("ACK")
        && !scene.sip.is_forwarded()
        && scene.client.is_some_and(|client| client.sip.branch != scene.sip.branch);
    let is_judged = scene.is_own_request() || is_ack_to_success;
    scene.dialog.filter(|_| is_judged)
}

fn is_loose(uri: &Uri) -> bool {
    uri.as_sip().is_some_and(offhook_sip_message::SipUri::is_loose_router)
}
