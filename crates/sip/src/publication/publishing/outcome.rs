//! What follows from answers, silence and time (RFC 3903 §5, §8.2).

use std::time::{Duration, Instant};

use offhook_sip_message::{Expires, MinExpires, SipEtag, StatusCode, ValidResponse};

use super::{super::PublicationEvent, Asking, Publishing, State, Timer};
use crate::{
    transaction::TransactionLayer,
    usage::{refresh_after, retry_after},
};

impl Publishing {
    /// A 2xx (§5, §8.2).
    pub(super) fn granted(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        asking: &Asking,
        response: ValidResponse,
    ) {
        let Ok(Some(SipEtag(entity_tag))) = response.header::<SipEtag>() else {
            return self.rejected(layer, now, asking, response);
        };
        let given = response.header::<Expires>().ok().flatten().map(|Expires(it)| it);
        if given == Some(0) {
            // Granted for no time is not granted.
            self.entity_tag = None;
            return self.rejected(layer, now, asking, response);
        }
        self.failures = 0;
        self.entity_tag = Some(entity_tag.clone());
        if self.leaving {
            return self.leave(layer, now);
        }
        let expires = Duration::from_secs(given.unwrap_or(asking.seconds).into());
        let refresh = refresh_after(expires, layer.timing(), &mut layer.random);
        self.timers.set(Timer::Refresh, now + refresh);
        self.timers.set(Timer::Expiry, now + expires);
        self.events.push_back(PublicationEvent::Published { entity_tag, expires, response });
        if self.changed {
            self.ask(layer, now, 0);
        }
    }

    /// Any other final response (§5).
    pub(super) fn rejected(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        asking: &Asking,
        response: ValidResponse,
    ) {
        self.changed |= asking.brings;
        let (status, next) = (response.status(), asking.tries.saturating_add(1));
        let first = asking.tries < MAX_TRIES;
        if status == StatusCode::CONDITIONAL_REQUEST_FAILED {
            self.entity_tag = None;
            self.timers.stop(Timer::Expiry);
        }
        if self.leaving {
            return self.leave(layer, now);
        }
        match status {
            StatusCode::CONDITIONAL_REQUEST_FAILED if first => self.ask(layer, now, next),
            StatusCode::INTERVAL_TOO_BRIEF
                if first && let Some(longer) = longer(asking, &response) =>
            {
                self.seconds = longer;
                self.ask(layer, now, next);
            }
            _ => self.fail(layer, now, status, Some(response)),
        }
    }

    /// Says that it has failed, and tries again in a while.
    pub(super) fn fail(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        status: StatusCode,
        response: Option<ValidResponse>,
    ) {
        self.failures = self.failures.saturating_add(1);
        let back_off = layer.config.back_off.wait(self.failures, false, &mut layer.random);
        let asked = response.as_ref().and_then(|it| retry_after(it, self.failures));
        let retry_in = match asked {
            _ if HOPELESS.contains(&status) => None,
            asked => Some(asked.unwrap_or(back_off)),
        };
        if let Some(retry_in) = retry_in {
            self.timers.set(Timer::Retry, now + retry_in);
        }
        self.events.push_back(PublicationEvent::Failed { status, response, retry_in });
    }

    /// The time of the state is over: what names it is of no use any more.
    pub(super) fn expired(&mut self) {
        self.entity_tag = None;
        self.events.push_back(PublicationEvent::Expired);
    }

    pub(super) fn leave(&mut self, layer: &mut TransactionLayer, now: Instant) {
        self.timers.clear();
        match self.entity_tag {
            Some(_) => self.ask(layer, now, 0),
            None => self.end(None),
        }
    }

    pub(super) fn end(&mut self, status: Option<StatusCode>) {
        self.state = State::Over;
        self.timers.clear();
        self.events.push_back(PublicationEvent::Withdrawn { status });
    }
}

/// What a 423 asks for, if it makes sense (§5).
fn longer(asking: &Asking, response: &ValidResponse) -> Option<u32> {
    let MinExpires(least) = response.header::<MinExpires>().ok()??;
    (least > asking.seconds).then_some(least)
}

/// A server that changes its mind each time is left alone.
const MAX_TRIES: u32 = 2;
/// Trying again does not help: RFC 3261 §22.1, §21.4.4, RFC 3903 §6.
const HOPELESS: [StatusCode; 4] = [
    StatusCode::UNAUTHORIZED,
    StatusCode::PROXY_AUTHENTICATION_REQUIRED,
    StatusCode::FORBIDDEN,
    StatusCode::BAD_EVENT,
];
