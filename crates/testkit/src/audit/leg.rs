//! What one party knows of one Call-ID: its transactions and its dialogs.

use std::time::Instant;

use super::{
    AuditConfig, client::Client, dialog::Dialog, history::History, scene::Said, server::Server,
    sip::Sip,
};

/// The transactions and dialogs of one party under one Call-ID.
#[derive(Debug, Default)]
pub(super) struct Leg {
    pub(super) clients: Vec<Client>,
    pub(super) servers: Vec<Server>,
    pub(super) dialogs: Vec<Dialog>,
    /// The last CSeq number of requests outside of dialogs, by From tag.
    pub(super) outside: Vec<(String, u32)>,
    pub(super) history: History,
}

impl Leg {
    /// The transaction that a request with this branch and method belongs to.
    pub(super) fn client(&self, sip: &Sip, method: &str) -> Option<&Client> {
        self.clients.iter().rev().find(|client| client.sip.is(method) && client.is_of(sip))
    }

    fn client_mut(&mut self, sip: &Sip, method: &str) -> Option<&mut Client> {
        self.clients.iter_mut().rev().find(|client| client.sip.is(method) && client.is_of(sip))
    }

    /// The INVITE that an ACK with a branch of its own is for.
    pub(super) fn invite_of(&self, sip: &Sip) -> Option<&Client> {
        let is_it = |it: &&Client| {
            it.is_invite() && it.sip.cseq == sip.cseq && it.sip.from_tag == sip.from_tag
        };
        self.clients.iter().rev().find(is_it)
    }

    /// The transaction that a response of the party belongs to.
    pub(super) fn server(&self, sip: &Sip) -> Option<&Server> {
        self.servers
            .iter()
            .rev()
            .find(|server| server.sip.branch == sip.branch && server.sip.is(&sip.cseq_method))
    }

    fn server_mut(&mut self, sip: &Sip, method: &str) -> Option<&mut Server> {
        let is_it = |it: &&mut Server| it.sip.branch == sip.branch && it.sip.is(method);
        self.servers.iter_mut().rev().find(is_it)
    }

    pub(super) fn dialog(&self, local_tag: &str, remote_tag: &str) -> Option<&Dialog> {
        self.dialogs.iter().find(|dialog| dialog.is(local_tag, remote_tag))
    }

    fn dialog_mut(&mut self, local_tag: &str, remote_tag: &str) -> Option<&mut Dialog> {
        self.dialogs.iter_mut().find(|dialog| dialog.is(local_tag, remote_tag))
    }

    /// Takes in a request that the party sends.
    pub(super) fn send_request(&mut self, said: &Said) {
        let sip = &said.sip;
        let method = sip.method.as_deref().unwrap_or_default();
        if method == "ACK" {
            return self.acknowledge(said);
        }
        if let Some(client) = self.client_mut(sip, method) {
            return client.sent_again(said.at);
        }
        let mut client = Client::new(said);
        match method {
            "CANCEL" => {
                if let Some(invite) = self.client_mut(sip, "INVITE") {
                    invite.cancelled_at.get_or_insert(said.at);
                }
            }
            "PRACK" => client.is_answer = self.prack(sip),
            _ => {}
        }
        if method != "CANCEL" {
            self.remember(said, method);
        }
        self.clients.push(client);
    }

    /// What a dialog remembers of a new request of the party.
    fn remember(&mut self, said: &Said, method: &str) {
        let sip = &said.sip;
        if sip.is_forwarded() {
            let servers = self.servers.iter_mut().filter(|it| {
                it.sip.is(method) && it.sip.cseq == sip.cseq && it.sip.from_tag == sip.from_tag
            });
            servers.for_each(|server| server.is_relayed = true);
            return;
        }
        let remote_tag = sip.to_tag.as_deref().unwrap_or_default();
        if let Some(dialog) = self.dialog_mut(&sip.from_tag, remote_tag) {
            dialog.local_cseq = Some(sip.cseq);
            if sip.description.is_some() {
                dialog.description.clone_from(&sip.description);
            }
            if method == "BYE" {
                dialog.bye_at.get_or_insert(said.at);
                self.leave(&sip.from_tag, remote_tag, said.at);
            }
        } else if let Some((_, cseq)) =
            self.outside.iter_mut().find(|(tag, _)| *tag == sip.from_tag)
        {
            *cseq = sip.cseq;
        } else {
            self.outside.push((sip.from_tag.clone(), sip.cseq));
        }
    }

