//! The non-INVITE client transaction (RFC 3261 §17.1.2, figure 6).
//!
//! 1. The request is sent, and again under Timer E until a final response comes.
//! 2. Provisional responses pass to the user and slow Timer E down to T2.
//! 3. The first final response passes to the user; its repetitions are absorbed until Timer K.

use std::time::{Duration, Instant};

use offhook_sansio::{Flow, Timers};
use offhook_sip_message::{StatusCode, ValidRequest};

use super::{Failure, Timing};
use crate::transport::Outbox;

#[derive(Debug)]
pub(crate) struct NonInviteClient {
    request: ValidRequest,
    flow: Flow,
    timing: Timing,
    state: State,
    timers: Timers<Timer>,
}

/// The states of figure 6.
#[derive(Debug)]
enum State {
    Trying { interval: Duration },
    Proceeding,
    Completed,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// Sends the request again; unreliable transports only.
    E,
    /// Gives up when no final response has come.
    F,
    /// Outlives the repetitions of the final response.
    K,
}

impl NonInviteClient {
    pub(crate) fn start(
        now: Instant,
        request: ValidRequest,
        flow: Flow,
        timing: Timing,
        outbox: &mut Outbox,
    ) -> Self {
        let mut timers = Timers::new();
        if !flow.protocol.is_reliable() {
            timers.set(Timer::E, now + timing.t1);
        }
        timers.set(Timer::F, now + timing.give_up());
        outbox.send(flow, request.as_bytes());
        Self { request, flow, timing, state: State::Trying { interval: timing.t1 }, timers }
    }

    /// Takes a response and says whether it passes to the user.
    pub(crate) fn receive(&mut self, now: Instant, status: StatusCode) -> bool {
        match self.state {
            State::Trying { .. } | State::Proceeding if status.is_provisional() => {
                self.state = State::Proceeding;
                true
            }
            State::Trying { .. } | State::Proceeding => {
                self.complete(now);
                true
            }
            State::Completed | State::Terminated => false,
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) -> Option<Failure> {
        let mut failure = None;
        while let Some(timer) = self.timers.expired(now) {
            match (timer, &mut self.state) {
                (Timer::E, State::Trying { interval }) => {
                    *interval = self.timing.back_off(*interval);
                    self.timers.set(Timer::E, now + *interval);
                    outbox.send(self.flow, self.request.as_bytes());
                }
                (Timer::E, State::Proceeding) => {
                    self.timers.set(Timer::E, now + self.timing.t2);
                    outbox.send(self.flow, self.request.as_bytes());
                }
                (Timer::F, State::Trying { .. } | State::Proceeding) => {
                    self.terminate();
                    failure = Some(Failure::TimedOut);
                }
                (Timer::K, State::Completed) => self.terminate(),
                // A state that a timer does not belong to has stopped it.
                (Timer::E | Timer::F | Timer::K, _) => {}
            }
        }
        failure
    }

    pub(crate) fn transport_failed(&mut self) -> Option<Failure> {
        match self.state {
            State::Trying { .. } | State::Proceeding => {
                self.terminate();
                Some(Failure::Transport)
            }
            State::Completed | State::Terminated => None,
        }
    }

    pub(crate) fn flow(&self) -> Flow {
        self.flow
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub(crate) fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    fn complete(&mut self, now: Instant) {
        let reliable = self.flow.protocol.is_reliable();
        let wait = if reliable { Duration::ZERO } else { self.timing.t4 };
        self.timers.clear();
        self.timers.set(Timer::K, now + wait);
        self.state = State::Completed;
    }

    fn terminate(&mut self) {
        self.timers.clear();
        self.state = State::Terminated;
    }
}

#[cfg(test)]
mod tests;
