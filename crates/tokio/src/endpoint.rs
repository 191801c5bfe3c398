//! The handle of an endpoint.

use std::{net::SocketAddr, sync::Arc};

use offhook_sansio::Protocol;
use offhook_sip_message::{NameAddr, Uri};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    Builder, Call, Error, StreamStatistics, command::Command, listener::Listening,
    streams::Counters,
};

/// A SIP endpoint: one for a program, as a rule.
///
/// It places calls and takes them. Dropping it stops the taking; calls whose handles are still
/// held go on. A runtime that stops takes the endpoint with it, and far sides are told nothing:
/// [`close`](Self::close) it first.
#[derive(Debug)]
pub struct Endpoint {
    identity: NameAddr,
    listening: Vec<Listening>,
    counters: Arc<Counters>,
    commands: mpsc::UnboundedSender<Command>,
    incoming: Mutex<mpsc::Receiver<Call>>,
    driver: JoinHandle<()>,
}

impl Endpoint {
    /// The settings of a new endpoint known as `identity`, a SIP URI such as
    /// `sip:alice@example.com`.
    pub fn builder(identity: &str) -> Builder {
        Builder::new(identity)
    }

    pub(crate) fn new(
        identity: NameAddr,
        listening: Vec<Listening>,
        counters: Arc<Counters>,
        commands: mpsc::UnboundedSender<Command>,
        incoming: mpsc::Receiver<Call>,
        driver: JoinHandle<()>,
    ) -> Self {
        let incoming = Mutex::new(incoming);
        Self { identity, listening, counters, commands, incoming, driver }
    }

    /// The address of the first listener: that of [`Builder::bind`], if it was used. Of an endpoint
    /// without listeners it is the unspecified one.
    pub fn local_address(&self) -> SocketAddr {
        let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
        self.listening.first().map_or(unspecified, |first| first.local)
    }

    /// The addresses that SIP is listened for on, in the order in which they were asked for.
    pub fn local_addresses(&self) -> impl Iterator<Item = (Protocol, SocketAddr)> + '_ {
        self.listening.iter().map(|one| (one.protocol, one.local))
    }

    /// The address of the first listener that speaks `protocol`.
    pub fn address_of(&self, protocol: Protocol) -> Option<SocketAddr> {
        self.local_addresses().find(|(spoken, _)| *spoken == protocol).map(|(_, local)| local)
    }

    /// What happened to the connections of this endpoint.
    pub fn stream_statistics(&self) -> StreamStatistics {
        self.counters.snapshot()
    }

    /// Calls a `sip:` or `sips:` URI. Returns when the INVITE is on its way; see
    /// [`Call::answered`].
    ///
    /// The servers of the URI's domain are found by RFC 3263 and tried one by one: until a
    /// connection is up, and again when the INVITE fails there before anything has come back.
    ///
    /// # Errors
    ///
    /// If the URI cannot be called, its host has no address or cannot be connected to, or no media
    /// ports are free.
    pub async fn call(&self, uri: &str) -> Result<Call, Error> {
        let target: Uri = uri.parse().map_err(|error: offhook_sip_message::ParseError| {
            Error::Uri { uri: uri.to_owned(), reason: error.to_string() }
        })?;
        let (reply, answer) = oneshot::channel();
        let from = Box::new(self.identity.clone());
        let command = Command::Call { target: Box::new(target), from, reply };
        self.commands.send(command).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Waits for the next incoming call. Ring, answer or reject it.
    ///
    /// A call whose caller gives up before it is taken here is never told of. 256 may wait; one more
    /// is refused (480).
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the endpoint is closed.
    pub async fn incoming(&self) -> Result<Call, Error> {
        let mut incoming = self.incoming.lock().await;
        loop {
            match incoming.recv().await {
                Some(call) if call.is_over() => {}
                Some(call) => return Ok(call),
                None => return Err(Error::Closed),
            }
        }
    }

    /// Ends all calls, waits until their far sides know or cannot be told, and closes the sockets.
    pub async fn close(self) {
        // A driver that is gone already is closed.
        let _ = self.commands.send(Command::Close);
        let _ = self.driver.await;
    }
}
