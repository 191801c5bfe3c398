//! The settings of an endpoint, and its start.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    sync::Arc,
    time::Duration,
};

use offhook_core::Config;
use offhook_media::PlayoutDelay;
use offhook_sansio::{Protocol, Random};
use offhook_sdp::Codec;
use offhook_sip::{EventPackage, ReliableProvisionals, SessionTimer};
use offhook_sip_message::{Method, Text};
use tokio::{
    net::{TcpListener, lookup_host},
    sync::mpsc,
    task::JoinSet,
};

use crate::{
    ClientTls, Dns, Endpoint, Error, Listener, StreamSettings, Tap,
    dns::Resolver,
    driver::{self, Setup},
    listener::Listening,
    sockets::Sockets,
    streams::{Pool, Shared, listen},
    uri,
};

/// Settings of an endpoint. What is not set keeps its default.
#[derive(Debug)]
pub struct Builder {
    identity: String,
    display_name: Option<String>,
    codecs: Option<Vec<Codec>>,
    frame_time: Option<Duration>,
    check_offers: bool,
    delay: PlayoutDelay,
    sip: offhook_sip::Config,
    media_ports: Option<RangeInclusive<u16>>,
    mappings: HashMap<SocketAddr, SocketAddr>,
    listeners: Vec<Listener>,
    streams: StreamSettings,
    tls: ClientTls,
    dns: Dns,
    tap: Option<Tap>,
    seed: Option<u64>,
    farewell: Duration,
}

impl Builder {
    pub(crate) fn new(identity: &str) -> Self {
        Self {
            identity: identity.to_owned(),
            display_name: None,
            codecs: None,
            frame_time: None,
            check_offers: true,
            delay: PlayoutDelay::default(),
            sip: offhook_sip::Config { trying_after: SOON, ..offhook_sip::Config::default() },
            media_ports: None,
            mappings: HashMap::new(),
            listeners: Vec::new(),
            streams: StreamSettings::default(),
            tls: ClientTls::default(),
            dns: Dns::system(),
            tap: None,
            seed: None,
            farewell: FAREWELL,
        }
    }

    /// The name that the called sees beside the address.
    #[must_use]
    pub fn display_name(mut self, name: &str) -> Self {
        self.display_name = Some(name.to_owned());
        self
    }

    /// The codecs to offer and accept, best first. Default: PCMU, PCMA.
    #[must_use]
    pub fn codecs(mut self, codecs: impl Into<Vec<Codec>>) -> Self {
        self.codecs = Some(codecs.into());
        self
    }

    /// How much sound a packet carries (`a=ptime`). Default: 20 ms.
    #[must_use]
    pub const fn frame_time(mut self, time: Duration) -> Self {
        self.frame_time = Some(time);
        self
    }

    /// Whether a call whose offer this endpoint cannot answer with media of its own is refused before
    /// it is told of. Turn it off for calls that are answered by
    /// [`Call::answer_with`](crate::Call::answer_with), whose media is elsewhere. Default: on.
    #[must_use]
    pub const fn check_offers(mut self, check: bool) -> Self {
        self.check_offers = check;
        self
    }

    /// How long received sound waits to be played.
    #[must_use]
    pub const fn playout_delay(mut self, delay: PlayoutDelay) -> Self {
        self.delay = delay;
        self
    }

    /// The settings of the SIP layer: timers, limits, parsing, extensions. Without them they are the
    /// default, but for [`trying_after`](offhook_sip::Config::trying_after), 200 ms. They take the
    /// place of all that [`user_agent`](Self::user_agent), [`redirects`](Self::redirects),
    /// [`reliable_provisionals`](Self::reliable_provisionals),
    /// [`answer_requests`](Self::answer_requests), [`event_packages`](Self::event_packages),
    /// [`take_transfers`](Self::take_transfers), [`take_joins`](Self::take_joins),
    /// [`session_timer`](Self::session_timer), [`info`](Self::info), [`trusted`](Self::trusted) and
    /// [`answer_modes`](Self::answer_modes) have set before.
    #[must_use]
    pub fn sip(mut self, config: offhook_sip::Config) -> Self {
        self.sip = config;
        self
    }

    /// The `User-Agent` and `Server` field of what is sent; empty: the field is left out. Default: the
    /// name and version of this crate.
    #[must_use]
    pub fn user_agent(mut self, name: &str) -> Self {
        self.sip.user_agent = Text::from(name);
        self
    }

    /// How many more targets a call tries when it is redirected (RFC 3261 §8.1.3.4). A `sips` call is
    /// followed to `sips` targets only. Default: 0, a redirect ends the call.
    #[must_use]
    pub const fn redirects(mut self, most: u8) -> Self {
        self.sip.max_redirects = most;
        self
    }

