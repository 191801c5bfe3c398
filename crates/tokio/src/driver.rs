//! The one loop: sockets, commands and deadlines in, datagrams and news out.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use offhook_core::{CallId, Config, Endpoint as Core, Event, MediaSockets, Outgoing};
use offhook_media::LegStatistics;
use offhook_rtp::Wallclock;
use offhook_sansio::{Datagram, Machine, Protocol, Random, Transmit};
use offhook_sip_message::{NameAddr, StatusCode, ValidRequest};
use offhook_trace::Figures;
use tokio::{
    sync::{mpsc, watch},
    time::sleep_until,
};
use tracing::{debug, warn};

use crate::{
    Call, Ended, Endpoint, Error, Tap,
    call::Status,
    command::{Command, Reply, Verb},
    devices::Devices,
    sockets::Sockets,
};

/// Starts the driver of a new endpoint and gives its handle.
pub(crate) fn start(
    config: Config,
    random: Random,
    sockets: Sockets,
    arrivals: mpsc::Receiver<Datagram>,
    local: SocketAddr,
    tap: Option<Tap>,
) -> Endpoint {
    let now = Instant::now();
    let identity = config.identity.clone();
    let mut core = Core::new(now, config, random);
    core.set_wallclock(Wallclock::new(now, SystemTime::now()));
    core.listen(Protocol::Udp, local, sockets.public(local));
    let (commands, requests) = mpsc::unbounded_channel();
    let (incoming, calls) = mpsc::channel(WAITING_CALLS);
    let driver = Driver {
        core,
        sockets,
        arrivals,
        requests,
        commands: commands.downgrade(),
        incoming,
        local,
        calls: HashMap::new(),
        tap,
        figures_due: now,
        lingering: VecDeque::new(),
        closing: None,
    };
    let task = tokio::spawn(driver.run());
    Endpoint::new(identity, local, commands, calls, task)
}

struct Driver {
    core: Core,
    sockets: Sockets,
    arrivals: mpsc::Receiver<Datagram>,
    requests: mpsc::UnboundedReceiver<Command>,
    /// For the handles of calls. Weak, so that the driver ends when all handles are gone.
    commands: mpsc::WeakUnboundedSender<Command>,
    incoming: mpsc::Sender<Call>,
    local: SocketAddr,
    calls: HashMap<CallId, Live>,
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
    status: watch::Sender<Status>,
    sockets: Option<MediaSockets>,
    devices: Option<Devices>,
    /// The figures that were written down last.
    figures: LegStatistics,
}

impl Live {
    fn new(status: watch::Sender<Status>, sockets: Option<MediaSockets>) -> Self {
        Self { status, sockets, devices: None, figures: LegStatistics::default() }
    }
}

impl Driver {
    async fn run(mut self) {
        while !self.is_done() {
            let deadline = self.deadline();
            tokio::select! {
                biased;
                Some(datagram) = self.arrivals.recv() => {
                    self.arrived(datagram);
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
        let others = others.chain(self.closing.filter(|patience| *patience > Instant::now()));
        frames.chain(others).min().unwrap_or(idle)
    }

    fn arrived(&mut self, datagram: Datagram) {
        let now = Instant::now();
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

    fn flush(&mut self) {
        while let Some(event) = self.core.poll_event() {
            self.heard(event);
        }
        while let Some(transmit) = self.core.poll_transmit() {
            let now = Instant::now();
            if let Some(tap) = &self.tap {
                tap.sent(now, &transmit);
            }
            if let Err(error) = self.sockets.send(&transmit) {
                debug!(flow = %transmit.flow, %error, "send error");
                self.failed(now, &transmit);
            }
        }
        self.start_devices();
    }

    /// A request could not be sent: what waits for its response need not wait. A response that
    /// could not be sent ends nothing, for any stranger may choose where it goes
    /// (RFC 3261 §18.2.2, `maddr`).
    fn failed(&mut self, now: Instant, transmit: &Transmit) {
        if transmit.flow.local == self.local && !transmit.payload.starts_with(RESPONSE) {
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
            live.status.send_modify(|status| status.sample_rate = Some(rate));
        }
    }

    fn heard(&mut self, event: Event) {
        match event {
            Event::Incoming { call, request, .. } => self.called(call, &request),
            Event::Progress { call, status: progress, .. } => {
                self.tell(call, |status| status.progress = Some(progress));
            }
            Event::Answered { call } => self.tell(call, |status| status.answered = true),
            Event::Established { call } => self.tell(call, |status| status.established = true),
            Event::Ended { call, ending, statistics } => {
                let ended = Ended { ending, statistics: Arc::new(*statistics) };
                self.forget(call, ended);
            }
            other => debug!(?other, "an event that no handle waits for"),
        }
    }

    /// Someone calls: makes a handle and gives it to whoever waits for calls.
    fn called(&mut self, call: CallId, request: &ValidRequest) {
        let (status, seen) = watch::channel(Status::default());
        self.calls.insert(call, Live::new(status, None));
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
            live.status.send_modify(news);
        }
    }

    /// Closes what belonged to a call, and only then tells of its end: who hears of it finds the
    /// recordings complete.
    fn forget(&mut self, call: CallId, ended: Ended) {
        let Some(mut live) = self.calls.remove(&call) else { return };
        if let Some(devices) = &mut live.devices {
            devices.finish();
        }
        if let Some(sockets) = live.sockets {
            self.lingering.push_back((Instant::now() + LINGER, sockets));
        }
        live.status.send_modify(|status| status.ended = Some(ended));
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
            Command::Call { outgoing, from, reply } => respond(reply, self.place(*outgoing, *from)),
            Command::Verb { call, verb, reply } => respond(reply, self.verb(call, verb)),
            Command::Play { call, source, reply } => {
                let playing = self.devices(call).and_then(|devices| devices.play(source));
                respond(reply, playing);
            }
            Command::Record { call, sink, reply } => {
                let recording = self.devices(call).and_then(|devices| devices.record(sink));
                respond(reply, recording);
            }
            Command::Statistics { call, reply } => {
                let statistics = self.core.call_statistics(Instant::now(), call);
                respond(reply, statistics.ok_or_else(no_call));
            }
            Command::Abandon { call } => {
                // An abandoned call that is over already needs no end.
                let _ = self.core.hang_up(Instant::now(), call);
            }
            Command::Close => self.close(),
        }
    }

    fn place(&mut self, outgoing: Outgoing, from: NameAddr) -> Result<Call, Error> {
        let commands = self.commands.upgrade().ok_or(Error::Closed)?;
        let to = NameAddr::new(outgoing.target.clone());
        let sockets = self.sockets.bind_media(self.local)?;
        let placed = self.core.call(Instant::now(), outgoing, sockets);
        if placed.is_err() {
            self.sockets.close_media(sockets);
        }
        let call = placed?;
        let (status, seen) = watch::channel(Status::default());
        self.calls.insert(call, Live::new(status, Some(sockets)));
        Ok(Call::new(call, from, to, seen, commands))
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
        let sockets = self.sockets.bind_media(self.local)?;
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
/// How long media sockets outlive their call.
const LINGER: Duration = Duration::from_millis(500);
/// How long the driver sleeps when nothing is due: any input wakes it.
const IDLE: Duration = Duration::from_secs(3600);
