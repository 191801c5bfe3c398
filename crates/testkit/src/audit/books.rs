//! What one party has sent and received.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::Arc,
    time::Instant,
};

use offhook_sansio::Flow;

use super::{
    AuditConfig,
    breach::Finding,
    leg::Leg,
    rules,
    scene::{Said, Scene},
    sip::Sip,
};

/// All that one party knows.
#[derive(Debug, Default)]
pub(super) struct Books {
    branches: Branches,
    legs: HashMap<String, Leg>,
    /// The Call-IDs in the order in which they came.
    order: Vec<String>,
    /// Where messages came from that cannot be read.
    unreadable: Vec<IpAddr>,
}

/// The branches that a party has used, each with the request that it was made for.
#[derive(Debug, Default)]
pub(super) struct Branches(HashMap<String, Arc<Sip>>);

impl Branches {
    /// The request that the branch of `sip` was made for.
    pub(super) fn owner(&self, sip: &Sip) -> Option<&Sip> {
        self.0.get(&sip.branch).map(AsRef::as_ref)
    }

    fn take(&mut self, sip: &Arc<Sip>) {
        if let Entry::Vacant(vacant) = self.0.entry(sip.branch.clone()) {
            vacant.insert(sip.clone());
        }
    }
}

impl Books {
    pub(super) fn legs(&self) -> impl Iterator<Item = &Leg> {
        self.order.iter().filter_map(|call_id| self.legs.get(call_id))
    }

    /// The party sends a message: the rules look at it, then it is taken in.
    pub(super) fn sent(&mut self, said: &Said, config: &AuditConfig) -> Vec<Finding> {
        let mut found = Vec::new();
        if said.sip.status >= 400 && self.refuses_unreadable(said.flow) {
            return found;
        }
        self.open(&said.sip);
        let Some(leg) = self.legs.get_mut(&said.sip.call_id) else { return found };
        let scene = scene(said, leg, &self.branches, config);
        rules::when_sent(&scene, &mut found);
        leg.history.note(said, true);
        if said.sip.is_request() {
            leg.send_request(said);
            self.branches.take(&said.sip);
        } else {
            leg.send_response(said, config);
        }
        found
    }

    /// A message arrives at the party.
    pub(super) fn delivered(&mut self, said: &Said, config: &AuditConfig) {
        self.open(&said.sip);
        let Some(leg) = self.legs.get_mut(&said.sip.call_id) else { return };
        leg.history.note(said, false);
        match said.sip.is_request() {
            true => leg.receive_request(said, config),
            false => leg.receive_response(said, config),
        }
    }

    /// The party cannot send requests on `flow`.
    pub(super) fn failed(&mut self, at: Instant, flow: Flow) {
        let clients = self.legs.values_mut().flat_map(|leg| &mut leg.clients);
        clients.filter(|client| client.flow == flow).for_each(|client| client.fail(at));
    }

    /// Something that cannot be read arrives at the party.
    pub(super) fn delivered_unreadable(&mut self, flow: Flow) {
        self.unreadable.push(flow.remote.ip());
    }

    /// Whether a refusal may be that of something that could not be read (RFC 3261 §8.2, §21.4.1).
    /// It copies what could be salvaged, which may look like another request or be unreadable too.
    pub(super) fn refuses_unreadable(&mut self, flow: Flow) -> bool {
        let known = self.unreadable.iter().position(|it| *it == flow.remote.ip());
        known.map(|index| self.unreadable.swap_remove(index)).is_some()
    }

    /// The last messages of the same call.
    pub(super) fn around(&self, sip: &Sip, start: Instant) -> Vec<String> {
        self.legs.get(&sip.call_id).map(|leg| leg.history.lines(start)).unwrap_or_default()
    }

    fn open(&mut self, sip: &Sip) {
        if !self.legs.contains_key(&sip.call_id) {
            self.order.push(sip.call_id.clone());
            self.legs.insert(sip.call_id.clone(), Leg::default());
        }
    }
}

fn scene<'a>(
    said: &'a Said,
    leg: &'a Leg,
    branches: &'a Branches,
    config: &'a AuditConfig,
) -> Scene<'a> {
    let sip: &Sip = &said.sip;
    let method = sip.method.as_deref().unwrap_or_default();
    let own = leg.client(sip, method).filter(|_| sip.is_request());
    let client = match method {
        "ACK" => leg.client(sip, "INVITE").or_else(|| leg.invite_of(sip)),
        "CANCEL" if own.is_none() => leg.client(sip, "INVITE"),
        _ => own,
    };
    let to_tag = sip.to_tag.as_deref().unwrap_or_default();
    let (server, dialog) = match sip.is_request() {
        true => (None, leg.dialog(&sip.from_tag, to_tag)),
        false => (leg.server(sip), leg.dialog(to_tag, &sip.from_tag)),
    };
    let is_copy = own.is_some();
    let (at, flow) = (said.at, said.flow);
    Scene { at, flow, sip, config, branches, leg, client, is_copy, server, dialog }
}
