//! The non-INVITE server transaction (RFC 3261 §17.2.2, figure 8).
//!
//! 1. The request passes to the user; until the user responds, its repetitions are absorbed.
//! 2. From then on each repetition gets the last response again, until Timer J.

use std::time::{Duration, Instant};

use bytes::Bytes;
use offhook_sansio::{Flow, Timers};
use offhook_sip_message::StatusCode;

use super::Timing;
use crate::transport::Outbox;

#[derive(Debug)]
pub(crate) struct NonInviteServer {
    flow: Flow,
    timing: Timing,
    state: State,
    timers: Timers<Timer>,
}

/// The states of figure 8.
#[derive(Debug)]
enum State {
    Trying,
    Proceeding { last: Bytes },
    Completed { response: Bytes },
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// Outlives the repetitions of the request.
    J,
}

impl NonInviteServer {
    pub(crate) fn start(flow: Flow, timing: Timing) -> Self {
        Self { flow, timing, state: State::Trying, timers: Timers::new() }
    }

    /// Takes a response of the user. A second final one is not sent.
    pub(crate) fn respond(
        &mut self,
        now: Instant,
        status: StatusCode,
        response: &Bytes,
        outbox: &mut Outbox,
    ) {
        match self.state {
            State::Trying | State::Proceeding { .. } if status.is_provisional() => {
                self.state = State::Proceeding { last: response.clone() };
                outbox.send(self.flow, response);
            }
            State::Trying | State::Proceeding { .. } => {
                self.complete(now, response);
                outbox.send(self.flow, response);
            }
            State::Completed { .. } | State::Terminated => {}
        }
    }

    /// Takes the request again.
    pub(crate) fn receive(&mut self, outbox: &mut Outbox) {
        match &self.state {
            State::Proceeding { last: response } | State::Completed { response } => {
                outbox.send(self.flow, response);
            }
            State::Trying | State::Terminated => {}
        }
    }

    /// Whether the user has to hear that `response` could not be sent: it is the one that counts. The
    /// state stays as it is (RFC 6026 §8.8).
    pub(crate) fn response_failed(&self, flow: Flow, response: &Bytes) -> bool {
        match &self.state {
            State::Proceeding { last } | State::Completed { response: last } => {
                self.flow == flow && last == response
            }
            State::Trying | State::Terminated => false,
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(Timer::J) = self.timers.expired(now) {
            self.state = State::Terminated;
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub(crate) fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    fn complete(&mut self, now: Instant, response: &Bytes) {
        let reliable = self.flow.protocol.is_reliable();
        let wait = if reliable { Duration::ZERO } else { self.timing.give_up() };
        self.timers.set(Timer::J, now + wait);
        self.state = State::Completed { response: response.clone() };
    }
}

#[cfg(test)]
mod tests;
