//! Retransmissions (RFC 3261 §13.3.1.4, §17, RFC 3262 §3).

use std::time::{Duration, Instant};

use super::Found;
use crate::{
    AuditConfig, Rule,
    audit::{
        breach::Finding,
        client::Client,
        leg::Leg,
        scene::Scene,
        server::{Reliable, Server},
    },
};

pub(super) fn requests_keep_their_intervals(scene: &Scene<'_>, found: &mut Found) {
    let Some(client) = scene.client.filter(|_| scene.is_copy) else { return };
    if scene.flow.protocol.is_reliable() {
        return scene.breach(found, Rule::OnceWhenReliable, "no copy over a reliable transport");
    }
    let late = |answered: Instant| scene.at > answered + scene.config.tolerance;
    if stops_at(client).is_some_and(late) {
        return scene.breach(found, Rule::StopsWhenAnswered, "no copy after the response");
    }
    let wanted = interval(client, scene.config);
    let passed = scene.at.saturating_duration_since(client.last_at);
    if passed.abs_diff(wanted) > scene.config.tolerance {
        let expected = format!("a copy {wanted:?} after the one before, not {passed:?}");
        scene.breach(found, Rule::RequestInterval, expected);
    }
}

/// When copies of a request end: for an INVITE with any response, else with the final one.
fn stops_at(client: &Client) -> Option<Instant> {
    if client.is_invite() { client.response_at } else { client.final_at }
}

/// How long after the last copy the next one is due (Timers A and E).
fn interval(client: &Client, config: &AuditConfig) -> Duration {
    let doublings = client.copies.saturating_sub(1).min(16);
    let doubled = config.t1 * 2_u32.pow(doublings);
    let proceeds = client.response_at.is_some_and(|at| at <= client.last_at);
    match client.is_invite() {
        true => doubled,
        false if proceeds => config.t2,
        false => doubled.min(config.t2),
    }
}

pub(super) fn responses_keep_their_intervals(scene: &Scene<'_>, found: &mut Found) {
    let Some(server) = scene.own_server() else { return };
    let fingerprint = scene.sip.fingerprint;
    if let Some(last) = server.last.as_ref().filter(|it| it.sip.fingerprint == fingerprint) {
        let is_due = last.schedule.is_due(scene.at, scene.config);
        return judge_final(scene, server, is_due, found);
    }
    if let Some(copy) = server.reliable.iter().find(|it| it.fingerprint == fingerprint) {
        judge_reliable(scene, server, copy, found);
    }
}

fn judge_final(scene: &Scene<'_>, server: &Server, is_due: bool, found: &mut Found) {
    let is_success = server.is_invite() && scene.sip.is_success();
    if scene.flow.protocol.is_reliable() && !is_success {
        return scene.breach(found, Rule::OnceWhenReliable, "no copy over a reliable transport");
    }
    let is_late = server.acked_at.is_some_and(|acked| scene.at > acked + scene.config.tolerance);
    if is_late && server.is_stateful {
        return scene.breach(found, Rule::StopsWhenAnswered, "no copy after the ACK");
    }
    let is_on_time = server.is_invite() && is_due;
    if !is_on_time && server.prompts == 0 {
        let expected = match (server.is_invite(), &server.last) {
            (true, Some(last)) => {
                let due = last.schedule.due.saturating_duration_since(last.at);
                format!("the next copy {due:?} after the first")
            }
            _ => "no copy but for a copy of the request".to_owned(),
        };
        scene.breach(found, Rule::ResponseInterval, expected);
    }
}

fn judge_reliable(scene: &Scene<'_>, server: &Server, copy: &Reliable, found: &mut Found) {
    // A copy of the INVITE is answered with whatever was said last (RFC 3261 §17.2.1).
    if server.prompts > 0 {
        return;
    }
    if copy.acked_at.is_some_and(|acked| scene.at > acked + scene.config.tolerance) {
        return scene.breach(found, Rule::StopsWhenAnswered, "no copy after the PRACK");
    }
    if !copy.schedule.is_due(scene.at, scene.config) {
        let expected = "a copy after T1, then after twice the time before";
        scene.breach(found, Rule::ReliableInterval, expected);
    }
}

/// Copies that were due and did not come. An INVITE or its 2xx that lives on in a machine that was
/// taken off the network is missed as well.
pub(super) fn nothing_is_missing(leg: &Leg, now: Instant, config: &AuditConfig, found: &mut Found) {
    for client in leg.clients.iter().filter(|it| !it.flow.protocol.is_reliable()) {
        let due = client.last_at + interval(client, config);
        let ends = [stops_at(client), client.failed_at, Some(client.first_at + config.t1 * 64)];
        let end = ends.into_iter().flatten().fold(now, Instant::min);
        if due + config.tolerance < end {
            let (flow, line) = (client.flow, client.sip.line.clone());
            found.push(Finding::of(Rule::RequestInterval, "a copy of it", due, flow, line));
        }
    }
    let servers = leg.servers.iter().filter(|it| it.is_invite() && !it.is_relayed);
    for server in servers.filter(|it| it.is_stateful) {
        missing_response(server, now, config, found);
    }
}

fn missing_response(server: &Server, now: Instant, config: &AuditConfig, found: &mut Found) {
    let Some(last) = &server.last else { return };
    if !last.sip.is_success() && server.flow.protocol.is_reliable() {
        return;
    }
    let ends = [server.acked_at, server.ended_at, Some(last.at + config.t1 * 64)];
    let end = ends.into_iter().flatten().fold(now, Instant::min);
    if last.schedule.due + config.tolerance < end {
        let (due, flow, line) = (last.schedule.due, server.flow, last.sip.line.clone());
        let expected = "a copy of it, or the ACK before";
        found.push(Finding::of(Rule::ResponseInterval, expected, due, flow, line));
    }
}
