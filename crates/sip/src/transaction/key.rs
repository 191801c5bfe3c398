//! What makes a message part of a transaction (RFC 3261 §17.1.3, §17.2.3).

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher},
};

use offhook_sansio::{Protocol, Random};
use offhook_sip_message::{Header, Host, Method, ValidRequest, ValidResponse, Via};
use smallvec::SmallVec;

use crate::transport::default_port;

/// Names a transaction: 128 bits that stand for all that it is matched by.
///
/// They are made with a secret, so that nobody can find two messages with one key; by chance nobody
/// ever will. Nothing of the message is kept for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransactionKey([u64; 2]);

/// Makes keys.
#[derive(Debug)]
pub(crate) struct Keys([[u64; 2]; 2]);

/// A table by keys, which are good hashes already.
pub(crate) type ByKey<T> = HashMap<TransactionKey, T, BuildHasherDefault<FirstHalf>>;

impl Keys {
    pub(crate) fn new(random: &mut Random) -> Self {
        Self([[random.u64(), random.u64()], [random.u64(), random.u64()]])
    }

    /// The client transaction of a request of ours: the branch of the top `Via`, and the method.
    pub(crate) fn of_sent(&self, request: &ValidRequest) -> TransactionKey {
        self.key((Kind::Client, branch(request.via()), &request.cseq().method))
    }

    /// The client transaction that a response belongs to (§17.1.3).
    pub(crate) fn of_response(&self, response: &ValidResponse) -> TransactionKey {
        self.key((Kind::Client, branch(response.via()), &response.cseq().method))
    }

    /// The server transaction that `request` creates or repeats (§17.2.3).
    pub(crate) fn of_request(&self, request: &ValidRequest, protocol: Protocol) -> TransactionKey {
        // An ACK belongs to the INVITE it acknowledges.
        let method = request.method();
        let method = if method == Method::ACK { Method::INVITE } else { method };
        self.with_method(request, protocol, &method)
    }

    /// The key that `request` would have if it were of `method`; so a CANCEL finds what it
    /// cancels (§9.2).
    pub(crate) fn with_method(
        &self,
        request: &ValidRequest,
        protocol: Protocol,
        method: &Method,
    ) -> TransactionKey {
        let via = request.via();
        if is_unique(via) {
            let port = via.port.unwrap_or(default_port(protocol));
            return self.key((Kind::Server, branch(via), SentBy(&via.host), port, method));
        }
        let uri = request.request_uri().to_string();
        let (from, cseq) = (request.from().tag(), request.cseq().number);
        self.key((Kind::Fields, uri, from, &request.call_id().0, cseq, text(via), method))
    }

    /// What the copies of one request that came on different paths have in common (§8.2.2.2);
    /// `None` within a dialog, where requests do not fork.
    pub(crate) fn of_copies(&self, request: &ValidRequest) -> Option<TransactionKey> {
        let (from, cseq) = (request.from().tag(), request.cseq());
        let copies = (Kind::Copies, from, &request.call_id().0, cseq.number, &cseq.method);
        request.to().tag().is_none().then(|| self.key(copies))
    }

    fn key(&self, matched: impl Hash) -> TransactionKey {
        let mut gathered = Gathered::default();
        matched.hash(&mut gathered);
        TransactionKey(self.0.map(|secret| {
            let mut hasher = DefaultHasher::new();
            secret.iter().for_each(|half| hasher.write_u64(*half));
            hasher.write(&gathered.0);
            hasher.finish()
        }))
    }
}

/// Whether the branch is unique within its sent-by, as that of every client of RFC 3261 is. The
/// requests of others are known by all their fields; among these the To tag is compared apart,
/// since that of an ACK is the one of the response.
pub(crate) fn is_unique(via: &Via) -> bool {
    // The cookie alone names nothing (RFC 4475 §3.2.1).
    branch(via).strip_prefix(MAGIC_COOKIE).is_some_and(|rest| !rest.is_empty())
}

/// What a key is of: no two kinds share one.
#[derive(Clone, Copy, Hash)]
enum Kind {
    Client,
    Server,
    Fields,
    Copies,
}

/// The host of a top `Via`, in the form in which it is compared.
struct SentBy<'a>(&'a Host);

impl Hash for SentBy<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.0 {
            Host::Name(name) => {
                name.bytes().for_each(|byte| state.write_u8(byte.to_ascii_lowercase()));
            }
            Host::V4(address) => address.hash(state),
            Host::V6(address) => address.hash(state),
        }
    }
}

impl Hash for TransactionKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

/// The bytes that are hashed, gathered so that each half of the key takes them in one go.
#[derive(Default)]
struct Gathered(SmallVec<[u8; GATHERED]>);

impl Hasher for Gathered {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// Takes the first half of a key as its hash.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FirstHalf(u64);

impl Hasher for FirstHalf {
    fn write(&mut self, bytes: &[u8]) {
        // A key writes one number; this is for what may come.
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn text(header: &impl Header) -> String {
    let mut text = String::new();
    header.write(&mut text);
    text
}

fn branch(via: &Via) -> &str {
    via.branch().unwrap_or_default()
}

/// Room for what most keys are made of.
const GATHERED: usize = 128;
/// What the branch of every client of RFC 3261 begins with (§8.1.1.7).
pub(crate) const MAGIC_COOKIE: &str = "z9hG4bK";

#[cfg(test)]
mod tests;