    fn acknowledge(&mut self, said: &Said) {
        let sip = &said.sip;
        if let Some(client) = self.client_mut(sip, "INVITE") {
            client.acks_to_failure = client.acks_to_failure.saturating_add(1);
            return;
        }
        let is_it = |it: &&mut Client| {
            it.is_invite() && it.sip.cseq == sip.cseq && it.sip.from_tag == sip.from_tag
        };
        let Some(client) = self.clients.iter_mut().rev().find(is_it) else { return };
        let fork = client.fork(sip);
        fork.acks = fork.acks.saturating_add(1);
        fork.ack.get_or_insert_with(|| (said.at, sip.clone()));
        fork.is_answered |= sip.description.is_some();
        let remote_tag = sip.to_tag.as_deref().unwrap_or_default();
        if sip.description.is_some()
            && let Some(dialog) = self.dialog_mut(&sip.from_tag, remote_tag)
        {
            dialog.description.clone_from(&sip.description);
        }
    }

    /// Takes in a response that the party sends.
    pub(super) fn send_response(&mut self, said: &Said, config: &AuditConfig) {
        let sip = &said.sip;
        let Some(server) = self.server_mut(sip, &sip.cseq_method) else { return };
        let is_first_final = sip.is_final() && server.last.is_none();
        server.respond(said, config);
        if server.is_relayed || sip.status == 100 {
            return;
        }
        let (request, is_answer) = (server.sip.clone(), server.is_answer);
        if is_first_final && request.is("PRACK") && !sip.is_success() {
            return self.forget_prack(&request, is_answer);
        }
        if is_first_final && request.is("PRACK") {
            self.keep_prack(&request);
        }
        let tags = (sip.to_tag.as_deref().unwrap_or_default(), sip.from_tag.as_str());
        if request.to_tag.is_none() && makes_dialog(&request) && sip.status < 300 {
            match self.dialog_mut(tags.0, tags.1) {
                Some(dialog) => dialog.is_confirmed |= sip.is_success(),
                None => self.dialogs.push(Dialog::new(&request, sip, false)),
            }
        }
        let Some(dialog) = self.dialog_mut(tags.0, tags.1) else { return };
        if sip.description.is_some() {
            dialog.description.clone_from(&sip.description);
        }
        if !is_first_final || !sip.is_success() {
            return;
        }
        match request.method.as_deref() {
            Some("INVITE" | "UPDATE") => {
                dialog.move_to(&request);
                dialog.time_session(said, false);
            }
            Some("BYE") => {
                dialog.over_at.get_or_insert(said.at);
                self.leave(tags.0, tags.1, said.at);
            }
            _ => {}
        }
    }

    /// A BYE of either side ends a dialog: an INVITE in it may never be answered.
    fn leave(&mut self, local_tag: &str, remote_tag: &str, at: Instant) {
        let in_it = |it: &&mut Client| {
            it.sip.from_tag == local_tag && it.sip.to_tag.as_deref() == Some(remote_tag)
        };
        let invites = self.clients.iter_mut().filter(|it| it.is_invite() && it.final_at.is_none());
        invites.filter(in_it).for_each(|invite| {
            invite.left_at.get_or_insert(at);
        });
    }

    /// Takes in a request that the party receives.
    pub(super) fn receive_request(&mut self, said: &Said, config: &AuditConfig) {
        let sip = &said.sip;
        let method = sip.method.as_deref().unwrap_or_default();
        if method == "ACK" {
            return self.receive_ack(said);
        }
        let server = self.server_mut(sip, method);
        if let Some(server) = server.filter(|server| !server.is_over(said.at, config)) {
            server.prompts = server.prompts.saturating_add(1);
            return;
        }
        let mut server = Server::new(said);
        let remote_tag = sip.from_tag.as_str();
        let local_tag = sip.to_tag.as_deref().unwrap_or_default();
        match method {
            "PRACK" => {
                server.is_answer = self.receive_prack(said);
                server.is_excess = self.offers_too_much(sip);
            }
            "INVITE" | "UPDATE" => {
                if let Some(dialog) = self.dialog_mut(local_tag, remote_tag) {
                    dialog.may_move(sip);
                }
            }
            "BYE" => self.end_answers(said),
            "NOTIFY" => self.notified(sip),
            _ => {}
        }
        self.servers.push(server);
    }

