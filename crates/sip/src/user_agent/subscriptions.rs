//! The verbs of subscriptions to others, and of REFER.

use std::time::Instant;

use offhook_sansio::{Flow, Key};
use offhook_sip_message::Uri;

use super::UserAgent;
use crate::{
    CallId, Error, Refer, ReferId, ReferOutside, Subscription, SubscriptionId,
    subscription::{Ground, Subscriber},
};

impl UserAgent {
    /// Subscribes to the state of a resource, and stays subscribed (RFC 6665 §4.1):
    /// [`Event::Subscription`](crate::Event::Subscription) tells what becomes of it. It is refreshed
    /// as a [registration](Self::register) is. With an expiry of zero the state is fetched once.
    ///
    /// # Errors
    ///
    /// If there is no room, nothing listens at the near end of the flow, the registration is over,
    /// or the SUBSCRIBE cannot be built. Nothing is sent then.
    pub fn subscribe(
        &mut self,
        now: Instant,
        subscription: Subscription,
    ) -> Result<SubscriptionId, Error> {
        let routes = self.routes(subscription.registration)?;
        let Self { layer, calls, subscriptions, .. } = self;
        let begun = subscriptions
            .begin(layer, calls, now, |ground| Subscriber::subscribe(ground, subscription, routes));
        begun.map(SubscriptionId)
    }

    /// Asks now: for the state again (RFC 6665 §4.4.3), or anew without waiting, if the subscription
    /// was [lost](crate::SubscriptionEvent::Lost). Harmless while a request is under way.
    ///
    /// # Errors
    ///
    /// If the subscription is over or being ended.
    pub fn refresh_subscription(&mut self, now: Instant, id: SubscriptionId) -> Result<(), Error> {
        self.subscriptions.subscriber(id.0, false)?;
        self.drive_subscription(now, id.0, |it, _| it.refresh())
    }

    /// Sends the next request of a subscription over another flow.
    ///
    /// # Errors
    ///
    /// If the subscription is over, nothing listens at the near end of the flow, or it is not secure
    /// enough for the target.
    pub fn retarget_subscription(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        flow: Flow,
    ) -> Result<(), Error> {
        self.subscriptions.subscriber(id.0, false)?;
        self.drive_subscription(now, id.0, |it, ground| it.retarget(ground, flow))
    }

    /// Ends a subscription with `Expires: 0` (RFC 6665 §4.1.2.3).
    /// [`Ended`](crate::SubscriptionEvent::Ended) follows with the last notification, or after 64*T1
    /// without it.
    ///
    /// Unsubscribing twice is harmless.
    ///
    /// # Errors
    ///
    /// If the subscription is over.
    pub fn unsubscribe(&mut self, now: Instant, id: SubscriptionId) -> Result<(), Error> {
        self.subscriptions.subscriber(id.0, false)?;
        self.leave(now, id.0)
    }

    /// Asks the peer of a call that stands to contact somebody, such as in a transfer (RFC 3515
    /// §2.4.1): [`Event::Refer`](crate::Event::Refer) tells what becomes of it, also when the call
    /// ends before.
    ///
    /// A peer whose `Contact` is a GRUU is asked [outside](Self::refer_outside) of the call, if it
    /// supports `tdialog` (RFC 6665 §4.5.2).
    ///
    /// # Errors
    ///
    /// If the call does not stand, there is no room, or the REFER cannot be built. Nothing is sent
    /// then.
    pub fn refer(&mut self, now: Instant, call: CallId, refer: Refer) -> Result<ReferId, Error> {
        let dialog = self.calls.standing(call, "refer")?.id().clone();
        let Self { layer, calls, subscriptions, .. } = self;
        let begun = subscriptions
            .begin(layer, calls, now, |ground| Subscriber::refer(ground, dialog, refer));
        begun.map(ReferId)
    }

    /// Asks somebody to contact somebody, outside of any call (RFC 3515 §2.4.1).
    ///
    /// # Errors
    ///
    /// If there is no room, nothing listens at the near end of the flow, the registration is over,
    /// the call that is to be named does not stand, or the REFER cannot be built. Nothing is sent
    /// then.
    pub fn refer_outside(
        &mut self,
        now: Instant,
        outside: ReferOutside,
        refer: Refer,
    ) -> Result<ReferId, Error> {
        let routes = self.routes(outside.registration)?;
        let Self { layer, calls, subscriptions, .. } = self;
        let begun = subscriptions.begin(layer, calls, now, |ground| {
            Subscriber::refer_outside(ground, outside, refer, routes)
        });
        begun.map(ReferId)
    }

    /// Wants to hear no more of a REFER. What it has asked for goes on (RFC 3515 §2.4.4).
    ///
    /// # Errors
    ///
    /// If nothing more is told of it.
    pub fn forget_refer(&mut self, now: Instant, id: ReferId) -> Result<(), Error> {
        self.subscriptions.subscriber(id.0, true)?;
        self.leave(now, id.0)
    }

    fn leave(&mut self, now: Instant, key: Key<Subscriber>) -> Result<(), Error> {
        self.drive_subscription(now, key, |it, _| {
            it.unsubscribe();
            Ok(())
        })
    }

    fn drive_subscription(
        &mut self,
        now: Instant,
        key: Key<Subscriber>,
        step: impl FnOnce(&mut Subscriber, &mut Ground<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self { layer, calls, subscriptions, .. } = self;
        let done = subscriptions.drive(layer, calls, now, key, step);
        done.ok_or(Error::NoSubscription)?
    }

    /// Where the peer of a call that stands is reached, with the `Replaces` of the call: who is
    /// referred there takes this side's place in it (RFC 3891 §3, RFC 5589 §7.3).
    ///
    /// # Errors
    ///
    /// If the call does not stand.
    pub fn replacing(&self, call: CallId) -> Result<Uri, Error> {
        Ok(self.calls.standing(call, "replacing")?.replacing())
    }

    /// How many subscriptions live, ours and those of others, to the progress of a REFER too.
    pub fn live_subscriptions(&self) -> usize {
        self.subscriptions.len()
    }

    /// How many dialogs subscriptions have without a call.
    pub fn subscription_dialogs(&self) -> usize {
        self.subscriptions.dialogs()
    }
}
