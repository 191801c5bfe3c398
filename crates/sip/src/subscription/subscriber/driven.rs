//! How a subscription of ours is driven: what happens is noted, and taken up by `go_on`, which has
//! the dialogs at hand.

use std::time::Instant;

use offhook_sansio::Key;
use offhook_sip_message::ValidResponse;

use super::{Outcome, State, Subscriber, Told};
use crate::{
    Event, ReferId, SubscriptionId,
    transaction::{Failure, TransactionId, TransactionLayer},
    usage::Usage,
};

impl Usage for Subscriber {
    type Event = Told;

    fn answered(&mut self, _layer: &mut TransactionLayer, _now: Instant, response: ValidResponse) {
        self.outcome = Some(Outcome::Answered(response));
    }

    fn failed(&mut self, _layer: &mut TransactionLayer, _now: Instant, failure: Failure) {
        self.outcome = Some(Outcome::Failed(failure));
    }

    fn handle_timeout(&mut self, _layer: &mut TransactionLayer, _now: Instant) {}

    fn poll_event(&mut self) -> Option<Told> {
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

    fn tell(key: Key<Self>, event: Told) -> Event {
        match event {
            Told::Subscription(event) => {
                Event::Subscription { subscription: SubscriptionId(key), event }
            }
            Told::Refer(event) => Event::Refer { refer: ReferId(key), event },
        }
    }
}
