//! The settings of an endpoint, and its start.

use std::{collections::HashMap, net::SocketAddr, ops::RangeInclusive, time::Duration};

use offhook_core::Config;
use offhook_media::PlayoutDelay;
use offhook_sansio::Random;
use offhook_sdp::Codec;
use offhook_sip_message::{ParseError, Text, Uri};
use tokio::net::lookup_host;

use crate::{Endpoint, Error, Tap, driver, sockets::Sockets};

/// Settings of an endpoint. What is not set keeps its default.
#[derive(Debug)]
pub struct Builder {
    identity: String,
    display_name: Option<String>,
    codecs: Option<Vec<Codec>>,
    frame_time: Option<Duration>,
    delay: PlayoutDelay,
    sip: offhook_sip::Config,
    media_ports: Option<RangeInclusive<u16>>,
    mappings: HashMap<SocketAddr, SocketAddr>,
    tap: Option<Tap>,
    seed: Option<u64>,
}

impl Builder {
    pub(crate) fn new(identity: &str) -> Self {
        Self {
            identity: identity.to_owned(),
            display_name: None,
            codecs: None,
            frame_time: None,
            delay: PlayoutDelay::default(),
            sip: offhook_sip::Config::default(),
            media_ports: None,
            mappings: HashMap::new(),
            tap: None,
            seed: None,
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

    /// How long received sound waits to be played.
    #[must_use]
    pub const fn playout_delay(mut self, delay: PlayoutDelay) -> Self {
        self.delay = delay;
        self
    }

    /// The settings of the SIP layer: timers, limits, parsing, the `User-Agent` header.
    #[must_use]
    pub fn sip(mut self, config: offhook_sip::Config) -> Self {
        self.sip = config;
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

    /// Opens a UDP socket for SIP and starts the endpoint.
    ///
    /// `address` is an IP address or a name, and a port; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If the identity is not a URI or the address cannot be listened on.
    pub async fn bind(self, address: &str) -> Result<Endpoint, Error> {
        let mut config = Config::new(parse_identity(&self.identity)?);
        config.identity.display_name = self.display_name.map(Text::from);
        config.capabilities.codecs = self.codecs.unwrap_or(config.capabilities.codecs);
        config.capabilities.ptime = self.frame_time.unwrap_or(config.capabilities.ptime);
        config.delay = self.delay;
        config.sip = self.sip;
        config.check()?;

        let failed = |source| Error::Bind { address: address.to_owned(), source };
        let mut candidates = lookup_host(address).await.map_err(failed)?;
        let wanted =
            candidates.next().ok_or_else(|| failed(std::io::ErrorKind::AddrNotAvailable.into()))?;
        let (mut sockets, arrivals) = Sockets::new();
        sockets.mappings = self.mappings;
        sockets.media_ports = self.media_ports;
        let local = sockets.bind(wanted).map_err(failed)?;
        let random = self.seed.map_or_else(Random::from_system, Random::from_seed);
        Ok(driver::start(config, random, sockets, arrivals, local, self.tap))
    }
}

fn parse_identity(identity: &str) -> Result<Uri, Error> {
    identity.parse().map_err(|error: ParseError| Error::Uri {
        uri: identity.to_owned(),
        reason: error.to_string(),
    })
}
