//! What a proxy knows of one INVITE that it has forked: its response context (RFC 3261 §16.7).

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{message::Text, proxy::Out};

/// A response context (§16.7): the INVITE that came, and the branches that it went to.
pub(crate) struct Context {
    pub(crate) invite: Text,
    pub(crate) upstream: SocketAddr,
    pub(crate) branches: Vec<Branch>,
    /// What was said upstream last; a final one is sent again until its ACK comes.
    pub(crate) said: Text,
    pub(crate) repeats: Option<Repeats>,
    pub(crate) is_final: bool,
    pub(crate) successes: usize,
    pub(crate) is_cancelled: bool,
    /// When it may be forgotten.
    pub(crate) over_at: Option<Instant>,
}

/// One client transaction.
pub(crate) struct Branch {
    target: SocketAddr,
    pub(crate) invite: Text,
    /// The INVITE until anything comes back.
    pub(crate) repeats: Option<Repeats>,
    /// The CANCEL until its answer comes.
    pub(crate) cancel: Option<Repeats>,
    /// When a cancelled INVITE is waited for no longer (§9.1).
    gives_up: Option<Instant>,
    has_spoken: bool,
    is_done: bool,
    failure: Option<Text>,
}

/// A message that is sent again until it is answered (Timers A, E and G), for 64*T1.
pub(crate) struct Repeats {
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
    pub(crate) fn fires(&mut self, now: Instant, out: &mut Out) -> bool {
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

impl Context {
    pub(crate) fn new(invite: Text, upstream: SocketAddr, said: Text, to: Vec<Branch>) -> Self {
        Self {
            invite,
            upstream,
            branches: to,
            said,
            repeats: None,
            is_final: false,
            successes: 0,
            is_cancelled: false,
            over_at: None,
        }
    }

    /// Sends again what is due, and gives up what nobody answers.
    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Out) {
        if self.repeats.as_mut().is_some_and(|it| !it.fires(now, out)) {
            self.repeats = None;
        }
        for index in 0..self.branches.len() {
            let branch = &mut self.branches[index];
            if branch.cancel.as_mut().is_some_and(|it| !it.fires(now, out)) {
                branch.cancel = None;
            }
            let unanswered = branch.repeats.as_mut().is_some_and(|it| !it.fires(now, out));
            if unanswered || branch.gives_up.is_some_and(|at| now >= at) {
                (branch.repeats, branch.gives_up) = (None, None);
                // Timer B, or §9.1: as if 408 had come.
                let timeout = branch.invite.respond("408 Request Timeout", "proxy");
                self.fail(now, index, timeout, out);
            }
        }
    }

    /// A response to the INVITE on a branch (§16.7).
    pub(crate) fn respond(&mut self, now: Instant, index: usize, response: Text, out: &mut Out) {
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
    pub(crate) fn cancel_all(&mut self, now: Instant, out: &mut Out) {
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

    pub(crate) fn deadlines(&self) -> impl Iterator<Item = Instant> {
        let branches = self.branches.iter().flat_map(|it| it.repeats.iter().chain(&it.cancel));
        let repeats = self.repeats.iter().chain(branches).map(Repeats::due);
        let given_up = self.branches.iter().filter_map(|it| it.gives_up);
        repeats.chain(given_up).chain(self.over_at)
    }
}

impl Branch {
    pub(crate) fn new(now: Instant, target: SocketAddr, invite: Text) -> Self {
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
