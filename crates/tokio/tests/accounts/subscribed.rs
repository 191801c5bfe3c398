//! Subscriptions between two endpoints: what one tells and the other hears.

use std::time::{Duration, Instant};

use offhook_sip::Config;
use offhook_sip_message::{EventReason, HeaderName, StatusCode, Substate};
use offhook_tokio::{
    Endpoint, Error, EventPackage, Subscriber, SubscriberEnd, SubscriberStatus, Subscription,
    SubscriptionFault, SubscriptionStatus,
};

use crate::support::{builder, endpoint, sip, uri, within};

const MWI: EventPackage = EventPackage::MESSAGE_SUMMARY;
const SUMMARY: &str = "application/simple-message-summary";

/// An endpoint that tells of its mailbox.
async fn notifier() -> Endpoint {
    builder("bob").event_packages([MWI]).bind("127.0.0.1:0").await.unwrap()
}

/// A subscription that waits for its notifier.
async fn asked(alice: &Endpoint, bob: &Endpoint) -> (Subscription, Subscriber) {
    let target = uri("bob", bob.local_address());
    let subscription = alice.subscribe(&target, &MWI).open().await.unwrap();
    (subscription, within(bob.subscriber()).await.unwrap())
}

/// A subscription that stands, whose first state was taken.
async fn standing(alice: &Endpoint, bob: &Endpoint) -> (Subscription, Subscriber) {
    let (subscription, subscriber) = asked(alice, bob).await;
    subscriber.accept(SUMMARY, "Messages-Waiting: no\r\n").await.unwrap();
    hear(&subscription, "Messages-Waiting: no\r\n").await;
    (subscription, subscriber)
}

async fn hear(subscription: &Subscription, text: &str) -> Substate {
    let told = within(subscription.next()).await.expect("it is over");
    assert_eq!(told.text().unwrap(), text);
    told.state().state.clone()
}

async fn status(
    subscription: &Subscription,
    seen: impl FnMut(&SubscriptionStatus) -> bool,
) -> SubscriptionStatus {
    within(subscription.statuses().wait_for(seen)).await.unwrap().clone()
}

/// Waits for the end, and says why.
async fn fault(subscription: &Subscription) -> Option<SubscriptionFault> {
    match status(subscription, SubscriptionStatus::is_over).await {
        SubscriptionStatus::Ended { fault } => fault,
        other => panic!("{other:?}"),
    }
}

fn lost(status: &SubscriptionStatus) -> bool {
    matches!(status, SubscriptionStatus::Lost { .. })
}

