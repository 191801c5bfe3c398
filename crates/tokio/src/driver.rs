//! The one loop: sockets, connections, DNS, commands and deadlines in; datagrams, messages and news
//! out.

mod errand;
use errand::{Attempt, Errand};

mod way;

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use offhook_core::{CallId, Config, Endpoint as Core, Event, MediaSockets};
use offhook_media::LegStatistics;
use offhook_rtp::Wallclock;
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random, Transmit};
use offhook_sip::{Families, Locator, LocatorConfig};
use offhook_sip_message::{StatusCode, ValidRequest};
use offhook_trace::Figures;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{sleep_until, timeout},
};
use tracing::{debug, warn};

use crate::{
    Call, Ended, Endpoint, Error, Tap,
    arrival::Arrival,
    call::Status,
    command::{Command, Reply, Verb},
    devices::Devices,
    dns::Resolver,
    listener::Listening,
    sockets::Sockets,
    streams::{Pool, Sent, count},
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
}

/// Starts the driver of a new endpoint and gives its handle.
pub(crate) fn start(setup: Setup) -> Endpoint {
    let Setup { config, mut random, sockets, pool, resolver, arrivals, listening, .. } = setup;
    let now = Instant::now();
    let identity = config.identity.clone();
    let locator = Locator::new(locator_config(&config, &listening), random.fork());
    let mut core = Core::new(now, config, random);
    core.set_wallclock(Wallclock::new(now, SystemTime::now()));
    for Listening { protocol, local } in &listening {
        core.listen(*protocol, *local, sockets.public(*local));
    }
    let (commands, requests) = mpsc::unbounded_channel();
    let (incoming, calls) = mpsc::channel(WAITING_CALLS);
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
        calls: HashMap::new(),
        renamed: HashMap::new(),
        errands: HashMap::new(),
        errand_ids: 0,
        tap: setup.tap,
        figures_due: now,
        lingering: VecDeque::new(),
        closing: None,
    };
    let task = tokio::spawn(driver.run());
    Endpoint::new(identity, listening, counters, commands, calls, task)
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
    // Each call that nothing has come back for holds a lookup.
    let max_lookups = config.sip.max_calls.saturating_add(MOST_LOOKUPS);
    LocatorConfig { families, max_lookups, ..LocatorConfig::new(protocols) }
}

struct Driver {
    core: Core,
    sockets: Sockets,
    pool: Pool,
    locator: Locator,
    resolver: Resolver,
    arrivals: mpsc::Receiver<Arrival>,
    requests: mpsc::UnboundedReceiver<Command>,
    /// For the handles of calls. Weak, so that the driver ends when all handles are gone.
    commands: mpsc::WeakUnboundedSender<Command>,
    incoming: mpsc::Sender<Call>,
    listening: Vec<Listening>,
    _acceptors: JoinSet<()>,
    calls: HashMap<CallId, Live>,
    /// The calls that took the place of those that handles know, at another target.
    renamed: HashMap<CallId, CallId>,
    errands: HashMap<u64, Errand>,
    /// The id of the last errand.
    errand_ids: u64,
    tap: Option<Tap>,
    figures_due: Instant,
    /// The media sockets of calls that are over, and how long they stay open: what the far side
    /// sent before it knew must not find a closed port.
    lingering: VecDeque<(Instant, MediaSockets)>,
    /// Until when refusals wait for their ACK, once the endpoint closes.
    closing: Option<Instant>,
}

/// What the driver holds of a call besides the core.
struct Live {
    /// What its handle is told, and the id that the handle knows it by.
    status: Option<watch::Sender<Status>>,
    handle: Option<CallId>,
    /// For an INVITE that nothing has come back for: where else it may go.
    attempt: Option<Attempt>,
    /// Where its signalling goes: that says which address its media is on.
    flow: Option<Flow>,
    sockets: Option<MediaSockets>,
    devices: Option<Devices>,
    /// The figures that were written down last.
    figures: LegStatistics,
}

impl Live {
    fn new(flow: Option<Flow>, sockets: Option<MediaSockets>) -> Self {
        let figures = LegStatistics::default();
        let (status, handle, attempt, devices) = (None, None, None, None);
        Self { status, handle, attempt, flow, sockets, devices, figures }
    }

    fn tell(&self, news: impl FnOnce(&mut Status)) {
        if let Some(status) = &self.status {
            status.send_modify(news);
        }
    }
}

impl Driver {
    async fn run(mut self) {
        while !self.is_done() {
            let deadline = self.deadline();
            tokio::select! {
                biased;
                Some(arrival) = self.arrivals.recv() => {
                    self.arrived(arrival);
                    self.obey_waiting();
                }
                command = self.requests.recv(), if !self.is_deserted() => match command {
                    Some(command) => self.obey(command),
                    None => self.close(),
                },
                () = sleep_until(deadline.into()) => {}
            }
            self.tick();
            self.flush();
        }
        self.core.handle_timeout(Instant::now());
        self.flush();
        self.close_streams().await;
    }

