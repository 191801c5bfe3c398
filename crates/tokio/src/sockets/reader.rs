//! The task that reads one socket.

use std::{
    cell::RefCell,
    io,
    net::{SocketAddr, UdpSocket as StdSocket},
    sync::Arc,
    time::Duration,
};

use bytes::BytesMut;
use offhook_sansio::{Datagram, Flow};
#[cfg(not(unix))]
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
#[cfg(unix)]
use tokio::{io::Interest, io::unix::AsyncFd};
use tracing::debug;

use crate::arrival::Arrival;

/// A socket that wakes its task when there is something to read. On Unix not when there is room to
/// write again, which is after each datagram that is sent.
pub(super) struct Reader {
    #[cfg(unix)]
    socket: AsyncFd<Arc<StdSocket>>,
    #[cfg(not(unix))]
    socket: UdpSocket,
    local: SocketAddr,
    /// Where media stands, each datagram in its own part; the memory is used again.
    media: BytesMut,
}

impl Reader {
    #[cfg(unix)]
    #[expect(
        deprecated,
        reason = "the successor is unsafe to call; what it asks for, an `Arc` of a socket keeps"
    )]
    pub(super) fn new(socket: &Arc<StdSocket>, local: SocketAddr) -> io::Result<Self> {
        let socket = AsyncFd::with_interest(Arc::clone(socket), Interest::READABLE)?;
        Ok(Self { socket, local, media: BytesMut::new() })
    }

    #[cfg(not(unix))]
    pub(super) fn new(socket: &Arc<StdSocket>, local: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::from_std(socket.try_clone()?)?;
        Ok(Self { socket, local, media: BytesMut::new() })
    }

    /// Hands every datagram to the driver, until that is gone.
    pub(super) async fn run(mut self, arrivals: mpsc::Sender<Arrival>) {
        loop {
            match self.receive().await {
                Ok(datagram) => {
                    if arrivals.send(Arrival::Datagram(datagram)).await.is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // An ICMP error of an earlier datagram; the transaction's own timers find out.
                Err(error) => {
                    debug!(local = %self.local, %error, "receive error");
                    tokio::time::sleep(AFTER_ERROR).await;
                }
            }
        }
    }

    #[cfg(unix)]
    async fn receive(&mut self) -> io::Result<Datagram> {
        let Self { socket, local, media } = self;
        let mut guard = socket.readable().await?;
        let taken =
            guard.try_io(|socket| take(*local, media, |all| socket.get_ref().recv_from(all)));
        taken.unwrap_or_else(|_| Err(io::ErrorKind::WouldBlock.into()))
    }

    #[cfg(not(unix))]
    async fn receive(&mut self) -> io::Result<Datagram> {
        self.socket.readable().await?;
        take(self.local, &mut self.media, |all| self.socket.try_recv_from(all))
    }
}

/// Takes one datagram. Media is used and dropped at once, so it may stand in memory that is used
/// again; text may be kept for as long as a call, and gets memory of its own size.
fn take(
    local: SocketAddr,
    media: &mut BytesMut,
    receive: impl FnOnce(&mut [u8]) -> io::Result<(usize, SocketAddr)>,
) -> io::Result<Datagram> {
    ANY.with_borrow_mut(|any| {
        any.resize(LARGEST_DATAGRAM, 0);
        let (length, remote) = receive(any)?;
        let received = any.get(..length).unwrap_or_default();
        let payload = match received.first() {
            Some(128..) => {
                media.extend_from_slice(received);
                media.split()
            }
            Some(_) | None => BytesMut::from(received),
        };
        Ok(Datagram { flow: Flow::udp(local, remote), payload })
    })
}

thread_local! {
    /// Where all readers of a thread receive: no socket needs memory for the largest datagram.
    static ANY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// No datagram is longer, so none is cut.
const LARGEST_DATAGRAM: usize = 65_535;
/// How long a reader rests after an error, so that a lasting one does not keep a core busy.
const AFTER_ERROR: Duration = Duration::from_millis(10);
