//! How a subscription of another is driven: what happens is noted, and taken up by `go_on`, which
//! has the dialogs at hand.

use std::time::Instant;

use offhook_sansio::Key;
use offhook_sip_message::ValidResponse;

use super::{Notifier, Outcome, Stage, Told};
use crate::{
    Event, ReferralId, SubscriberId,
    transaction::{Failure, TransactionId, TransactionLayer},
    usage::Usage,
};

impl Usage for Notifier {
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
        self.under_way.as_ref().map(|exchange| exchange.transaction())
    }

    fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    fn tell(key: Key<Self>, event: Told) -> Event {
        match event {
            Told::Subscriber(event) => Event::Subscriber { subscriber: SubscriberId(key), event },
            Told::Referral(event) => Event::Referral { referral: ReferralId(key), event },
        }
    }
}
