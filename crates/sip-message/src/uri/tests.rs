use super::*;
use crate::Profile;

fn uri(text: &str) -> Uri {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn sip(text: &str) -> SipUri {
    uri(text).as_sip().cloned().unwrap()
}

#[test]
fn the_examples_of_the_rfc_are_read_and_written_back() {
    for text in [
        "sip:alice@atlanta.com",
        "sip:alice:secretword@atlanta.com;transport=tcp",
        "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:+1-212-555-1212:1234@gateway.com;user=phone",
        "sips:1212@gateway.com",
        "sip:alice@192.0.2.4",
        "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
        "sip:alice;day=tuesday@atlanta.com",
        "sip:%00@host5.example.com",
        "sip:[2001:db8::10]:5070",
        "sip:user@[::ffff:192.0.2.2]",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
        "tel:+1-201-555-0123",
        "soap.beep://192.0.2.103:3002",
        "urn:service:sos",
    ] {
        assert_eq!(uri(text).to_string(), text);
    }
}

#[test]
fn the_user_part_may_hold_what_looks_like_parameters() {
    let uri = sip("sip:alice;day=tuesday@atlanta.com");
    assert_eq!(uri.user.as_deref(), Some("alice;day=tuesday"));
    assert!(uri.parameters.is_empty());
    let uri = sip("sip:user;par=u%40example.net@example.com");
    assert_eq!(uri.user_text().as_deref(), Some(&b"user;par=u@example.net"[..]));
}

#[test]
fn a_port_after_an_ipv6_address_needs_the_brackets() {
    assert_eq!(sip("sip:[2001:db8::10:5070]").port, None);
    assert_eq!(sip("sip:[2001:db8::10]:5070").port, Some(5070));
    assert!("sip:2001:db8::10".parse::<Uri>().is_err());
}

#[test]
fn three_colons_are_read_as_two() {
    assert_eq!(uri("sip:u@[2001:db8:::192.0.2.1]"), uri("sip:u@[2001:db8::192.0.2.1]"));
}

#[test]
fn what_is_no_uri_is_refused() {
    for text in [
        "",
        "sip",
        "sip:",
        "sip:@host",
        "sip:a@",
        "sip:a b@host",
        "sip:host:",
        "sip:host:65536",
        "sip:host:x",
        "sip:host;",
        "sip:host;a=",
        "sip:host;a;A=1",
        "sip:host?",
        "sip:host?a",
        "sip:a%4@host",
        "sip:ho%73t",
        "sip:-a.b",
        "sip:a..b",
        "sip:12345",
        "sip:[::1",
        "sip:[x]",
        "sip:host\r\n",
        "<sip:host>",
        "sip:host; lr",
        "tel:",
        "1a:b",
        "tel:a b",
        "sip:\0@host",
    ] {
        assert!(Uri::parse(&WireText::new(text, Profile::Strict)).is_err(), "{text:?}");
    }
}

#[test]
fn the_equal_pairs_of_the_rfc_are_equal() {
    for (one, other) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
    ] {
        assert_eq!(uri(one), uri(other));
        assert_eq!(uri(other), uri(one));
    }
}

#[test]
fn the_unequal_pairs_of_the_rfc_are_not_equal() {
    for (one, other) in [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
        ("sip:a%3Bb@x.y", "sip:a;b@x.y"),
        ("sip:biloxi.com", "sip:biloxi.com;maddr=192.0.2.1"),
        ("sip:%00@x.y", "sip:%00%00@x.y"),
    ] {
        assert_ne!(uri(one), uri(other));
        assert_ne!(uri(other), uri(one));
    }
}

#[test]
fn escapes_are_undone_once() {
    assert_eq!(unescape("v%61lue%25%34%31").as_ref(), b"value%41");
    assert_eq!(unescape("%Z%4").as_ref(), b"%Z%4");
    assert_eq!(escape_user("a b\r\n@é"), "a%20b%0D%0A%40%C3%A9");
}

#[test]
fn debug_output_holds_no_password() {
    let shown = format!("{:?}", uri("sip:alice:secret@h.example;a=b?c=d"));
    assert!(shown.contains("alice") && shown.contains("h.example"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn an_error_says_where() {
    let error = "sip:alice@atl anta.com".parse::<Uri>().unwrap_err();
    assert_eq!(error.offset(), 13);
    let error = "sip:host;lr;transport=".parse::<Uri>().unwrap_err();
    assert_eq!((error.offset(), error.expected()), (22, "a URI parameter value"));
}
