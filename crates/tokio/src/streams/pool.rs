//! The connections of an endpoint, as its driver holds them.
//!
//! A connection to a peer is used again for all that goes to the same place: protocol, address, and
//! the host that TLS has verified (RFC 3261 §18.1.1, RFC 5922 §7.4). What goes to a dialog's own
//! connection names its flow.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use offhook_sansio::{Flow, Protocol, Transmit};
use offhook_sip::Target;
use offhook_sip_message::Limits;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};
use tracing::debug;

use super::{
    ClientTls, Connection, Counters, Side, StreamSettings, Unestablished, connection,
    establish::approach, statistics::count,
};
use crate::arrival::Arrival;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: StreamSettings,
    pub(crate) limits: Limits,
    pub(crate) counters: Arc<Counters>,
    pub(crate) arrivals: mpsc::Sender<Arrival>,
    /// The places for connections of peers.
    pub(crate) accepted: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn new(
        settings: StreamSettings,
        limits: Limits,
        arrivals: mpsc::Sender<Arrival>,
    ) -> Self {
        let settings = settings.bounded();
        let accepted = Arc::new(places(settings.max_accepted));
        Self { settings, limits, counters: Arc::default(), arrivals, accepted }
    }
}

/// The open connections, and those under way.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    tls: Arc<ClientTls>,
    /// The places for connections to peers.
    places: Arc<Semaphore>,
    open: HashMap<Flow, Open>,
    /// The connections to peers, by where they lead.
    ways: HashMap<Key, Way>,
    /// Flows whose connection is gone, and where it led if this side had made it. Dialogs outlive
    /// their connections.
    lost: VecDeque<(Flow, Option<Target>)>,
}

struct Open {
    connection: Connection,
    /// Where it leads, if this side made it.
    target: Option<Target>,
    /// When a message went either way last.
    used: Instant,
    /// Lost flows whose messages go here.
    stands_for: Vec<Flow>,
}

/// What makes a connection fit for a request. A certificate was checked for one host, and a
/// WebSocket was asked of one; TCP knows addresses alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    protocol: Protocol,
    address: SocketAddr,
    host: Option<String>,
}

enum Way {
    /// Errands that wait for the connection.
    Connecting(Vec<u64>),
    Open(Flow),
}

/// What came of asking for a connection.
pub(crate) enum Reach {
    Open(Flow),
    /// The errand is told of by [`Pool::connected`].
    Soon,
    Never(Unestablished),
}

/// What came of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Queued,
    /// The queue of the connection has no room.
    Full,
    /// The flow has no connection.
    NoConnection,
}

impl Pool {
    pub(crate) fn new(shared: Arc<Shared>, tls: Arc<ClientTls>) -> Self {
        let places = Arc::new(places(shared.settings.max_connected));
        let (open, ways, lost) = (HashMap::new(), HashMap::new(), VecDeque::new());
        Self { shared, tls, places, open, ways, lost }
    }

    /// Takes a connection that a peer has made.
    pub(crate) fn accepted(&mut self, flow: Flow, connection: Connection) {
        self.add(flow, connection, None);
    }

    /// A connection to `target`: one that is open, or one that `errand` waits for.
    ///
    /// What is not for a call of this side leaves half of the places free: strangers choose where
    /// the responses to their requests go.
    pub(crate) fn reach(&mut self, target: &Target, errand: u64, for_call: bool) -> Reach {
        let key = Key::of(target);
        match self.ways.get_mut(&key) {
            Some(Way::Open(flow)) => return Reach::Open(*flow),
            Some(Way::Connecting(waiting)) => {
                waiting.push(errand);
                return Reach::Soon;
            }
            None => {}
        }
        let spare = if for_call { 0 } else { self.shared.settings.max_connected / 2 };
        let Some(place) = self.place(spare) else { return Reach::Never(Unestablished::TooMany) };
        self.ways.insert(key, Way::Connecting(vec![errand]));
        tokio::spawn(connect(target.clone(), place, Arc::clone(&self.shared), self.tls.clone()));
        Reach::Soon
    }

    /// Takes what came of connecting; gives the errands that waited, and the flow or what failed.
    pub(crate) fn connected(
        &mut self,
        target: Target,
        result: Result<(Flow, Connection), Unestablished>,
    ) -> (Vec<u64>, Result<Flow, Unestablished>) {
        let key = Key::of(&target);
        let waiting = match self.ways.remove(&key) {
            Some(Way::Connecting(waiting)) => waiting,
            Some(Way::Open(_)) | None => Vec::new(),
        };
        let result = result.map(|(flow, connection)| {
            self.ways.insert(key, Way::Open(flow));
            self.add(flow, connection, Some(target));
            flow
        });
        (waiting, result)
    }

    /// Queues a message on the connection of its flow.
    pub(crate) fn send(&mut self, transmit: &Transmit) -> Sent {
        let Some(open) = self.open.get_mut(&transmit.flow) else { return Sent::NoConnection };
        open.used = Instant::now();
        if open.connection.send(transmit.payload.clone()) { Sent::Queued } else { Sent::Full }
    }

