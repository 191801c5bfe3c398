//! The protocol auditor: who broke which rule of SIP, judged by what each side had sent and
//! received by then.
//!
//! 1. Every message is read once, whether it is seen leaving or arriving.
//! 2. The books of the party that it belongs to tell what the message is part of.
//! 3. The rules look at the message and the books; then the books take the message in.
//! 4. At the end, the rules look for what should have come and did not.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use offhook_sansio::Flow;
use offhook_sip_message::{Frame, Framer, Limits};

use crate::{Passage, Seen};

mod books;

mod breach;
pub use breach::{Breach, Rule};

mod client;
mod description;
mod dialog;
mod history;
mod leg;
mod pracks;
mod rules;
mod scene;
mod server;
mod sip;

use books::Books;
use breach::Finding;
use scene::Said;
use sip::Sip;

/// Reads a trace of SIP messages and reports where a party broke a rule of RFC 3261, 3262, 3264,
/// 3311 or 4028.
///
/// Each party is judged as a sender, by what it had sent and received up to then. A message that
/// was lost was sent, but not received: the auditor is told of both ends of each journey. A party
/// that forwards what it received is judged as a proxy: by the rules of transactions alone.
///
/// All else than SIP, such as RTP, is passed over. State is kept for every call of the trace.
///
/// ```
/// use std::time::{Duration, Instant};
/// use offhook_sansio::Flow;
/// use offhook_testkit::{Auditor, Rule};
///
/// const ALICE: usize = 0;
/// let start = Instant::now();
/// let mut auditor = Auditor::new(start);
/// let flow = Flow::udp("192.0.2.1:5060".parse()?, "192.0.2.2:5060".parse()?);
/// let options = b"OPTIONS sip:bob@192.0.2.2 SIP/2.0\r\n\
///     Via: SIP/2.0/UDP 192.0.2.1;branch=1\r\n\
///     Max-Forwards: 70\r\n\
///     From: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>\r\n\
///     Call-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n";
/// auditor.sent(ALICE, start, flow, options);
/// let breaches = auditor.finish(start + Duration::from_millis(100));
/// assert_eq!(breaches.len(), 1);
/// assert_eq!(breaches[0].rule, Rule::BranchCookie);
/// assert_eq!(breaches[0].clause(), "RFC 3261 §8.1.1.7");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug)]
pub struct Auditor {
    start: Instant,
    config: AuditConfig,
    parties: HashMap<usize, Books>,
    /// Messages read before, by their fingerprints: a copy or an arrival need not be read again.
    read: HashMap<u64, Option<Arc<Sip>>>,
    /// The streams of reliable transports, by party, direction and flow.
    streams: HashMap<(usize, bool, Flow), Framer>,
    excused: Vec<(Rule, &'static str)>,
    fingerprints: RandomState,
    breaches: Vec<Breach>,
}

/// The times that the parties are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    /// T1, the estimate of the round trip time (RFC 3261 §17.1.1.1). 500 ms.
    pub t1: Duration,
    /// T2, the longest interval between copies of what is not an INVITE (RFC 3261 §17.1.2.2). 4 s.
    pub t2: Duration,
    /// T4, the longest time that a message stays in the network (RFC 3261 §17.1.2.2). 5 s.
    pub t4: Duration,
    /// How far a copy may be from its due time, and how long after an answer one may still leave.
    /// 1 ms: machines on a virtual clock are exact. A capture of a real program needs more.
    pub tolerance: Duration,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            tolerance: Duration::from_millis(1),
        }
    }
}

impl Auditor {
    /// An auditor with the timers that RFC 3261 recommends, who counts time from `start`.
    pub fn new(start: Instant) -> Self {
        Self::with(start, AuditConfig::default())
    }

    /// An auditor who counts time from `start`.
    pub fn with(start: Instant, config: AuditConfig) -> Self {
        Self {
            start,
            config,
            parties: HashMap::new(),
            read: HashMap::new(),
            streams: HashMap::new(),
            excused: Vec::new(),
            fingerprints: RandomState::new(),
            breaches: Vec::new(),
        }
    }

    /// Does not report breaches of `rule`, for the `reason` given.
    pub fn excuse(&mut self, rule: Rule, reason: &'static str) {
        self.excused.push((rule, reason));
    }