    /// The NOTIFY to a SUBSCRIBE or REFER makes a dialog, as its 2xx does (RFC 6665 §4.1.2.4).
    fn notified(&mut self, notify: &Sip) {
        let Some(local_tag) = &notify.to_tag else { return };
        if self.dialog(local_tag, &notify.from_tag).is_some() {
            return;
        }
        let asks = |it: &&Client| {
            let method = it.sip.is("SUBSCRIBE") || it.sip.is("REFER");
            method && it.sip.to_tag.is_none() && it.sip.from_tag == *local_tag
        };
        if let Some(client) = self.clients.iter().rev().find(asks) {
            self.dialogs.push(Dialog::of_notify(&client.sip, notify));
        }
    }

    /// A BYE ends the dialog: its 2xx need not be repeated any more.
    fn end_answers(&mut self, said: &Said) {
        let from_tag = &said.sip.from_tag;
        let servers = self.servers.iter_mut();
        for server in servers.filter(|it| it.is_invite() && it.sip.from_tag == *from_tag) {
            server.ended_at.get_or_insert(said.at);
        }
    }

    fn receive_ack(&mut self, said: &Said) {
        let sip = &said.sip;
        let is_it = |it: &&mut Server| {
            // One that comes before any final response acknowledges nothing; one to a failure belongs
            // to the INVITE by its branch alone (§17.2.3).
            let Some(last) = &it.last else { return false };
            let same = it.sip.cseq == sip.cseq && it.sip.from_tag == sip.from_tag;
            let acknowledges = match last.sip.is_success() {
                true => it.to_tag == sip.to_tag,
                false => it.sip.branch == sip.branch,
            };
            it.is_invite() && same && acknowledges
        };
        let Some(server) = self.servers.iter_mut().rev().find(is_it) else { return };
        server.acked_at.get_or_insert(said.at);
        server.is_answered |= sip.description.is_some();
    }

    /// Takes in a response that the party receives.
    pub(super) fn receive_response(&mut self, said: &Said, config: &AuditConfig) {
        let sip = &said.sip;
        let Some(client) = self.client_mut(sip, &sip.cseq_method) else { return };
        let (was_over, had_final) = (client.is_over(said.at, config), client.final_at.is_some());
        client.receive(said, config);
        let request = client.sip.clone();
        let failed = client.failure.is_some();
        if was_over || failed || request.is_forwarded() || sip.status == 100 || sip.status >= 300 {
            return;
        }
        let tags = (sip.from_tag.as_str(), sip.to_tag.as_deref().unwrap_or_default());
        if request.to_tag.is_none() && makes_dialog(&request) && !tags.1.is_empty() {
            match self.dialog_mut(tags.0, tags.1) {
                Some(dialog) if !dialog.is_confirmed => dialog.learn(&request, sip),
                Some(_) => {}
                None if had_final && sip.is_provisional() => {}
                None => self.dialogs.push(Dialog::new(&request, sip, true)),
            }
        }
        let Some(dialog) = self.dialog_mut(tags.0, tags.1) else { return };
        match request.method.as_deref() {
            Some("INVITE" | "UPDATE") if sip.is_success() && !had_final => {
                dialog.move_to(sip);
                dialog.time_session(said, true);
            }
            _ => {}
        }
    }
}

/// Whether a request begins a dialog when it is answered (RFC 3261 §12.1, RFC 6665 §4.1, RFC 3515).
fn makes_dialog(request: &Sip) -> bool {
    ["INVITE", "SUBSCRIBE", "REFER"].iter().any(|method| request.is(method))
}
