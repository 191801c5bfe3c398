use proptest::prelude::*;

use super::*;
use crate::{Profile, Uri};

fn tel(text: &str) -> TelUri {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn strict(text: &str) -> Result<Uri, ParseError> {
    Uri::parse(&WireText::new(text, Profile::Strict))
}

#[test]
fn the_examples_of_the_rfc_are_read_and_written_back() {
    for text in [
        "tel:+1-201-555-0123",
        "tel:7042;phone-context=example.com",
        "tel:863-1234;phone-context=+1-914-555",
        "tel:+1-201-555-0123;ext=12-3",
        "tel:+358-555-1234567;postd=pp22",
        "tel:+1.201.(555)0123;isub=a?@b,%3b=;tgrp=TG-1;trunk-context=example.com",
        "tel:*#ab-c;phone-context=a.b-c.",
        "tel:+1;m-new;x=%41[]/:&+$",
    ] {
        assert!(matches!(strict(text), Ok(Uri::Tel(_))), "{text}");
        assert_eq!(tel(text).to_string(), text);
    }
}

#[test]
fn the_parts_are_found() {
    let uri = tel("tel:863-1234;ISUB=5;Phone-Context=+1-914;TGRP=a;m-x=1");
    assert_eq!((uri.number(), &*uri.digits(), uri.is_global()), ("863-1234", "8631234", false));
    assert_eq!((uri.phone_context(), uri.isdn_subaddress()), (Some("+1-914"), Some("5")));
    assert_eq!((uri.extension(), uri.parameter("tgrp")), (None, Some(Some("a"))));
    assert_eq!(uri.mandatory_parameters().collect::<Vec<_>>(), [("m-x", Some("1"))]);
    assert_eq!(uri.parameters().count(), 4);
}

#[test]
fn what_is_no_number_is_refused_or_kept_whole() {
    for text in [
        "tel:+",
        "tel:+-",
        "tel:+1a",
        "tel:-",
        "tel:alice",
        "tel:1-800-FLOWERS",
        "tel:+1;ext=",
        "tel:+1;ext=a",
        "tel:+1;ext",
        "tel:+1;isub",
        "tel:+1;ext=1;isub=1",
        "tel:+1;a;A=1",
        "tel:+1;a_b=1",
        "tel:+1;",
        "tel:+1;;a",
        "tel:1;phone-context",
        "tel:%2B1",
        "tel:+1?a=b",
    ] {
        assert!(strict(text).is_err(), "{text}");
        assert!(text.parse::<TelUri>().is_err(), "{text}");
        match text.parse::<Uri>() {
            Ok(uri) => {
                assert!(matches!(uri, Uri::Absolute(_)), "{text}");
                assert_eq!(uri.to_string(), text);
            }
            Err(error) => panic!("{text}: {error}"),
        }
    }
    for text in ["tel:1", "tel:1;phone-context=5", "tel:1;phone-context=a.5"] {
        assert!(strict(text).is_err(), "{text}");
        assert!(!tel(text).is_global());
    }
    let many: String = (0..40).map(|at| format!(";p{at}")).collect();
    assert!(strict(&format!("tel:+1{many}")).is_err());
}

#[test]
fn comparison_skips_separators_case_and_order() {
    for (one, other) in [
        ("tel:+1-201-555-0123", "tel:+1(201)555.0123"),
        ("tel:AB;phone-context=Example.COM", "tel:ab;phone-context=example.com"),
        ("tel:1;phone-context=+1-9", "tel:1;phone-context=+19"),
        ("tel:+1;ext=1-2;a=B", "tel:+1;A=b;ext=12"),
        ("tel:+358-555-1234567;postd=pp22;isub=1411", "tel:+358-555-1234567;isub=1411;POSTD=PP22"),
        ("tel:+1;a=%62", "tel:+1;a=b"),
        // No numbers, but taken from peers: what is escaped and letters count as elsewhere.
        ("tel:1;phone-context=+1%2D9", "tel:1;phone-context=+1-9"),
        ("tel:1;phone-context=+1%2D9", "tel:1;phone-context=+19"),
        ("tel:1;phone-context=+1N", "tel:1;phone-context=+1n"),
    ] {
        assert_eq!(tel(one), tel(other));
        assert_eq!(tel(other), tel(one));
        assert_eq!(std::collections::HashSet::from([tel(one), tel(other)]).len(), 1);
    }
    for (one, other) in [
        ("tel:+1", "tel:1"),
        ("tel:+1", "tel:+1;a"),
        ("tel:+1;a", "tel:+1;b"),
        ("tel:+1;a", "tel:+1;a=1"),
        ("tel:+1;a=%3b", "tel:+1;a=b"),
        ("tel:1;phone-context=+1", "tel:1;phone-context=a.b"),
        ("tel:1;phone-context=a-b.c", "tel:1;phone-context=ab.c"),
        ("tel:1;phone-context=%2d+1%2D9", "tel:1;phone-context=+19"),
    ] {
        assert_ne!(tel(one), tel(other));
        assert_ne!(tel(other), tel(one));
    }
}

#[test]
fn equal_numbers_become_equal_sip_uris() {
    let sip = |text: &str| tel(text).to_sip_uri("foo.com".parse().unwrap()).to_string();
    for (text, expected) in [
        ("tel:+358-555-1234567;postd=pp22", "sip:+358-555-1234567;postd=pp22@foo.com;user=phone"),
        ("tel:+358-555-1234567;POSTD=PP22", "sip:+358-555-1234567;postd=pp22@foo.com;user=phone"),
        (
            "tel:+358-555-1234567;postd=pp22;isub=1411",
            "sip:+358-555-1234567;isub=1411;postd=pp22@foo.com;user=phone",
        ),
        (
            "tel:+358-555-1234567;tsp=a.b;phone-context=5",
            "sip:+358-555-1234567;phone-context=5;tsp=a.b@foo.com;user=phone",
        ),
        ("tel:+1;m-x=%23", "sip:+1;m-x=%23@foo.com;user=phone"),
        ("tel:+1;m-x=%41", "sip:+1;m-x=a@foo.com;user=phone"),
        ("tel:+1;m-x=%3b%6A", "sip:+1;m-x=%3Bj@foo.com;user=phone"),
        ("tel:#1*A;phone-context=b.c", "sip:%231*a;phone-context=b.c@foo.com;user=phone"),
    ] {
        assert_eq!(sip(text), expected);
        let back: Uri = expected.parse().unwrap();
        assert_eq!(back.as_sip().unwrap().telephone(), Some(tel(text)));
    }
}

#[test]
fn a_user_part_is_a_number_only_if_it_says_so() {
    let telephone = |text: &str| text.parse::<Uri>().unwrap().as_sip().unwrap().telephone();
    assert_eq!(telephone("sip:+1-212@h.example;user=phone"), Some(tel("tel:+1-212")));
    assert_eq!(telephone("sip:*31%23@h.example;user=PHONE"), Some(tel("tel:*31#")));
    assert_eq!(telephone("sip:#31#@h.example;user=phone"), Some(tel("tel:#31#")));
    assert_eq!(telephone("sip:+1-212@h.example"), None);
    assert_eq!(telephone("sip:+1-212@h.example;user=ip"), None);
    assert_eq!(telephone("sip:alice@h.example;user=phone"), None);
    assert_eq!(telephone("sip:1%3Bext=5@h.example;user=phone"), None);
    assert_eq!(telephone("sip:h.example;user=phone"), None);
}

#[test]
fn numbers_are_built_in_the_order_of_the_rfc() {
    let uri = TelUri::local("7042", "example.com").unwrap();
    let uri = uri.with_parameter("b", None).unwrap().with_parameter("a", Some("x;y")).unwrap();
    let uri = uri.with_parameter("ext", Some("1")).unwrap();
    assert_eq!(uri.to_string(), "tel:7042;ext=1;phone-context=example.com;a=x%3By;b");
    for (name, value) in
        [("A", None), ("", None), ("a;b", None), ("c", Some("")), ("isub", Some("1"))]
    {
        assert!(uri.with_parameter(name, value).is_err(), "{name}");
    }
    for number in ["", "1", "+", "+1;a", "+1 2", "+a"] {
        assert!(TelUri::global(number).is_err(), "{number}");
    }
    for (number, context) in
        [("+1", "a.b"), ("", "a.b"), ("1", ""), ("1", "5"), ("1", "+"), ("1", "a;b")]
    {
        assert!(TelUri::local(number, context).is_err(), "{number} {context}");
    }
}

#[test]
fn a_context_that_is_no_number_has_no_case_either() {
    let number: TelUri = "tel:1;phone-context=+1-2F".parse().unwrap();
    let sip = number.to_sip_uri("h.example".parse().unwrap());
    assert_eq!(sip.telephone(), Some(number));
}

proptest! {
    #[test]
    fn numbers_survive_a_sip_uri(
        number in "(\\+[0-9.()-]{0,3}[0-9]|[0-9A-Fa-f*#-]{0,4}[0-9*#])",
        parameters in prop::collection::vec("[a-z-]{1,4}(=[A-Za-z0-9/:&+$~-]{1,4}|=%[4-7][0-9A-E])?", 0..4),
    ) {
        let text = format!("tel:{number}{}", parameters.iter().map(|it| format!(";{it}")).collect::<String>());
        if let Ok(uri) = text.parse::<TelUri>() {
            prop_assert_eq!(&uri.to_string(), &text);
            let sip = uri.to_sip_uri(Host::Name("h.example".into()));
            prop_assert_eq!(sip.telephone(), Some(uri.clone()));
            let again: Uri = sip.to_string().parse().unwrap();
            prop_assert_eq!(again.as_sip().unwrap().telephone(), Some(uri));
        }
    }
}

#[test]
fn what_a_parameter_must_escape_stays_escaped_in_a_user_part() {
    for text in ["tel:+1;m-x=%23", "tel:+1;m-x=a:b[c]", "tel:*1#;phone-context=a.b;x=%23"] {
        let number = tel(text);
        let sip = number.to_sip_uri("foo.com".parse().unwrap());
        assert_eq!(sip.telephone(), Some(number), "{sip}");
    }
    let sip: Uri = "sip:+%31;ext=%32@foo.com;user=phone".parse().unwrap();
    assert_eq!(sip.as_sip().unwrap().telephone(), Some(tel("tel:+1;ext=2")));
}