    /// Lets the connections write what they still have to.
    async fn close_streams(&mut self) {
        let open = self.pool.close();
        let last = async {
            let mut closed = 0;
            while closed < open
                && let Some(arrival) = self.arrivals.recv().await
            {
                closed += usize::from(matches!(arrival, Arrival::Closed { .. }));
            }
        };
        if timeout(LAST_WORDS, last).await.is_err() {
            debug!("connections dropped: their peers take too long");
        }
    }

    /// Whether the endpoint is closed: no call is left, and no refusal that may have been lost.
    fn is_done(&self) -> bool {
        let Some(patience) = self.closing else { return false };
        let said = || Instant::now() >= patience || !self.core.agent().awaits_acks();
        self.calls.is_empty() && said()
    }

    /// Whether it closes because nobody holds a handle any more.
    fn is_deserted(&self) -> bool {
        self.closing.is_some() && self.requests.is_closed()
    }

    fn deadline(&self) -> Instant {
        let frames = self.calls.values().filter_map(|live| Some(live.devices.as_ref()?.next()));
        let figures = self.tap.as_ref().map(|_| self.figures_due);
        let idle = Instant::now() + IDLE;
        let lingering = self.lingering.front().map(|(until, _)| *until);
        let others = self.core.poll_timeout().into_iter().chain(figures).chain(lingering);
        let others = others.chain(self.locator.poll_timeout());
        let others = others.chain(self.closing.filter(|patience| *patience > Instant::now()));
        frames.chain(others).min().unwrap_or(idle)
    }

