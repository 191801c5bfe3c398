//! The handle of an endpoint.

use std::net::SocketAddr;

use offhook_core::Outgoing;
use offhook_sansio::Flow;
use offhook_sip_message::{NameAddr, Uri};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};

use crate::{Builder, Call, Error, command::Command, resolve::next_hop};

/// A SIP endpoint: one for a program, as a rule.
///
/// It places calls and takes them. Dropping it stops the taking; calls whose handles are still
/// held go on. A runtime that stops takes the endpoint with it, and far sides are told nothing:
/// [`close`](Self::close) it first.
#[derive(Debug)]
pub struct Endpoint {
    identity: NameAddr,
    local: SocketAddr,
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
        local: SocketAddr,
        commands: mpsc::UnboundedSender<Command>,
        incoming: mpsc::Receiver<Call>,
        driver: JoinHandle<()>,
    ) -> Self {
        Self { identity, local, commands, incoming: Mutex::new(incoming), driver }
    }

    /// The address that SIP is listened for on.
    pub const fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// Calls a SIP URI. Returns when the INVITE is on its way; see [`Call::answered`].
    ///
    /// # Errors
    ///
    /// If the URI cannot be called, its host has no address, or no media ports are free.
    pub async fn call(&self, uri: &str) -> Result<Call, Error> {
        let target: Uri = uri.parse().map_err(|error: offhook_sip_message::ParseError| {
            Error::Uri { uri: uri.to_owned(), reason: error.to_string() }
        })?;
        let remote = next_hop(&target, self.local).await?;
        let outgoing = Box::new(Outgoing::new(target, Flow::udp(self.local, remote)));
        let (reply, answer) = oneshot::channel();
        let from = Box::new(self.identity.clone());
        let command = Command::Call { outgoing, from, reply };
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
