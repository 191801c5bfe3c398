//! How a registration is driven.

use std::time::Instant;

use offhook_sansio::Key;
use offhook_sip_message::{StatusCode, ValidResponse};

use super::{
    super::{RegistrationEvent, RegistrationId, register::Purpose},
    Binding, State, Timer,
};
use crate::{
    Event,
    transaction::{Failure, TransactionId, TransactionLayer},
    usage::Usage,
};

impl Usage for Binding {
    type Event = RegistrationEvent;

    fn answered(&mut self, layer: &mut TransactionLayer, now: Instant, response: ValidResponse) {
        let State::Asking(asking) = &mut self.state else { return };
        let authenticator = self.authenticator.as_deref_mut();
        if asking.exchange.challenged(layer, now, &response, authenticator) {
            return;
        }
        let Some(asking) = self.rest() else { return };
        match asking.purpose {
            Purpose::Remove | Purpose::RemoveAll => self.end(Some(response.status())),
            Purpose::Bind if response.status().is_success() => {
                self.granted(layer, now, asking, response);
            }
            Purpose::Bind => self.rejected(layer, now, &asking, response),
        }
    }

    fn failed(&mut self, layer: &mut TransactionLayer, now: Instant, failure: Failure) {
        let Some(asking) = self.rest() else { return };
        let status = match failure {
            Failure::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Failure::Transport => StatusCode::SERVICE_UNAVAILABLE,
        };
        if asking.purpose != Purpose::Bind {
            return self.end(Some(status));
        }
        if self.leaving.is_some() {
            return self.leave(layer, now);
        }
        match failure {
            // The owner has moved on already.
            _ if asking.again => self.ask(layer, now, Purpose::Bind, 0),
            Failure::Transport => self.lose(layer, now),
            Failure::TimedOut => {
                self.failures = self.failures.saturating_add(1);
                let retry_in = self.back_off(layer);
                self.fail(now, status, None, Some(retry_in));
            }
        }
    }

    fn handle_timeout(&mut self, layer: &mut TransactionLayer, now: Instant) {
        while let Some(timer) = self.timers.expired(now) {
            match timer {
                Timer::Refresh | Timer::Retry => self.ask(layer, now, Purpose::Bind, 0),
                Timer::Expiry => self.expired(),
                Timer::Ping => self.ping(layer, now),
                Timer::Pong => self.pong_missed(layer, now),
            }
        }
    }

    fn poll_event(&mut self) -> Option<RegistrationEvent> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    fn transaction(&self) -> Option<TransactionId> {
        match &self.state {
            State::Asking(asking) => Some(asking.exchange.transaction()),
            State::Resting | State::Over => None,
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    fn tell(key: Key<Self>, event: RegistrationEvent) -> Event {
        Event::Registration { registration: RegistrationId(key), event }
    }
}
