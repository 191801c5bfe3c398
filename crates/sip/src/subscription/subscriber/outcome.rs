//! What follows from the answers to SUBSCRIBE and REFER, and from their lack (RFC 6665 §4.1.2).

use std::time::Duration;

use offhook_sip_message::{EventReason, Expires, MinExpires, ReferSub, StatusCode, ValidResponse};

use super::{
    super::{Ground, ReferEnd, SubscriptionLoss, destroys},
    Ask, Asking, Outcome, State, Subject, Subscriber, Timer,
};
use crate::{
    transaction::Failure,
    usage::{refresh_after, retry_after},
};

impl Subscriber {
    /// Takes the final answer to the request under way, or the failure to get one.
    pub(super) fn take_outcome(&mut self, ground: &mut Ground<'_>, outcome: Outcome) {
        if let Outcome::Answered(response) = &outcome
            && self.challenged(ground, response)
        {
            return;
        }
        let Some(asking) = self.rest() else { return };
        match outcome {
            Outcome::Answered(response) if response.status().is_success() => {
                self.accepted(ground, &asking, response);
            }
            Outcome::Answered(response) => {
                if !self.asks_for_longer(ground, &asking, &response) {
                    self.refused(ground, asking.ask, response.status(), Some(response));
                }
            }
            Outcome::Failed(Failure::TimedOut) => {
                self.refused(ground, asking.ask, StatusCode::REQUEST_TIMEOUT, None);
            }
            Outcome::Failed(Failure::Transport) => {
                self.refused(ground, asking.ask, StatusCode::SERVICE_UNAVAILABLE, None);
            }
        }
    }

    /// A 2xx: a NOTIFY follows, unless it has come.
    fn accepted(&mut self, ground: &mut Ground<'_>, asking: &Asking, response: ValidResponse) {
        if let Some(dialog) = self.dialog.as_ref().and_then(|id| ground.dialog(id)) {
            dialog.refresh_target(response.header().ok().flatten());
        }
        if response.status() == NO_NOTIFICATION {
            // §4.1.2.2: nothing has changed, and nothing is told.
            self.timers.stop(Timer::N);
        }
        match (&self.subject, asking.ask) {
            (_, Ask::Leave) => {}
            (Subject::Progress(progress), Ask::Begin) => {
                let goes_without = !progress.reference.subscribes && !subscribes(&response);
                self.tell_accepted(None, response);
                if goes_without {
                    self.end_refer(ReferEnd::NotSubscribed);
                }
            }
            (Subject::Progress(_), Ask::Refresh) => self.grant(ground, asking, &response),
            (Subject::Resource { .. }, Ask::Begin | Ask::Refresh) => {
                self.grant(ground, asking, &response);
                let expires = self.granted.map(|seconds| Duration::from_secs(seconds.into()));
                self.tell_accepted(expires, response);
            }
        }
    }

    /// Takes the time that a 2xx grants: no longer than was asked for (§4.1.2.1).
    fn grant(&mut self, ground: &mut Ground<'_>, asking: &Asking, response: &ValidResponse) {
        let given = response.header::<Expires>().ok().flatten().map(|Expires(seconds)| seconds);
        let seconds = given.unwrap_or(asking.seconds).min(asking.seconds);
        self.granted = Some(seconds);
        if asking.ask == Ask::Refresh {
            self.failures = 0;
        }
        if self.stands {
            self.lasts(ground, seconds);
        }
    }

    /// The subscription lasts for `seconds` from now on.
    pub(super) fn lasts(&mut self, ground: &mut Ground<'_>, seconds: u32) {
        if self.leaving {
            return;
        }
        let granted = Duration::from_secs(seconds.into());
        let refresh = refresh_after(granted, ground.layer.timing(), &mut ground.layer.random);
        self.timers.set(Timer::Refresh, ground.now + refresh);
        self.timers.set(Timer::Expiry, ground.now + granted);
    }

    /// A 423 that makes sense is followed (RFC 6665 §4.2.1.1).
    fn asks_for_longer(
        &mut self,
        ground: &mut Ground<'_>,
        asking: &Asking,
        response: &ValidResponse,
    ) -> bool {
        let brief = response.status() == StatusCode::INTERVAL_TOO_BRIEF;
        let least = response.header::<MinExpires>().ok().flatten().map(|MinExpires(least)| least);
        let least = least.filter(|least| brief && *least > asking.seconds);
        let Some(least) = least.filter(|_| asking.tries < MAX_TRIES && !self.leaving) else {
            return false;
        };
        self.seconds = least;
        self.ask(ground, asking.ask, asking.tries.saturating_add(1));
        true
    }