    /// Whether provisional responses are sent reliably (RFC 3262). Default: where the peer asks for
    /// it.
    #[must_use]
    pub const fn reliable_provisionals(mut self, reliable: ReliableProvisionals) -> Self {
        self.sip.reliable_provisionals = reliable;
        self
    }

    /// The methods that [`Endpoint::incoming_request`] takes, such as MESSAGE. Others than those of
    /// calls are refused (405). Default: none.
    #[must_use]
    pub fn answer_requests(mut self, methods: impl Into<Vec<Method>>) -> Self {
        self.sip.answered_by_owner = methods.into();
        self
    }

    /// What others may subscribe to: [`Endpoint::subscriber`] takes them. A SUBSCRIBE for another
    /// package is refused (489). Default: none.
    #[must_use]
    pub fn event_packages(mut self, packages: impl Into<Vec<EventPackage>>) -> Self {
        let transfers = self.sip.event_packages.contains(&EventPackage::REFER);
        self.sip.event_packages = packages.into();
        let transfers = transfers || self.sip.event_packages.contains(&EventPackage::REFER);
        self.take_transfers(transfers)
    }

    /// Whether transfers are taken: REFER (RFC 3515), told by [`Endpoint::incoming_transfer`]. Without
    /// it REFER is refused (405). Default: no.
    #[must_use]
    pub fn take_transfers(mut self, take: bool) -> Self {
        self.sip.event_packages.retain(|package| *package != EventPackage::REFER);
        self.sip.event_packages.extend(take.then_some(EventPackage::REFER));
        self
    }

    /// Whether calls may ask to join another one (RFC 3911), seen by
    /// [`Call::joins`](crate::Call::joins). Without it they come as calls like any other, or are
    /// refused (420) if they insist. Default: no.
    #[must_use]
    pub const fn take_joins(mut self, take: bool) -> Self {
        self.sip.join = take;
        self
    }

    /// How sessions are kept alive (RFC 4028), in calls of both directions.
    #[must_use]
    pub const fn session_timer(mut self, timer: SessionTimer) -> Self {
        self.sip.session_timer = timer;
        self
    }

    /// Lets far sides tell things by INFO (RFC 6086), heard by [`Call::info`](crate::Call::info): of
    /// these info packages, and of the body types that [`sip`](Self::sip) lists for INFO of no package,
    /// which are those of DTMF digits. Default: INFO is refused (405).
    #[must_use]
    pub fn info(mut self, packages: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.sip.info_packages = packages.into_iter().map(|name| name.as_ref().into()).collect();
        if !self.sip.allow.contains(&Method::INFO) {
            self.sip.allow.push(Method::INFO);
        }
        self
    }

    /// The servers that may vouch for who calls (RFC 3325), seen by
    /// [`Call::asserted_identity`](crate::Call::asserted_identity). They must remove what strangers
    /// assert. Default: none.
    #[must_use]
    pub fn trusted(mut self, servers: impl Into<Vec<IpAddr>>) -> Self {
        self.sip.trusted = servers.into();
        self
    }

    /// Whether callers may say who or what is to answer (RFC 5373), seen by
    /// [`Call::answer_mode`](crate::Call::answer_mode). Default: no.
    #[must_use]
    pub const fn answer_modes(mut self, take: bool) -> Self {
        self.sip.answer_mode = take;
        self
    }

    /// How long far sides have to answer when the endpoint shuts down. Default: 8 s.
    #[must_use]
    pub const fn farewell(mut self, time: Duration) -> Self {
        self.farewell = time;
        self
    }

    /// The ports that media may use. Each call takes an even one and the next. Default: whatever
    /// the system gives.
    #[must_use]
    pub const fn media_ports(mut self, ports: RangeInclusive<u16>) -> Self {
        self.media_ports = Some(ports);
        self
    }

    /// Says that peers reach the socket bound to `local` as `public`: for a host behind a NAT
    /// with a fixed mapping.
    #[must_use]
    pub fn map_address(mut self, local: SocketAddr, public: SocketAddr) -> Self {
        self.mappings.insert(local, public);
        self
    }

