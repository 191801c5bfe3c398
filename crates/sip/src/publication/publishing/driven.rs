//! How a publication is driven.

use std::time::Instant;

use offhook_sansio::Key;
use offhook_sip_message::{StatusCode, ValidResponse};

use super::{
    super::{PublicationEvent, PublicationId},
    Publishing, State, Timer,
};
use crate::{
    Event,
    transaction::{Failure, TransactionId, TransactionLayer},
    usage::Usage,
};

impl Usage for Publishing {
    type Event = PublicationEvent;

    fn answered(&mut self, layer: &mut TransactionLayer, now: Instant, response: ValidResponse) {
        let State::Asking(asking) = &mut self.state else { return };
        let authenticator = self.authenticator.as_deref_mut();
        if asking.exchange.challenged(layer, now, &response, authenticator) {
            return;
        }
        let Some(asking) = self.rest() else { return };
        match response.status() {
            status if asking.removes => self.end(Some(status)),
            status if status.is_success() => self.granted(layer, now, &asking, response),
            _ => self.rejected(layer, now, &asking, response),
        }
    }

    fn failed(&mut self, layer: &mut TransactionLayer, now: Instant, failure: Failure) {
        let Some(asking) = self.rest() else { return };
        let status = match failure {
            Failure::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Failure::Transport => StatusCode::SERVICE_UNAVAILABLE,
        };
        self.changed |= asking.brings;
        match self.leaving {
            true if asking.removes => self.end(Some(status)),
            true => self.leave(layer, now),
            false => self.fail(layer, now, status, None),
        }
    }

    fn handle_timeout(&mut self, layer: &mut TransactionLayer, now: Instant) {
        while let Some(timer) = self.timers.expired(now) {
            match timer {
                Timer::Refresh | Timer::Retry => self.ask(layer, now, 0),
                Timer::Expiry => self.expired(),
            }
        }
    }

    fn poll_event(&mut self) -> Option<PublicationEvent> {
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

    fn tell(key: Key<Self>, event: PublicationEvent) -> Event {
        Event::Publication { publication: PublicationId(key), event }
    }
}
