//! Session timers (RFC 4028).

use std::time::Instant;

use super::Found;
use crate::{
    Rule,
    audit::{breach::Finding, dialog::Dialog, leg::Leg, scene::Scene},
};

pub(super) fn minimum_is_kept(scene: &Scene<'_>, found: &mut Found) {
    let expires = scene.sip.session_expires().map(|it| it.seconds);
    let fields = [("Session-Expires", expires), ("Min-SE", scene.sip.min_se())];
    for (name, seconds) in fields {
        if seconds.is_some_and(|seconds| seconds < LEAST) {
            let expected = format!("{name} of at least {LEAST} seconds");
            scene.breach(found, Rule::SessionMinimum, expected);
        }
    }
}

/// A request keeps its own Min-SE and that of a 422; a 2xx keeps the Min-SE of its request and does
/// not raise the interval.
pub(super) fn interval_fits(scene: &Scene<'_>, found: &mut Found) {
    let Some(expires) = scene.sip.session_expires() else { return };
    let request = scene.server.map_or(scene.sip, |server| &*server.sip);
    let least = request.min_se().unwrap_or_default().max(refused(scene));
    if expires.seconds < least {
        let expected = format!("Session-Expires of at least {least}, the Min-SE");
        scene.breach(found, Rule::SessionInterval, expected);
    }
    let asked = request.session_expires().map(|it| it.seconds);
    let most = asked.unwrap_or(u32::MAX).max(least);
    if expires.seconds > most {
        let expected = format!("Session-Expires of at most {most}, as in the request");
        scene.breach(found, Rule::SessionInterval, expected);
    }
}

/// The Min-SE of the 422 to the request before (RFC 4028 §7.3).
fn refused(scene: &Scene<'_>) -> u32 {
    if !scene.is_own_request() {
        return 0;
    }
    let failures = scene.leg.clients.iter().filter_map(|client| client.failure.as_ref());
    let refusals = failures.filter(|failure| failure.status == 422);
    refusals.filter_map(|refusal| refusal.min_se()).max().unwrap_or_default()
}

pub(super) fn is_refreshed(leg: &Leg, now: Instant, found: &mut Found) {
    for dialog in &leg.dialogs {
        let Some(session) = dialog.session.as_ref().filter(|session| session.is_own) else {
            continue;
        };
        let expiry = session.from + session.interval;
        if expiry > now || is_over(dialog, expiry) {
            continue;
        }
        let is_refresh = |it: &&crate::audit::client::Client| {
            let names_it = it.sip.to_tag.as_ref() == Some(&dialog.remote_tag);
            let comes_in_time = it.first_at > session.from && it.first_at < expiry;
            (it.is_invite() || it.sip.is("UPDATE")) && names_it && comes_in_time
        };
        if leg.clients.iter().any(|it| is_refresh(&it)) {
            continue;
        }
        let Some(first) = leg.clients.first().map(|it| (it.flow, it.sip.line.clone())) else {
            continue;
        };
        let expected = "a refresh of the session before it expires";
        found.push(Finding::of(Rule::SessionRefresh, expected, expiry, first.0, first.1));
    }
}

fn is_over(dialog: &Dialog, by: Instant) -> bool {
    [dialog.bye_at, dialog.over_at].into_iter().flatten().any(|end| end <= by)
}

/// Below this, refreshes would load the network (RFC 4028 §4, §5).
const LEAST: u32 = 90;
