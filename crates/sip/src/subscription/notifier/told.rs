//! What a subscription of another tells the owner: as a subscription, or as a REFER.

use std::time::Duration;

use offhook_sip_message::StatusCode;

use super::{Notifier, Stage};
use crate::{ReferralEnd, ReferralEvent, SubscriberEnd, SubscriberEvent};

#[derive(Debug)]
pub(crate) enum Told {
    Subscriber(SubscriberEvent),
    Referral(ReferralEvent),
}

impl Notifier {
    pub(crate) fn say(&mut self, told: Told) {
        self.events.push_back(told);
    }

    pub(super) fn tell_refreshed(&mut self, expires: Duration) {
        if !self.is_refer {
            self.say(Told::Subscriber(SubscriberEvent::Refreshed { expires }));
        }
    }

    pub(super) fn tell_end(&mut self, end: SubscriberEnd) {
        self.say(match self.is_refer {
            true => Told::Referral(ReferralEvent::Ended { end: end.into() }),
            false => Told::Subscriber(SubscriberEvent::Ended { end }),
        });
    }

    /// The request was answered with a failure.
    pub(super) fn refused(&mut self, status: StatusCode) {
        self.over();
        self.tell_end(SubscriberEnd::Refused { status });
    }

    /// The REFER was accepted, and nothing follows (RFC 4488 §4).
    pub(super) fn tell_not_subscribed(&mut self) {
        self.over();
        self.say(Told::Referral(ReferralEvent::Ended { end: ReferralEnd::NotSubscribed }));
    }

    fn over(&mut self) {
        self.timers.clear();
        self.stage = Stage::Over;
    }
}

impl From<SubscriberEnd> for ReferralEnd {
    fn from(end: SubscriberEnd) -> Self {
        match end {
            SubscriberEnd::Refused { status } => Self::Refused { status },
            SubscriberEnd::Terminated => Self::Reported,
            SubscriberEnd::Unsubscribed => Self::Unsubscribed,
            SubscriberEnd::Expired => Self::Expired,
            SubscriberEnd::Lost { status } => Self::Lost { status },
        }
    }
}
