//! The INVITE server transaction (RFC 3261 §17.2.1, as corrected by RFC 6026 §8.5 to §8.7,
//! figure 7).
//!
//! 1. 100 (Trying) is sent at once, or when the user has said nothing for a while; an INVITE that comes
//!    again gets the last provisional again.
//! 2. A failure is sent, and again under Timer G, until its ACK comes.
//! 3. A 2xx is sent as often as the user gives it; its ACK passes to the user.

use std::time::{Duration, Instant};

use bytes::Bytes;
use offhook_sansio::{Flow, Timers};
use offhook_sip_message::StatusCode;

use super::{Failure, Timing};
use crate::transport::Outbox;

#[derive(Debug)]
pub(crate) struct InviteServer {
    flow: Flow,
    timing: Timing,
    state: State,
    timers: Timers<Timer>,
}

/// The states of RFC 6026, figure 7.
#[derive(Debug)]
enum State {
    Proceeding { last: Bytes },
    Completed { response: Bytes, interval: Duration },
    Confirmed,
    Accepted,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// Sends the 100 that the user has left time for.
    Trying,
    /// Sends the failure again; unreliable transports only.
    G,
    /// Gives up waiting for the ACK to a failure.
    H,
    /// Outlives the repetitions of the ACK.
    I,
    /// Outlives the repetitions of an accepted INVITE.
    L,
}

impl InviteServer {
    /// Starts in "Proceeding", with `trying`, the 100, as the last provisional response.
    pub(crate) fn start(flow: Flow, timing: Timing, trying: &Bytes) -> Self {
        let state = State::Proceeding { last: trying.clone() };
        Self { flow, timing, state, timers: Timers::new() }
    }

    /// Sends the 100 at `at`, unless something else is said before.
    pub(crate) fn try_at(&mut self, at: Instant) {
        self.timers.set(Timer::Trying, at);
    }

    /// Takes a response of the user. One that the state does not allow is not sent.
    pub(crate) fn respond(
        &mut self,
        now: Instant,
        status: StatusCode,
        response: &Bytes,
        outbox: &mut Outbox,
    ) {
        self.timers.stop(Timer::Trying);
        match &mut self.state {
            State::Proceeding { last } if status.is_provisional() => {
                *last = response.clone();
                outbox.send(self.flow, response);
            }
            State::Proceeding { .. } if status.is_success() => {
                self.accept(now);
                outbox.send(self.flow, response);
            }
            State::Proceeding { .. } => {
                self.complete(now, response);
                outbox.send(self.flow, response);
            }
            State::Accepted if status.is_success() => outbox.send(self.flow, response),
            State::Accepted | State::Completed { .. } | State::Confirmed | State::Terminated => {}
        }
    }

    /// Takes the INVITE again. The layer calls it for the first one too, for its 100, unless a
    /// final response follows at once.
    pub(crate) fn receive_invite(&mut self, outbox: &mut Outbox) {
        self.timers.stop(Timer::Trying);
        match &self.state {
            State::Proceeding { last } => outbox.send(self.flow, last),
            State::Completed { response, .. } => outbox.send(self.flow, response),
            State::Confirmed | State::Accepted | State::Terminated => {}
        }
    }

    /// Takes an ACK and says whether it passes to the user.
    pub(crate) fn receive_ack(&mut self, now: Instant) -> bool {
        match self.state {
            State::Completed { .. } => {
                self.confirm(now);
                false
            }
            State::Accepted => true,
            // An ACK before any final response acknowledges nothing.
            State::Proceeding { .. } | State::Confirmed | State::Terminated => false,
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) -> Option<Failure> {
        let mut failure = None;
        while let Some(timer) = self.timers.expired(now) {
            match (timer, &mut self.state) {
                (Timer::Trying, State::Proceeding { last }) => outbox.send(self.flow, last),
                (Timer::G, State::Completed { response, interval }) => {
                    *interval = self.timing.back_off(*interval);
                    self.timers.set(Timer::G, now + *interval);
                    outbox.send(self.flow, response);
                }
                (Timer::H, State::Completed { .. }) => {
                    self.terminate();
                    failure = Some(Failure::TimedOut);
                }
                (Timer::I, State::Confirmed) | (Timer::L, State::Accepted) => self.terminate(),
                // A state that a timer does not belong to has stopped it.
                (Timer::Trying | Timer::G | Timer::H | Timer::I | Timer::L, _) => {}
            }
        }
        failure
    }

    /// Whether the user has to hear that `response` could not be sent: it is the one that counts. The
    /// state stays as it is (RFC 6026 §8.8).
    ///
    /// Of a 2xx the user hears by the ACK that does not come: to send it again until then is all that
    /// it would do (RFC 3261 §13.3.1.4).
    pub(crate) fn response_failed(&self, flow: Flow, response: &Bytes) -> bool {
        match &self.state {
            State::Proceeding { last } | State::Completed { response: last, .. } => {
                self.flow == flow && last == response
            }
            State::Accepted | State::Confirmed | State::Terminated => false,
        }
    }

    pub(crate) fn awaits_final_response(&self) -> bool {
        matches!(self.state, State::Proceeding { .. })
    }

    pub(crate) fn awaits_ack(&self) -> bool {
        matches!(self.state, State::Completed { .. })
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub(crate) fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    fn accept(&mut self, now: Instant) {
        self.timers.set(Timer::L, now + self.timing.give_up());
        self.state = State::Accepted;
    }

    fn complete(&mut self, now: Instant, response: &Bytes) {
        if !self.flow.protocol.is_reliable() {
            self.timers.set(Timer::G, now + self.timing.t1);
        }
        self.timers.set(Timer::H, now + self.timing.give_up());
        self.state = State::Completed { response: response.clone(), interval: self.timing.t1 };
    }

    fn confirm(&mut self, now: Instant) {
        let reliable = self.flow.protocol.is_reliable();
        let wait = if reliable { Duration::ZERO } else { self.timing.t4 };
        self.timers.clear();
        self.timers.set(Timer::I, now + wait);
        self.state = State::Confirmed;
    }

    fn terminate(&mut self) {
        self.timers.clear();
        self.state = State::Terminated;
    }
}

#[cfg(test)]
mod tests;
