//! All transactions of a user agent, found by the messages that belong to them.

use std::time::Instant;

use bytes::Bytes;
use offhook_sansio::{Deadlines, Flow, Key, Protocol, Random, Table};
use offhook_sip_message::{Method, Text, ValidRequest, ValidResponse};

use super::{
    Failure,
    invite_client::InviteClient,
    invite_server::InviteServer,
    key::{ByKey, Keys, TransactionKey, is_unique},
    non_invite_client::NonInviteClient,
    non_invite_server::NonInviteServer,
};
use crate::transport::Outbox;

pub(crate) type TransactionId = Key<Entry>;

/// The transactions, the indexes by which messages find them, and their deadlines.
#[derive(Debug)]
pub(crate) struct TransactionTable {
    keys: Keys,
    entries: Table<Entry>,
    /// Clients, servers and what the copies of a request have in common: their keys differ.
    index: ByKey<TransactionId>,
    deadlines: Deadlines<TransactionId>,
}

/// One transaction and the keys that lead to it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) machine: Transaction,
    index: Index,
}

#[derive(Debug)]
pub(crate) enum Transaction {
    InviteClient(InviteClient),
    NonInviteClient(NonInviteClient),
    InviteServer(InviteServer),
    NonInviteServer(NonInviteServer),
}

#[derive(Debug)]
enum Index {
    Client(TransactionKey),
    Server(Box<ServerIndex>),
}

#[derive(Debug)]
struct ServerIndex {
    key: TransactionKey,
    copies: Option<TransactionKey>,
    /// The To tag of the request.
    request_tag: Option<Text>,
    /// The To tag of the responses to it.
    response_tag: Text,
}

impl TransactionTable {
    pub(crate) fn new(random: &mut Random) -> Self {
        Self {
            keys: Keys::new(random),
            entries: Table::new(),
            index: ByKey::default(),
            deadlines: Deadlines::new(),
        }
    }

    pub(crate) fn insert_client(
        &mut self,
        request: &ValidRequest,
        machine: Transaction,
    ) -> Option<TransactionId> {
        let key = self.keys.of_sent(request);
        let id = self.entries.insert(Entry { machine, index: Index::Client(key) })?;
        self.index.insert(key, id);
        self.reschedule(id);
        Some(id)
    }

    pub(crate) fn insert_server(
        &mut self,
        request: &ValidRequest,
        protocol: Protocol,
        response_tag: &str,
        machine: Transaction,
    ) -> Option<TransactionId> {
        let key = self.keys.of_request(request, protocol);
        let copies = self.keys.of_copies(request);
        let request_tag: Option<Text> = request.to().tag().map(Text::from);
        let response_tag = request_tag.clone().unwrap_or_else(|| response_tag.into());
        let index = Index::Server(Box::new(ServerIndex { key, copies, request_tag, response_tag }));
        let id = self.entries.insert(Entry { machine, index })?;
        self.index.insert(key, id);
        if let Some(copies) = copies {
            self.index.entry(copies).or_insert(id);
        }
        self.reschedule(id);
        Some(id)
    }

    /// The client transaction of a response (RFC 3261 §17.1.3).
    pub(crate) fn client(&self, response: &ValidResponse) -> Option<TransactionId> {
        self.index.get(&self.keys.of_response(response)).copied()
    }

    /// The server transaction of a request (RFC 3261 §17.2.3).
    pub(crate) fn server(
        &self,
        request: &ValidRequest,
        protocol: Protocol,
    ) -> Option<TransactionId> {
        let id = *self.index.get(&self.keys.of_request(request, protocol))?;
        let matches = is_unique(request.via()) || self.matches_to_tag(id, request);
        matches.then_some(id)
    }

    /// The server transaction that a CANCEL is about (RFC 3261 §9.2).
    pub(crate) fn cancelled(
        &self,
        cancel: &ValidRequest,
        protocol: Protocol,
    ) -> Option<TransactionId> {
        let methods = [Method::INVITE, Method::BYE, Method::OPTIONS, Method::PRACK, Method::UPDATE];
        let key = |method| self.keys.with_method(cancel, protocol, method);
        methods.iter().find_map(|method| self.index.get(&key(method)).copied())
    }

    /// Whether the same request came before on another path (RFC 3261 §8.2.2.2).
    pub(crate) fn is_merged(&self, request: &ValidRequest) -> bool {
        self.keys.of_copies(request).is_some_and(|copies| self.index.contains_key(&copies))
    }

    pub(crate) fn get(&self, id: TransactionId) -> Option<&Transaction> {
        self.entries.get(id).map(|entry| &entry.machine)
    }

    /// The tag that this side puts into the To of its responses.
    pub(crate) fn response_tag(&self, id: TransactionId) -> Option<Text> {
        match &self.entries.get(id)?.index {
            Index::Client(_) => None,
            Index::Server(index) => Some(index.response_tag.clone()),
        }
    }