    fn arrived(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Datagram(datagram) => self.received(datagram),
            Arrival::Accepted { flow, connection } => self.pool.accepted(flow, connection),
            Arrival::Connected { target, result } => {
                let (errands, result) = self.pool.connected(*target, result);
                self.reached(errands, &result.map_err(|error| error.to_string()));
            }
            Arrival::Closed { flow } => {
                for flow in self.pool.closed(flow) {
                    self.core.transport_failed(Instant::now(), flow);
                }
            }
            Arrival::Resolved { question, answer } => {
                self.locator.answer(Instant::now(), question, answer);
            }
        }
    }

    fn received(&mut self, datagram: Datagram) {
        let now = Instant::now();
        if datagram.flow.protocol != Protocol::Udp {
            self.pool.used(datagram.flow, now);
        }
        if let Some(tap) = &self.tap {
            tap.received(now, datagram.flow, &datagram.payload);
        }
        self.core.receive(now, datagram);
    }

    /// Does what is due: at most one frame a call, so that what arrived meanwhile is read first.
    fn tick(&mut self) {
        let now = Instant::now();
        if self.core.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.core.handle_timeout(now);
        }
        if self.locator.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.locator.handle_timeout(now);
        }
        for (call, live) in &mut self.calls {
            if let Some(devices) = &mut live.devices {
                devices.tick(now, *call, &mut self.core);
            }
        }
        self.close_lingering(now);
        if now >= self.figures_due {
            self.figures_due = now + FIGURES_EVERY;
            self.write_figures(now);
        }
    }

    /// Does what follows from what came, until nothing more does: a failed transmit has news of its
    /// own, and so has a target that fails.
    fn flush(&mut self) {
        loop {
            let mut busy = self.locate();
            while let Some(event) = self.core.poll_event() {
                self.heard(event);
                busy = true;
            }
            while let Some(transmit) = self.core.poll_transmit() {
                self.send(transmit);
                busy = true;
            }
            if !busy {
                break;
            }
        }
        self.start_devices();
    }

    fn send(&mut self, transmit: Transmit) {
        let now = Instant::now();
        if transmit.flow.protocol == Protocol::Udp {
            self.record(now, &transmit);
            if let Err(error) = self.sockets.send(&transmit) {
                debug!(flow = %transmit.flow, %error, "send error");
                self.failed(now, &transmit);
            }
            return;
        }
        match self.pool.send(&transmit) {
            Sent::Queued => self.record(now, &transmit),
            Sent::NoConnection => self.redirect(transmit),
            Sent::Full => {
                count(&self.pool.counters().unsent);
                debug!(flow = %transmit.flow, "message not sent: the peer takes too little");
                self.failed(now, &transmit);
            }
        }
    }

    fn record(&self, now: Instant, transmit: &Transmit) {
        if let Some(tap) = &self.tap {
            tap.sent(now, transmit);
        }
    }

    /// A request could not be sent: what waits for its response need not wait. A response that
    /// could not be sent ends nothing, for any stranger may choose where it goes
    /// (RFC 3261 §18.2.2, `maddr`).
    fn failed(&mut self, now: Instant, transmit: &Transmit) {
        let Flow { protocol, local, .. } = transmit.flow;
        let is_media =
            protocol == Protocol::Udp && !self.listening.contains(&Listening { protocol, local });
        if !is_media && !transmit.payload.starts_with(RESPONSE) {
            self.core.transport_failed(now, transmit.flow);
        }
    }

    /// Gives devices to calls whose media has just been agreed.
    fn start_devices(&mut self) {
        let now = Instant::now();
        for (call, live) in self.calls.iter_mut().filter(|(_, live)| live.devices.is_none()) {
            let Some(leg) = self.core.leg(*call) else { continue };
            let rate = leg.sample_rate();
            live.devices = Some(Devices::new(now, rate, leg.frame(), leg.frame_time()));
            live.tell(|status| status.sample_rate = Some(rate));
        }
    }

    fn heard(&mut self, event: Event) {
        match event {
            Event::Incoming { call, request, flow } => self.called(call, &request, flow),
            Event::Progress { call, status: progress, .. } => {
                self.settle(call);
                self.tell(call, |status| status.progress = Some(progress));
            }
            Event::Answered { call } => {
                self.settle(call);
                self.tell(call, |status| status.answered = true);
            }
            Event::Established { call } => self.tell(call, |status| status.established = true),
            Event::Ended { call, ending, statistics } => {
                let ended = Ended { ending, statistics: Arc::new(*statistics) };
                self.forget(call, ended);
            }
            other => debug!(?other, "an event that no handle waits for"),
        }
    }

    /// Someone calls: makes a handle and gives it to whoever waits for calls.
    fn called(&mut self, call: CallId, request: &ValidRequest, flow: Flow) {
        let (status, seen) = watch::channel(Status::default());
        let live = Live { status: Some(status), ..Live::new(Some(flow), None) };
        self.calls.insert(call, Live { handle: Some(call), ..live });
        let (from, to) = (request.from().address.clone(), request.to().address.clone());
        let commands = self.commands.upgrade().filter(|_| self.closing.is_none());
        let taken = commands.is_some_and(|commands| {
            self.incoming.try_send(Call::new(call, from, to, seen, commands)).is_ok()
        });
        if !taken && let Err(error) = self.core.reject(Instant::now(), call, UNAVAILABLE) {
            debug!(?call, %error, "nobody takes calls");
        }
    }

    fn tell(&self, call: CallId, news: impl FnOnce(&mut Status)) {
        if let Some(live) = self.calls.get(&call) {
            live.tell(news);
        }
    }

    /// A call of the core is over: its INVITE may have failed at one of several targets.
    fn forget(&mut self, call: CallId, ended: Ended) {
        let Some(mut live) = self.calls.remove(&call) else { return };
        if let Some(sockets) = live.sockets.take() {
            self.lingering.push_back((Instant::now() + LINGER, sockets));
        }
        if let Some((live, ended)) = self.try_again(live, ended) {
            self.end(live, ended);
        }
    }

    /// Closes what belonged to a call, and only then tells of its end: who hears of it finds the
    /// recordings complete.
    fn end(&mut self, mut live: Live, ended: Ended) {
        if let Some(devices) = &mut live.devices {
            devices.finish();
        }
        if let Some(handle) = live.handle {
            self.renamed.remove(&handle);
        }
        live.tell(|status| status.ended = Some(ended));
    }

    /// Closes the media sockets of calls that are over, when the last packets have come.
    fn close_lingering(&mut self, now: Instant) {
        while let Some((_, sockets)) = self.lingering.pop_front_if(|(until, _)| *until <= now) {
            self.sockets.close_media(sockets);
        }
    }

    /// Obeys one command, so that a flood of datagrams keeps nobody from hanging up.
    fn obey_waiting(&mut self) {
        if let Ok(command) = self.requests.try_recv() {
            self.obey(command);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Call { target, from, reply } => match self.closing {
                Some(_) => respond(reply, Err(Error::Closed)),
                None => self.seek(*target, *from, reply),
            },
            Command::Verb { call, verb: Verb::HangUp, reply } if self.give_up_trying(call) => {
                respond(reply, Ok(()));
            }
            Command::Verb { call, verb, reply } => {
                respond(reply, self.verb(self.named(call), verb));
            }
            Command::Play { call, source, reply } => {
                let playing =
                    self.devices(self.named(call)).and_then(|devices| devices.play(source));
                respond(reply, playing);
            }
            Command::Record { call, sink, reply } => {
                let recording =
                    self.devices(self.named(call)).and_then(|devices| devices.record(sink));
                respond(reply, recording);
            }
            Command::Statistics { call, reply } => {
                let statistics = self.core.call_statistics(Instant::now(), self.named(call));
                respond(reply, statistics.ok_or_else(no_call));
            }
            Command::Abandon { call } => {
                // An abandoned call that is over already needs no end.
                if !self.give_up_trying(call) {
                    let _ = self.core.hang_up(Instant::now(), self.named(call));
                }
            }
            Command::Close => self.close(),
        }
    }

    fn verb(&mut self, call: CallId, verb: Verb) -> Result<(), Error> {
        let now = Instant::now();
        match verb {
            Verb::Ring => self.core.ring(now, call)?,
            Verb::Answer => self.answer(now, call)?,
            Verb::Reject(status) => self.core.reject(now, call, status)?,
            Verb::HangUp => self.core.hang_up(now, call)?,
        }
        Ok(())
    }

    fn answer(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        let live = self.calls.get_mut(&call).ok_or_else(no_call)?;
        let flow = live.flow.ok_or_else(no_call)?;
        let sockets = self.sockets.bind_media(media_address(&self.listening, flow))?;
        let answered = self.core.answer(now, call, sockets);
        match answered {
            Ok(()) => live.sockets = Some(sockets),
            Err(_) => self.sockets.close_media(sockets),
        }
        Ok(answered?)
    }

    fn devices(&mut self, call: CallId) -> Result<&mut Devices, Error> {
        let live = self.calls.get_mut(&call).ok_or_else(no_call)?;
        live.devices.as_mut().ok_or(Error::Core(offhook_core::Error::NoMedia))
    }

    /// Ends all calls; the loop ends with the last of them.
    fn close(&mut self) {
        let now = Instant::now();
        self.closing.get_or_insert(now + FAREWELL);
        self.give_up_seeking();
        for call in self.calls.keys() {
            if let Err(error) = self.core.hang_up(now, *call) {
                warn!(?call, %error, "the call could not be hung up");
            }
        }
    }

    fn write_figures(&mut self, now: Instant) {
        let Some(tap) = &self.tap else { return };
        for (call, live) in &mut self.calls {
            let statistics = self.core.call_statistics(now, *call);
            if let Some(media) = statistics.and_then(|statistics| statistics.media) {
                // While nothing comes there is nothing to rate.
                if media.rtp.packets_expected > live.figures.rtp.packets_expected {
                    tap.figures(now, figures(&media, &live.figures));
                }
                live.figures = media;
            }
        }
    }
}

