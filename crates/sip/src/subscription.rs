//! Event subscriptions, in both roles (RFC 6665), and REFER, which begins one by itself (RFC 3515).
//!
//! 1. SUBSCRIBE or REFER asks; the 2xx says that notifications follow.
//! 2. The first NOTIFY makes the subscription, and its dialog outside of a call (§4.4.1).
//! 3. SUBSCRIBE in the dialog refreshes, or ends it with `Expires: 0` (§4.1.2.2, §4.1.2.3).
//! 4. The NOTIFY whose `Subscription-State` is `terminated` is the last (§4.2.2).
//!
//! Each subscription is one machine: a [`Subscriber`] where this side asks, a [`Notifier`] where it
//! tells. [`Subscriptions`] finds them by transaction, by dialog and by deadline. The dialogs are
//! kept apart from the machines, in [`Dialogs`], for several may share one, with a call too
//! (RFC 6665 §4.5.2).

mod dialogs;
pub(crate) use dialogs::{Dialogs, Ground, Member};
mod event;
pub use event::{
    ReferEnd, ReferEvent, Referral, ReferralEnd, ReferralEvent, SubscriberEnd, SubscriberEvent,
    SubscriptionEvent, SubscriptionLoss,
};
mod incoming;
mod notifier;
pub(crate) use notifier::Notifier;
mod package;
pub use package::EventPackage;
pub(crate) use package::{allow_events, events_allowed};
mod refer;
pub(crate) use refer::{NO_REFER_SUB, TARGET_DIALOG};
pub use refer::{Refer, ReferOutside};
mod subscriber;
pub(crate) use subscriber::Subscriber;
mod subscriptions;
pub(crate) use subscriptions::Subscriptions;
mod wanted;
pub use wanted::Subscription;

use offhook_sansio::Key;
use offhook_sip_message::StatusCode;

/// Names one subscription of ours, until [`SubscriptionEvent::Ended`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub(crate) Key<Subscriber>);

/// Names one REFER of ours and the subscription to its progress, until [`ReferEvent::Ended`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferId(pub(crate) Key<Subscriber>);

/// Names one who has subscribed to something of ours, until [`SubscriberEvent::Ended`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriberId(pub(crate) Key<Notifier>);

/// Names one REFER of another and the subscription to its progress, until
/// [`ReferralEvent::Ended`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferralId(pub(crate) Key<Notifier>);

/// Whether this answer within a subscription ends it (RFC 6665 §4.1.2.2, §4.2.2).
fn destroys(status: StatusCode) -> bool {
    matches!(status.as_u16(), 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604)
}