    /// Lets `step` drive a machine, and keeps its deadline up to date.
    pub(crate) fn drive<T>(
        &mut self,
        id: TransactionId,
        step: impl FnOnce(&mut Transaction) -> T,
    ) -> Option<T> {
        let result = step(&mut self.entries.get_mut(id)?.machine);
        self.reschedule(id);
        Some(result)
    }

    /// Removes a transaction and every way that led to it.
    pub(crate) fn remove(&mut self, id: TransactionId) {
        let Some(entry) = self.entries.remove(id) else { return };
        self.deadlines.set(id, None);
        match entry.index {
            Index::Client(key) => self.unlist(key, id),
            Index::Server(index) => {
                self.unlist(index.key, id);
                index.copies.into_iter().for_each(|copies| self.unlist(copies, id));
            }
        }
    }

    /// Removes `key` unless it leads to another transaction by now.
    fn unlist(&mut self, key: TransactionKey, id: TransactionId) {
        if self.index.get(&key) == Some(&id) {
            self.index.remove(&key);
        }
    }

    /// The next transaction with something due.
    pub(crate) fn expired(&mut self, now: Instant) -> Option<TransactionId> {
        self.deadlines.expired(now)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether an INVITE server transaction waits for the ACK to a failure.
    pub(crate) fn awaits_acks(&self) -> bool {
        self.entries.iter().any(|(_, entry)| match &entry.machine {
            Transaction::InviteServer(machine) => machine.awaits_ack(),
            _ => false,
        })
    }

    /// The client transactions that send on `flow`.
    pub(crate) fn clients_on(&self, flow: Flow) -> Vec<TransactionId> {
        let on_flow = self.entries.iter().filter(|(_, entry)| entry.machine.sends_on(flow));
        on_flow.map(|(id, _)| id).collect()
    }

    /// The server transaction that counts on `response`, which could not be sent on `flow`.
    pub(crate) fn answering(&self, flow: Flow, response: &Bytes) -> Option<TransactionId> {
        let mut entries = self.entries.iter();
        entries.find(|(_, entry)| entry.machine.response_failed(flow, response)).map(|(id, _)| id)
    }

    fn matches_to_tag(&self, id: TransactionId, request: &ValidRequest) -> bool {
        let Some(Entry { index: Index::Server(index), .. }) = self.entries.get(id) else {
            return false;
        };
        let ack = request.method() == Method::ACK;
        let expected = if ack { Some(&index.response_tag) } else { index.request_tag.as_ref() };
        request.to().tag() == expected.map(|tag| &**tag)
    }

    fn reschedule(&mut self, id: TransactionId) {
        let deadline = self.entries.get(id).and_then(|entry| entry.machine.poll_timeout());
        self.deadlines.set(id, deadline);
    }
}

impl Transaction {
    pub(crate) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) -> Option<Failure> {
        match self {
            Self::InviteClient(machine) => machine.handle_timeout(now, outbox),
            Self::NonInviteClient(machine) => machine.handle_timeout(now, outbox),
            Self::InviteServer(machine) => machine.handle_timeout(now, outbox),
            Self::NonInviteServer(machine) => {
                machine.handle_timeout(now);
                None
            }
        }
    }

    /// A server transaction fails by its responses alone, each of which may find another way
    /// (RFC 3261 §18.2.2): see [`response_failed`](Self::response_failed).
    pub(crate) fn transport_failed(&mut self) -> Option<Failure> {
        match self {
            Self::InviteClient(machine) => machine.transport_failed(),
            Self::NonInviteClient(machine) => machine.transport_failed(),
            Self::InviteServer(_) | Self::NonInviteServer(_) => None,
        }
    }

    fn response_failed(&self, flow: Flow, response: &Bytes) -> bool {
        match self {
            Self::InviteServer(machine) => machine.response_failed(flow, response),
            Self::NonInviteServer(machine) => machine.response_failed(flow, response),
            Self::InviteClient(_) | Self::NonInviteClient(_) => false,
        }
    }

    pub(crate) fn is_terminated(&self) -> bool {
        match self {
            Self::InviteClient(machine) => machine.is_terminated(),
            Self::NonInviteClient(machine) => machine.is_terminated(),
            Self::InviteServer(machine) => machine.is_terminated(),
            Self::NonInviteServer(machine) => machine.is_terminated(),
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::InviteClient(machine) => machine.poll_timeout(),
            Self::NonInviteClient(machine) => machine.poll_timeout(),
            Self::InviteServer(machine) => machine.poll_timeout(),
            Self::NonInviteServer(machine) => machine.poll_timeout(),
        }
    }

    fn sends_on(&self, flow: Flow) -> bool {
        match self {
            Self::InviteClient(machine) => machine.flow() == flow,
            Self::NonInviteClient(machine) => machine.flow() == flow,
            Self::InviteServer(_) | Self::NonInviteServer(_) => false,
        }
    }
}
