//! The end of an endpoint: every call is ended, every contact and state removed, and what may have
//! been lost on its way is said again.

use std::time::{Duration, Instant};

use offhook_sansio::Protocol;
use tokio::time::timeout;
use tracing::debug;

use super::{Driver, live::Live};
use crate::arrival::Arrival;

/// How far the end has come.
#[derive(Debug)]
pub(super) struct Closing {
    /// How long the far sides have to answer.
    farewell: Duration,
    /// How long a peer may send its BYE again: Timer J, 64*T1 (RFC 3261 §17.2.2).
    timer_j: Duration,
    /// `None` while the endpoint is open.
    begun: Option<Instant>,
    /// Nobody holds a handle any more, so nobody waits for the end.
    deserted: bool,
    /// When a peer has hung up last by datagrams: our 200 may be lost.
    hung_up: Option<Instant>,
}

impl Closing {
    pub(super) const fn new(farewell: Duration, timer_j: Duration) -> Self {
        Self { farewell, timer_j, begun: None, deserted: false, hung_up: None }
    }

    pub(super) const fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    pub(super) const fn is_deserted(&self) -> bool {
        self.deserted
    }

    /// Notes that a peer has hung up.
    pub(super) fn peer_hung_up(&mut self, live: &Live) {
        if live.flow.is_some_and(|flow| flow.protocol == Protocol::Udp) {
            self.hung_up = Some(Instant::now());
        }
    }

    /// Until when answers are waited for.
    fn until(&self) -> Option<Instant> {
        let longest = if self.deserted { self.farewell.max(self.timer_j) } else { self.farewell };
        Some(self.begun? + longest)
    }

    /// How long what was said may have to be said again. Who waits for the end is kept waiting for a
    /// few repetitions only.
    fn repeats(&self) -> Duration {
        if self.deserted { self.timer_j } else { self.timer_j.min(REPEATS) }
    }

    /// Until when a refusal may wait for its ACK.
    fn refusals_until(&self) -> Option<Instant> {
        Some(self.begun? + self.repeats())
    }

    /// Until when a BYE may come again that has to be answered again.
    fn byes_until(&self) -> Option<Instant> {
        Some(self.hung_up? + self.repeats())
    }

    /// When it may be over, as far as time goes.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let (until, now) = (self.until()?, Instant::now());
        let sooner = [self.refusals_until(), self.byes_until()].into_iter().flatten();
        sooner.filter(|at| *at > now).chain([until]).min()
    }
}

impl Driver {
    /// Ends all calls, registrations, publications and subscriptions; the loop ends with the last of them.
    pub(super) fn close(&mut self) {
        if self.closing.has_begun() {
            return;
        }
        let now = Instant::now();
        self.closing.begun = Some(now);
        self.give_up_seeking();
        let calls: Vec<_> = self.calls.keys().copied().collect();
        for call in calls {
            if let Err(error) = self.core.hang_up(now, call) {
                debug!(?call, %error, "the call could not be hung up");
            }
        }
        self.leave_registrars();
        self.withdraw_all();
        self.unsubscribe_all();
        self.leave_subscribers();
    }

    /// All handles are gone: the same, and nobody is kept waiting by it.
    pub(super) fn desert(&mut self) {
        self.close();
        self.closing.deserted = true;
    }

    /// Whether the endpoint is closed: nothing of it is left, and nothing has to be said again; or
    /// the far sides have had their time.
    pub(super) fn is_done(&self) -> bool {
        let Some(until) = self.closing.until() else { return false };
        let now = Instant::now();
        let past = |until: Option<Instant>| until.is_none_or(|until| now >= until);
        let over = self.calls.is_empty() && self.accounts.is_empty() && self.published.is_empty();
        // The last notification is on its way after its owner knows of the end.
        let told = self.watching.is_empty() && self.core.agent().live_subscriptions() == 0;
        let said = !self.core.agent().awaits_acks() || past(self.closing.refusals_until());
        let heard = past(self.closing.byes_until());
        now >= until || (over && told && said && heard && self.errands.is_empty())
    }

    /// Lets the connections write what they still have to.
    pub(super) async fn close_streams(&mut self) {
        let open = self.pool.close();
        let last = async {
            let mut closed = 0;
            while closed < open
                && let Some(arrival) = self.arrivals.recv().await
            {
                closed += usize::from(matches!(arrival, Arrival::Closed { .. }));
            }
        };
        if timeout(LAST_WORDS, last).await.is_err() {
            debug!("connections dropped: their peers take too long");
        }
    }
}

/// How long a closing endpoint repeats its refusals and its answers to BYE at most, while somebody
/// waits for its end.
const REPEATS: Duration = Duration::from_secs(2);
/// How long a closed endpoint lets its connections write.
const LAST_WORDS: Duration = Duration::from_secs(1);