fn until(subscriber: &Subscriber) -> Instant {
    match subscriber.status() {
        SubscriberStatus::Active { until } | SubscriberStatus::Pending { until } => until,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_state_is_told_as_it_changes_again_when_asked_for_and_no_more_after_the_end() {
    let (alice, bob) = (endpoint("alice").await, notifier().await);
    let target = uri("bob", bob.local_address());
    let asking = alice.subscribe(&target, &MWI).expires(Duration::from_secs(600));
    let subscription = asking.accept(SUMMARY).body("text/plain", "all").open().await.unwrap();
    assert_eq!(subscription.status(), SubscriptionStatus::Subscribing);
    let subscriber = within(bob.subscriber()).await.unwrap();
    assert_eq!(subscriber.from(), alice.identity());
    assert_eq!(subscriber.to().uri.to_string(), "sip:bob@127.0.0.1");
    assert_eq!((subscriber.package(), subscriber.event().id()), (MWI, None));
    assert_eq!(subscriber.expires(), Duration::from_secs(600));
    assert_eq!(&subscriber.body()[..], b"all");
    assert_eq!(subscriber.accept_types().len(), 1);
    assert_eq!(subscriber.status(), SubscriberStatus::Waiting);

    let subscriber = subscriber.at_most(Duration::from_secs(300));
    subscriber.accept(SUMMARY, "one").await.unwrap();
    assert_eq!(hear(&subscription, "one").await, Substate::Active);
    within(subscription.subscribed()).await.unwrap();
    assert_eq!(subscription.status(), SubscriptionStatus::Active);
    let first = until(&subscriber);
    assert!(first <= Instant::now() + Duration::from_secs(300), "no longer than is granted");
    subscriber.notify(SUMMARY, "two").await.unwrap();
    hear(&subscription, "two").await;

    subscription.refresh().await.unwrap();
    hear(&subscription, "two").await;
    assert!(until(&subscriber) > first && until(&subscriber) < first + Duration::from_secs(30));

    within(subscription.unsubscribe()).await.unwrap();
    assert_eq!(within(subscriber.ended()).await.unwrap(), SubscriberEnd::Unsubscribed);
    assert_eq!(hear(&subscription, "two").await, Substate::Terminated);
    assert!(within(subscription.next()).await.is_none());
    assert_eq!(fault(&subscription).await, None);
    within(subscription.unsubscribe()).await.unwrap();
    assert!(subscription.refresh().await.is_err(), "it is over");
    assert!(subscriber.notify(SUMMARY, "three").await.is_err(), "it is over");
    within(alice.shutdown()).await;
    within(bob.shutdown()).await;
}

#[tokio::test]
async fn one_that_is_pending_is_told_the_state_once_it_is_allowed() {
    let (alice, bob) = (endpoint("alice").await, notifier().await);
    let (subscription, subscriber) = asked(&alice, &bob).await;
    let subscriber = subscriber.at_most(Duration::from_secs(120));
    subscriber.pend().await.unwrap();
    assert_eq!(hear(&subscription, "").await, Substate::Pending);
    within(subscription.subscribed()).await.unwrap();
    assert_eq!(subscription.status(), SubscriptionStatus::Pending);
    let pending = until(&subscriber);
    assert!(pending <= Instant::now() + Duration::from_secs(120));
    assert!(subscriber.pend().await.is_err(), "it is pending already");
    subscriber.accept(SUMMARY, "yes").await.unwrap();
    assert_eq!(subscriber.status(), SubscriberStatus::Active { until: pending });
    assert_eq!(hear(&subscription, "yes").await, Substate::Active);
    status(&subscription, |it| *it == SubscriptionStatus::Active).await;
}

#[tokio::test]
async fn what_is_not_allowed_or_not_offered_is_not_asked_for_again() {
    let (alice, bob) = (endpoint("alice").await, notifier().await);
    let (subscription, subscriber) = asked(&alice, &bob).await;
    assert!(subscriber.reject(StatusCode::OK).await.is_err(), "that is no refusal");
    let forbidden = StatusCode::FORBIDDEN;
    subscriber.reject(forbidden).await.unwrap();
    let Err(Error::NotSubscribed(why)) = within(subscription.subscribed()).await else { panic!() };
    assert_eq!(why, SubscriptionFault::Refused(forbidden));
    let end = within(subscriber.ended()).await.unwrap();
    assert_eq!(end, SubscriberEnd::Refused { status: forbidden });

    let target = uri("bob", bob.local_address());
    let other = alice.subscribe(&target, &EventPackage::PRESENCE).open().await.unwrap();
    assert_eq!(fault(&other).await, Some(SubscriptionFault::Refused(StatusCode::BAD_EVENT)));
}

#[tokio::test]
async fn a_refusal_may_say_when_to_come_back() {
    let (alice, bob) = (endpoint("alice").await, notifier().await);
    let (subscription, subscriber) = asked(&alice, &bob).await;
    let later = (HeaderName::RETRY_AFTER, "2".into());
    let begun = Instant::now();
    subscriber.reject_with(StatusCode::TEMPORARILY_UNAVAILABLE, [later]).await.unwrap();
    assert!(lost(&status(&subscription, lost).await));
    let again = within(bob.subscriber()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2));
    again.accept(SUMMARY, "here").await.unwrap();
    hear(&subscription, "here").await;
}

#[tokio::test]
async fn too_short_a_time_is_asked_for_again_as_the_notifier_wants() {
    let config = Config { min_subscription: Duration::from_secs(120), ..sip() };
    let bob = builder("bob").sip(config).event_packages([MWI]).bind("127.0.0.1:0").await.unwrap();
    let alice = endpoint("alice").await;
    let target = uri("bob", bob.local_address());
    let asking = alice.subscribe(&target, &MWI).expires(Duration::from_secs(60));
    let subscription = asking.open().await.unwrap();
    let subscriber = within(bob.subscriber()).await.unwrap();
    assert_eq!(subscriber.expires(), Duration::from_secs(120));
    subscriber.accept(SUMMARY, "x").await.unwrap();
    hear(&subscription, "x").await;
}

#[tokio::test]
async fn a_reason_says_whether_and_when_the_subscriber_comes_back() {
    let (alice, bob) = (endpoint("alice").await, notifier().await);
    for reason in [EventReason::Rejected, EventReason::Noresource, EventReason::Invariant] {
        let (subscription, subscriber) = standing(&alice, &bob).await;
        subscriber.terminate(reason.clone()).await.unwrap();
        assert_eq!(within(subscriber.ended()).await.unwrap(), SubscriberEnd::Terminated);
        assert_eq!(hear(&subscription, "").await, Substate::Terminated);
        let why = Some(SubscriptionFault::Terminated(Some(reason)));
        assert_eq!(fault(&subscription).await, why);
    }
    let second = Duration::from_secs(1);
    let cases = [
        (EventReason::Deactivated, None, Duration::ZERO),
        (EventReason::Timeout, None, Duration::ZERO),
        (EventReason::Probation, Some(2 * second), 2 * second),
        (EventReason::Giveup, None, second / 2),
    ];
    for (reason, wait, least) in cases {
        let (subscription, subscriber) = standing(&alice, &bob).await;
        let begun = Instant::now();
        subscriber.terminate_with(reason.clone(), wait, SUMMARY, "last").await.unwrap();
        assert_eq!(hear(&subscription, "last").await, Substate::Terminated);
        let again = within(bob.subscriber()).await.unwrap();
        let took = begun.elapsed();
        assert!(took >= least && took < least + 3 * second, "{reason:?}: {took:?}");
        again.accept(SUMMARY, "again").await.unwrap();
        assert_eq!(hear(&subscription, "again").await, Substate::Active);
        status(&subscription, |it| *it == SubscriptionStatus::Active).await;
    }
}

#[tokio::test]
async fn a_state_is_fetched_once() {
    let (alice, bob) = (endpoint("alice").await, notifier().await);
    let target = uri("bob", bob.local_address());
    let asking = alice.subscribe(&target, &MWI);
    let fetching = tokio::spawn(asking.fetch());
    let subscriber = within(bob.subscriber()).await.unwrap();
    assert_eq!(subscriber.expires(), Duration::ZERO);
    subscriber.accept(SUMMARY, "now").await.unwrap();
    assert_eq!(within(subscriber.ended()).await.unwrap(), SubscriberEnd::Terminated);
    let told = within(fetching).await.unwrap().unwrap();
    assert_eq!(
        (told.text().unwrap().as_str(), &told.state().state),
        ("now", &Substate::Terminated)
    );

    let fetching = tokio::spawn(alice.subscribe(&target, &MWI).fetch());
    within(bob.subscriber()).await.unwrap().reject(StatusCode::FORBIDDEN).await.unwrap();
    let Err(Error::NotSubscribed(why)) = within(fetching).await.unwrap() else { panic!() };
    assert_eq!(why, SubscriptionFault::Refused(StatusCode::FORBIDDEN));
}

#[tokio::test]
async fn a_slow_reader_finds_the_newest_states_and_how_many_it_has_missed() {
    let (alice, bob) = (endpoint("alice").await, notifier().await);
    let (subscription, subscriber) = standing(&alice, &bob).await;
    for number in 1..=20 {
        subscriber.notify(SUMMARY, number.to_string()).await.unwrap();
    }
    // The last word comes after all others.
    subscriber.terminate_with(EventReason::Noresource, None, SUMMARY, "last").await.unwrap();
    fault(&subscription).await;
    let mut heard = Vec::new();
    while let Some(told) = within(subscription.next()).await {
        heard.push(told.text().unwrap());
    }
    let newest: Vec<_> = (6..=20).map(|number| number.to_string()).chain(["last".into()]).collect();
    assert_eq!(heard, newest);
    assert_eq!(subscription.left_out(), 5);
}

#[tokio::test]
async fn a_dropped_handle_ends_its_side_of_the_subscription() {
    let (alice, bob) = (endpoint("alice").await, notifier().await);
    let (subscription, subscriber) = standing(&alice, &bob).await;
    drop(subscription);
    assert_eq!(within(subscriber.ended()).await.unwrap(), SubscriberEnd::Unsubscribed);

    let (subscription, subscriber) = standing(&alice, &bob).await;
    drop(subscriber);
    let gone = SubscriptionFault::Terminated(Some(EventReason::Noresource));
    assert_eq!(fault(&subscription).await, Some(gone));

    let (subscription, subscriber) = asked(&alice, &bob).await;
    drop(subscriber);
    let SubscriptionStatus::Lost { fault, .. } = status(&subscription, lost).await else {
        panic!()
    };
    assert_eq!(fault, SubscriptionFault::Refused(StatusCode::TEMPORARILY_UNAVAILABLE));
}

#[tokio::test]
async fn an_endpoint_that_shuts_down_ends_what_it_hears_and_what_it_tells() {
    let (alice, bob) = (endpoint("alice").await, notifier().await);
    let (subscription, subscriber) = standing(&alice, &bob).await;
    let begun = Instant::now();
    within(alice.shutdown()).await;
    assert!(begun.elapsed() < Duration::from_secs(4), "all that was to be heard was heard");
    assert_eq!(within(subscriber.ended()).await.unwrap(), SubscriberEnd::Unsubscribed);
    assert_eq!(fault(&subscription).await, None);
    assert!(matches!(subscription.refresh().await, Err(Error::Closed)));

    let alice = endpoint("alice").await;
    let (subscription, subscriber) = standing(&alice, &bob).await;
    let (waiting, undecided) = asked(&alice, &bob).await;
    let begun = Instant::now();
    within(bob.shutdown()).await;
    assert!(begun.elapsed() < Duration::from_secs(4), "all that was to be said was said");
    assert_eq!(within(subscriber.ended()).await.unwrap(), SubscriberEnd::Terminated);
    let SubscriptionStatus::Lost { .. } = status(&subscription, lost).await else { panic!() };
    assert_eq!(hear(&subscription, "").await, Substate::Terminated);
    let refused = SubscriberEnd::Refused { status: StatusCode::TEMPORARILY_UNAVAILABLE };
    assert_eq!(within(undecided.ended()).await.unwrap(), refused);
    assert!(matches!(undecided.accept(SUMMARY, "late").await, Err(Error::Closed)));
    assert!(lost(&status(&waiting, lost).await));
    within(alice.shutdown()).await;
    assert!(within(waiting.next()).await.is_none());
}