    /// Whether `flow` is a connection that stands.
    pub(crate) fn is_open(&self, flow: Flow) -> bool {
        self.open.contains_key(&flow)
    }

    /// Notes that a message came.
    pub(crate) fn used(&mut self, flow: Flow, now: Instant) {
        if let Some(open) = self.open.get_mut(&flow) {
            open.used = now;
        }
    }

    /// Notes that what belongs on `lost` goes over `flow`, and fails with it.
    pub(crate) fn stands_for(&mut self, flow: Flow, lost: Flow) {
        if let Some(open) = self.open.get_mut(&flow)
            && open.stands_for.len() < MOST_REPLACED
            && !open.stands_for.contains(&lost)
        {
            open.stands_for.push(lost);
        }
    }

    /// Forgets a connection that is gone, and gives the flows that fail with it.
    pub(crate) fn closed(&mut self, flow: Flow) -> Vec<Flow> {
        let Some(open) = self.open.remove(&flow) else { return Vec::new() };
        count(&self.shared.counters.closed);
        if let Some(target) = &open.target {
            self.ways.remove(&Key::of(target));
        }
        if self.lost.len() >= MOST_LOST {
            self.lost.pop_front();
        }
        self.lost.push_back((flow, open.target));
        let mut failed = open.stands_for;
        failed.push(flow);
        failed
    }

    /// Where the lost connection of `flow` led: `None` if no connection with that name was lost,
    /// `Some(None)` if a peer had made it.
    pub(crate) fn lost(&self, flow: Flow) -> Option<Option<&Target>> {
        let lost = self.lost.iter().rev().find(|(lost, _)| *lost == flow)?;
        Some(lost.1.as_ref())
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    pub(crate) fn share_counters(&self) -> Arc<Counters> {
        Arc::clone(&self.shared.counters)
    }

    /// Closes all connections, and gives how many there are to be waited for.
    pub(crate) fn close(&mut self) -> usize {
        self.open.drain().count()
    }

    fn add(&mut self, flow: Flow, connection: Connection, target: Option<Target>) {
        let open = Open { connection, target, used: Instant::now(), stands_for: Vec::new() };
        self.open.insert(flow, open);
    }

    /// A place for one more connection to a peer, which leaves `spare` free; else that of the one
    /// least used.
    fn place(&mut self, spare: usize) -> Option<OwnedSemaphorePermit> {
        if self.places.available_permits() > spare
            && let Ok(place) = Arc::clone(&self.places).try_acquire_owned()
        {
            return Some(place);
        }
        let now = Instant::now();
        let ours = self.open.iter().filter(|(_, open)| open.target.is_some());
        let (flow, least) = ours.min_by_key(|(_, open)| open.used)?;
        if now.saturating_duration_since(least.used) < IN_USE {
            return None;
        }
        let flow = *flow;
        debug!(%flow, "connection closed: another one needs its place");
        self.closed(flow);
        Arc::clone(&self.places).try_acquire_owned().ok()
    }
}

impl Key {
    fn of(target: &Target) -> Self {
        let named = target.protocol != Protocol::Tcp;
        let host = named.then(|| target.domain.to_string().to_ascii_lowercase());
        Self { protocol: target.protocol, address: target.address, host }
    }
}

/// Connects, tells the driver, and then is the connection's task.
async fn connect(
    target: Target,
    place: OwnedSemaphorePermit,
    shared: Arc<Shared>,
    tls: Arc<ClientTls>,
) {
    let made = timeout(shared.settings.connect_time, make(&target, &shared, &tls)).await;
    let made = made.unwrap_or(Err(Unestablished::TooSlow));
    count(match made {
        Ok(_) => &shared.counters.connected,
        Err(_) => &shared.counters.failed_connects,
    });
    let (result, run) = match made {
        Ok((link, flow)) => {
            let (connection, run) = connection::open(link, flow, Side::Connected, place, &shared);
            (Ok((flow, connection)), Some(run))
        }
        Err(error) => (Err(error), None),
    };
    let target = Box::new(target);
    let told = shared.arrivals.send(Arrival::Connected { target, result }).await;
    if let (Ok(()), Some(run)) = (told, run) {
        run.await;
    }
}

async fn make(
    target: &Target,
    shared: &Shared,
    tls: &Arc<ClientTls>,
) -> Result<(super::establish::Link, Flow), Unestablished> {
    let stream = TcpStream::connect(target.address).await?;
    let (local, remote) = (stream.local_addr()?, stream.peer_addr()?);
    let link = approach(stream, target, tls, &shared.limits).await?;
    Ok((link, Flow { protocol: target.protocol, local, remote }))
}

fn places(wanted: usize) -> Semaphore {
    Semaphore::new(wanted.min(Semaphore::MAX_PERMITS))
}

/// How long a connection keeps its place after its last message: 64*T1, so that the transactions of
/// that message are over (RFC 3261 §18).
const IN_USE: Duration = Duration::from_secs(32);
/// How many lost flows are remembered. Beyond that a message to the oldest goes where its headers
/// say.
const MOST_LOST: usize = 1024;
/// How many lost flows one connection may stand for; those beyond fail by their own timers.
const MOST_REPLACED: usize = 64;
