//! The handle of an endpoint.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use offhook_sansio::Protocol;
use offhook_sip::EventPackage;
use offhook_sip_message::{Event, NameAddr, ValidResponse};
use tokio::sync::{Mutex, mpsc};

use crate::{
    AccountBuilder, Builder, Call, CallBuilder, Error, IncomingRequest, IncomingTransfer,
    Publication, StreamStatistics, Subscriber, SubscriptionBuilder,
    command::Command,
    listener::Listening,
    publication::publish,
    request::{Asker, TEXT},
    streams::Counters,
};

/// A SIP endpoint: one for a program, as a rule.
///
/// It places calls and takes them. Dropping it stops the taking; calls whose handles are still
/// held go on. A runtime that stops takes the endpoint with it, and far sides are told nothing:
/// [`shutdown`](Self::shutdown) it first.
#[derive(Debug)]
pub struct Endpoint {
    identity: NameAddr,
    listening: Vec<Listening>,
    counters: Arc<Counters>,
    commands: mpsc::UnboundedSender<Command>,
    taken: Taken,
}

/// What comes in, for whoever takes it.
#[derive(Debug)]
pub(crate) struct Taken {
    calls: Mutex<mpsc::Receiver<Call>>,
    requests: Mutex<mpsc::Receiver<IncomingRequest>>,
    transfers: Mutex<mpsc::Receiver<IncomingTransfer>>,
    subscribers: Mutex<mpsc::Receiver<Subscriber>>,
}

impl Taken {
    pub(crate) fn new(
        calls: mpsc::Receiver<Call>,
        requests: mpsc::Receiver<IncomingRequest>,
        transfers: mpsc::Receiver<IncomingTransfer>,
        subscribers: mpsc::Receiver<Subscriber>,
    ) -> Self {
        Self {
            calls: Mutex::new(calls),
            requests: Mutex::new(requests),
            transfers: Mutex::new(transfers),
            subscribers: Mutex::new(subscribers),
        }
    }
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
        taken: Taken,
    ) -> Self {
        Self { identity, listening, counters, commands, taken }
    }

    /// Who this endpoint is, outside of its accounts.
    pub const fn identity(&self) -> &NameAddr {
        &self.identity
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
    pub async fn call(&self, target: &str) -> Result<Call, Error> {
        self.place(target).call().await
    }

    /// As [`call`](Self::call), with media elsewhere: with an offer of the owner's, or without one so
    /// that the far side makes it. See [`Call::answered_with`] and [`Call::next_offer`].
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    pub async fn call_with(&self, target: &str, offer: Option<Bytes>) -> Result<Call, Error> {
        self.place(target).offer(offer).call().await
    }

    /// The settings of a new call. It begins with [`CallBuilder::call`].
    pub fn place<'a>(&'a self, target: &'a str) -> CallBuilder<'a> {
        CallBuilder::new(&self.commands, &self.identity, None, target)
    }

    /// The settings of a new account of `address`, an address of record such as
    /// `sip:alice@example.com`. It begins with [`AccountBuilder::open`].
    pub fn account(&self, address: &str) -> AccountBuilder<'_> {
        AccountBuilder::new(self, address)
    }

    /// Sends a message of plain text (RFC 3428), and waits until the far side has it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the far side does not take it, [`Error::NoResponse`] if nobody answers,
    /// and what keeps a call from being placed.
    pub async fn message(&self, to: &str, text: &str) -> Result<(), Error> {
        self.message_with(to, TEXT, Bytes::copy_from_slice(text.as_bytes())).await
    }

    /// Sends a message of any type (RFC 3428).
    ///
    /// # Errors
    ///
    /// As for [`message`](Self::message).
    pub async fn message_with(
        &self,
        to: &str,
        content_type: &str,
        content: impl Into<Bytes>,
    ) -> Result<(), Error> {
        self.asker().message(to, content_type, content.into()).await
    }

    /// Asks what the far side can do, and whether it is there: OPTIONS (RFC 3261 §11). Any final
    /// response will do; its status and header fields say more.
    ///
    /// # Errors
    ///
    /// [`Error::NoResponse`] if nobody answers, and what keeps a call from being placed.
    pub async fn options(&self, to: &str) -> Result<ValidResponse, Error> {
        self.asker().options(to).await
    }

    /// Publishes a state of this endpoint's identity, for `expires`, and keeps it published
    /// (RFC 3903).
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the endpoint is closed.
    pub async fn publish(
        &self,
        event: Event,
        content_type: &str,
        content: impl Into<Bytes>,
        expires: Duration,
    ) -> Result<Publication, Error> {
        let body = (content_type, content.into());
        publish(&self.commands, &self.identity, None, event, body, expires).await
    }

    /// The settings of a new subscription to the state of `target`, of this endpoint's identity
    /// (RFC 6665). It begins with [`SubscriptionBuilder::open`].
    pub fn subscribe(&self, target: &str, package: &EventPackage) -> SubscriptionBuilder {
        SubscriptionBuilder::new(target, package, &self.identity, None, &self.commands)
    }

    /// Waits for the next one who subscribes to one of the packages that
    /// [`Builder::event_packages`] names.
    ///
    /// One who gives up before is never told of. 256 may wait; one more is refused (480).
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the endpoint is closed.
    pub async fn subscriber(&self) -> Result<Subscriber, Error> {
        let mut subscribers = self.taken.subscribers.lock().await;
        loop {
            match subscribers.recv().await {
                Some(subscriber) if subscriber.is_over() => {}
                Some(subscriber) => return Ok(subscriber),
                None => return Err(Error::Closed),
            }
        }
    }

    /// Waits for the next request of the methods that [`Builder::answer_requests`] names, such as
    /// MESSAGE. Accept or reject it within 16 s.
    ///
    /// 256 may wait; one more is refused (480).
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the endpoint is closed.
    pub async fn incoming_request(&self) -> Result<IncomingRequest, Error> {
        self.taken.requests.lock().await.recv().await.ok_or(Error::Closed)
    }

    /// Waits for the next transfer that this side is asked for. They come if
    /// [`Builder::take_transfers`] is set. Accept or reject it within 16 s.
    ///
    /// 256 may wait; one more is refused (480).
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the endpoint is closed.
    pub async fn incoming_transfer(&self) -> Result<IncomingTransfer, Error> {
        self.taken.transfers.lock().await.recv().await.ok_or(Error::Closed)
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
        let mut incoming = self.taken.calls.lock().await;
        loop {
            match incoming.recv().await {
                Some(call) if call.is_over() => {}
                Some(call) => return Ok(call),
                None => return Err(Error::Closed),
            }
        }
    }

    /// Ends all calls as their states ask, withdraws what is published, ends all subscriptions,
    /// removes all registrations, and waits until the far sides have answered; then closes the
    /// sockets. It takes no longer than [`Builder::farewell`].
    ///
    /// Dropping the last handle of the endpoint, its accounts and calls does the same in the
    /// background.
    pub async fn shutdown(self) {
        // A driver that is gone already is closed.
        let _ = self.commands.send(Command::Close);
        self.commands.closed().await;
    }

    pub(crate) fn tell(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).map_err(|_| Error::Closed)
    }

    fn asker(&self) -> Asker<'_> {
        Asker { from: &self.identity, account: None, commands: &self.commands }
    }
}
