//! A relay that stands between the two parties and spoils what passes.
//!
//! Each socket of a party has a mirror here, and the other party knows only the mirror. What comes
//! in at the mirror of B from A goes to B out of the mirror of A, as through a NAT with fixed
//! mappings; on the way it is delayed, dropped or doubled.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket as StdSocket},
    sync::Arc,
    time::Instant,
};

use offhook::{Builder, sansio::Random};
use offhook_testkit::{Impairer, Impairment};
use tokio::{net::UdpSocket, time::sleep_until};

/// What stands between the parties: the mirrors, by the address they mirror.
pub(crate) struct Relay {
    mirrors: HashMap<SocketAddr, Arc<UdpSocket>>,
    impairment: Impairment,
    random: Random,
}

/// The addresses that a party behind the relay has to use.
pub(crate) struct Inside {
    sip: SocketAddr,
    rtp: SocketAddr,
    rtcp: SocketAddr,
}

impl Inside {
    /// Picks free ports: one for SIP, which may be given, and a pair for media.
    pub(crate) fn pick(sip_port: u16) -> io::Result<Self> {
        let sip = StdSocket::bind((Ipv4Addr::LOCALHOST, sip_port))
            .map_err(|error| {
                io::Error::other(format!("cannot listen on port {sip_port}: {error}"))
            })?
            .local_addr()?;
        loop {
            let rtp = StdSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            let mut rtcp = rtp.local_addr()?;
            rtcp.set_port(rtcp.port() | 1);
            if rtcp != rtp.local_addr()? && StdSocket::bind(rtcp).is_ok() {
                return Ok(Self { sip, rtp: rtp.local_addr()?, rtcp });
            }
        }
    }

    pub(crate) const fn sip(&self) -> SocketAddr {
        self.sip
    }
}

impl Relay {
    /// A relay that spoils what passes; the same seed spoils in the same way.
    pub(crate) fn new(impairment: Impairment, seed: u64) -> Self {
        Self { mirrors: HashMap::new(), impairment, random: Random::from_seed(seed) }
    }

    /// Puts mirrors before the sockets that a party will open, and tells it of them.
    pub(crate) async fn shield(
        &mut self,
        inside: &Inside,
        builder: Builder,
    ) -> io::Result<Builder> {
        let mut builder = builder.media_ports(inside.rtp.port()..=inside.rtcp.port());
        for address in [inside.sip, inside.rtp, inside.rtcp] {
            let mirror = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
            builder = builder.map_address(address, mirror.local_addr()?);
            self.mirrors.insert(address, mirror);
        }
        Ok(builder)
    }

    /// Where the other party finds a shielded address.
    pub(crate) fn outside(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        self.mirrors.get(&address).map_or(Ok(address), |mirror| mirror.local_addr())
    }

    /// Starts to carry packets.
    pub(crate) fn start(mut self) {
        let mirrors = Arc::new(self.mirrors);
        let mut addresses: Vec<_> = mirrors.keys().copied().collect();
        addresses.sort();
        for address in addresses {
            let impairer = Impairer::new(self.impairment, self.random.fork());
            tokio::spawn(carry(address, Arc::clone(&mirrors), impairer));
        }
    }
}

/// Carries what comes in at one mirror to the address behind it.
async fn carry(
    inside: SocketAddr,
    mirrors: Arc<HashMap<SocketAddr, Arc<UdpSocket>>>,
    mut impairer: Impairer,
) {
    let Some(mirror) = mirrors.get(&inside) else { return };
    let mut buffer = vec![0; 65_535];
    while let Ok((length, from)) = mirror.recv_from(&mut buffer).await {
        let Some(exit) = mirrors.get(&from) else { continue };
        for at in impairer.impair(Instant::now()) {
            let (exit, packet) = (Arc::clone(exit), buffer.get(..length).map(<[u8]>::to_vec));
            tokio::spawn(async move {
                sleep_until(at.into()).await;
                // A packet that cannot be sent is one more that is lost.
                let _ = exit.send_to(&packet.unwrap_or_default(), inside).await;
            });
        }
    }
}
