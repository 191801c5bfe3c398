use super::super::probe::{forgiven, read, reads, refused, same};
use super::*;

fn id(text: &str) -> CallId {
    CallId(text.into())
}

#[test]
fn a_replaced_dialog_has_a_call_id_and_two_tags() {
    let replaced: Replaces = reads(
        "98732@sip.example.com ;from-tag=r33th4x0r ;to-tag=ff87ff",
        "98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff",
    );
    assert_eq!(replaced.call_id(), &id("98732@sip.example.com"));
    assert_eq!((replaced.to_tag(), replaced.from_tag()), ("ff87ff", "r33th4x0r"));
    assert_eq!(Replaces::new(id("98732@sip.example.com"), "ff87ff", "r33th4x0r"), replaced);
    let early: Replaces = same("12adf2f34456gs5;to-tag=12345;from-tag=54321;early-only");
    assert!(early.is_early_only() && !replaced.is_early_only());
    assert_eq!(Replaces::new(id("12adf2f34456gs5"), "12345", "54321").early_only(), early);
    assert_ne!(read::<Replaces>("A;to-tag=1;from-tag=2"), read("a;to-tag=1;from-tag=2"));
}

#[test]
fn a_tag_of_zero_stands_for_no_tag_too() {
    let replaced: Replaces = same("87134@171.161.34.23;to-tag=24796;from-tag=0");
    let call_id = id("87134@171.161.34.23");
    assert!(replaced.matches(&call_id, Some("24796"), None));
    assert!(replaced.matches(&call_id, Some("24796"), Some("0")));
    assert!(!replaced.matches(&call_id, Some("24796"), Some("1")));
    assert!(!replaced.matches(&call_id, None, None));
    assert!(!replaced.matches(&call_id, None, Some("24796")), "the sides are not swapped");
    assert!(!replaced.matches(&id("other"), Some("24796"), None));
    let joined: Join = same("87134@192.0.2.23;to-tag=24796;from-tag=0");
    assert!(joined.matches(&id("87134@192.0.2.23"), Some("24796"), None));
}

#[test]
fn a_target_dialog_is_seen_from_who_gets_the_request() {
    let target: TargetDialog = reads(
        "fa77as7dad8-sd98ajzz@host.example.com ;local-tag=kkaz- ;remote-tag=6544",
        "fa77as7dad8-sd98ajzz@host.example.com;local-tag=kkaz-;remote-tag=6544",
    );
    assert_eq!((target.local_tag(), target.remote_tag()), ("kkaz-", "6544"));
    assert!(target.matches(&id("fa77as7dad8-sd98ajzz@host.example.com"), "kkaz-", "6544"));
    assert!(!target.matches(&id("fa77as7dad8-sd98ajzz@host.example.com"), "6544", "kkaz-"));
    let made = TargetDialog::new(target.call_id().clone(), "kkaz-", "6544");
    assert_eq!(made, target);
    assert_ne!(made.with_parameter("a", Some("b")), target);
}

#[test]
fn each_tag_must_be_there_once() {
    refused::<Replaces>("", 0);
    refused::<Replaces>("a", 1);
    refused::<Replaces>("a;to-tag=1", 10);
    refused::<Replaces>("a;from-tag=1", 12);
    refused::<Replaces>("a;to-tag=1;from-tag", 19);
    refused::<Replaces>("a;to-tag=1;from-tag=2;to-tag=3", 22);
    refused::<Replaces>("a@;to-tag=1;from-tag=2", 1);
    refused::<Join>("a;local-tag=1;remote-tag=2", 26);
    refused::<TargetDialog>("a;to-tag=1;from-tag=2", 21);
    refused::<TargetDialog>("a;local-tag=1;remote-tag=2, b;local-tag=1;remote-tag=2", 26);
    forgiven::<Join>("a;to-tag=1;from-tag=2;", "a;to-tag=1;from-tag=2");
}
