//! What the two sides do in their calls beside INVITE and its answers.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use offhook_sansio::Flow;
use offhook_sip::{
    CallId, Config, Error, Info, Invite, Login, ReliableProvisionals, SessionTimer, UserAgent,
};
use offhook_sip_message::{
    AnswerModeValue, Contact, Header, HeaderName, InfoPackage, Method, NameAddr, Reason,
    StatusCode, Text, Uri,
};

use super::{address_uri, description};
use crate::Promised;

/// Settings by the bits of one number: what is offered and what is required.
pub(super) fn settings(bits: u8, mut config: Config) -> Config {
    config.reliable_provisionals = match bits >> 1 & 3 {
        0 => ReliableProvisionals::Supported,
        1 => ReliableProvisionals::Off,
        2 => ReliableProvisionals::Preferred,
        _ => ReliableProvisionals::Required,
    };
    if bits & 8 != 0 {
        config.session_timer = SessionTimer::requested(Duration::from_secs(90));
    }
    if bits & 16 != 0 {
        config.allow.push(Method::INFO);
        config.info_packages = vec![PACKAGE];
    }
    config.max_redirects = bits >> 6;
    config.join = bits & 32 != 0;
    config.answer_mode = bits & 32 != 0;
    config
}

/// One verb on one call. A new call may come of it.
pub(super) fn act(
    agent: &mut UserAgent,
    now: Instant,
    call: CallId,
    flow: Flow,
    choice: u8,
) -> Result<Option<CallId>, Error> {
    let body = (choice & 128 == 0).then(description);
    let done = match choice & 31 {
        0..4 => agent.prack(now, call, None, body),
        4..9 => agent.update(now, call, None, body),
        9..13 => agent.answer_offer(now, call, None, body),
        13 => agent.reject_offer(now, call, None, StatusCode::NOT_ACCEPTABLE_HERE),
        14..17 => agent.info(now, call, info(choice)).map(drop),
        17 => agent.hang_up_because(now, call, Reason::sip(StatusCode::OK, "elsewhere")),
        18 => agent.answer_as(now, call, &AnswerModeValue::Auto, body),
        19 => agent.log_in(call, vec![Login::any_realm("someone", "secret")]),
        20..24 => agent.progress(now, call, StatusCode::RINGING, body),
        24 | 25 => {
            let replaces = written(&agent.replaces(call)?);
            return invite(agent, now, flow, (HeaderName::REPLACES, replaces)).map(Some);
        }
        26 => {
            let join = written(&agent.join(call)?);
            return invite(agent, now, flow, (HeaderName::JOIN, join)).map(Some);
        }
        27 => agent.follow(now, call, &elsewhere(flow.remote), flow),
        28 => {
            let there = Contact::new(NameAddr::new(elsewhere(flow.local)));
            agent.redirect(now, call, StatusCode::MOVED_TEMPORARILY, &[there])
        }
        _ => agent.reinvite(now, call, body),
    };
    done.map(|()| None)
}

/// Another user at the same place: no target is tried twice.
fn elsewhere(address: SocketAddr) -> Uri {
    format!("sip:another@{address}").parse().promised("an address makes a URI")
}

fn info(choice: u8) -> Info {
    let package = (choice & 32 == 0).then(|| InfoPackage::new(PACKAGE));
    Info { package, body: Some(description()), ..Info::default() }
}

fn invite(
    agent: &mut UserAgent,
    now: Instant,
    flow: Flow,
    header: (HeaderName, Text),
) -> Result<CallId, Error> {
    let from = NameAddr::new(address_uri(flow.local));
    let plain = Invite::new(address_uri(flow.remote), from, flow);
    agent.invite(now, Invite { body: Some(description()), headers: vec![header], ..plain })
}

fn written(header: &impl Header) -> Text {
    let mut text = String::new();
    header.write(&mut text);
    text.into()
}

const PACKAGE: Text = Text::from_static("conference");
