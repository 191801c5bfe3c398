//! The INVITE client transaction (RFC 3261 §17.1.1, as corrected by RFC 6026 §8.4, figure 5).
//!
//! 1. The INVITE is sent, and again under Timer A until anything comes back.
//! 2. Provisional responses pass to the user.
//! 3. A failure passes to the user once; this machine acknowledges it, and every repetition of it.
//! 4. Each 2xx passes to the user, who acknowledges it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use offhook_sansio::{Flow, Timers};
use offhook_sip_message::{
    BuildError, CSeq, MaxForwards, Method, Request, Route, ValidRequest, ValidResponse,
};

use super::{Failure, Timing};
use crate::{dialog::MAX_FORWARDS, transport::Outbox};

#[derive(Debug)]
pub(crate) struct InviteClient {
    request: ValidRequest,
    flow: Flow,
    timing: Timing,
    state: State,
    timers: Timers<Timer>,
    /// Whether Timer B runs on after a provisional response.
    limited: bool,
}

/// The states of RFC 6026, figure 5.
#[derive(Debug)]
enum State {
    Calling {
        interval: Duration,
    },
    Proceeding,
    /// `None` if the ACK could not be built: then nothing is repeated.
    Completed {
        ack: Option<Bytes>,
    },
    Accepted,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// Sends the INVITE again; unreliable transports only.
    A,
    /// Gives up when nothing at all has come back; and, once nobody waits for it any more, when no
    /// final response has (RFC 3261 §9.1).
    B,
    /// Outlives the repetitions of a failure.
    D,
    /// Outlives the repetitions of a 2xx and the 2xx of other forks.
    M,
}

impl InviteClient {
    pub(crate) fn start(
        now: Instant,
        request: ValidRequest,
        flow: Flow,
        timing: Timing,
        outbox: &mut Outbox,
    ) -> Self {
        let mut timers = Timers::new();
        if !flow.protocol.is_reliable() {
            timers.set(Timer::A, now + timing.t1);
        }
        timers.set(Timer::B, now + timing.give_up());
        outbox.send(flow, request.as_bytes());
        let state = State::Calling { interval: timing.t1 };
        Self { request, flow, timing, state, timers, limited: false }
    }

    /// Takes a response and says whether it passes to the user.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        response: &ValidResponse,
        outbox: &mut Outbox,
    ) -> bool {
        let status = response.status();
        match &self.state {
            State::Calling { .. } | State::Proceeding if status.is_provisional() => {
                self.proceed();
                true
            }
            State::Calling { .. } | State::Proceeding if status.is_success() => {
                self.accept(now);
                true
            }
            State::Calling { .. } | State::Proceeding => {
                self.complete(now, response, outbox);
                true
            }
            State::Completed { ack } => {
                if let (Some(ack), true) = (ack, is_failure(response)) {
                    outbox.send(self.flow, ack);
                }
                false
            }
            State::Accepted => status.is_success(),
            State::Terminated => false,
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) -> Option<Failure> {
        let mut failure = None;
        while let Some(timer) = self.timers.expired(now) {
            match (timer, &mut self.state) {
                (Timer::A, State::Calling { interval }) => {
                    *interval = interval.saturating_mul(2);
                    self.timers.set(Timer::A, now + *interval);
                    outbox.send(self.flow, self.request.as_bytes());
                }
                (Timer::B, State::Calling { .. } | State::Proceeding) => {
                    self.terminate();
                    failure = Some(Failure::TimedOut);
                }
                (Timer::D, State::Completed { .. }) | (Timer::M, State::Accepted) => {
                    self.terminate();
                }
                // A state that a timer does not belong to has stopped it.
                (Timer::A | Timer::B | Timer::D | Timer::M, _) => {}
            }
        }
        failure
    }

    /// Waits no longer than 64*T1 for a final response, and then gives up (RFC 3261 §9.1).
    pub(crate) fn limit(&mut self, now: Instant) {
        match self.state {
            // Timer B runs since the INVITE was sent, and is not put off.
            State::Calling { .. } => self.limited = true,
            State::Proceeding => {
                self.limited = true;
                self.timers.set(Timer::B, now + self.timing.give_up());
            }
            State::Accepted | State::Completed { .. } | State::Terminated => {}
        }
    }

    pub(crate) fn transport_failed(&mut self) -> Option<Failure> {
        match self.state {
            // Figure 5 has no such arrow for these: the peer has spoken, and may again.
            State::Proceeding | State::Accepted | State::Terminated => None,
            State::Calling { .. } | State::Completed { .. } => {
                self.terminate();
                Some(Failure::Transport)
            }
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

    /// Timer A, and Timer B unless there is a limit, belong to "Calling" alone.
    fn proceed(&mut self) {
        self.timers.stop(Timer::A);
        if !self.limited {
            self.timers.stop(Timer::B);
        }
        self.state = State::Proceeding;
    }

    fn accept(&mut self, now: Instant) {
        self.timers.clear();
        self.timers.set(Timer::M, now + self.timing.give_up());
        self.state = State::Accepted;
    }

    fn complete(&mut self, now: Instant, response: &ValidResponse, outbox: &mut Outbox) {
        let ack = acknowledge(&self.request, response).map(|ack| ack.as_bytes().clone()).ok();
        if let Some(ack) = &ack {
            outbox.send(self.flow, ack);
        }
        let reliable = self.flow.protocol.is_reliable();
        let wait = if reliable { Duration::ZERO } else { TIMER_D.max(self.timing.give_up()) };
        self.timers.clear();
        self.timers.set(Timer::D, now + wait);
        self.state = State::Completed { ack };
    }

    fn terminate(&mut self) {
        self.timers.clear();
        self.state = State::Terminated;
    }
}

/// The ACK to a final response other than 2xx (RFC 3261 §17.1.1.3): the same branch, the To of
/// the response, and the routes of the INVITE.
fn acknowledge(invite: &ValidRequest, response: &ValidResponse) -> Result<Request, BuildError> {
    let mut ack = Request::builder(Method::ACK, invite.request_uri())
        .header(invite.via())
        .header(&MaxForwards(MAX_FORWARDS))
        .header(invite.from())
        .header(response.to())
        .header(invite.call_id())
        .header(&CSeq { number: invite.cseq().number, method: Method::ACK });
    for route in invite.headers_of::<Route>().flatten() {
        ack = ack.header(&route);
    }
    ack.build()
}

fn is_failure(response: &ValidResponse) -> bool {
    response.status().is_final() && !response.status().is_success()
}

/// At least 32 s whatever T1 is, for the peer's T1 is unknown (RFC 6026 §8.4).
const TIMER_D: Duration = Duration::from_secs(32);

#[cfg(test)]
mod tests;
