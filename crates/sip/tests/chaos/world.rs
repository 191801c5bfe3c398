//! The wire, the clock, and the parties on them.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random, Transmit};
use offhook_sip::{Config, EventPackage, ReliableProvisionals, SessionTimer, UserAgent};
use offhook_sip_message::Method;
use offhook_testkit::Auditor;

use crate::{
    proxy::{Out, Proxy},
    user::{Act, User},
};

/// How the wire is, and what happens to the parties.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    /// The share of the datagrams that do not arrive.
    pub(crate) loss: f64,
    /// The share of those that arrive twice.
    pub(crate) copies: f64,
    /// Now and then a party starts anew and knows nothing of its calls.
    pub(crate) restarts: bool,
    /// The share of the calls that go to a proxy, which forks them to all others.
    pub(crate) forks: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { loss: 0.04, copies: 0.02, restarts: false, forks: 0.0 }
    }
}

pub(crate) struct World {
    seed: u64,
    settings: Settings,
    now: Instant,
    pub(crate) random: Random,
    parties: Vec<Party>,
    proxy: Proxy,
    agenda: BTreeMap<(Instant, u64), Item>,
    items: u64,
    /// How often each method and each status was sent.
    sent: BTreeMap<String, usize>,
    /// Restarted parties break their promises, and are not judged.
    auditor: Option<Auditor>,
}

struct Party {
    agent: UserAgent,
    user: User,
}

enum Item {
    Arrives(Flow, Bytes),
    Acts(usize, Act),
    Restarts(usize),
}

impl World {
    pub(crate) fn new(seed: u64, settings: Settings) -> Self {
        let now = Instant::now();
        let mut random = Random::from_seed(seed);
        let parties = (0..PARTIES).map(|side| Party::new(side, &mut random)).collect();
        let auditor = (!settings.restarts).then(|| Auditor::new(now));
        let (agenda, items) = (BTreeMap::new(), 0);
        let sent = BTreeMap::new();
        let proxy = Proxy::new(PROXY.into(), (0..PARTIES).map(address).collect());
        Self { seed, settings, now, random, parties, proxy, agenda, items, sent, auditor }
    }

    /// Places `calls` calls and runs until nothing is due any more. Gives how often each method and
    /// each status was sent.
    pub(crate) fn run(mut self, calls: usize) -> BTreeMap<String, usize> {
        let begins = Duration::from_millis(200);
        for number in 0..calls {
            let who = self.random.u32() as usize % PARTIES;
            let at = begins * u32::try_from(number).unwrap();
            self.plan(at, Item::Acts(who, Act::Call));
            if self.settings.restarts && number % 50 == 25 {
                self.plan(at, Item::Restarts(who));
            }
        }
        let mut steps = 0_usize;
        while let Some(at) = self.next() {
            self.now = at.max(self.now);
            self.step();
            steps += 1;
            assert!(steps < calls * 5_000, "seed {}: still busy", self.seed);
        }
        self.check()
    }

    fn next(&self) -> Option<Instant> {
        let due = self.parties.iter().filter_map(|party| party.agent.poll_timeout());
        let due = due.chain(self.proxy.poll_timeout());
        due.chain(self.agenda.keys().next().map(|(at, _)| *at)).min()
    }

    fn step(&mut self) {
        while let Some(entry) = self.agenda.first_entry().filter(|it| it.key().0 <= self.now) {
            match entry.remove() {
                Item::Arrives(flow, payload) => self.arrives(flow, &payload),
                Item::Acts(who, act) => self.acts(who, act),
                Item::Restarts(who) => self.parties[who] = Party::new(who, &mut self.random),
            }
            self.drain();
        }
        for party in &mut self.parties {
            party.agent.handle_timeout(self.now);
        }
        let mut out = Out::default();
        self.proxy.handle_timeout(self.now, &mut out);
        self.forwards(out);
        self.drain();
    }

    fn arrives(&mut self, flow: Flow, payload: &Bytes) {
        if flow.local == PROXY.into() {
            if let Some(auditor) = &mut self.auditor {
                auditor.delivered(PARTIES, self.now, flow, payload);
            }
            let mut out = Out::default();
            self.proxy.receive(self.now, flow.remote, payload, &mut out);
            return self.forwards(out);
        }
        let Some(to) = (0..PARTIES).find(|side| address(*side) == flow.local) else { return };
        if let Some(auditor) = &mut self.auditor {
            auditor.delivered(to, self.now, flow, payload);
        }
        let payload = BytesMut::from(payload.as_ref());
        self.parties[to].agent.receive(self.now, Datagram { flow, payload });
    }