    /// Listens at one more address. Calls choose among the listeners by the transport and the IP
    /// version of where they go.
    #[must_use]
    pub fn listen(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Bounds and times of the connections of TCP, TLS and WebSocket.
    #[must_use]
    pub fn streams(mut self, settings: StreamSettings) -> Self {
        self.streams = settings;
        self
    }

    /// How connections to peers speak TLS. Default: the system's roots are trusted, and no
    /// certificate is shown.
    #[must_use]
    pub fn client_tls(mut self, tls: ClientTls) -> Self {
        self.tls = tls;
        self
    }

    /// How names are resolved. Default: as the system does.
    #[must_use]
    pub fn dns(mut self, dns: Dns) -> Self {
        self.dns = dns;
        self
    }

    /// Writes all packets and figures down.
    #[must_use]
    pub fn record(mut self, tap: Tap) -> Self {
        self.tap = Some(tap);
        self
    }

    /// Makes tags, branches, SSRCs and the like repeatable: for tests only. Default: seeded by the
    /// system.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Opens a UDP socket for SIP and starts the endpoint: [`listen`](Self::listen) with
    /// [`Listener::udp`] before all other listeners, and [`start`](Self::start).
    ///
    /// `address` is an IP address or a name, and a port; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub async fn bind(mut self, address: &str) -> Result<Endpoint, Error> {
        self.listeners.insert(0, Listener::udp(address));
        self.start().await
    }

    /// Opens the listeners and starts the endpoint.
    ///
    /// Without a listener it takes no calls but places them, by connections of its own. Without one
    /// for UDP it sends nothing by UDP.
    ///
    /// # Errors
    ///
    /// If the identity is not a URI, a setting cannot be honoured, an address cannot be listened on
    /// or the TLS settings of a listener cannot be used.
    pub async fn start(self) -> Result<Endpoint, Error> {
        let config = self.config()?;
        let (arrivals, receiver) = mpsc::channel(ARRIVALS);
        let mut sockets = Sockets::new(arrivals.clone());
        sockets.mappings = self.mappings;
        sockets.media_ports = self.media_ports;
        let limits = config.sip.parse.limits;
        let shared = Arc::new(Shared::new(self.streams, limits, arrivals.clone()));
        let (mut listening, mut acceptors) = (Vec::new(), JoinSet::new());
        for listener in &self.listeners {
            listening.push(open(listener, &mut sockets, &mut acceptors, &shared).await?);
        }
        Ok(driver::start(Setup {
            config,
            random: self.seed.map_or_else(Random::from_system, Random::from_seed),
            sockets,
            pool: Pool::new(shared, Arc::new(self.tls)),
            resolver: Resolver::new(self.dns, arrivals),
            arrivals: receiver,
            listening,
            acceptors,
            tap: self.tap,
            farewell: self.farewell.min(LONGEST_FAREWELL),
        }))
    }

    fn config(&self) -> Result<Config, Error> {
        let mut config = Config::new(uri(&self.identity)?);
        config.identity.display_name = self.display_name.clone().map(Text::from);
        config.capabilities.codecs = self.codecs.clone().unwrap_or(config.capabilities.codecs);
        config.capabilities.ptime = self.frame_time.unwrap_or(config.capabilities.ptime);
        config.check_offers = self.check_offers;
        config.delay = self.delay;
        config.sip = self.sip.clone();
        config.check()?;
        Ok(config)
    }
}

/// Opens a listener and starts its task.
async fn open(
    listener: &Listener,
    sockets: &mut Sockets,
    acceptors: &mut JoinSet<()>,
    shared: &Arc<Shared>,
) -> Result<Listening, Error> {
    let failed = |source| Error::Bind { address: listener.address.clone(), source };
    let mut candidates = lookup_host(&listener.address).await.map_err(failed)?;
    let wanted =
        candidates.next().ok_or_else(|| failed(std::io::ErrorKind::AddrNotAvailable.into()))?;
    let protocol = listener.protocol;
    if protocol == Protocol::Udp {
        return Ok(Listening { protocol, local: sockets.bind(wanted).map_err(failed)? });
    }
    let tls = listener.tls.as_ref().map(crate::ServerTls::acceptor).transpose()?;
    let socket = TcpListener::bind(wanted).await.map_err(failed)?;
    let local = socket.local_addr().map_err(failed)?;
    acceptors.spawn(listen(socket, protocol, tls, Arc::clone(shared)));
    Ok(Listening { protocol, local })
}

/// How many messages and datagrams may wait for the driver.
const ARRIVALS: usize = 1024;
/// Handles that ring or answer at once save the 100 (RFC 3261 §17.2.1).
const SOON: Duration = Duration::from_millis(200);
/// How long far sides have to answer: a few repetitions of a request that is lost.
const FAREWELL: Duration = Duration::from_secs(8);
/// The clock has an end. By then all timers of RFC 3261 are over.
const LONGEST_FAREWELL: Duration = Duration::from_secs(24 * 3600);
