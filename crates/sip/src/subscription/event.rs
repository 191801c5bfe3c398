//! What becomes of subscriptions and REFERs, of ours and of others.

use std::time::Duration;

use offhook_sansio::Flow;
use offhook_sip_message::{
    Event as EventHeader, EventReason, NameAddr, StatusCode, SubscriptionState, ValidRequest,
    ValidResponse,
};

use super::{ReferId, SubscriptionId};
use crate::CallId;

/// Something that happened to a subscription of ours.
#[derive(Clone, Debug)]
pub enum SubscriptionEvent {
    /// A SUBSCRIBE was answered with 2xx: told at first and with each refresh.
    Accepted {
        /// For how long; it is refreshed before.
        expires: Duration,
        /// The response.
        response: ValidResponse,
    },
    /// A notification has come, and was answered with 200. The first says that the subscription
    /// stands (RFC 6665 §4.4.1).
    Notified {
        /// What has become of the subscription. `terminated`: [`Lost`](Self::Lost) or
        /// [`Ended`](Self::Ended) follows.
        state: SubscriptionState,
        /// The NOTIFY, whose body is the state of the resource.
        request: ValidRequest,
    },
    /// The SUBSCRIBE was forked, and this subscription is one more that it has made (RFC 6665
    /// §4.4.1). Its notifications follow. When it is lost it has ended: only the first is asked for
    /// again.
    Forked {
        /// The subscription that was asked for.
        of: SubscriptionId,
    },
    /// The subscription does not stand, and is asked for again in a while, in a new dialog.
    Lost {
        /// Why.
        why: SubscriptionLoss,
        /// When it is asked for again.
        retry_in: Duration,
    },
    /// The subscription is over. Told exactly once; the id is stale from now on.
    Ended {
        /// Why; `None`: as the owner wanted, be it that the state was to be fetched once.
        why: Option<SubscriptionLoss>,
    },
}

/// Why a subscription does not stand.
#[derive(Clone, Debug)]
pub enum SubscriptionLoss {
    /// A SUBSCRIBE was refused, was not answered (408), or could not be sent (503).
    Refused {
        /// The final status.
        status: StatusCode,
        /// The response, if there was one.
        response: Option<ValidResponse>,
    },
    /// The notifier has terminated it (RFC 6665 §4.1.3).
    Terminated {
        /// Its reason.
        reason: Option<EventReason>,
    },
    /// A SUBSCRIBE was accepted, but no notification came in 64*T1: Timer N (RFC 6665 §4.1.2.4).
    NotNotified,
    /// It could not be refreshed in time.
    Expired,
}

/// Something that happened to a REFER of ours.
#[derive(Clone, Debug)]
pub enum ReferEvent {
    /// The peer has accepted the REFER: it says nothing of how it goes.
    Accepted {
        /// The 2xx.
        response: ValidResponse,
    },
    /// The peer tells how it goes (RFC 3515 §2.4.5).
    Progress {
        /// The status line of the body: 1xx under way, 2xx done, above it failed. `None`: the body
        /// has none.
        status: Option<StatusCode>,
        /// What has become of the subscription to the progress.
        state: SubscriptionState,
        /// The NOTIFY.
        request: ValidRequest,
    },
    /// The REFER was forked, and another peer accepts it too (RFC 3515 §3.9).
    Forked {
        /// The REFER that was sent.
        of: ReferId,
    },
    /// No more is told. Told exactly once; the id is stale from now on.
    Ended {
        /// The last status that was told.
        status: Option<StatusCode>,
        /// Why nothing follows.
        end: ReferEnd,
    },
}

