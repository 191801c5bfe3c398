//! What the SIP layer tells of subscriptions of this side.

use std::time::{Duration, Instant};

use offhook_sip::{Failure, SubscriptionEvent, SubscriptionId, SubscriptionLoss};
use offhook_sip_message::{RetryAfter, StatusCode, Substate};
use tracing::debug;

use crate::{
    Notification, SubscriptionFault, SubscriptionStatus,
    driver::{Driver, errand::Purpose},
    subscription::SubscriptionKey,
};

impl Driver {
    /// The SIP layer tells of a subscription.
    pub(in crate::driver) fn subscription_changed(
        &mut self,
        id: SubscriptionId,
        event: SubscriptionEvent,
    ) {
        if let SubscriptionEvent::Forked { of } = event {
            return self.forked(id, of);
        }
        let Some(key) = self.subscriptions.get(&id).copied() else { return };
        let Some(watching) = self.watching.get_mut(&key) else { return };
        let is_first = watching.id == Some(id);
        match event {
            SubscriptionEvent::Accepted { .. } => {
                if is_first {
                    let lookup = watching.lookup.take();
                    self.reach_target(lookup);
                }
            }
            SubscriptionEvent::Notified { state, request } => {
                watching.heard = true;
                let status = match state.state {
                    Substate::Pending => Some(SubscriptionStatus::Pending),
                    Substate::Terminated => None,
                    _ => Some(SubscriptionStatus::Active),
                };
                // Nobody may listen any more.
                let _ = watching.notifications.send(Notification::new(state, request));
                if let Some(status) = status.filter(|_| is_first && !watching.leaving) {
                    watching.status.send_replace(status);
                }
            }
            SubscriptionEvent::Lost { why, retry_in } => self.subscription_lost(key, why, retry_in),
            SubscriptionEvent::Ended { why } => self.subscription_ended(key, id, why),
            SubscriptionEvent::Forked { .. } => {}
        }
    }

    fn forked(&mut self, fork: SubscriptionId, of: SubscriptionId) {
        let Some(key) = self.subscriptions.get(&of).copied() else { return };
        let Some(watching) = self.watching.get_mut(&key) else { return };
        watching.forks.push(fork);
        self.subscriptions.insert(fork, key);
    }

    fn subscription_lost(&mut self, key: SubscriptionKey, why: SubscriptionLoss, wait: Duration) {
        let Some(watching) = self.watching.get_mut(&key) else { return };
        // The lookup is over with the 2xx: without one the target has said nothing at all.
        let failure = failure(&why, watching.lookup.is_some());
        let next_try = Instant::now() + wait;
        let fault = why.into();
        debug!(?key, %fault, "subscription lost");
        watching.status.send_replace(SubscriptionStatus::Lost { fault, next_try });
        let lookup = watching.lookup.take();
        if let (Some(failure), Some(lookup)) = (failure, lookup) {
            watching.eager = true;
            if self.seek_on(Purpose::Watch(key), lookup, failure) {
                return;
            }
        } else {
            self.reach_target(lookup);
        }
        self.seek_notifier(key, false);
    }

    fn subscription_ended(
        &mut self,
        key: SubscriptionKey,
        id: SubscriptionId,
        why: Option<SubscriptionLoss>,
    ) {
        self.subscriptions.remove(&id);
        let Some(watching) = self.watching.get_mut(&key) else { return };
        watching.forks.retain(|fork| *fork != id);
        if watching.id == Some(id) {
            watching.id = None;
            let unheard = watching.lookup.is_some();
            let failure = why.as_ref().and_then(|why| failure(why, unheard));
            // What was to be fetched once may be fetched elsewhere.
            let elsewhere = watching.wanted.is_fetch() && !watching.heard && !watching.leaving;
            watching.fault = why.map(SubscriptionFault::from);
            if let (Some(failure), true) = (failure, elsewhere)
                && let Some(lookup) = watching.lookup.take()
                && self.seek_on(Purpose::Watch(key), lookup, failure)
            {
                return;
            }
        }
        let Some(watching) = self.watching.get_mut(&key) else { return };
        if watching.id.is_none() && watching.forks.is_empty() {
            let fault = watching.fault.take();
            self.watched(key, fault);
        }
    }
}

/// How the target has failed, if it has; a notifier that has spoken has not.
fn failure(why: &SubscriptionLoss, unheard: bool) -> Option<Failure> {
    let (status, response) = match why {
        SubscriptionLoss::Refused { status, response } => (status, response),
        // Timer N is that of the transaction that has had no answer.
        SubscriptionLoss::NotNotified => return unheard.then_some(Failure::TimedOut),
        SubscriptionLoss::Terminated { .. } | SubscriptionLoss::Expired => return None,
    };
    match (*status, response) {
        (StatusCode::SERVICE_UNAVAILABLE, None) => Some(Failure::Transport),
        (StatusCode::REQUEST_TIMEOUT, None) => Some(Failure::TimedOut),
        (StatusCode::SERVICE_UNAVAILABLE, Some(response)) => {
            let field = response.header::<RetryAfter>().ok().flatten();
            let retry_after = field.map(|it| Duration::from_secs(it.seconds.into()));
            Some(Failure::Unavailable { retry_after })
        }
        _ => None,
    }
}