    fn acts(&mut self, who: usize, act: Act) {
        let other = (who + 1 + self.random.u32() as usize % (PARTIES - 1)) % PARTIES;
        let forks = self.settings.forks > 0.0 && matches!(act, Act::Call);
        let forks = forks && self.random.unit() < self.settings.forks;
        let remote = if forks { PROXY.into() } else { address(other) };
        let flow = Flow::udp(address(who), remote);
        let Party { agent, user } = &mut self.parties[who];
        let plans = user.act(agent, self.now, flow, act, &mut self.random);
        plans.into_iter().for_each(|(after, act)| self.plan(after, Item::Acts(who, act)));
    }

    /// Takes what the agents have to send and to tell.
    fn drain(&mut self) {
        for side in 0..PARTIES {
            while let Some(transmit) = self.parties[side].agent.poll_transmit() {
                self.sends(side, &transmit);
            }
            while let Some(event) = self.parties[side].agent.poll_event() {
                let plans = self.parties[side].user.hear(event, &mut self.random);
                plans.into_iter().for_each(|(after, act)| self.plan(after, Item::Acts(side, act)));
            }
        }
    }

    fn sends(&mut self, side: usize, Transmit { flow, payload }: &Transmit) {
        if let Some(auditor) = &mut self.auditor {
            auditor.sent(side, self.now, *flow, payload);
        }
        let words = String::from_utf8_lossy(payload);
        let mut words = words.split(' ').filter(|word| *word != "SIP/2.0");
        *self.sent.entry(words.next().unwrap_or_default().to_owned()).or_default() += 1;
        self.travels(*flow, payload);
    }

    /// What the proxy sends.
    fn forwards(&mut self, out: Out) {
        for (to, text) in out.own {
            let (flow, payload) = (Flow::udp(PROXY.into(), to), Bytes::from(text.write()));
            if let Some(auditor) = &mut self.auditor {
                auditor.sent(PARTIES, self.now, flow, &payload);
            }
            self.travels(flow, &payload);
        }
        for (to, text) in out.passed {
            self.travels(Flow::udp(PROXY.into(), to), &text.write().into());
        }
    }

    fn travels(&mut self, flow: Flow, payload: &Bytes) {
        let back = Flow::udp(flow.remote, flow.local);
        let fate = self.random.unit();
        let copies = match fate {
            fate if fate < self.settings.loss => 0,
            fate if fate < self.settings.loss + self.settings.copies => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let delay = Duration::from_millis(5 + u64::from(self.random.u32() % 80));
            self.plan(delay, Item::Arrives(back, payload.clone()));
        }
    }

    fn plan(&mut self, after: Duration, item: Item) {
        self.items += 1;
        self.agenda.insert((self.now + after, self.items), item);
    }

    /// Nothing may be left of it all.
    fn check(mut self) -> BTreeMap<String, usize> {
        let seed = self.seed;
        for (side, party) in self.parties.iter().enumerate() {
            let agent = &party.agent;
            let live = [
                agent.live_calls(),
                agent.live_transactions(),
                agent.live_subscriptions(),
                agent.subscription_dialogs(),
                party.user.calls.len(),
            ];
            assert_eq!(live, [0; 5], "seed {seed}, party {side}");
        }
        assert_eq!(self.proxy.live(), 0, "seed {seed}, proxy");
        for (what, times) in &self.proxy.happened {
            self.sent.insert(format!("proxy: {what}"), *times);
        }
        let breaches = self.auditor.map(|auditor| auditor.finish(self.now)).unwrap_or_default();
        assert_eq!(breaches, [], "seed {seed}");
        self.sent
    }
}

impl Party {
    fn new(side: usize, random: &mut Random) -> Self {
        let mut config = Config {
            event_packages: vec![EventPackage::REFER],
            max_redirects: 2,
            reliable_provisionals: match side {
                0 => ReliableProvisionals::Preferred,
                _ => ReliableProvisionals::Supported,
            },
            session_timer: SessionTimer::requested(Duration::from_secs(90)),
            ..Config::default()
        };
        config.allow.push(Method::INFO);
        let mut agent = UserAgent::new(config, random.fork());
        agent.listen(Protocol::Udp, address(side), address(side));
        Self { agent, user: User::default() }
    }
}

pub(crate) fn address(side: usize) -> SocketAddr {
    ([192, 0, 2, side as u8 + 1], 5060).into()
}

pub(crate) const PARTIES: usize = 3;
const PROXY: ([u8; 4], u16) = ([192, 0, 2, 100], 5060);
