//! What a user does, now and a little later.

use std::time::{Duration, Instant};

use bytes::Bytes;
use offhook_sansio::{Flow, Random};
use offhook_sip::{
    Body, CallId, Description, Error, Event, Fork, Info, Invite, Refer, ReferralEvent, ReferralId,
    UserAgent,
};
use offhook_sip_message::{Contact, NameAddr, StatusCode, Uri};

/// Something that a user does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Call,
    /// Calls whom a REFER names.
    Obey(ReferralId, NameAddr),
    /// Tells what came of it.
    Report(ReferralId, StatusCode),
    Ring(CallId),
    /// Describes the session before the answer.
    Early(CallId),
    Answer(CallId),
    Reject(CallId),
    Redirect(CallId),
    Acknowledge(CallId),
    Prack(CallId, Fork),
    AnswerOffer(CallId, Option<Fork>),
    Reinvite(CallId),
    Update(CallId),
    /// An UPDATE without a description.
    Refresh(CallId),
    Tell(CallId),
    Transfer(CallId),
    Follow(CallId, Uri),
    HangUp(CallId),
}

type Plans = Vec<(Duration, Act)>;

/// A user and the calls it knows of.
#[derive(Default)]
pub(crate) struct User {
    pub(crate) calls: Vec<CallId>,
}

impl User {
    /// Does it. That the call is over, or cannot do so now, is no fault.
    pub(crate) fn act(
        &mut self,
        agent: &mut UserAgent,
        now: Instant,
        flow: Flow,
        act: Act,
        random: &mut Random,
    ) -> Plans {
        let body = Some(description());
        let done = match act {
            Act::Call => return self.call(agent, now, flow, random),
            Act::Obey(referral, to) => return self.obey(agent, now, flow, referral, &to, random),
            Act::Ring(call) => agent.ring(now, call),
            Act::Early(call) => {
                agent.progress(now, call, StatusCode::SESSION_PROGRESS, Some(description()))
            }
            Act::Answer(call) => match agent.answer(now, call, body) {
                Err(Error::AlreadyNegotiated) => agent.answer(now, call, None),
                done => done,
            },
            Act::Reject(call) => agent.reject(now, call, StatusCode::NOT_ACCEPTABLE_HERE),
            Act::Redirect(call) => {
                let there = Contact::new(NameAddr::new(uri("another", flow)));
                agent.redirect(now, call, StatusCode::MOVED_TEMPORARILY, &[there])
            }
            Act::Acknowledge(call) => agent.acknowledge(now, call, body),
            Act::Prack(call, fork) => agent.prack(now, call, Some(fork), body),
            Act::AnswerOffer(call, fork) => agent.answer_offer(now, call, fork, body),
            Act::Reinvite(call) => agent.reinvite(now, call, body),
            Act::Update(call) => agent.update(now, call, None, body),
            Act::Refresh(call) => agent.update(now, call, None, None),
            Act::Report(referral, status) => agent.report_refer(now, referral, status),
            Act::Tell(call) => {
                let digit = Body {
                    content_type: "application/dtmf-relay".into(),
                    content: Bytes::from_static(b"Signal=5\r\nDuration=160\r\n"),
                };
                agent.info(now, call, Info { body: Some(digit), ..Info::default() }).map(drop)
            }
            Act::Transfer(call) => {
                let to = NameAddr::new(uri("transferred", flow));
                agent.refer(now, call, Refer::to(to)).map(drop)
            }
            Act::Follow(call, target) => agent.follow(now, call, &target, flow_to(&target, flow)),
            Act::HangUp(call) => agent.hang_up(now, call),
        };
        let _ = done;
        Vec::new()
    }

    /// Calls somebody, with an offer or without, and does not talk for ever.
    fn call(
        &mut self,
        agent: &mut UserAgent,
        now: Instant,
        flow: Flow,
        random: &mut Random,
    ) -> Plans {
        let from = NameAddr::new(uri("caller", Flow::udp(flow.local, flow.local)));
        let invite = Invite::new(uri("called", flow), from, flow);
        let body = (!one_in(4, random)).then(description);
        let Ok(call) = agent.invite(now, Invite { body, ..invite }) else { return Vec::new() };
        self.calls.push(call);
        let patience = if one_in(5, random) { within(random, 2_000) } else { PATIENCE };
        vec![(patience, Act::HangUp(call))]
    }

