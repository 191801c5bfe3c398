//! The UDP sockets of one driver: each has a task that reads it; all are written from the driver.

mod reader;

use std::{
    collections::HashMap,
    io,
    net::{SocketAddr, UdpSocket as StdSocket},
    ops::RangeInclusive,
    sync::Arc,
};

use offhook_core::MediaSockets;
use offhook_sansio::Transmit;
use tokio::{sync::mpsc, task::JoinHandle};
use tracing::debug;

use self::reader::Reader;
use crate::{Error, arrival::Arrival, visible::visible_address};

/// The sockets, by the address they are bound to.
pub(crate) struct Sockets {
    open: HashMap<SocketAddr, Open>,
    arrivals: mpsc::Sender<Arrival>,
    /// Fixed mappings of a NAT in front of this host, from local to public addresses.
    pub(crate) mappings: HashMap<SocketAddr, SocketAddr>,
    /// The ports that media may use; `None`: whatever the system gives.
    pub(crate) media_ports: Option<RangeInclusive<u16>>,
    /// Datagrams that the system did not take.
    unsent: u64,
}

struct Open {
    /// The same socket as the reader's. The runtime's own handle would refuse to send before it
    /// has seen the socket become writable.
    sender: Arc<StdSocket>,
    reader: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Sockets {
    /// No socket yet. What will be read goes to `arrivals`; when it is full the readers wait, and
    /// the system drops what its own buffers cannot hold.
    pub(crate) fn new(arrivals: mpsc::Sender<Arrival>) -> Self {
        let (open, mappings) = (HashMap::new(), HashMap::new());
        Self { open, arrivals, mappings, media_ports: None, unsent: 0 }
    }

    /// Opens a socket on `address` and starts to read it.
    pub(crate) fn bind(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let socket = StdSocket::bind(address)?;
        self.adopt(socket)
    }

    /// Opens the two sockets of a call: RTP on an even port, RTCP on the next (RFC 3550 §11).
    pub(crate) fn bind_media(&mut self, address: SocketAddr) -> Result<MediaSockets, Error> {
        let no_ports = |detail| Error::NoMediaPorts { address, detail };
        let pair = match &self.media_ports {
            Some(ports) => pair_within(address, ports.clone())
                .ok_or_else(|| no_ports(format!("of {}–{}", ports.start(), ports.end())))?,
            None => pair_anywhere(address).map_err(|error| no_ports(error.to_string()))?,
        };
        let mut adopt = |socket| self.adopt(socket).map_err(|error| no_ports(error.to_string()));
        let rtp = adopt(pair.0)?;
        let rtcp = adopt(pair.1).inspect_err(|_| drop(self.open.remove(&rtp)))?;
        let public_rtp = self.public(rtp);
        let public_rtcp = self.public(rtcp);
        Ok(MediaSockets { rtp, rtcp, public_rtp, public_rtcp })
    }

    /// The address that peers know a socket by.
    pub(crate) fn public(&self, local: SocketAddr) -> SocketAddr {
        self.mappings.get(&local).copied().unwrap_or_else(|| visible_address(local))
    }

    /// Closes the two sockets of a call.
    pub(crate) fn close_media(&mut self, sockets: MediaSockets) {
        self.open.remove(&sockets.rtp);
        self.open.remove(&sockets.rtcp);
    }

    /// Sends one datagram. A full socket buffer drops it, as the network might, and so does its own
    /// length, which says nothing about the far side. Any other error is returned, because the far
    /// side cannot be reached that way.
    pub(crate) fn send(&mut self, transmit: &Transmit) -> io::Result<()> {
        let Some(open) = self.open.get(&transmit.flow.local) else {
            self.unsent += 1;
            debug!(flow = %transmit.flow, "datagram not sent: its socket is closed");
            return Ok(());
        };
        if transmit.payload.len() > LARGEST_PAYLOAD {
            self.unsent += 1;
            debug!(flow = %transmit.flow, "datagram not sent: no datagram is that long");
            return Ok(());
        }
        match open.sender.send_to(&transmit.payload, transmit.flow.remote) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.unsent += 1;
                debug!(flow = %transmit.flow, "datagram not sent: the socket's buffer is full");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn adopt(&mut self, socket: StdSocket) -> io::Result<SocketAddr> {
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        let sender = Arc::new(socket);
        let reader = tokio::spawn(Reader::new(&sender, local)?.run(self.arrivals.clone()));
        self.open.insert(local, Open { sender, reader });
        Ok(local)
    }
}

fn pair_within(address: SocketAddr, ports: RangeInclusive<u16>) -> Option<(StdSocket, StdSocket)> {
    let last = *ports.end();
    let even = ports.filter(|port| port % 2 == 0 && *port < last);
    even.filter_map(|port| pair_at(address, port).ok()).next()
}

fn pair_anywhere(address: SocketAddr) -> io::Result<(StdSocket, StdSocket)> {
    let mut refusal = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..PAIR_TRIES {
        let one = StdSocket::bind(SocketAddr::new(address.ip(), 0))?;
        let port = one.local_addr()?.port();
        match (StdSocket::bind(SocketAddr::new(address.ip(), port ^ 1)), port % 2) {
            (Ok(other), 0) => return Ok((one, other)),
            (Ok(other), _) => return Ok((other, one)),
            (Err(error), _) => refusal = error,
        }
    }
    Err(refusal)
}

fn pair_at(address: SocketAddr, port: u16) -> io::Result<(StdSocket, StdSocket)> {
    let rtp = StdSocket::bind(SocketAddr::new(address.ip(), port))?;
    let rtcp = StdSocket::bind(SocketAddr::new(address.ip(), port | 1))?;
    Ok((rtp, rtcp))
}

/// What IPv4 and UDP headers leave of the largest IPv4 packet (RFC 791 §3.1, RFC 768).
const LARGEST_PAYLOAD: usize = 65_507;
/// How many port pairs are tried before giving up.
const PAIR_TRIES: usize = 64;
