//! The verbs of subscriptions and REFERs of others.

use std::time::{Duration, Instant};

use offhook_sansio::Key;
use offhook_sip_message::{EventReason, HeaderName, StatusCode, Text};

use super::UserAgent;
use crate::{
    Body, Error, Login, ReferralId, SubscriberId,
    subscription::{Ground, Notifier},
};

impl UserAgent {
    /// Lets a subscription stand, for as long as it asks and at most `longest`: 200, and a NOTIFY at
    /// once with the state of the resource (RFC 6665 §4.2.1.2). If the state is only fetched, that
    /// is the last, and [`Ended`](crate::SubscriberEvent::Ended) follows.
    ///
    /// # Errors
    ///
    /// If it was answered, is over, or the response cannot be built.
    pub fn accept_subscription(
        &mut self,
        now: Instant,
        id: SubscriberId,
        longest: Option<Duration>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.subscriber(now, id, |it, ground| it.accept(ground, longest, body))
    }

    /// The same, while it is open whether the subscription is allowed (RFC 6665 §4.2.1.3): the
    /// notifications say `pending`.
    ///
    /// # Errors
    ///
    /// As for [`accept_subscription`](Self::accept_subscription).
    pub fn pend_subscription(
        &mut self,
        now: Instant,
        id: SubscriberId,
        longest: Option<Duration>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.subscriber(now, id, |it, ground| it.pend(ground, longest, body))
    }

    /// Allows a subscription that was pending, and tells the state of the resource.
    ///
    /// # Errors
    ///
    /// If it is not pending, or too many notifications wait for their answer.
    pub fn activate_subscription(
        &mut self,
        now: Instant,
        id: SubscriberId,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.subscriber(now, id, |it, _| it.activate(body))
    }

    /// Refuses a subscription with `status`, 300 to 699; with header fields such as a challenge.
    ///
    /// # Errors
    ///
    /// If it was answered, is over, the status is another, or the response cannot be built.
    pub fn reject_subscription(
        &mut self,
        now: Instant,
        id: SubscriberId,
        status: StatusCode,
        headers: &[(HeaderName, Text)],
    ) -> Result<(), Error> {
        self.subscriber(now, id, |it, ground| it.reject(ground, status, headers))
    }

    /// Tells the state of the resource: a NOTIFY (RFC 6665 §4.2.2). It goes out when the one before
    /// has its answer. None is left out: where only the newest state counts, the owner waits with
    /// the next itself. After a refresh the last one is told again.
    ///
    /// # Errors
    ///
    /// If the subscription was not accepted or is over, or too many notifications wait.
    pub fn notify(
        &mut self,
        now: Instant,
        id: SubscriberId,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.subscriber(now, id, |it, _| it.notify(body))
    }

    /// Ends a subscription with a last NOTIFY (RFC 6665 §4.1.3, §4.2.2).
    /// [`Ended`](crate::SubscriberEvent::Ended) follows at once.
    ///
    /// # Errors
    ///
    /// If it was not accepted or is over.
    pub fn terminate_subscription(
        &mut self,
        now: Instant,
        id: SubscriberId,
        reason: EventReason,
        retry_after: Option<Duration>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.subscriber(now, id, |it, _| it.terminate(reason, retry_after, body))
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
        self.subscriber(now, id, |it, ground| {
            it.log_in(ground, logins);
            Ok(())
        })
    }

    /// Takes a REFER: 202, and a NOTIFY at once that says 100 (RFC 3515 §2.4.2, §2.4.4). `lasts`
    /// bounds how long its progress can be told; `None`: five minutes.
    ///
    /// # Errors
    ///
    /// If it was answered, is over, or the response cannot be built.
    pub fn accept_refer(
        &mut self,
        now: Instant,
        id: ReferralId,
        lasts: Option<Duration>,
    ) -> Result<(), Error> {
        self.referral(now, id, |it, ground| it.accept_refer(ground, lasts))
    }

    /// Refuses a REFER with `status`, 300 to 699; with header fields such as a challenge.
    ///
    /// # Errors
    ///
    /// If it was answered, is over, the status is another, or the response cannot be built.
    pub fn reject_refer(
        &mut self,
        now: Instant,
        id: ReferralId,
        status: StatusCode,
        headers: &[(HeaderName, Text)],
    ) -> Result<(), Error> {
        self.referral(now, id, |it, ground| it.reject(ground, status, headers))
    }

    /// Tells how the reference goes (RFC 3515 §2.4.5). A final status is the last word:
    /// [`Ended`](crate::ReferralEvent::Ended) follows at once. A report that still waits for the
    /// answer to the one before is replaced by a newer one.
    ///
    /// # Errors
    ///
    /// If the REFER was not accepted, or nothing more is told of it.
    pub fn report_refer(
        &mut self,
        now: Instant,
        id: ReferralId,
        status: StatusCode,
    ) -> Result<(), Error> {
        self.referral(now, id, |it, _| it.report(status))
    }

    /// Answers challenges to the NOTIFYs of a REFER with `logins` from now on.
    ///
    /// # Errors
    ///
    /// If nothing more is told of it.
    pub fn log_in_refer(
        &mut self,
        now: Instant,
        id: ReferralId,
        logins: Vec<Login>,
    ) -> Result<(), Error> {
        self.referral(now, id, |it, ground| {
            it.log_in(ground, logins);
            Ok(())
        })
    }

    fn subscriber(
        &mut self,
        now: Instant,
        id: SubscriberId,
        step: impl FnOnce(&mut Notifier, &mut Ground<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.subscriptions.notifier(id.0, false)?;
        self.drive_notifier(now, id.0, step)
    }

    fn referral(
        &mut self,
        now: Instant,
        id: ReferralId,
        step: impl FnOnce(&mut Notifier, &mut Ground<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.subscriptions.notifier(id.0, true)?;
        self.drive_notifier(now, id.0, step)
    }

    fn drive_notifier(
        &mut self,
        now: Instant,
        key: Key<Notifier>,
        step: impl FnOnce(&mut Notifier, &mut Ground<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self { layer, calls, subscriptions, .. } = self;
        let done = subscriptions.drive_notifier(layer, calls, now, key, step);
        done.ok_or(Error::NoSubscription)?
    }
}