    fn obey(
        &mut self,
        agent: &mut UserAgent,
        now: Instant,
        flow: Flow,
        referral: ReferralId,
        to: &NameAddr,
        random: &mut Random,
    ) -> Plans {
        if agent.accept_refer(now, referral, None).is_err() {
            return Vec::new();
        }
        let to = to.uri.clone();
        let flow = flow_to(&to, flow);
        let from = NameAddr::new(uri("caller", Flow::udp(flow.local, flow.local)));
        let body = Some(description());
        let placed = agent.invite(now, Invite { body, ..Invite::new(to, from, flow) });
        let status = if placed.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let mut plans = vec![(within(random, 6_000), Act::Report(referral, status))];
        if let Ok(call) = placed {
            self.calls.push(call);
            plans.push((PATIENCE, Act::HangUp(call)));
        }
        plans
    }

    /// What a user does about what it is told.
    pub(crate) fn hear(&mut self, event: Event, random: &mut Random) -> Plans {
        match event {
            Event::Incoming { call, .. } => {
                self.calls.push(call);
                let last = match random.u32() % 10 {
                    0 => Act::Reject(call),
                    1 => Act::Redirect(call),
                    2 => Act::HangUp(call),
                    _ => Act::Answer(call),
                };
                let rings = within(random, 1_000);
                let first = if one_in(3, random) { Act::Early(call) } else { Act::Ring(call) };
                vec![
                    (rings, first),
                    (rings + within(random, 5_000), last),
                    (PATIENCE * 2, Act::HangUp(call)),
                ]
            }
            Event::Progress { call, fork, description: Description::Offer, .. } => {
                vec![(within(random, 500), Act::Prack(call, fork))]
            }
            Event::Answered { call, description, .. } => {
                let mut plans = talk(call, random);
                if description == Description::Offer {
                    plans.push((within(random, 800), Act::Acknowledge(call)));
                }
                plans
            }
            Event::Established { call, .. } => talk(call, random),
            Event::Reinvited { call, .. } => {
                let act = if one_in(8, random) { Act::Reject(call) } else { Act::Answer(call) };
                vec![(within(random, 800), act)]
            }
            Event::ReinviteAnswered { call, description: Description::Offer, .. } => {
                vec![(within(random, 800), Act::Acknowledge(call))]
            }
            Event::Updated { call, fork, .. } => {
                vec![(within(random, 800), Act::AnswerOffer(call, Some(fork)))]
            }
            Event::ProgressAcknowledged { call, description: Description::Offer, .. } => {
                vec![(within(random, 800), Act::AnswerOffer(call, None))]
            }
            Event::Redirected { call, targets } => {
                let followed = targets.first().map(|to| Act::Follow(call, to.clone()));
                followed.into_iter().map(|act| (within(random, 800), act)).collect()
            }
            Event::Referral { referral, event: ReferralEvent::Requested(asked) } => {
                vec![(within(random, 800), Act::Obey(referral, asked.refer_to))]
            }
            Event::Ended { call, .. } => {
                let known = self.calls.iter().position(|it| *it == call);
                self.calls.remove(known.expect("a call ends once"));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

/// What a user says of its session, always the same.
fn description() -> Body {
    Body { content_type: "application/sdp".into(), content: Bytes::from_static(SDP) }
}

/// Some of what may happen in a call, and its end.
fn talk(call: CallId, random: &mut Random) -> Plans {
    let mut plans: Plans = (0..random.u32() % 4)
        .map(|_| {
            let act = match random.u32() % 7 {
                0 | 1 => Act::Reinvite(call),
                2 | 3 => Act::Update(call),
                4 => Act::Refresh(call),
                5 => Act::Tell(call),
                _ => Act::Transfer(call),
            };
            (within(random, 8_000), act)
        })
        .collect();
    // Some talk long enough for the session timer.
    let lasts = if one_in(10, random) { 200_000 } else { 12_000 };
    plans.push((within(random, lasts), Act::HangUp(call)));
    plans
}

fn one_in(many: u32, random: &mut Random) -> bool {
    random.u32().is_multiple_of(many)
}

fn within(random: &mut Random, millis: u32) -> Duration {
    Duration::from_millis(u64::from(random.u32() % millis))
}

fn uri(user: &str, flow: Flow) -> Uri {
    format!("sip:{user}@{}", flow.remote).parse().unwrap()
}

/// The way to whom a URI with an address names.
fn flow_to(uri: &Uri, flow: Flow) -> Flow {
    let address = uri.as_sip().and_then(|sip| {
        let ip = sip.host.ip()?;
        Some((ip, sip.port.unwrap_or(5060)).into())
    });
    Flow { remote: address.unwrap_or(flow.remote), ..flow }
}

const SDP: &[u8] = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";
/// How long a caller waits for an answer, and talks.
const PATIENCE: Duration = Duration::from_secs(240);
