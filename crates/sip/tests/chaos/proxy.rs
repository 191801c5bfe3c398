//! A proxy that forks (RFC 3261 §16): stateful for the INVITEs that it forks, stateless for what
//! comes within a dialog when it has asked to stay on the path (§16.11).
//!
//! 1. An INVITE without a To tag goes to all targets, each copy with a branch of its own.
//! 2. Provisional responses and every 2xx go upstream; a failure is acknowledged and kept.
//! 3. The best failure goes upstream when all branches have failed; a 2xx or a 6xx cancels the rest.
//! 4. A CANCEL is answered, and goes to each branch that has said something.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    time::Instant,
};

use crate::{
    context::{Branch, Context},
    message::Text,
};

/// What the proxy has to send, and where to; and what it passes on without state.
#[derive(Default)]
pub(crate) struct Out {
    pub(crate) own: Vec<(SocketAddr, Text)>,
    pub(crate) passed: Vec<(SocketAddr, Text)>,
}

impl Out {
    pub(crate) fn push(&mut self, sent: (SocketAddr, Text)) {
        self.own.push(sent);
    }
}

#[derive(Default)]
pub(crate) struct Proxy {
    address: Option<SocketAddr>,
    targets: Vec<SocketAddr>,
    contexts: Vec<Context>,
    number: u64,
    /// How often something worth a test has happened.
    pub(crate) happened: HashMap<&'static str, usize>,
}

impl Proxy {
    pub(crate) fn new(address: SocketAddr, targets: Vec<SocketAddr>) -> Self {
        Self { address: Some(address), targets, ..Self::default() }
    }

    pub(crate) fn receive(&mut self, now: Instant, from: SocketAddr, bytes: &[u8], out: &mut Out) {
        let mut text = Text::read(bytes);
        if text.is_response() {
            return self.receive_response(now, text, out);
        }
        text.mark_source(from);
        let known = self.contexts.iter().position(|it| it.invite.branch() == text.branch());
        match (text.method(), known) {
            ("INVITE", Some(context)) => {
                let context = &self.contexts[context];
                // A 2xx is repeated by the callee alone (RFC 6026 §7.1).
                if !context.is_final || context.successes == 0 {
                    out.push((context.upstream, context.said.clone()));
                }
            }
            ("ACK", Some(context)) => self.contexts[context].repeats = None,
            ("CANCEL", Some(context)) => self.cancelled(now, context, &text, from, out),
            ("INVITE", None) if !text.is_in_dialog() => self.fork(now, text, from, out),
            // A CANCEL whose INVITE is forgotten, and an ACK to nothing.
            ("CANCEL" | "ACK", None) if !text.is_in_dialog() => {}
            _ => self.pass_on(text, out),
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let contexts = self.contexts.iter();
        contexts.flat_map(Context::deadlines).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Out) {
        self.contexts.iter_mut().for_each(|context| context.handle_timeout(now, out));
        self.contexts.retain(|it| it.over_at.is_none_or(|over| now < over));
    }

    /// §16.6.
    fn fork(&mut self, now: Instant, invite: Text, upstream: SocketAddr, out: &mut Out) {
        self.number += 1;
        let trying = invite.respond("100 Trying", "");
        out.push((upstream, trying.clone()));
        let stays = self.number.is_multiple_of(2);
        let targets: Vec<_> = self.targets.iter().copied().filter(|it| *it != upstream).collect();
        let mut branches = Vec::new();
        for (index, target) in targets.into_iter().enumerate() {
            let mut copy = invite.clone();
            copy.set_request_uri(&format!("sip:called@{target}"));
            copy.count_down();
            if stays {
                copy.push("Record-Route", &format!("<sip:{};lr>", self.own()));
            }
            self.push_via(&mut copy, &format!("z9hG4bKp{}x{index}", self.number));
            out.push((target, copy.clone()));
            branches.push(Branch::new(now, target, copy));
        }
        self.count("forked");
        self.contexts.push(Context::new(invite, upstream, trying, branches));
    }

    /// §16.10.
    fn cancelled(
        &mut self,
        now: Instant,
        context: usize,
        cancel: &Text,
        from: SocketAddr,
        out: &mut Out,
    ) {
        self.count("cancelled");
        out.push((from, cancel.respond("200 OK", "proxy")));
        let context = &mut self.contexts[context];
        context.is_cancelled = true;
        context.cancel_all(now, out);
    }

    fn receive_response(&mut self, now: Instant, response: Text, out: &mut Out) {
        let of = |branch: &Branch| branch.invite.branch() == response.branch();
        let found =
            self.contexts.iter().enumerate().find_map(|(number, context)| {
                Some((number, context.branches.iter().position(of)?))
            });
        match found {
            None => self.pass_back(response, out),
            Some((context, branch)) if response.cseq_method() == "CANCEL" => {
                self.contexts[context].branches[branch].cancel = None;
            }
            Some((number, branch)) => {
                let context = &mut self.contexts[number];
                let before = (context.successes, context.is_final);
                context.respond(now, branch, response, out);
                let (after, has_failed) = (context.successes, context.successes == 0);
                if before.0 == 1 && after == 2 {
                    self.count("accepted twice");
                }
                if !before.1 && self.contexts[number].is_final && has_failed {
                    self.count("failed");
                }
            }
        }
    }

    /// Passes a request within a dialog on, with a branch that its copies, its ACK and its CANCEL
    /// have too (§16.11).
    fn pass_on(&mut self, mut request: Text, out: &mut Out) {
        self.count("passed on");
        let mut hasher = DefaultHasher::new();
        request.branch().hash(&mut hasher);
        request.drop_first("Route");
        request.count_down();
        let to = request.request_address();
        self.push_via(&mut request, &format!("z9hG4bKs{:x}", hasher.finish()));
        out.passed.push((to, request));
    }

    /// Passes a response back that belongs to no context (§16.7, §16.11).
    fn pass_back(&mut self, mut response: Text, out: &mut Out) {
        response.drop_first("Via");
        if let Some(to) = response.via_address() {
            out.passed.push((to, response));
        }
    }

    fn push_via(&self, text: &mut Text, branch: &str) {
        text.push("Via", &format!("SIP/2.0/UDP {};branch={branch}", self.own()));
    }

    fn own(&self) -> SocketAddr {
        self.address.expect("a proxy has an address")
    }

    fn count(&mut self, what: &'static str) {
        *self.happened.entry(what).or_default() += 1;
    }

    pub(crate) fn live(&self) -> usize {
        self.contexts.len()
    }
}
