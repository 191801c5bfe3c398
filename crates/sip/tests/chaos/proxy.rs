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
    time::{Duration, Instant},
};

use crate::message::Text;

/// What the proxy has to send, and where to; and what it passes on without state.
#[derive(Default)]
pub(crate) struct Out {
    pub(crate) own: Vec<(SocketAddr, Text)>,
    pub(crate) passed: Vec<(SocketAddr, Text)>,
}

impl Out {
    fn push(&mut self, sent: (SocketAddr, Text)) {
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

/// A response context (§16.7): the INVITE that came, and the branches that it went to.
struct Context {
    invite: Text,
    upstream: SocketAddr,
    branches: Vec<Branch>,
    /// What was said upstream last; a final one is sent again until its ACK comes.
    said: Text,
    repeats: Option<Repeats>,
    is_final: bool,
    successes: usize,
    is_cancelled: bool,
    /// When it may be forgotten.
    over_at: Option<Instant>,
}

/// One client transaction.
struct Branch {
    target: SocketAddr,
    invite: Text,
    /// The INVITE until anything comes back.
    repeats: Option<Repeats>,
    /// The CANCEL until its answer comes.
    cancel: Option<Repeats>,
    /// When a cancelled INVITE is waited for no longer (§9.1).
    gives_up: Option<Instant>,
    has_spoken: bool,
    is_done: bool,
    failure: Option<Text>,
}

/// A message that is sent again until it is answered (Timers A, E and G), for 64*T1.
struct Repeats {
    text: Text,
    to: SocketAddr,
    at: Instant,
    interval: Duration,
    longest: Duration,
    until: Instant,
}

impl Repeats {
    fn new(now: Instant, text: Text, to: SocketAddr, longest: Duration) -> Self {
        Self { text, to, at: now + T1, interval: T1, longest, until: now + T1 * 64 }
    }

    fn due(&self) -> Instant {
        self.at.min(self.until)
    }

    /// Sends it again; false if its time is over.
    fn fires(&mut self, now: Instant, out: &mut Out) -> bool {
        if now >= self.until {
            return false;
        }
        if now >= self.at {
            self.interval = self.longest.min(self.interval * 2);
            self.at += self.interval;
            out.push((self.to, self.text.clone()));
        }
        true
    }
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
        for context in &mut self.contexts {
            if context.repeats.as_mut().is_some_and(|it| !it.fires(now, out)) {
                context.repeats = None;
            }
            for index in 0..context.branches.len() {
                let branch = &mut context.branches[index];
                if branch.cancel.as_mut().is_some_and(|it| !it.fires(now, out)) {
                    branch.cancel = None;
                }
                let unanswered = branch.repeats.as_mut().is_some_and(|it| !it.fires(now, out));
                if unanswered || branch.gives_up.is_some_and(|at| now >= at) {
                    (branch.repeats, branch.gives_up) = (None, None);
                    // Timer B, or §9.1: as if 408 had come.
                    let timeout = branch.invite.respond("408 Request Timeout", "proxy");
                    context.fail(now, index, timeout, out);
                }
            }
        }
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
        self.contexts.push(Context {
            invite,
            upstream,
            branches,
            said: trying,
            repeats: None,
            is_final: false,
            successes: 0,
            is_cancelled: false,
            over_at: None,
        });
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

impl Context {
    /// A response to the INVITE on a branch (§16.7).
    fn respond(&mut self, now: Instant, index: usize, response: Text, out: &mut Out) {
        let branch = &mut self.branches[index];
        (branch.repeats, branch.has_spoken) = (None, true);
        match response.status() {
            100 => {}
            101..=199 if self.is_final => {}
            101..=199 => self.pass_back(response, out),
            200..=299 => {
                branch.succeed();
                let is_first = branch.failure.is_none();
                self.successes = self.branches.iter().filter(|it| it.has_succeeded()).count();
                (self.is_final, self.repeats) = (true, None);
                self.over_at = Some(now + T1 * 64);
                if is_first {
                    self.pass_back(response, out);
                }
                self.cancel_all(now, out);
            }
            _ => self.fail(now, index, response, out),
        }
        if self.is_cancelled {
            self.cancel_all(now, out);
        }
    }

    fn pass_back(&mut self, mut response: Text, out: &mut Out) {
        response.drop_first("Via");
        out.push((self.upstream, response.clone()));
        self.said = response;
    }

    /// A branch has failed: its failure is acknowledged, and the best of all goes upstream.
    fn fail(&mut self, now: Instant, index: usize, failure: Text, out: &mut Out) {
        let branch = &mut self.branches[index];
        if failure.to_tag() != "proxy" {
            out.push((branch.target, branch.invite.acknowledge(&failure)));
        }
        if branch.is_done {
            return;
        }
        (branch.is_done, branch.repeats, branch.gives_up) = (true, None, None);
        let is_global = failure.status() >= 600;
        branch.failure = Some(failure);
        if is_global {
            self.cancel_all(now, out);
        }
        if self.is_final || self.branches.iter().any(|it| !it.is_done) {
            return;
        }
        let failures = self.branches.iter().filter_map(|it| it.failure.clone());
        // §16.7, 6: a 6xx if there is one, else of the lowest class.
        let rank = |it: &Text| if it.status() >= 600 { 0 } else { it.status() / 100 };
        let best = failures.min_by_key(rank).expect("all have failed");
        let forged = best.to_tag() == "proxy";
        let best = if forged { self.invite.respond("408 Request Timeout", "proxy") } else { best };
        match forged {
            true => {
                out.push((self.upstream, best.clone()));
                self.said = best;
            }
            false => self.pass_back(best, out),
        }
        self.is_final = true;
        self.repeats = Some(Repeats::new(now, self.said.clone(), self.upstream, T2));
        self.over_at = Some(now + T1 * 64);
    }

    /// Cancels what is not answered, as soon as it has said something (§9.1).
    fn cancel_all(&mut self, now: Instant, out: &mut Out) {
        let open = |it: &&mut Branch| it.has_spoken && it.gives_up.is_none() && !it.is_done;
        for branch in self.branches.iter_mut().filter(open) {
            let cancel = branch.invite.cancel();
            out.push((branch.target, cancel.clone()));
            branch.gives_up = Some(now + T1 * 64);
            branch.cancel = Some(Repeats::new(now, cancel, branch.target, T2));
        }
        // One that has said nothing is cancelled when it does.
        self.is_cancelled |= self.is_final;
    }

    fn deadlines(&self) -> impl Iterator<Item = Instant> {
        let branches = self.branches.iter().flat_map(|it| it.repeats.iter().chain(&it.cancel));
        let repeats = self.repeats.iter().chain(branches).map(Repeats::due);
        let given_up = self.branches.iter().filter_map(|it| it.gives_up);
        repeats.chain(given_up).chain(self.over_at)
    }
}

impl Branch {
    fn new(now: Instant, target: SocketAddr, invite: Text) -> Self {
        let repeats = Some(Repeats::new(now, invite.clone(), target, Duration::MAX / 4));
        Self {
            target,
            invite,
            repeats,
            cancel: None,
            gives_up: None,
            has_spoken: false,
            is_done: false,
            failure: None,
        }
    }

    fn succeed(&mut self) {
        if self.failure.is_none() {
            (self.is_done, self.repeats, self.gives_up) = (true, None, None);
        }
    }

    fn has_succeeded(&self) -> bool {
        self.is_done && self.failure.is_none()
    }
}

const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
