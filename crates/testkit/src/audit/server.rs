//! A request that a party has received, and what it said to it (RFC 3261 §17.2).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use offhook_sansio::Flow;

use super::{AuditConfig, description::Description, scene::Said, sip::Sip};

/// A server transaction.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) sip: Arc<Sip>,
    pub(super) flow: Flow,
    /// Whether the party has sent the request on: it is a proxy here.
    pub(super) is_relayed: bool,
    /// Copies of the request that came and were not answered by a copy of the response.
    pub(super) prompts: u32,
    /// The To tag of the responses.
    pub(super) to_tag: Option<String>,
    /// The fingerprint of the last provisional response.
    pub(super) provisional: Option<u64>,
    pub(super) reliable: Vec<Reliable>,
    /// Whether the party has said or done what only a server with state does. One without state
    /// answers each copy of a request anew, and knows no ACK (RFC 3261 §8.2.7).
    pub(super) is_stateful: bool,
    /// The first final response.
    pub(super) last: Option<Final>,
    pub(super) acked_at: Option<Instant>,
    /// When a BYE ended the dialog: the 2xx need not be repeated any more.
    pub(super) ended_at: Option<Instant>,
    /// The first description in a response that surely arrives.
    pub(super) description: Option<Description>,
    /// Whether the answer to that description came.
    pub(super) is_answered: bool,
    /// Whether it is a PRACK whose description is an answer.
    pub(super) is_answer: bool,
    /// Whether it is a PRACK that may carry no offer: nobody has to answer one.
    pub(super) is_excess: bool,
}

/// A final response.
#[derive(Debug)]
pub(super) struct Final {
    pub(super) sip: Arc<Sip>,
    pub(super) at: Instant,
    pub(super) schedule: Schedule,
}

impl Final {
    fn new(said: &Said, config: &AuditConfig) -> Self {
        Self { sip: said.sip.clone(), at: said.at, schedule: Schedule::from(said.at, config) }
    }
}

/// A reliable provisional response (RFC 3262 §3).
#[derive(Debug)]
pub(super) struct Reliable {
    pub(super) number: u32,
    pub(super) fingerprint: u64,
    pub(super) is_described: bool,
    pub(super) acked_at: Option<Instant>,
    /// The CSeq number of the PRACK that did so, until that is answered.
    pub(super) acked_by: Option<u32>,
    pub(super) schedule: Schedule,
}

/// When the next copy is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    pub(super) due: Instant,
    interval: Duration,
}

impl Schedule {
    pub(super) fn from(at: Instant, config: &AuditConfig) -> Self {
        Self { due: at + config.t1, interval: config.t1 }
    }

    /// Whether a copy is due at `at`.
    pub(super) fn is_due(&self, at: Instant, config: &AuditConfig) -> bool {
        let off =
            at.saturating_duration_since(self.due).max(self.due.saturating_duration_since(at));
        off <= config.tolerance
    }

    fn advance(&mut self, longest: Option<Duration>) {
        self.interval = self.interval.saturating_mul(2);
        if let Some(longest) = longest {
            self.interval = self.interval.min(longest);
        }
        self.due += self.interval;
    }
}

impl Server {
    pub(super) fn new(said: &Said) -> Self {
        Self {
            sip: said.sip.clone(),
            flow: said.flow,
            is_relayed: false,
            prompts: 0,
            to_tag: None,
            provisional: None,
            reliable: Vec::new(),
            is_stateful: false,
            last: None,
            acked_at: None,
            ended_at: None,
            description: None,
            is_answered: false,
            is_answer: false,
            is_excess: false,
        }
    }

    pub(super) fn is_invite(&self) -> bool {
        self.sip.is("INVITE")
    }

    /// Takes a response of the party in.
    pub(super) fn respond(&mut self, said: &Said, config: &AuditConfig) {
        let sip = &said.sip;
        self.is_stateful |= !sip.is_final() || sip.is_success();
        if self.to_tag.is_none() && sip.status != 100 {
            self.to_tag.clone_from(&sip.to_tag);
        }
        if let Some(number) = sip.reliable() {
            self.respond_reliably(said, number, config);
        } else if sip.is_provisional() {
            if self.provisional == Some(sip.fingerprint) {
                self.prompts = self.prompts.saturating_sub(1);
            }
            self.provisional = Some(sip.fingerprint);
        } else {
            self.finish(said, config);
        }
        if self.description.is_none() && (sip.is_success() || sip.reliable().is_some()) {
            self.description.clone_from(&sip.description);
        }
    }

    fn respond_reliably(&mut self, said: &Said, number: u32, config: &AuditConfig) {
        let fingerprint = said.sip.fingerprint;
        if let Some(copy) = self.reliable.iter_mut().find(|it| it.fingerprint == fingerprint) {
            match copy.schedule.is_due(said.at, config) {
                true => copy.schedule.advance(None),
                false => self.prompts = self.prompts.saturating_sub(1),
            }
            return;
        }
        self.reliable.push(Reliable {
            number,
            fingerprint,
            is_described: self.description.is_none() && said.sip.description.is_some(),
            acked_at: None,
            acked_by: None,
            schedule: Schedule::from(said.at, config),
        });
    }

    fn finish(&mut self, said: &Said, config: &AuditConfig) {
        match &mut self.last {
            Some(last) if last.sip.fingerprint != said.sip.fingerprint => {
                self.prompts = self.prompts.saturating_sub(1);
                *last = Final::new(said, config);
            }
            Some(last) if last.schedule.is_due(said.at, config) => {
                self.is_stateful |= self.prompts == 0;
                last.schedule.advance(Some(config.t2));
            }
            Some(_) => self.prompts = self.prompts.saturating_sub(1),
            None => self.last = Some(Final::new(said, config)),
        }
    }

    /// Whether a request with the same branch begins a new transaction (Timers H, I, J and, for a
    /// 2xx, L of RFC 6026).
    pub(super) fn is_over(&self, at: Instant, config: &AuditConfig) -> bool {
        let Some(last) = &self.last else { return false };
        let after_ack = self.acked_at.filter(|_| !last.sip.is_success());
        let by_ack = after_ack.is_some_and(|acked| at >= acked + config.t4);
        by_ack || at >= last.at + config.t1 * 64
    }

    /// A description that the peer has offered in the request.
    pub(super) fn offer(&self) -> Option<&Description> {
        self.sip.description.as_ref().filter(|_| !self.is_answer && !self.is_excess)
    }
}
