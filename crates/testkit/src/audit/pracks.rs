//! Which reliable provisional response a PRACK acknowledges, and what its description is (RFC 3262).

use super::{
    client::Client,
    leg::Leg,
    scene::Said,
    server::{Reliable, Server},
    sip::Sip,
};

impl Leg {
    /// Marks the response that a PRACK acknowledges. `true` if its description is an answer.
    pub(super) fn prack(&mut self, sip: &Sip) -> bool {
        let (Some(rack), Some(tag)) = (sip.rack(), &sip.to_tag) else { return false };
        let mut clients = self.clients.iter_mut().rev();
        let is_it = |it: &&mut Client| it.is_invite() && it.sip.cseq == rack.cseq_num;
        let Some(client) = clients.find(is_it) else { return false };
        let has_offer = client.sip.description.is_some();
        let Some(fork) = client.forks.iter_mut().find(|fork| fork.tag == *tag) else {
            return false;
        };
        let is_it = |it: &&mut super::client::Reliable| it.number == rack.response_num;
        let Some(reliable) = fork.reliable.iter_mut().find(is_it) else { return false };
        reliable.is_acknowledged = true;
        let is_answer = !has_offer && reliable.is_described && sip.description.is_some();
        fork.is_answered |= is_answer;
        is_answer
    }

    /// Whether a PRACK may carry no offer: its INVITE was not answered in a reliable response, or was
    /// refused, or another offer waits (RFC 3262 §5, RFC 3264 §4).
    pub(super) fn offers_too_much(&mut self, prack: &Sip) -> bool {
        let of_theirs = |it: &Server| it.last.is_none() && it.description.is_none();
        let theirs = self.servers.iter().any(|it| it.offer().is_some() && of_theirs(it));
        let of_ours = |it: &Client| it.sip.is("UPDATE") && it.sip.description.is_some();
        let ours = self.clients.iter().any(|it| of_ours(it) && it.final_at.is_none());
        let Some((invite, _)) = self.pracked(prack) else { return false };
        let had_answer = invite.reliable.iter().any(|it| it.is_described);
        let is_refused = invite.last.as_ref().is_some_and(|it| !it.sip.is_success());
        let too_soon = invite.sip.description.is_some() && !had_answer;
        theirs || ours || too_soon || is_refused
    }

    /// Marks the response that a PRACK acknowledges. `true` if its description is an answer.
    pub(super) fn receive_prack(&mut self, said: &Said) -> bool {
        let Some((server, index)) = self.pracked(&said.sip) else { return false };
        let has_offer = server.sip.description.is_some();
        let Some(reliable) = server.reliable.get_mut(index) else { return false };
        if reliable.acked_at.is_none() {
            (reliable.acked_at, reliable.acked_by) = (Some(said.at), Some(said.sip.cseq));
        }
        let is_answer = !has_offer && reliable.is_described && said.sip.description.is_some();
        server.is_answered |= is_answer;
        is_answer
    }

    /// A refused PRACK has acknowledged nothing: the response is sent again.
    pub(super) fn forget_prack(&mut self, prack: &Sip, is_answer: bool) {
        let Some((server, index)) = self.pracked(prack) else { return };
        // Another one may have come before.
        let acked = |it: &&mut Reliable| it.acked_by == Some(prack.cseq);
        if let Some(reliable) = server.reliable.get_mut(index).filter(acked) {
            (reliable.acked_at, reliable.acked_by) = (None, None);
            server.is_answered &= !is_answer;
        }
    }

    /// A PRACK that was answered with a 2xx has acknowledged its response for good.
    pub(super) fn keep_prack(&mut self, prack: &Sip) {
        let Some((server, index)) = self.pracked(prack) else { return };
        if let Some(reliable) = server.reliable.get_mut(index) {
            reliable.acked_by = None;
        }
    }

    /// The response that a PRACK names, and the INVITE it belongs to.
    fn pracked(&mut self, prack: &Sip) -> Option<(&mut Server, usize)> {
        let rack = prack.rack()?;
        let is_it = |it: &&mut Server| it.is_invite() && it.sip.cseq == rack.cseq_num;
        let server = self.servers.iter_mut().rev().find(is_it)?;
        let index = server.reliable.iter().position(|it| it.number == rack.response_num)?;
        Some((server, index))
    }
}
