//! Starting a driver.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant, SystemTime},
};

use offhook_core::{Config, Endpoint as Core};
use offhook_rtp::Wallclock;
use offhook_sansio::{Deadlines, Protocol, Random};
use offhook_sip::{Families, Locator, LocatorConfig};
use tokio::{sync::mpsc, task::JoinSet};

use super::{Driver, closing::Closing};
use crate::{
    Endpoint, Tap, arrival::Arrival, dns::Resolver, endpoint::Taken, listener::Listening,
    sockets::Sockets, streams::Pool,
};

/// What a driver starts with.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) random: Random,
    pub(crate) sockets: Sockets,
    pub(crate) pool: Pool,
    pub(crate) resolver: Resolver,
    pub(crate) arrivals: mpsc::Receiver<Arrival>,
    pub(crate) listening: Vec<Listening>,
    /// The tasks that take the connections of peers; they end with the driver.
    pub(crate) acceptors: JoinSet<()>,
    pub(crate) tap: Option<Tap>,
    /// How long the far sides have to answer when the endpoint shuts down.
    pub(crate) farewell: Duration,
}

/// Starts the driver of a new endpoint and gives its handle.
pub(crate) fn start(setup: Setup) -> Endpoint {
    let Setup { config, mut random, sockets, pool, resolver, arrivals, listening, .. } = setup;
    let now = Instant::now();
    let identity = config.identity.clone();
    let timer_j = config.sip.t1.saturating_mul(64);
    let back_off = config.sip.back_off;
    let locator = Locator::new(locator_config(&config, &listening), random.fork());
    let mut core = Core::new(now, config, random);
    core.set_wallclock(Wallclock::new(now, SystemTime::now()));
    for Listening { protocol, local } in &listening {
        core.listen(*protocol, *local, sockets.public(*local));
    }
    let (commands, requests) = mpsc::unbounded_channel();
    let (incoming, calls) = mpsc::channel(WAITING);
    let (incoming_requests, requested) = mpsc::channel(WAITING);
    let (incoming_transfers, transfers) = mpsc::channel(WAITING);
    let (incoming_subscribers, subscribers) = mpsc::channel(WAITING);
    let counters = pool.share_counters();
    let driver = Driver {
        core,
        sockets,
        pool,
        locator,
        resolver,
        arrivals,
        requests,
        commands: commands.downgrade(),
        incoming,
        listening: listening.clone(),
        _acceptors: setup.acceptors,
        incoming_requests,
        incoming_subscribers,
        watching: HashMap::new(),
        subscriptions: HashMap::new(),
        resubscriptions: Deadlines::new(),
        serving: HashMap::new(),
        incoming_transfers,
        identity: identity.clone(),
        transfers: HashMap::new(),
        calls: HashMap::new(),
        frames: Deadlines::new(),
        renamed: HashMap::new(),
        back_off,
        accounts: HashMap::new(),
        registrations: HashMap::new(),
        searches: Deadlines::new(),
        asked: HashMap::new(),
        publications: HashMap::new(),
        published: HashMap::new(),
        errands: HashMap::new(),
        ids: 0,
        tap: setup.tap,
        figures_due: now,
        lingering: VecDeque::new(),
        closing: Closing::new(setup.farewell, timer_j),
    };
    tokio::spawn(driver.run());
    let taken = Taken::new(calls, requested, transfers, subscribers);
    Endpoint::new(identity, listening, counters, commands, taken)
}

/// The transports that this endpoint can send by, and the addresses it can reach: those of its
/// listeners, or all if it has none.
fn locator_config(config: &Config, listening: &[Listening]) -> LocatorConfig {
    let udp = listening.iter().any(|one| one.protocol == Protocol::Udp);
    let udp = udp.then_some(Protocol::Udp);
    let streams = [Protocol::Tcp, Protocol::Tls, Protocol::Ws, Protocol::Wss];
    let protocols: Vec<_> = udp.into_iter().chain(streams).collect();
    let v4 = listening.iter().any(|one| one.local.is_ipv4());
    let v6 = listening.iter().any(|one| one.local.is_ipv6());
    let families = match (v4, v6) {
        (true, false) => Families::V4,
        (false, true) => Families::V6,
        (true, true) | (false, false) => Families::V6ThenV4,
    };
    // Each call, request, registration, publication and subscription that nothing has come back for
    // holds one.
    let offhook_sip::Config { max_calls, max_requests, .. } = config.sip;
    let offhook_sip::Config { max_registrations, max_publications, .. } = config.sip;
    let offhook_sip::Config { max_subscriptions, .. } = config.sip;
    let own = [max_calls, max_requests, max_registrations, max_publications, max_subscriptions];
    let max_lookups = own.into_iter().fold(MOST_LOOKUPS, usize::saturating_add);
    LocatorConfig { families, max_lookups, ..LocatorConfig::new(protocols) }
}

/// How many lookups may live besides those of what this side asks for.
const MOST_LOOKUPS: usize = 1_000;
/// How many calls, and how many requests, may wait to be taken: a program that takes none keeps no
/// more of them.
const WAITING: usize = 256;
