//! Session timers (RFC 4028).

use std::{sync::Arc, time::Instant};

use offhook_sansio::Flow;
use offhook_sip_message::Refresher;

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

pub(super) fn refusal_says_what_would_do(scene: &Scene<'_>, found: &mut Found) {
    if scene.sip.status == 422 && scene.sip.min_se().is_none() {
        scene.breach(found, Rule::SessionRefusal, "Min-SE in a 422");
    }
}

/// The table of RFC 4028 §9.
pub(super) fn refresher_is_named(scene: &Scene<'_>, found: &mut Found) {
    let Some(server) = scene.own_server().filter(|_| scene.sip.is_success()) else { return };
    if !server.sip.is("INVITE") && !server.sip.is("UPDATE") {
        return;
    }
    let asked = server.sip.session_expires();
    let mut breach = |expected| scene.breach(found, Rule::SessionRefresher, expected);
    let Some(expires) = scene.sip.session_expires() else {
        if scene.sip.requires(TIMER) || asked.is_some() && server.sip.requires(TIMER) {
            breach("Session-Expires, for timer is required");
        }
        return;
    };
    let chosen = asked.and_then(|asked| asked.refresher());
    match expires.refresher() {
        None => breach("a refresher"),
        Some(refresher) if chosen.is_some_and(|chosen| chosen != refresher) => {
            breach("the refresher that the request has chosen");
        }
        Some(Refresher::Uac) if !server.sip.supports(TIMER) => {
            breach("the callee to refresh, for the caller does not support it");
        }
        Some(Refresher::Uac) if !scene.sip.requires(TIMER) => breach("Require: timer"),
        Some(Refresher::Uac | Refresher::Uas) => {}
    }
}

/// Each 2xx to a refresh sets the timer anew, so what is left at the end was not refreshed.
pub(super) fn is_ended(leg: &Leg, now: Instant, found: &mut Found) {
    for dialog in &leg.dialogs {
        let Some(session) = dialog.session.as_ref().filter(|session| !session.is_own) else {
            continue;
        };
        let expiry = session.from + session.interval;
        if expiry > now || is_over(dialog, expiry) {
            continue;
        }
        let Some((flow, line)) = first_line(leg) else { continue };
        let expected = "a BYE before the session expires, for nobody has refreshed it";
        found.push(Finding::of(Rule::SessionEnd, expected, expiry, flow, line));
    }
}

/// The first message of a leg, for people.
fn first_line(leg: &Leg) -> Option<(Flow, Arc<str>)> {
    let sent = leg.clients.first().map(|it| (it.flow, it.sip.line.clone()));
    sent.or_else(|| leg.servers.first().map(|it| (it.flow, it.sip.line.clone())))
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
        let Some((flow, line)) = first_line(leg) else { continue };
        let expected = "a refresh of the session before it expires";
        found.push(Finding::of(Rule::SessionRefresh, expected, expiry, flow, line));
    }
}

fn is_over(dialog: &Dialog, by: Instant) -> bool {
    [dialog.bye_at, dialog.over_at].into_iter().flatten().any(|end| end <= by)
}

/// The option tag of session timers (RFC 4028 §12.1).
const TIMER: &str = "timer";
/// Below this, refreshes would load the network (RFC 4028 §4, §5).
const LEAST: u32 = 90;