/// The address for the media of a call whose signalling goes by `flow`: all interfaces if the
/// listeners are on all of them, else the one that the signalling takes.
fn media_address(listening: &[Listening], flow: Flow) -> SocketAddr {
    let wide = |one: &&Listening| {
        one.local.ip().is_unspecified() && one.local.is_ipv4() == flow.local.is_ipv4()
    };
    let ip: IpAddr = listening.iter().find(wide).map_or(flow.local.ip(), |one| one.local.ip());
    SocketAddr::new(ip, 0)
}

/// The figures of the time since the ones before.
fn figures(media: &LegStatistics, earlier: &LegStatistics) -> Figures {
    let interval = media.since(earlier);
    Figures {
        jitter_ms: media.rtp.jitter,
        loss_percent: 100.0 * interval.loss,
        mos: interval.mos,
        round_trip_ms: media.rtp.round_trip.map(|time| time.as_secs_f64() * 1000.0),
    }
}

fn respond<T>(reply: Reply<T>, result: Result<T, Error>) {
    // The handle may have been dropped while it waited.
    let _ = reply.send(result);
}

fn no_call() -> Error {
    Error::Core(offhook_core::Error::NoCall)
}

/// What a response begins with (RFC 3261 §7.2).
const RESPONSE: &[u8] = b"SIP/2.0 ";
/// What nobody takes is answered with this (RFC 3261 §21.4.18).
const UNAVAILABLE: StatusCode = StatusCode::TEMPORARILY_UNAVAILABLE;
/// How many calls may wait to be taken: a program that takes none keeps no more of them.
const WAITING_CALLS: usize = 256;
/// How often figures are written down.
const FIGURES_EVERY: Duration = Duration::from_millis(500);
/// How long a closing endpoint repeats its refusals at most: an answered call ends by itself, but
/// who never acknowledges a refusal is not waited for.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long a closed endpoint lets its connections write.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How many lookups may live besides those of calls.
const MOST_LOOKUPS: usize = 1_000;
/// How long media sockets outlive their call.
const LINGER: Duration = Duration::from_millis(500);
/// How long the driver sleeps when nothing is due: any input wakes it.
const IDLE: Duration = Duration::from_secs(3600);
