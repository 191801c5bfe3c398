//! What a rule looks at: one message that a party sends, and what it is part of.

use std::{sync::Arc, time::Instant};

use offhook_sansio::Flow;

use super::{
    AuditConfig, Rule, books::Branches, breach::Finding, client::Client, dialog::Dialog, leg::Leg,
    server::Server, sip::Sip,
};

/// A message at its time and place.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) at: Instant,
    pub(super) flow: Flow,
    pub(super) sip: Arc<Sip>,
}

/// A message about to be taken into the books of its sender.
pub(super) struct Scene<'a> {
    pub(super) at: Instant,
    pub(super) flow: Flow,
    pub(super) sip: &'a Sip,
    pub(super) config: &'a AuditConfig,
    pub(super) branches: &'a Branches,
    pub(super) leg: &'a Leg,
    /// For a request, the transaction that it repeats; for CANCEL and ACK, that of the INVITE.
    pub(super) client: Option<&'a Client>,
    /// Whether the request was sent before.
    pub(super) is_copy: bool,
    /// For a response, the transaction of its request.
    pub(super) server: Option<&'a Server>,
    /// The dialog that the tags name.
    pub(super) dialog: Option<&'a Dialog>,
}

impl Scene<'_> {
    /// Reports the message itself.
    pub(super) fn breach(&self, found: &mut Vec<Finding>, rule: Rule, expected: impl Into<String>) {
        found.push(Finding::of(rule, expected, self.at, self.flow, self.sip.line.clone()));
    }

    pub(super) fn is(&self, method: &str) -> bool {
        self.sip.is(method)
    }

    /// A request that begins a transaction of its own, ACK to a 2xx excluded.
    pub(super) fn is_new_request(&self) -> bool {
        self.sip.is_request() && !self.is_copy && !self.is("ACK") && !self.is("CANCEL")
    }

    /// A new request by a user agent, not by a proxy.
    pub(super) fn is_own_request(&self) -> bool {
        self.is_new_request() && !self.sip.is_forwarded()
    }

    /// The transaction of a response by a user agent, not by a proxy.
    pub(super) fn own_server(&self) -> Option<&Server> {
        self.server.filter(|server| !server.is_relayed)
    }
}
