//! NOTIFY: which subscription of ours it is for (RFC 6665 §4.1.3, §4.4.1).

use offhook_sansio::Key;
use offhook_sip_message::{Event as EventHeader, StatusCode, SubscriptionState};

use super::{Arrival, Refused, half};
use crate::{
    dialog::DialogId,
    subscription::{Ground, Subscriber, Subscriptions},
};

/// Whom a NOTIFY is for.
enum Addressee {
    /// A subscription in its dialog.
    Standing(Key<Subscriber>),
    /// One that waits for its first NOTIFY.
    First(Key<Subscriber>),
    /// One that a forked request makes beside this one.
    Fork(Key<Subscriber>),
}

impl Subscriptions {
    pub(super) fn notify_received(&mut self, arrival: &mut Arrival<'_>) -> Result<(), Refused> {
        let unknown = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
        let dialog = arrival.dialog.clone().ok_or(unknown)?;
        let event = arrival.event()?;
        let addressee = self.addressee(&dialog, &event)?;
        let state = arrival.request.header::<SubscriptionState>().ok().flatten();
        let state = state.ok_or(StatusCode::BAD_REQUEST)?;
        match addressee {
            Addressee::Standing(key) => {
                arrival.accept();
                self.notified(arrival, key, event, &state);
                Ok(())
            }
            Addressee::First(key) => self.first_notified(arrival, key, event, &state),
            Addressee::Fork(key) => self.forked(arrival, key, event, &state),
        }
    }

    fn addressee(&self, dialog: &DialogId, event: &EventHeader) -> Result<Addressee, Refused> {
        if let Some((key, _)) = self.subscribers_in(dialog).find(|(_, it)| it.matches(event)) {
            return Ok(Addressee::Standing(key));
        }
        let key = self.solicited.get(&half(dialog.clone())).copied();
        if let Some(key) = key
            && let Some(subscriber) = self.subscribers.get(key)
        {
            return match subscriber.matches(event) {
                true if subscriber.awaits_first() => Ok(Addressee::First(key)),
                true if subscriber.may_fork() => Ok(Addressee::Fork(key)),
                matches => Err(unmatched(matches || subscriber.is_of_package(event))),
            };
        }
        let mut here =
            self.subscribers_in(dialog).map(|(_, it)| it.is_of_package(event)).peekable();
        let nobody = here.peek().is_none();
        Err(unmatched(nobody || here.any(|is_of_package| is_of_package)))
    }

    fn notified(
        &mut self,
        arrival: &mut Arrival<'_>,
        key: Key<Subscriber>,
        event: EventHeader,
        state: &SubscriptionState,
    ) {
        let request = arrival.request.clone();
        self.drive(arrival.layer, arrival.calls, arrival.now, key, |subscriber, ground| {
            subscriber.notified(ground, event, state, request);
        });
    }

    fn first_notified(
        &mut self,
        arrival: &mut Arrival<'_>,
        key: Key<Subscriber>,
        event: EventHeader,
        state: &SubscriptionState,
    ) -> Result<(), Refused> {
        let request = arrival.request.clone();
        let begin = |subscriber: &mut Subscriber, ground: &mut Ground<'_>| {
            subscriber.begin_dialog(ground, &request, state)
        };
        let begun = self.drive(arrival.layer, arrival.calls, arrival.now, key, begin);
        begun.unwrap_or(Err(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST))?;
        arrival.accept();
        self.notified(arrival, key, event, state);
        Ok(())
    }

    fn forked(
        &mut self,
        arrival: &mut Arrival<'_>,
        key: Key<Subscriber>,
        event: EventHeader,
        state: &SubscriptionState,
    ) -> Result<(), Refused> {
        let unknown = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
        if self.subscribers.len() >= arrival.layer.config.max_subscriptions {
            return Err(unknown);
        }
        let request = arrival.request.clone();
        let fork = |subscriber: &mut Subscriber, ground: &mut Ground<'_>| {
            let mut fork = subscriber.fork(ground, key);
            fork.begin_dialog(ground, &request, state).map(|()| fork)
        };
        let fork = self.drive(arrival.layer, arrival.calls, arrival.now, key, fork);
        let fork = fork.ok_or(unknown)??;
        let key = self.insert(arrival.calls, fork).ok_or(unknown)?;
        arrival.accept();
        self.notified(arrival, key, event, state);
        Ok(())
    }
}

/// 481: no such subscription; 489: nothing of the kind was asked for (§4.1.3).
fn unmatched(is_of_package: bool) -> Refused {
    match is_of_package {
        true => StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST,
        false => StatusCode::BAD_EVENT,
    }
}