    /// The rules that are excused, with the reasons.
    pub fn excused(&self) -> &[(Rule, &'static str)] {
        &self.excused
    }

    /// Takes what a tap of the [`Network`](crate::Network) sees.
    pub fn see(&mut self, seen: &Seen<'_>) {
        let &Seen { at, host, passage, flow, payload } = seen;
        match passage {
            Passage::Sent => self.sent(host.index(), at, flow, payload),
            Passage::Delivered => self.delivered(host.index(), at, flow, payload),
            Passage::Lost(_) => {}
        }
    }

    /// `party` sends `bytes` on `flow`: a datagram, or the next piece of a stream. Any number
    /// names a party; all its sockets have the same.
    pub fn sent(&mut self, party: usize, at: Instant, flow: Flow, bytes: &[u8]) {
        self.take(party, true, at, flow, bytes);
    }

    /// `bytes` arrive at `party`, whose address is the local one of `flow`.
    pub fn delivered(&mut self, party: usize, at: Instant, flow: Flow, bytes: &[u8]) {
        self.take(party, false, at, flow, bytes);
    }

    /// `party` is told that its requests cannot be sent on `flow`: it waits no longer for what would
    /// answer them (RFC 3261 §17.1.4).
    pub fn failed(&mut self, party: usize, at: Instant, flow: Flow) {
        if let Some(books) = self.parties.get_mut(&party) {
            books.failed(at, flow);
        }
    }

    /// What has been found so far.
    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
    }

    /// The end of the trace: what is missing by `now` is reported too.
    pub fn finish(mut self, now: Instant) -> Vec<Breach> {
        let mut parties: Vec<_> = std::mem::take(&mut self.parties).into_iter().collect();
        parties.sort_by_key(|(party, _)| *party);
        for (party, books) in parties {
            for leg in books.legs() {
                let mut found = Vec::new();
                rules::at_the_end(leg, now, &self.config, &mut found);
                for finding in found {
                    let around = leg.history.lines(self.start);
                    self.report(party, finding, around);
                }
            }
        }
        self.breaches.sort_by_key(|breach| breach.at);
        self.breaches
    }

    fn take(&mut self, party: usize, is_sent: bool, at: Instant, flow: Flow, bytes: &[u8]) {
        if !flow.protocol.is_reliable() {
            return self.message(party, is_sent, at, flow, bytes);
        }
        let mut messages = Vec::new();
        let key = (party, is_sent, flow);
        let new = || Framer::new(Limits::default());
        let stream = self.streams.entry(key).or_insert_with(new);
        stream.push(bytes);
        let is_broken = loop {
            match stream.next() {
                Ok(Some(Frame::Message(message))) => messages.push(message),
                Ok(Some(_)) => {}
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        for message in messages {
            self.message(party, is_sent, at, flow, &message);
        }
        if is_broken && is_sent {
            self.unreadable(party, at, flow, bytes);
        }
    }

    fn message(&mut self, party: usize, is_sent: bool, at: Instant, flow: Flow, bytes: &[u8]) {
        if !sip::looks_like_sip(bytes) {
            return;
        }
        let Some(sip) = self.read(bytes) else {
            let books = self.parties.entry(party).or_default();
            if !is_sent {
                books.delivered_unreadable(flow);
            } else if !sip::is_refusal(bytes) || !books.refuses_unreadable(flow) {
                self.unreadable(party, at, flow, bytes);
            }
            return;
        };
        let books = self.parties.entry(party).or_default();
        let said = Said { at, flow, sip };
        if is_sent {
            let findings = books.sent(&said, &self.config);
            if !findings.is_empty() {
                let around = books.around(&said.sip, self.start);
                findings.into_iter().for_each(|it| self.report(party, it, around.clone()));
            }
        } else {
            books.delivered(&said, &self.config);
        }
    }

    fn unreadable(&mut self, party: usize, at: Instant, flow: Flow, bytes: &[u8]) {
        let (rule, expected) = (Rule::Readable, "a message that can be read");
        let finding = Finding::of(rule, expected, at, flow, sip::first_line(bytes));
        self.report(party, finding, Vec::new());
    }

    fn read(&mut self, bytes: &[u8]) -> Option<Arc<Sip>> {
        let fingerprint = self.fingerprints.hash_one(bytes);
        if let Some(sip) = self.read.get(&fingerprint) {
            return sip.clone();
        }
        if self.read.len() >= MOST_READ {
            self.read.clear();
        }
        let sip = Sip::read(Bytes::copy_from_slice(bytes), fingerprint).map(Arc::new);
        self.read.insert(fingerprint, sip.clone());
        sip
    }

    fn report(&mut self, party: usize, finding: Finding, around: Vec<String>) {
        if self.excused.iter().any(|(rule, _)| *rule == finding.rule) {
            return;
        }
        let Finding { rule, expected, at, flow, line } = finding;
        let elapsed = at.saturating_duration_since(self.start);
        self.breaches.push(Breach { rule, party, at, elapsed, flow, line, expected, around });
    }
}

/// Copies follow within seconds; this many messages are more than a busy network has on its way.
const MOST_READ: usize = 4096;

#[cfg(test)]
mod tests;
