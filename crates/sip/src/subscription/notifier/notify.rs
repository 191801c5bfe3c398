//! Sending NOTIFY, one at a time (RFC 6665 §4.2.2).

use std::time::Duration;

use offhook_sip_message::{
    Method, RequestBuilder, StatusCode, SubscriptionState, Substate, ValidResponse,
};
use tracing::debug;

use super::{Notification, Notifier, Outcome, Stage, Timer};
use crate::{
    Error,
    subscription::{Ground, SubscriberEnd, destroys},
    transaction::Failure,
    usage::{Exchange, retry_after, with_body},
};

impl Notifier {
    /// Sends what is next, if nothing is under way.
    pub(super) fn pump(&mut self, ground: &mut Ground<'_>) {
        if matches!(self.stage, Stage::Offered(_) | Stage::Over)
            || self.under_way.is_some()
            || self.timers.get(Timer::Retry).is_some()
        {
            return;
        }
        let Some(next) = self.queue.front().cloned() else {
            if matches!(self.stage, Stage::Ending) {
                self.stage = Stage::Over;
            }
            return;
        };
        match self.send(ground, next) {
            Ok(exchange) => self.under_way = Some(Box::new(exchange)),
            Err(error) => self.not_sent(ground, &error),
        }
    }

    /// Takes the final answer to the NOTIFY under way, or the failure to get one.
    pub(super) fn take_outcome(&mut self, ground: &mut Ground<'_>, outcome: Outcome) {
        match outcome {
            Outcome::Answered(response) => {
                if !self.challenged(ground, &response) {
                    self.answered(ground, &response);
                }
            }
            Outcome::Failed(Failure::TimedOut) => self.lost(StatusCode::REQUEST_TIMEOUT),
            Outcome::Failed(Failure::Transport) => self.lost(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    fn answered(&mut self, ground: &mut Ground<'_>, response: &ValidResponse) {
        self.under_way = None;
        let status = response.status();
        if destroys(status) {
            return self.lost(status);
        }
        if status.is_success() {
            if let Some(dialog) = ground.dialog(&self.dialog) {
                dialog.refresh_target(response.header().ok().flatten());
            }
        } else {
            debug!(status = status.as_u16(), dialog = ?self.dialog, "NOTIFY refused");
            let wait = retry_after(response, 1).filter(|_| self.is_owned());
            if let Some(wait) = wait {
                self.timers.set(Timer::Retry, ground.now + wait.max(SHORTEST_RETRY));
                return;
            }
        }
        self.queue.pop_front();
    }

    /// The subscriber is not there any more, or does not want to be (§4.2.2).
    fn lost(&mut self, status: StatusCode) {
        self.under_way = None;
        self.queue.clear();
        self.timers.clear();
        let known = matches!(self.stage, Stage::Ending);
        self.stage = Stage::Over;
        if !known {
            self.tell_end(SubscriberEnd::Lost { status });
        }
    }

    /// The table is full: it is tried again, as long as the subscription lasts.
    fn not_sent(&mut self, ground: &Ground<'_>, error: &Error) {
        debug!(%error, dialog = ?self.dialog, "NOTIFY not sent");
        if *error == Error::TooManyTransactions && self.is_owned() {
            return self.timers.set(Timer::Retry, ground.now + ground.layer.timing().t2);
        }
        self.lost(StatusCode::SERVICE_UNAVAILABLE);
    }

    fn send(
        &mut self,
        ground: &mut Ground<'_>,
        notification: Notification,
    ) -> Result<Exchange, Error> {
        // Sent with a copy, so that a failure leaves the sequence number alone.
        let mut copy = ground.dialog(&self.dialog).ok_or(Error::NoCall)?.clone();
        let (builder, flow) = copy.request(ground.layer, Method::NOTIFY)?;
        let builder = builder.header(&copy.contact()).header(&self.event);
        let built = self.describe(ground, builder, notification).build();
        let request = built.map_err(|error| Error::Unbuildable(error.to_string()))?;
        let authenticator = self.authenticator.as_deref_mut();
        let exchange = Exchange::start(ground.layer, ground.now, request, flow, authenticator)?;
        if let Some(dialog) = ground.dialog(&self.dialog) {
            dialog.sent(exchange.cseq());
        }
        Ok(exchange)
    }

    fn describe(
        &self,
        ground: &Ground<'_>,
        builder: RequestBuilder,
        notification: Notification,
    ) -> RequestBuilder {
        let left = self.expires_at.saturating_duration_since(ground.now);
        let left = u32::try_from(left.as_secs()).unwrap_or(u32::MAX);
        let mut state = match (&notification.end, &self.stage) {
            (Some(end), _) => SubscriptionState::terminated(&end.reason),
            (None, Stage::Pending) => SubscriptionState::new(Substate::Pending).with_expires(left),
            (None, _) => SubscriptionState::active(left),
        };
        if let Some(seconds) = notification.end.and_then(|end| end.retry_after) {
            state = state.with_retry_after(seconds);
        }
        with_body(builder.header(&state), notification.body)
    }

    /// Answers a challenge; false if the NOTIFY has failed or gone through.
    fn challenged(&mut self, ground: &mut Ground<'_>, response: &ValidResponse) -> bool {
        let Some(exchange) = &mut self.under_way else { return false };
        let number = ground.dialog(&self.dialog).and_then(|dialog| dialog.next_cseq());
        let authenticator = self.authenticator.as_deref_mut();
        let (layer, now) = (&mut *ground.layer, ground.now);
        let again = exchange.challenged_in_dialog(layer, now, response, authenticator, number);
        let number = exchange.cseq();
        if again && let Some(dialog) = ground.dialog(&self.dialog) {
            dialog.sent(number);
        }
        again
    }
}

/// A subscriber that asks to come back at once is not asked at once again and again.
const SHORTEST_RETRY: Duration = Duration::from_secs(1);
