//! Event subscriptions, those of this side and those of others (RFC 6665). Their bodies are opaque.

use std::time::{Duration, Instant};

use offhook_sansio::Flow;
use offhook_sip::{
    Body, Login, SubscriberEvent, SubscriberId, Subscription, SubscriptionEvent, SubscriptionId,
};
use offhook_sip_message::{EventReason, HeaderName, StatusCode, Text};

use crate::{Endpoint, Error, Event};

/// The verbs of the side that subscribes.
impl Endpoint {
    /// Subscribes to the state of a resource and stays subscribed (RFC 6665 §4.1). What becomes of
    /// it comes as [`Event::Subscription`].
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::subscribe`](offhook_sip::UserAgent::subscribe).
    pub fn subscribe(
        &mut self,
        now: Instant,
        subscription: Subscription,
    ) -> Result<SubscriptionId, Error> {
        let id = self.agent.subscribe(now, subscription)?;
        self.pump(now);
        Ok(id)
    }

    /// Asks now: for the state again, or anew without waiting (RFC 6665 §4.4.3).
    ///
    /// # Errors
    ///
    /// If the subscription is over or being ended.
    pub fn refresh_subscription(&mut self, now: Instant, id: SubscriptionId) -> Result<(), Error> {
        self.agent.refresh_subscription(now, id)?;
        self.pump(now);
        Ok(())
    }

    /// Sends the next request of a subscription over another flow.
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::retarget_subscription`](offhook_sip::UserAgent::retarget_subscription).
    pub fn retarget_subscription(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        flow: Flow,
    ) -> Result<(), Error> {
        self.agent.retarget_subscription(now, id, flow)?;
        self.pump(now);
        Ok(())
    }

    /// Ends a subscription (RFC 6665 §4.1.2.3); its last event follows.
    ///
    /// # Errors
    ///
    /// If the subscription is over.
    pub fn unsubscribe(&mut self, now: Instant, id: SubscriptionId) -> Result<(), Error> {
        self.agent.unsubscribe(now, id)?;
        self.pump(now);
        Ok(())
    }

    pub(crate) fn subscription_changed(
        &mut self,
        subscription: SubscriptionId,
        event: SubscriptionEvent,
    ) {
        self.events.push_back(Event::Subscription { subscription, event: Box::new(event) });
    }
}

/// The verbs of the side that is subscribed to, for the packages that
/// [`event_packages`](offhook_sip::Config::event_packages) names.
impl Endpoint {
    /// Lets a subscription of another stand, for `longest` at most, and tells the state of the
    /// resource (RFC 6665 §4.2.1.2).
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::accept_subscription`](offhook_sip::UserAgent::accept_subscription).
    pub fn accept_subscription(
        &mut self,
        now: Instant,
        id: SubscriberId,
        longest: Option<Duration>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.agent.accept_subscription(now, id, longest, body)?;
        self.pump(now);
        Ok(())
    }

    /// The same, while it is open whether the subscription is allowed (RFC 6665 §4.2.1.3).
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::pend_subscription`](offhook_sip::UserAgent::pend_subscription).
    pub fn pend_subscription(
        &mut self,
        now: Instant,
        id: SubscriberId,
        longest: Option<Duration>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.agent.pend_subscription(now, id, longest, body)?;
        self.pump(now);
        Ok(())
    }

    /// Allows a subscription that was pending, and tells the state of the resource.
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::activate_subscription`](offhook_sip::UserAgent::activate_subscription).
    pub fn activate_subscription(
        &mut self,
        now: Instant,
        id: SubscriberId,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.agent.activate_subscription(now, id, body)?;
        self.pump(now);
        Ok(())
    }

    /// Refuses a subscription with `status`, 300 to 699; with header fields such as a challenge.
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::reject_subscription`](offhook_sip::UserAgent::reject_subscription).
    pub fn reject_subscription(
        &mut self,
        now: Instant,
        id: SubscriberId,
        status: StatusCode,
        headers: &[(HeaderName, Text)],
    ) -> Result<(), Error> {
        self.agent.reject_subscription(now, id, status, headers)?;
        self.pump(now);
        Ok(())
    }

    /// Tells the state of the resource (RFC 6665 §4.2.2).
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::notify`](offhook_sip::UserAgent::notify).
    pub fn notify(
        &mut self,
        now: Instant,
        id: SubscriberId,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.agent.notify(now, id, body)?;
        self.pump(now);
        Ok(())
    }

    /// Ends a subscription of another with a last NOTIFY (RFC 6665 §4.1.3, §4.2.2).
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::terminate_subscription`](offhook_sip::UserAgent::terminate_subscription).
    pub fn terminate_subscription(
        &mut self,
        now: Instant,
        id: SubscriberId,
        reason: EventReason,
        retry_after: Option<Duration>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.agent.terminate_subscription(now, id, reason, retry_after, body)?;
        self.pump(now);
        Ok(())
    }

    /// Answers challenges to the NOTIFYs of a subscription with `logins` from now on.
    ///
    /// # Errors
    ///
    /// If it is over.
    pub fn log_in_subscription(
        &mut self,
        now: Instant,
        id: SubscriberId,
        logins: Vec<Login>,
    ) -> Result<(), Error> {
        self.agent.log_in_subscription(now, id, logins)?;
        self.pump(now);
        Ok(())
    }

    pub(crate) fn subscriber_changed(&mut self, subscriber: SubscriberId, event: SubscriberEvent) {
        let registration = match &event {
            SubscriberEvent::Requested { request, .. } => self.account_of(request),
            SubscriberEvent::Refreshed { .. } | SubscriberEvent::Ended { .. } => None,
        };
        let event = Box::new(event);
        self.events.push_back(Event::Subscriber { subscriber, event, registration });
    }
}
