//! The transaction layer on top of the transport: bytes in, notices to the core out.
//!
//! 1. A datagram is read; what cannot be read is answered or counted.
//! 2. Its transaction takes it; what is new becomes a [`Notice`].
//! 3. The core answers through [`respond`](TransactionLayer::respond), and asks through
//!    [`request`](TransactionLayer::request).

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use offhook_sansio::{Datagram, Flow, Protocol, Random, Transmit};
use offhook_sip_message::{
    HeaderName, Message, Method, ParseError, Rejection, Request, Response, ResponseBuilder,
    RetryAfter, Server, StatusCode, Text, ValidRequest, ValidResponse, Via,
};
use tracing::debug;

use super::{
    Failure, Timing, TransactionId,
    invite_client::InviteClient,
    invite_server::InviteServer,
    key::{MAGIC_COOKIE, is_unique},
    non_invite_client::NonInviteClient,
    non_invite_server::NonInviteServer,
    table::{Transaction, TransactionTable},
};
use crate::{
    Config, Dropped, Error, Statistics,
    transport::{Listeners, Outbox, ReplyPath, Stun, StunId},
};

/// Everything below the calls.
#[derive(Debug)]
pub(crate) struct TransactionLayer {
    pub(crate) config: Config,
    pub(crate) random: Random,
    pub(crate) listeners: Listeners,
    pub(crate) statistics: Statistics,
    table: TransactionTable,
    outbox: Outbox,
    timing: Timing,
    /// Makes the tags of stateless responses unguessable and yet the same for the same request.
    tag_secret: [u64; 2],
}

/// What a transaction tells the core.
#[derive(Debug)]
pub(crate) enum Notice {
    /// A request that no transaction knows; the core serves it or refuses it.
    Request { request: ValidRequest, flow: Flow },
    /// An ACK that no transaction absorbed.
    Ack { request: ValidRequest, flow: Flow },
    /// A response that is not a repetition.
    Response { transaction: TransactionId, response: ValidResponse },
    /// A response that a server transaction counts on could not be sent; the transaction goes on.
    Unsent { transaction: TransactionId },
    /// The transaction is over; with a failure, if nobody answered.
    Terminated { transaction: TransactionId, failure: Option<Failure> },
}

impl Notice {
    /// The client transaction it is about.
    pub(crate) const fn transaction(&self) -> Option<TransactionId> {
        match self {
            Self::Response { transaction, .. } | Self::Terminated { transaction, .. } => {
                Some(*transaction)
            }
            Self::Request { .. } | Self::Ack { .. } | Self::Unsent { .. } => None,
        }
    }
}

impl TransactionLayer {
    pub(crate) fn new(config: Config, mut random: Random) -> Self {
        Self {
            timing: Timing::of(&config),
            tag_secret: [random.u64(), random.u64()],
            table: TransactionTable::new(&mut random),
            config,
            random,
            listeners: Listeners::default(),
            statistics: Statistics::default(),
            outbox: Outbox::default(),
        }
    }

