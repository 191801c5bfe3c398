use super::super::probe::{forgiven, read, refused, same, written};
use super::*;

#[test]
fn an_event_is_a_package_with_templates() {
    let event: Event = same("presence.winfo.winfo;id=7;a=\"b\"");
    assert_eq!((event.package(), event.id()), ("presence", Some("7")));
    assert!(event.templates().eq(["winfo", "winfo"]));
    assert_eq!(same::<Event>("refer").templates().count(), 0);
    assert_eq!(written(&Event::new("refer").with_id("93809824")), "refer;id=93809824");
}

#[test]
fn events_match_by_the_octets_of_type_and_id() {
    let matches = |one: &str, other: &str| {
        let (one, other): (Event, Event) = (read(one), read(other));
        assert_eq!(one.matches(&other), other.matches(&one));
        one.matches(&other)
    };
    assert!(matches("foo; id=1234", "foo; param=abcd; id=1234"));
    assert!(!matches("foo; id=1234", "foo"));
    assert!(!matches("foo; id=1234", "Foo; id=1234"));
    assert!(!matches("foo; id=a", "foo; id=A"));
    assert_ne!(read::<Event>("foo;a=b"), read::<Event>("foo"));
    assert_eq!(read::<Event>("foo;id=1;a=b"), read::<Event>("foo;A=B;id=1"));
}

#[test]
fn what_is_no_event_is_refused() {
    refused::<Event>("", 0);
    refused::<Event>(".presence", 0);
    refused::<Event>("presence.", 9);
    refused::<Event>("presence..winfo", 9);
    refused::<Event>("presence, dialog", 8);
    refused::<Event>("presence;id=1;ID=2", 14);
    refused::<AllowEvents>("presence;id=1", 8);
}

#[test]
fn supported_events_have_case() {
    assert!(same::<AllowEvents>("message-summary").is("message-summary"));
    assert!(!same::<AllowEvents>("message-summary").is("Message-Summary"));
    assert_ne!(same::<AllowEvents>("dialog"), same::<AllowEvents>("Dialog"));
}

#[test]
fn states_tell_how_long_and_why() {
    let active: SubscriptionState = same("active;expires=3600");
    assert_eq!((active.state.clone(), active.expires()), (Substate::Active, Some(3600)));
    assert_eq!(active, SubscriptionState::active(3600));
    let text = "terminated;reason=probation;retry-after=60";
    let ended = same::<SubscriptionState>(text);
    assert_eq!((ended.reason(), ended.retry_after()), (Some(EventReason::Probation), Some(60)));
    assert_eq!(SubscriptionState::terminated(&EventReason::Probation).with_retry_after(60), ended);
    assert_eq!(written(&SubscriptionState::pending(5)), "pending;expires=5");
    forgiven::<SubscriptionState>("active;expires=60;", "active;expires=60");
}

#[test]
fn tokens_of_states_and_reasons_have_no_case_and_may_be_new() {
    let known: SubscriptionState = read("Terminated;Reason=NoResource");
    assert_eq!(known.state, Substate::Terminated);
    assert_eq!(known.reason(), Some(EventReason::Noresource));
    let new: SubscriptionState = same("Held;reason=Lunch");
    assert_eq!(new.state, Substate::Other("HELD".into()));
    assert_eq!(new.reason().unwrap().as_str(), "Lunch");
    assert_eq!(read::<SubscriptionState>("active;expires=-1").expires(), None);
    refused::<SubscriptionState>("", 0);
    refused::<SubscriptionState>("active expires=5", 7);
}
