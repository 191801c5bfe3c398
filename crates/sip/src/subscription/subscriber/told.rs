//! What a subscription of ours tells its owner: by its subject, as a subscription or as a REFER.

use std::time::Duration;

use offhook_sansio::Key;
use offhook_sip_message::{
    EventReason, Sipfrag, StatusCode, SubscriptionState, ValidRequest, ValidResponse,
};

use super::{State, Subject, Subscriber};
use crate::{ReferEnd, ReferEvent, ReferId, SubscriptionEvent, SubscriptionId, SubscriptionLoss};

#[derive(Debug)]
pub(crate) enum Told {
    Subscription(SubscriptionEvent),
    Refer(ReferEvent),
}

impl Subscriber {
    pub(super) fn tell_accepted(&mut self, expires: Option<Duration>, response: ValidResponse) {
        self.events.push_back(match self.subject {
            Subject::Progress(_) => Told::Refer(ReferEvent::Accepted { response }),
            Subject::Resource { .. } => {
                let expires = expires.unwrap_or_default();
                Told::Subscription(SubscriptionEvent::Accepted { expires, response })
            }
        });
    }

    pub(super) fn tell_notified(&mut self, state: SubscriptionState, request: ValidRequest) {
        self.events.push_back(match &mut self.subject {
            Subject::Progress(progress) => {
                let status = told(&request);
                progress.status = status.or(progress.status);
                Told::Refer(ReferEvent::Progress { status, state, request })
            }
            Subject::Resource { .. } => {
                Told::Subscription(SubscriptionEvent::Notified { state, request })
            }
        });
    }

    pub(super) fn tell_forked(&mut self, of: Key<Self>) {
        self.events.push_back(match self.subject {
            Subject::Progress(_) => Told::Refer(ReferEvent::Forked { of: ReferId(of) }),
            Subject::Resource { .. } => {
                Told::Subscription(SubscriptionEvent::Forked { of: SubscriptionId(of) })
            }
        });
    }

    pub(super) fn tell_lost(&mut self, why: SubscriptionLoss, retry_in: Duration) {
        self.events.push_back(Told::Subscription(SubscriptionEvent::Lost { why, retry_in }));
    }

    /// Ends it; `None`: as the owner wanted.
    pub(super) fn end(&mut self, why: Option<SubscriptionLoss>) {
        match &self.subject {
            Subject::Progress(_) => self.end_refer(refer_end(why, self.leaving)),
            Subject::Resource { is_fetch, .. } => {
                // What was to be fetched is missed; what the owner has left is not.
                let why = why.filter(|_| *is_fetch || !self.leaving);
                self.over(Told::Subscription(SubscriptionEvent::Ended { why }));
            }
        }
    }

    pub(super) fn end_refer(&mut self, end: ReferEnd) {
        let status = match &self.subject {
            Subject::Progress(progress) => progress.status,
            Subject::Resource { .. } => None,
        };
        self.over(Told::Refer(ReferEvent::Ended { status, end }));
    }

    fn over(&mut self, told: Told) {
        if matches!(self.state, State::Over) {
            return;
        }
        self.state = State::Over;
        self.timers.clear();
        self.due = None;
        self.events.push_back(told);
    }
}

fn refer_end(why: Option<SubscriptionLoss>, leaving: bool) -> ReferEnd {
    match why {
        Some(SubscriptionLoss::Terminated { reason }) if !leaving || is_told(&reason) => {
            ReferEnd::Terminated { reason }
        }
        Some(SubscriptionLoss::Refused { status, response }) if !leaving => {
            ReferEnd::Refused { status, response }
        }
        None | Some(_) if leaving => ReferEnd::Unsubscribed,
        None | Some(_) => ReferEnd::Silent,
    }
}

/// Whether the reference came to its end while we were leaving (RFC 3515 §2.4.7).
fn is_told(reason: &Option<EventReason>) -> bool {
    *reason == Some(EventReason::Noresource)
}

/// The status line that a progress report begins with (RFC 3515 §2.4.5).
fn told(notify: &ValidRequest) -> Option<StatusCode> {
    match Sipfrag::parse(&notify.body()) {
        Ok(fragment) => fragment.status(),
        Err(error) => {
            tracing::debug!(%error, "progress report not understood");
            None
        }
    }
}
