use proptest::prelude::*;

use super::super::probe::{read, written};
use super::*;
use crate::Contact;

fn value(wire: &str) -> FeatureValue<'_> {
    FeatureValue::read(Some(wire)).unwrap_or_else(|error| panic!("{wire}: {error}"))
}

#[test]
fn the_example_of_the_rfc_is_read() {
    let contact: Contact = read(
        "<sip:user@pc.example.com>;mobility=\"fixed\";events=\"!presence,message-summary\"\
         ;language=\"en,de\";description=\"<PC>\";+sip.newparam;+rangeparam=\"#-4:+5.125\"",
    );
    let feature = |name| contact.feature(name).unwrap().unwrap();
    assert_eq!(feature("mobility"), FeatureValue::tokens(["fixed"]));
    assert_eq!(feature("Language"), FeatureValue::tokens(["en", "de"]));
    assert_eq!(feature("description"), FeatureValue::Text("PC".into()));
    assert_eq!(feature("+sip.newparam"), FeatureValue::True);
    let range = TagValue::Between(-4.0, 5.125);
    assert_eq!(
        feature("+rangeparam"),
        FeatureValue::AnyOf(vec![FeatureTag { negated: false, value: range }])
    );
    assert_eq!(contact.feature("video"), Ok(None));
    let events = feature("events");
    assert!(events.holds("message-summary") && events.holds("dialog") && !events.holds("presence"));
    for name in ["mobility", "events", "language", "description", "+rangeparam"] {
        assert_eq!(value(&feature(name).to_string()), feature(name), "{name}");
    }
}

#[test]
fn a_contact_is_made_with_its_features() {
    let uri: crate::Uri = "sip:user@host.example.com".parse().unwrap();
    let contact = Contact::new(uri)
        .with_feature("audio", &FeatureValue::True)
        .with_feature("methods", &FeatureValue::tokens(["INVITE", "BYE"]))
        .with_feature("+sip.instance", &FeatureValue::Text("urn:uuid:0".into()));
    let text =
        "<sip:user@host.example.com>;audio;methods=\"INVITE,BYE\";+sip.instance=\"<urn:uuid:0>\"";
    assert_eq!(written(&contact), text);
    assert_eq!(Contact::Star.feature("audio"), Ok(None));
}

#[test]
fn numbers_are_compared() {
    let holds = |wire, number| value(wire).holds(number);
    assert!(holds("\"#=5\"", "5.0") && !holds("\"#=5\"", "6"));
    assert!(holds("\"#>=5\"", "5") && !holds("\"#>=5\"", "4.9"));
    assert!(holds("\"#<=-5.\"", "-6") && !holds("\"#<=-5.\"", "-4"));
    assert!(holds("\"#1:2,#=9\"", "9") && !holds("\"#1:2,#=9\"", "3"));
    assert!(holds("\"!#1:2\"", "3") && !holds("\"!#1:2\"", "1.5"));
    assert!(holds("\"TRUE\"", "true") && !holds("\"FALSE\"", "true"));
}

#[test]
fn values_that_are_clear_without_quotes_or_escapes_are_read() {
    assert_eq!(value("fixed"), FeatureValue::tokens(["fixed"]));
    assert_eq!(value("<urn:uuid:1>"), FeatureValue::Text("urn:uuid:1".into()));
    assert_eq!(value("\"INVITE, BYE\""), FeatureValue::tokens(["INVITE", "BYE"]));
    assert_eq!(value("\"urn:urn-7:x\""), FeatureValue::tokens(["urn:urn-7:x"]));
    assert_eq!(value("\"<a\\\"\\\\b>\""), FeatureValue::Text("a\"\\b".into()));
    assert_eq!(value("\"<>\""), FeatureValue::Text("".into()));
}

#[test]
fn what_is_no_value_is_refused_at_its_place() {
    for (wire, offset) in [
        ("\"\"", 1),
        ("\"a,\"", 3),
        ("\"a, !!b\"", 4),
        ("\"#5\"", 1),
        ("\"a,#=\"", 3),
        ("\"#=1e5\"", 1),
        ("\"#=0x1\"", 1),
        ("\"#1:\"", 1),
        ("\"#=.5\"", 1),
        ("\"a b\"", 1),
        ("\"<a\"", 0),
        ("\"<a<b>>\"", 0),
        ("\"<a>,b\"", 0),
    ] {
        let error = FeatureValue::read(Some(wire)).unwrap_err();
        assert_eq!((error.offset(), error.rfc()), (offset, RFC), "{wire}");
    }
    let huge = format!("\"#={}\"", "9".repeat(400));
    assert!(FeatureValue::read(Some(&huge)).is_err(), "it fits no double");
}

proptest! {
    #[test]
    fn texts_and_lists_read_back_as_they_were_written(
        text in "[^<>\r\n\0]{0,12}",
        tags in proptest::collection::vec((any::<bool>(), "[a-zA-Z0-9.%*_+`'~-]{1,8}"), 1..5),
        low in -1e9..1e9_f64, high in -1e9..1e9_f64,
    ) {
        let texts = FeatureValue::Text(text.as_str().into());
        let wire = texts.to_string();
        prop_assert_eq!(value(&wire), texts);
        let mut list: Vec<_> = tags
            .iter()
            .map(|(negated, text)| FeatureTag {
                negated: *negated,
                value: TagValue::token(text).unwrap(),
            })
            .collect();
        for value in [TagValue::Between(low, high), TagValue::Equal(low), TagValue::AtMost(high)] {
            list.push(FeatureTag { negated: false, value });
        }
        let list = FeatureValue::AnyOf(list);
        let wire = list.to_string();
        prop_assert_eq!(value(&wire), list);
    }

    #[test]
    fn no_value_panics(wire in "[ -~é]{0,20}") {
        let _ = FeatureValue::read(Some(&wire));
    }
}
