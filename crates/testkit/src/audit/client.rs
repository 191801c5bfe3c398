//! A request that a party has sent, and what came back (RFC 3261 §17.1).

use std::{sync::Arc, time::Instant};

use offhook_sansio::Flow;

use super::{AuditConfig, description::Description, scene::Said, sip::Sip};

/// A client transaction.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) sip: Arc<Sip>,
    pub(super) flow: Flow,
    pub(super) first_at: Instant,
    pub(super) last_at: Instant,
    /// How often it was sent.
    pub(super) copies: u32,
    /// When the first response of any kind came.
    pub(super) response_at: Option<Instant>,
    pub(super) final_at: Option<Instant>,
    /// When the transport failed under it.
    pub(super) failed_at: Option<Instant>,
    /// The first final response that failed; the ACKs to it must match.
    pub(super) failure: Option<Arc<Sip>>,
    /// How often a failure came, and an ACK was sent to it.
    pub(super) failures: u32,
    pub(super) acks_to_failure: u32,
    /// When the CANCEL was sent.
    pub(super) cancelled_at: Option<Instant>,
    /// When a BYE has ended the dialog that it was sent in.
    pub(super) left_at: Option<Instant>,
    /// One for each party that answers an INVITE.
    pub(super) forks: Vec<Fork>,
    /// Whether it is a PRACK whose description is an answer.
    pub(super) is_answer: bool,
}

/// What came from one of the parties that an INVITE has reached.
#[derive(Debug)]
pub(super) struct Fork {
    pub(super) tag: String,
    /// How often the 2xx came, when first, and how often it was acknowledged.
    pub(super) successes: u32,
    pub(super) success: Option<(Instant, Arc<Sip>)>,
    pub(super) acks: u32,
    pub(super) ack: Option<(Instant, Arc<Sip>)>,
    /// The first description in a response that surely comes.
    pub(super) description: Option<Description>,
    /// Whether the party has sent its answer to that description.
    pub(super) is_answered: bool,
    pub(super) reliable: Vec<Reliable>,
}

/// A reliable provisional response that came in order (RFC 3262 §4).
#[derive(Debug)]
pub(super) struct Reliable {
    pub(super) number: u32,
    pub(super) at: Instant,
    pub(super) line: Arc<str>,
    pub(super) is_described: bool,
    pub(super) is_acknowledged: bool,
}

impl Client {
    pub(super) fn new(said: &Said) -> Self {
        Self {
            sip: said.sip.clone(),
            flow: said.flow,
            first_at: said.at,
            last_at: said.at,
            copies: 1,
            response_at: None,
            final_at: None,
            failed_at: None,
            failure: None,
            failures: 0,
            acks_to_failure: 0,
            cancelled_at: None,
            left_at: None,
            forks: Vec::new(),
            is_answer: false,
        }
    }

    pub(super) fn is_invite(&self) -> bool {
        self.sip.is("INVITE")
    }

    pub(super) fn is_of(&self, sip: &Sip) -> bool {
        self.sip.branch == sip.branch && self.sip.cseq == sip.cseq
    }

    pub(super) fn sent_again(&mut self, at: Instant) {
        self.last_at = at;
        self.copies = self.copies.saturating_add(1);
    }

    /// Takes a response in. One that comes when the transaction is over is not received.
    pub(super) fn receive(&mut self, said: &Said, config: &AuditConfig) {
        if self.is_over(said.at, config) {
            return;
        }
        self.response_at.get_or_insert(said.at);
        if self.is_invite() {
            self.receive_for_invite(said);
        }
        if said.sip.is_final() {
            self.final_at.get_or_insert(said.at);
        }
    }

    fn receive_for_invite(&mut self, said: &Said) {
        let sip = &said.sip;
        let has_final = self.final_at.is_some();
        if sip.is_success() && self.failure.is_none() {
            self.fork(sip).succeed(said);
        } else if sip.is_provisional() && !has_final {
            if let Some(number) = sip.reliable() {
                self.fork(sip).receive_reliable(said, number);
            }
        } else if sip.is_final() && !sip.is_success() && (self.failure.is_some() || !has_final) {
            self.failure.get_or_insert_with(|| sip.clone());
            self.failures = self.failures.saturating_add(1);
        }
    }

    /// The transport fails: the transaction is over, but for an INVITE that has had a provisional
    /// response or a 2xx (RFC 3261 figures 5 and 6).
    pub(super) fn fail(&mut self, at: Instant) {
        let stays = match self.is_invite() {
            true => self.response_at.is_some() && self.failure.is_none(),
            false => self.final_at.is_some(),
        };
        if !stays {
            self.failed_at.get_or_insert(at);
        }
    }

    /// Whether nothing that comes at `at` belongs to it any more (RFC 3261 §17.1.1.2 Timers B and
    /// D, §9.1 for a cancelled one).
    pub(super) fn is_over(&self, at: Instant, config: &AuditConfig) -> bool {
        if self.failed_at.is_some_and(|failed| at >= failed) {
            return true;
        }
        let waits_from = match (self.final_at, self.response_at, self.cancelled_at) {
            (Some(end), ..) => Some(end),
            (None, _, Some(cancelled)) => Some(cancelled),
            (None, Some(_), None) if self.is_invite() => None,
            (None, ..) => Some(self.first_at),
        };
        waits_from.is_some_and(|from| at >= from + config.t1 * 64)
    }

    /// Whether the party need not know what comes at `at`: a BYE has ended the dialog, and what is
    /// not answered 64*T1 later may never be.
    pub(super) fn may_be_over(&self, at: Instant, config: &AuditConfig) -> bool {
        let before = self.response_at.is_none_or(|response| Some(response) > self.left_at);
        let from = if before { Some(self.first_at) } else { self.left_at };
        self.left_at.is_some() && from.is_some_and(|from| at >= from + config.t1 * 64)
    }

    pub(super) fn fork_of(&self, tag: &str) -> Option<&Fork> {
        self.forks.iter().find(|fork| fork.tag == tag)
    }

    pub(super) fn fork(&mut self, sip: &Sip) -> &mut Fork {
        let tag = sip.to_tag.as_deref().unwrap_or_default();
        let known = self.forks.iter().position(|fork| fork.tag == tag);
        let index = known.unwrap_or(self.forks.len());
        if known.is_none() {
            self.forks.push(Fork::new(tag));
        }
        #[expect(clippy::indexing_slicing, reason = "found or pushed above")]
        &mut self.forks[index]
    }
}

impl Fork {
    fn new(tag: &str) -> Self {
        Self {
            tag: tag.to_owned(),
            successes: 0,
            success: None,
            acks: 0,
            ack: None,
            description: None,
            is_answered: false,
            reliable: Vec::new(),
        }
    }

    fn succeed(&mut self, said: &Said) {
        self.successes = self.successes.saturating_add(1);
        self.success.get_or_insert_with(|| (said.at, said.sip.clone()));
        self.describe(&said.sip);
    }

    fn receive_reliable(&mut self, said: &Said, number: u32) {
        let last = self.reliable.last().map(|it| it.number);
        if last.is_some_and(|last| number != last.saturating_add(1)) {
            return;
        }
        let had = self.description.is_some();
        self.describe(&said.sip);
        self.reliable.push(Reliable {
            number,
            at: said.at,
            line: said.sip.line.clone(),
            is_described: !had && self.description.is_some(),
            is_acknowledged: false,
        });
    }

    fn describe(&mut self, sip: &Sip) {
        if self.description.is_none() {
            self.description.clone_from(&sip.description);
        }
    }
}