    /// Takes a datagram.
    pub(crate) fn receive(&mut self, now: Instant, datagram: Datagram) -> Option<Notice> {
        let Datagram { flow, payload } = datagram;
        if self.listeners.public(flow).is_none() {
            return self.discard(Dropped::NotListening, flow);
        }
        if payload.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return self.discard(Dropped::KeepAlive, flow);
        }
        let bytes = payload.freeze();
        match Message::parse_with(bytes.clone(), &self.config.parse) {
            Ok(Message::Request(request)) => self.receive_request(now, request, flow),
            Ok(Message::Response(response)) => self.receive_response(now, response, flow),
            Err(error) => self.refuse_unread(flow, &bytes, error),
        }
    }

    /// Answers a request of a stream whose end cannot be told (RFC 3261 §18.3).
    pub(crate) fn refuse_unframed(&mut self, flow: Flow, head: &Bytes, error: ParseError) {
        if self.listeners.public(flow).is_none() {
            self.statistics.count(Dropped::NotListening);
            return;
        }
        // There is no notice of what was refused.
        let _ = self.refuse_unread(flow, head, error);
    }

    fn refuse_unread(&mut self, flow: Flow, bytes: &Bytes, error: ParseError) -> Option<Notice> {
        match Rejection::salvage(bytes, &self.config.parse, error) {
            Some(rejection) => self.reject(&rejection, flow),
            None => self.discard(Dropped::Malformed, flow),
        }
    }

    /// Does the next thing that is due; `None` when nothing is left at `now`.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Notice> {
        while let Some(transaction) = self.table.expired(now) {
            let outbox = &mut self.outbox;
            let step = |machine: &mut Transaction| {
                let failure = machine.handle_timeout(now, outbox);
                (failure, machine.is_terminated())
            };
            if let Some((failure, true)) = self.table.drive(transaction, step) {
                self.table.remove(transaction);
                return Some(Notice::Terminated { transaction, failure });
            }
        }
        None
    }

    /// Tells the transactions that send on `flow` that it fails (RFC 3261 §17.1.4).
    pub(crate) fn transport_failed(&mut self, flow: Flow) -> Vec<Notice> {
        let mut notices = Vec::new();
        for transaction in self.table.clients_on(flow) {
            let failure = self.table.drive(transaction, Transaction::transport_failed).flatten();
            if failure.is_some() {
                self.table.remove(transaction);
                notices.push(Notice::Terminated { transaction, failure });
            }
        }
        notices
    }

    /// Tells the user of the server transaction that counts on `response` that it could not be sent
    /// (RFC 3261 §17.2.4 as of RFC 6026 §8.8).
    pub(crate) fn response_failed(&self, flow: Flow, response: &Bytes) -> Option<Notice> {
        let transaction = self.table.answering(flow, response)?;
        debug!(%flow, "response not sent");
        Some(Notice::Unsent { transaction })
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.outbox.pop()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.table.next_deadline()
    }

    pub(crate) fn live(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no room for a transaction, with `reserve` places kept for those that end
    /// a call.
    pub(crate) fn is_full(&self, reserve: usize) -> bool {
        self.table.len() >= self.config.max_transactions.saturating_add(reserve)
    }

    pub(crate) fn timing(&self) -> Timing {
        self.timing
    }

    /// Starts a client transaction that sends `request` on `flow`.
    pub(crate) fn request(
        &mut self,
        now: Instant,
        request: &ValidRequest,
        flow: Flow,
    ) -> Result<TransactionId, Error> {
        let (timing, outbox, copy) = (self.timing, &mut self.outbox, request.clone());
        let machine = if request.method() == Method::INVITE {
            Transaction::InviteClient(InviteClient::start(now, copy, flow, timing, outbox))
        } else {
            Transaction::NonInviteClient(NonInviteClient::start(now, copy, flow, timing, outbox))
        };
        self.table.insert_client(request, machine).ok_or(Error::TooManyTransactions)
    }

    /// Sends a message outside of any transaction: the ACK to a 2xx.
    pub(crate) fn send(&mut self, flow: Flow, message: &Bytes) {
        self.outbox.send(flow, message);
    }

    /// Starts a server transaction for `request`; `tag` goes into the To of its responses.
    pub(crate) fn serve(
        &mut self,
        request: &ValidRequest,
        flow: Flow,
        tag: &str,
    ) -> Option<TransactionId> {
        let reply = ReplyPath::of(request.via(), flow).flow;
        let machine = if request.method() == Method::INVITE {
            let trying = Response::reply_to(request, StatusCode::TRYING).build();
            let trying = self.built(trying)?;
            let trying = trying.as_bytes();
            Transaction::InviteServer(InviteServer::start(reply, self.timing, trying))
        } else {
            Transaction::NonInviteServer(NonInviteServer::start(reply, self.timing))
        };
        self.table.insert_server(request, flow.protocol, tag, machine)
    }

    /// Sends 100 (Trying), unless the user is fast enough (RFC 3261 §17.2.1).
    pub(crate) fn send_trying(&mut self, now: Instant, transaction: TransactionId) {
        let (outbox, after) = (&mut self.outbox, self.config.trying_after.min(LATEST_TRYING));
        self.table.drive(transaction, |machine| match machine {
            Transaction::InviteServer(machine) if after.is_zero() => machine.receive_invite(outbox),
            Transaction::InviteServer(machine) => machine.try_at(now + after),
            _ => {}
        });
    }

    /// Gives a response to a server transaction.
    pub(crate) fn respond(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        response: &Response,
    ) {
        let (status, bytes, outbox) = (response.status(), response.as_bytes(), &mut self.outbox);
        self.table.drive(transaction, |machine| match machine {
            Transaction::InviteServer(machine) => machine.respond(now, status, bytes, outbox),
            Transaction::NonInviteServer(machine) => machine.respond(now, status, bytes, outbox),
            Transaction::InviteClient(_) | Transaction::NonInviteClient(_) => {}
        });
    }

    /// Answers a request without keeping state (RFC 3261 §8.2.7); an ACK is never answered.
    pub(crate) fn refuse(&mut self, request: &ValidRequest, flow: Flow, status: StatusCode) {
        let tag = self.stateless_tag(request);
        let mut builder = self.reply(request, status, &tag);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            builder = builder.header(&RetryAfter::new(OVERLOAD_RETRY));
        }
        let Some(response) = self.built(builder.build()) else { return };
        self.statistics.count_refused();
        debug!(%flow, status = status.as_u16(), "request refused");
        self.answer_once(request, flow, &response);
    }

    /// Sends a final response and keeps nothing of it.
    pub(crate) fn answer_once(&mut self, request: &ValidRequest, flow: Flow, response: &Response) {
        let reply = ReplyPath::of(request.via(), flow).flow;
        self.outbox.send(reply, response.as_bytes());
    }

    /// A response to `request` with our To tag and `Server` (RFC 3261 §8.2.6).
    pub(crate) fn reply(
        &self,
        request: &ValidRequest,
        status: StatusCode,
        tag: &str,
    ) -> ResponseBuilder {
        let mut builder = Response::reply_to(request, status);
        if request.to().tag().is_none() {
            builder = builder.to_tag(tag);
        }
        if self.config.user_agent.is_empty() {
            return builder;
        }
        builder.header(&Server(self.config.user_agent.clone()))
    }

    /// The To tag for a response without a dialog: always the same for the same request
    /// (RFC 3261 §8.2.7).
    pub(crate) fn stateless_tag(&self, request: &Request) -> String {
        let mut hasher = DefaultHasher::new();
        self.tag_secret.hash(&mut hasher);
        request.as_bytes().hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// The server transaction that a CANCEL is about (RFC 3261 §9.2).
    pub(crate) fn cancelled(&self, cancel: &ValidRequest, flow: Flow) -> Option<TransactionId> {
        self.table.cancelled(cancel, flow.protocol)
    }

    pub(crate) fn response_tag(&self, transaction: TransactionId) -> Option<Text> {
        self.table.response_tag(transaction)
    }

    /// Whether an INVITE of the peer has had no final response so far.
    pub(crate) fn awaits_final_response(&self, transaction: TransactionId) -> bool {
        match self.table.get(transaction) {
            Some(Transaction::InviteServer(machine)) => machine.awaits_final_response(),
            _ => false,
        }
    }

    /// Whether the ACK to a failure of ours is missing (RFC 3261 §14.1, rule 2).
    pub(crate) fn awaits_ack(&self, transaction: TransactionId) -> bool {
        match self.table.get(transaction) {
            Some(Transaction::InviteServer(machine)) => machine.awaits_ack(),
            _ => false,
        }
    }

    /// Whether the ACK to any failure of ours is missing.
    pub(crate) fn awaits_acks(&self) -> bool {
        self.table.awaits_acks()
    }

    pub(crate) fn is_merged(&self, request: &ValidRequest) -> bool {
        self.table.is_merged(request)
    }

    /// Gives an INVITE of ours 64*T1 to be answered finally: it was cancelled, or its call is over
    /// (RFC 3261 §9.1).
    pub(crate) fn limit(&mut self, now: Instant, transaction: TransactionId) {
        self.table.drive(transaction, |machine| {
            if let Transaction::InviteClient(machine) = machine {
                machine.limit(now);
            }
        });
    }

    /// The public address of the near end of `flow`.
    pub(crate) fn public(&self, flow: Flow) -> Result<SocketAddr, Error> {
        self.listeners.public(flow).ok_or(Error::NotListening { flow })
    }

    /// A `Via` with a new branch for a request on `flow` (RFC 3261 §8.1.1.7, RFC 3581 §3).
    pub(crate) fn new_via(&mut self, flow: Flow) -> Result<Via, Error> {
        let public = self.public(flow)?;
        let branch = format!("{MAGIC_COOKIE}{}", self.random.token(BRANCH_LENGTH));
        let via = Via::new(flow.protocol.as_str(), public.ip().into(), Some(public.port()));
        Ok(via.with_branch(branch).with_rport())
    }

    /// The same for a request of this method. A REGISTER offers to keep its flow alive (RFC 6223 §4.3);
    /// WebSocket has its own way (RFC 7118 §6).
    pub(crate) fn new_via_of(&mut self, method: &Method, flow: Flow) -> Result<Via, Error> {
        let mut via = self.new_via(flow)?;
        if *method == Method::REGISTER && !matches!(flow.protocol, Protocol::Ws | Protocol::Wss) {
            via.parameters.set("keep", None::<Text>);
        }
        Ok(via)
    }

    /// Answers a Binding request of STUN (RFC 5626 §8).
    pub(crate) fn answer_binding(&mut self, flow: Flow, id: StunId, unknown: &[u16]) {
        if self.listeners.public(flow).is_none() {
            return self.statistics.count(Dropped::NotListening);
        }
        let answer = match unknown {
            [] => Stun::success(id, flow.remote),
            unknown => Stun::refusal(id, unknown),
        };
        self.outbox.send(flow, &answer);
    }

    pub(crate) fn new_tag(&mut self) -> Text {
        self.random.token(TAG_LENGTH).into()
    }

    pub(crate) fn new_call_id(&mut self) -> Text {
        self.random.token(CALL_ID_LENGTH).into()
    }

    /// Checks that what was built can be read, and gives it in the form machines keep.
    pub(crate) fn valid(&self, request: Request) -> Result<ValidRequest, Error> {
        let parse = &self.config.parse;
        ValidRequest::new(request, parse).map_err(|r| Error::Unbuildable(r.error.to_string()))
    }

    pub(crate) fn discard(&mut self, reason: Dropped, flow: Flow) -> Option<Notice> {
        debug!(%flow, ?reason, "message dropped");
        self.statistics.count(reason);
        None
    }

    fn receive_request(&mut self, now: Instant, request: Request, flow: Flow) -> Option<Notice> {
        let request = match ValidRequest::new(request, &self.config.parse) {
            // What is known by its whole `Via` is known by the one that is kept.
            Ok(request) if !is_unique(request.via()) => request.received_from(flow.remote),
            Ok(request) => request,
            Err(rejection) => return self.reject(&rejection, flow),
        };
        let known = self.table.server(&request, flow.protocol);
        match (known, request.method() == Method::ACK) {
            (Some(transaction), true) => self.receive_ack(now, transaction, request, flow),
            (None, true) => Some(Notice::Ack { request, flow }),
            (Some(transaction), false) => {
                let outbox = &mut self.outbox;
                self.table.drive(transaction, |machine| match machine {
                    Transaction::InviteServer(machine) => machine.receive_invite(outbox),
                    Transaction::NonInviteServer(machine) => machine.receive(outbox),
                    Transaction::InviteClient(_) | Transaction::NonInviteClient(_) => {}
                });
                self.discard(Dropped::Retransmission, flow)
            }
            // As the core sees it, with `received` and `rport` (RFC 3261 §18.2.1).
            (None, false) => {
                Some(Notice::Request { request: request.received_from(flow.remote), flow })
            }
        }
    }

    fn receive_ack(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        request: ValidRequest,
        flow: Flow,
    ) -> Option<Notice> {
        let awaited = self.table.drive(transaction, |machine| match machine {
            Transaction::InviteServer(machine) => Some(machine.receive_ack(now)),
            _ => None,
        });
        match awaited.flatten() {
            Some(true) => Some(Notice::Ack { request, flow }),
            Some(false) => None,
            None => self.discard(Dropped::StrayAck, flow),
        }
    }

    fn receive_response(&mut self, now: Instant, response: Response, flow: Flow) -> Option<Notice> {
        let response = match ValidResponse::new(response, &self.config.parse) {
            Ok(response) => response,
            Err(error) => {
                debug!(%flow, %error, "response dropped: malformed");
                return self.discard(Dropped::Malformed, flow);
            }
        };
        if !self.listeners.sent(response.via(), flow) {
            return self.discard(Dropped::ForeignSentBy, flow);
        }
        if has_more_vias(&response) {
            return self.discard(Dropped::ExtraVia, flow);
        }
        let Some(transaction) = self.table.client(&response) else {
            return self.discard(Dropped::StrayResponse, flow);
        };
        let outbox = &mut self.outbox;
        let passes = self.table.drive(transaction, |machine| match machine {
            Transaction::InviteClient(machine) => machine.receive(now, &response, outbox),
            Transaction::NonInviteClient(machine) => machine.receive(now, response.status()),
            Transaction::InviteServer(_) | Transaction::NonInviteServer(_) => false,
        });
        match passes {
            Some(true) => Some(Notice::Response { transaction, response }),
            Some(false) | None => self.discard(Dropped::Retransmission, flow),
        }
    }

    /// Answers a malformed request if enough of it can be read (RFC 3261 §18.3, §21.4.1).
    fn reject(&mut self, rejection: &Rejection, flow: Flow) -> Option<Notice> {
        let tag = self.stateless_tag(rejection.request());
        let response = rejection.response().map(|response| response.edit().to_tag(&tag).build());
        match response {
            Some(Ok(response)) => self.send_rejection(rejection, &response, flow),
            Some(Err(_)) | None => self.discard(Dropped::Malformed, flow),
        }
    }

    fn send_rejection(
        &mut self,
        rejection: &Rejection,
        response: &Response,
        flow: Flow,
    ) -> Option<Notice> {
        let Ok(Some(via)) = response.header::<Via>() else {
            return self.discard(Dropped::Malformed, flow);
        };
        self.statistics.count_refused();
        debug!(%flow, error = %rejection.error, "request refused: malformed");
        self.outbox.send(ReplyPath::of(&via, flow).flow, response.as_bytes());
        None
    }

    /// The built message, or a count of one that could not be built from what the peer sent.
    pub(crate) fn built<T, E: std::fmt::Display>(&mut self, built: Result<T, E>) -> Option<T> {
        match built {
            Ok(message) => Some(message),
            Err(error) => {
                debug!(%error, "message cannot be built");
                self.statistics.count(Dropped::Unbuildable);
                None
            }
        }
    }
}

/// Whether the response was to go on to somebody else (RFC 3261 §8.1.3.3). A row without a comma has
/// one value, and need not be read for that.
fn has_more_vias(response: &ValidResponse) -> bool {
    let headers = response.headers();
    let row = headers.get_raw(HeaderName::VIA).unwrap_or_default();
    let may_be = headers.count(HeaderName::VIA) > 1 || row.contains(&b',');
    may_be && headers.headers_of::<Via>().count() > 1
}

/// 20 characters of five random bits each: 100 bits.
const BRANCH_LENGTH: usize = 20;
/// RFC 3261 §17.2.1.
const LATEST_TRYING: Duration = Duration::from_millis(200);
/// 100 random bits; RFC 3261 §19.3 asks for 32.
const TAG_LENGTH: usize = 20;
/// 130 random bits.
const CALL_ID_LENGTH: usize = 26;
/// How many seconds a peer that found no room is asked to wait (RFC 3261 §21.5.4).
const OVERLOAD_RETRY: u32 = 10;