/// Why nothing more is told of a REFER of ours.
#[derive(Clone, Debug)]
pub enum ReferEnd {
    /// The REFER was refused, was not answered (408), or could not be sent (503).
    Refused {
        /// The final status.
        status: StatusCode,
        /// The response, if there was one.
        response: Option<ValidResponse>,
    },
    /// The peer has accepted it, and tells nothing, as we have asked (RFC 4488 §4).
    NotSubscribed,
    /// The peer has told the last (RFC 3515 §2.4.7).
    Terminated {
        /// `noresource`, as a rule.
        reason: Option<EventReason>,
    },
    /// The peer has told nothing within 64*T1, or its time to tell is over.
    Silent,
    /// We wanted to hear no more.
    Unsubscribed,
}

/// Something that happened to a subscription of another to something of ours.
#[derive(Clone, Debug)]
pub enum SubscriberEvent {
    /// Someone wants to subscribe: accept, pend or reject it. After 32*T1 (16 s) it is answered
    /// with 480.
    Requested {
        /// The SUBSCRIBE; its top `Via` has `received` and `rport` filled in.
        request: ValidRequest,
        /// The path it came on.
        flow: Flow,
        /// What it is about: one of [`Config::event_packages`](crate::Config::event_packages).
        event: EventHeader,
        /// For how long it asks. Zero: the state is fetched once.
        expires: Duration,
        /// The call that it was sent in, if any.
        call: Option<CallId>,
    },
    /// The subscription goes on; the state that was told last was told again (RFC 6665 §4.2.1.2).
    Refreshed {
        /// For how long from now.
        expires: Duration,
    },
    /// The subscription is over. Told exactly once; the id is stale from now on.
    Ended {
        /// Why.
        end: SubscriberEnd,
    },
}

/// Why a subscription of another is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriberEnd {
    /// We have refused it, or have not answered it in time.
    Refused {
        /// The status that was sent.
        status: StatusCode,
    },
    /// We have ended it, or have told the state that was to be fetched once.
    Terminated,
    /// The subscriber has ended it.
    Unsubscribed,
    /// It was not refreshed.
    Expired,
    /// The subscriber does not take notifications (RFC 6665 §4.2.2).
    Lost {
        /// What a NOTIFY was answered with; 408: it was not, 503: it could not be sent.
        status: StatusCode,
    },
}

/// Something that happened to a REFER of another.
#[derive(Clone, Debug)]
pub enum ReferralEvent {
    /// Someone asks us to contact somebody: accept or reject it. After 32*T1 (16 s) it is answered
    /// with 480.
    Requested(Box<Referral>),
    /// No more can be told. Told exactly once; the id is stale from now on.
    Ended {
        /// Why.
        end: ReferralEnd,
    },
}

/// What a REFER of another asks for (RFC 3515 §2.4.2).
#[derive(Clone, Debug)]
pub struct Referral {
    /// The REFER; its top `Via` has `received` and `rport` filled in.
    pub request: ValidRequest,
    /// The path it came on.
    pub flow: Flow,
    /// Whom to contact. A `Replaces` or another header field stands in its URI.
    pub refer_to: NameAddr,
    /// On whose behalf (RFC 3892 §2.1), as it claims.
    pub referred_by: Option<NameAddr>,
    /// Whether the progress is to be told (RFC 4488 §4).
    pub subscribes: bool,
    /// The call that it was sent in, if any.
    pub call: Option<CallId>,
    /// The call whose tags it knows, though it was sent outside of it (RFC 4538 §4). Who knows them
    /// was on the path of that call.
    pub target_dialog: Option<CallId>,
}

/// Why no more can be told of a REFER of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferralEnd {
    /// We have refused it, or have not answered it in time.
    Refused {
        /// The status that was sent.
        status: StatusCode,
    },
    /// We have accepted it, and nothing is to be told (RFC 4488 §4).
    NotSubscribed,
    /// We have told the last.
    Reported,
    /// The peer wants to hear no more. What it has asked for goes on (RFC 3515 §2.4.4).
    Unsubscribed,
    /// The time to tell is over.
    Expired,
    /// The peer does not take notifications (RFC 6665 §4.2.2).
    Lost {
        /// What a NOTIFY was answered with; 408: it was not, 503: it could not be sent.
        status: StatusCode,
    },
}