    /// Any other final answer, or none.
    pub(super) fn refused(
        &mut self,
        ground: &mut Ground<'_>,
        ask: Ask,
        status: StatusCode,
        response: Option<ValidResponse>,
    ) {
        let asked = response.as_ref().and_then(|it| retry_after(it, self.failures));
        let why = SubscriptionLoss::Refused { status, response };
        match ask {
            // The NOTIFY of one fork shows that there is a subscription, whatever the others say.
            Ask::Begin if self.stands => {}
            Ask::Leave => self.end(None),
            Ask::Begin => self.lose(ground, why, asked),
            Ask::Refresh if self.leaving => {}
            Ask::Refresh if self.is_ended_by(status) => self.lose(ground, why, asked),
            Ask::Refresh => self.refresh_later(ground, asked),
        }
    }

    /// Whether a refused refresh ends the subscription (§4.1.2.2). Many who take a REFER take no
    /// SUBSCRIBE to its progress, and go on to tell it: only 481 is believed there.
    fn is_ended_by(&self, status: StatusCode) -> bool {
        match self.is_refer() {
            true => status == StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST,
            false => destroys(status),
        }
    }

    /// The subscription is still there until it expires (§4.1.2.2), and no NOTIFY follows.
    fn refresh_later(&mut self, ground: &mut Ground<'_>, asked: Option<Duration>) {
        self.timers.stop(Timer::N);
        if self.is_refer() {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let layer = &mut *ground.layer;
        let back_off = layer.config.back_off.wait(self.failures, false, &mut layer.random);
        self.timers.set(Timer::Refresh, ground.now + asked.unwrap_or(back_off));
    }

    /// Timer N: accepted perhaps, but nothing was told.
    pub(super) fn not_notified(&mut self, ground: &mut Ground<'_>) {
        match self.leaving && self.stands {
            true => self.end(None),
            false => self.lose(ground, SubscriptionLoss::NotNotified, None),
        }
    }

    /// The subscription does not stand any more. `asked`: how long the peer wants us to wait.
    pub(super) fn lose(
        &mut self,
        ground: &mut Ground<'_>,
        why: SubscriptionLoss,
        asked: Option<Duration>,
    ) {
        self.state = State::Resting;
        self.timers.clear();
        (self.stands, self.due) = (false, None);
        if self.is_refer() || self.is_fork || self.leaving {
            return self.end(Some(why));
        }
        self.dialog = None;
        match self.wait(ground, &why, asked) {
            Some(wait) => {
                self.timers.set(Timer::Retry, ground.now + wait);
                self.tell_lost(why, wait);
            }
            None => self.end(Some(why)),
        }
    }

    /// How long to wait before another try; `None`: it is useless.
    fn wait(
        &mut self,
        ground: &mut Ground<'_>,
        why: &SubscriptionLoss,
        asked: Option<Duration>,
    ) -> Option<Duration> {
        let layer = &mut *ground.layer;
        if ground.now > self.asked_at + layer.timing().give_up() {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        let back_off = layer.config.back_off.wait(self.failures, false, &mut layer.random);
        // A notifier that ends each subscription as it begins is not asked without a pause.
        let at_once = if self.failures > 1 { back_off } else { Duration::ZERO };
        match why {
            SubscriptionLoss::Refused { status, .. } if is_final(*status, asked.is_some()) => None,
            SubscriptionLoss::Refused { status, .. } => {
                let gone = *status == StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
                Some(asked.unwrap_or(if gone { at_once } else { back_off }))
            }
            SubscriptionLoss::Terminated { reason } => match reason {
                Some(EventReason::Rejected | EventReason::Noresource | EventReason::Invariant) => {
                    None
                }
                Some(EventReason::Deactivated | EventReason::Timeout) => Some(at_once),
                Some(_) | None => Some(asked.unwrap_or(back_off)),
            },
            SubscriptionLoss::NotNotified => Some(back_off),
            SubscriptionLoss::Expired => Some(at_once),
        }
    }
}

/// Whether trying again does not help. A server that names a time to come back may be believed, but
/// not as to credentials (RFC 3261 §22.1, §21.4.4) and packages (RFC 6665 §7.4).
fn is_final(status: StatusCode, named_a_time: bool) -> bool {
    match status.as_u16() {
        401 | 403 | 407 | 489 => true,
        408 | 480 | 481 | 486 | 491 | 500 | 502..=504 => false,
        _ => !named_a_time,
    }
}

/// Whether a 2xx to REFER begins a subscription (RFC 4488 §4).
fn subscribes(response: &ValidResponse) -> bool {
    response.header::<ReferSub>().ok().flatten().is_none_or(|field| field.subscribes)
}

/// A notifier that changes its mind each time is left alone.
const MAX_TRIES: u32 = 2;
/// A 2xx that no NOTIFY follows (RFC 6665 §4.1.2.2).
const NO_NOTIFICATION: StatusCode = match StatusCode::new(204) {
    Some(status) => status,
    None => StatusCode::OK,
};
