//! The one loop: sockets, connections, DNS, commands and deadlines in; datagrams, messages and news
//! out.

mod accounts;
mod alarm;
mod calls;
mod closing;
mod elsewhere;
mod errand;
mod infos;
mod live;
mod orders;
mod placing;
mod publications;
mod registrars;
mod requests;
pub(crate) use requests::Asking;
mod routing;
mod sending;
mod setup;
pub(crate) use setup::{Setup, start};
mod subscribers;
mod subscriptions;
mod transfers;
mod way;

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use offhook_core::{CallId, Endpoint as Core, MediaSockets};
use offhook_sansio::{Datagram, Deadlines, Flow, Machine, Protocol};
use offhook_sip::{
    BackOff, Locator, PublicationId, ReferId, RegistrationId, RequestId, SubscriberId,
    SubscriptionId,
};
use offhook_sip_message::{NameAddr, StatusCode};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use self::{
    accounts::Enrolled, alarm::Alarm, closing::Closing, errand::Errand, live::Live,
    publications::Publishing, requests::Asked, subscribers::Serving, subscriptions::Watching,
};
use crate::{
    AccountId, Call, Error, IncomingRequest, IncomingTransfer, Subscriber, Tap,
    arrival::Arrival,
    command::{Command, Reply},
    dns::Resolver,
    listener::Listening,
    publication::PublicationKey,
    sockets::Sockets,
    streams::Pool,
    subscription::SubscriptionKey,
    transfer::TransferNews,
};

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
    incoming_requests: mpsc::Sender<IncomingRequest>,
    incoming_subscribers: mpsc::Sender<Subscriber>,
    incoming_transfers: mpsc::Sender<IncomingTransfer>,
    /// Who this side is where no account says otherwise.
    identity: NameAddr,
    listening: Vec<Listening>,
    _acceptors: JoinSet<()>,
    calls: HashMap<CallId, Live>,
    /// When the next frame of each call is due.
    frames: Deadlines<CallId>,
    /// The calls that took the place of those that handles know, at another target.
    renamed: HashMap<CallId, CallId>,
    accounts: HashMap<AccountId, Enrolled>,
    registrations: HashMap<RegistrationId, AccountId>,
    /// When registrars are looked for again, and how long after what has failed.
    searches: Deadlines<AccountId>,
    back_off: BackOff,
    /// The requests that wait for their response.
    asked: HashMap<RequestId, Asked>,
    /// Who hears of the transfers that were asked for.
    transfers: HashMap<ReferId, watch::Sender<TransferNews>>,
    published: HashMap<PublicationKey, Publishing>,
    publications: HashMap<PublicationId, PublicationKey>,
    watching: HashMap<SubscriptionKey, Watching>,
    subscriptions: HashMap<SubscriptionId, SubscriptionKey>,
    /// When notifiers are looked for again.
    resubscriptions: Deadlines<SubscriptionKey>,
    serving: HashMap<SubscriberId, Serving>,
    errands: HashMap<u64, Errand>,
    /// The number of the last errand, account, publication or subscription.
    ids: u64,
    tap: Option<Tap>,
    figures_due: Instant,
    /// The media sockets of calls that are over, and how long they stay open: what the far side
    /// sent before it knew must not find a closed port.
    lingering: VecDeque<(Instant, MediaSockets)>,
    closing: Closing,
}

impl Driver {
    async fn run(mut self) {
        let mut alarm = Alarm::new();
        while !self.is_done() {
            let deadline = self.deadline();
            tokio::select! {
                biased;
                Some(arrival) = self.arrivals.recv() => {
                    self.arrived(arrival);
                    self.obey_waiting();
                }
                command = self.requests.recv(), if !self.closing.is_deserted() => match command {
                    Some(command) => self.obey(command),
                    None => self.desert(),
                },
                () = alarm.ring(deadline) => {}
            }
            self.tick();
            self.flush();
        }
        self.core.handle_timeout(Instant::now());
        self.flush();
        self.close_streams().await;
    }

    fn deadline(&self) -> Instant {
        let figures = self.tap.as_ref().map(|_| self.figures_due);
        let lingering = self.lingering.front().map(|(until, _)| *until);
        let machines = [self.core.poll_timeout(), self.locator.poll_timeout()];
        let own = [self.frames.next(), self.searches.next(), self.resubscriptions.next()];
        let closing = self.closing.deadline();
        let idle = Instant::now() + IDLE;
        machines
            .into_iter()
            .chain(own)
            .chain([figures, lingering, closing])
            .flatten()
            .min()
            .unwrap_or(idle)
    }

    fn arrived(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Datagram(datagram) => self.received(datagram),
            Arrival::Accepted { flow, connection } => self.pool.accepted(flow, connection),
            Arrival::Connected { target, result } => {
                let (errands, result) = self.pool.connected(*target, result);
                self.reached(errands, &result.map_err(|error| error.to_string()));
            }
            Arrival::Unframed { flow, head, error } => {
                self.core.refuse_unframed(Instant::now(), flow, &head, error);
                // It is closed behind the answer.
                self.flush();
                self.lose(flow);
            }
            Arrival::Closed { flow } => self.lose(flow),
            Arrival::Resolved { question, answer } => {
                self.locator.answer(Instant::now(), question, answer);
            }
        }
    }

    /// A connection is gone, or of no more use.
    fn lose(&mut self, flow: Flow) {
        for flow in self.pool.closed(flow) {
            self.core.transport_failed(Instant::now(), flow);
            self.renew_subscriptions(flow);
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

    /// Does what is due.
    fn tick(&mut self) {
        let now = Instant::now();
        if self.core.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.core.handle_timeout(now);
        }
        if self.locator.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.locator.handle_timeout(now);
        }
        self.search(now);
        self.resubscribe(now);
        self.tick_devices(now);
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
    }

    /// Closes the media sockets of calls that are over, when the last packets have come.
    fn close_lingering(&mut self, now: Instant) {
        while let Some((_, sockets)) = self.lingering.pop_front_if(|(until, _)| *until <= now) {
            self.sockets.close_media(sockets);
        }
    }

    /// A number that no errand, account, publication or subscription has had.
    fn new_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
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

pub(crate) fn respond<T>(reply: Reply<T>, result: Result<T, Error>) {
    // The handle may have been dropped while it waited.
    let _ = reply.send(result);
}

fn no_call() -> Error {
    Error::Core(offhook_core::Error::NoCall)
}

/// What nobody takes is answered with this (RFC 3261 §21.4.18).
const UNAVAILABLE: StatusCode = StatusCode::TEMPORARILY_UNAVAILABLE;
/// How often figures are written down.
const FIGURES_EVERY: Duration = Duration::from_millis(500);
/// How long media sockets outlive their call.
const LINGER: Duration = Duration::from_millis(500);
/// How long the driver sleeps when nothing is due: any input wakes it.
const IDLE: Duration = Duration::from_secs(3600);
