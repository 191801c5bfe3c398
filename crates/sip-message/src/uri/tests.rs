use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::Profile;

/// What the profile makes of `text`.
fn read(text: &str, profile: Profile) -> Result<Uri, ParseError> {
    Uri::parse(&WireText::new(text, profile))
}

fn strict(text: &str) -> Result<Uri, ParseError> {
    read(text, Profile::Strict)
}

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
        assert_eq!(strict(text).unwrap().to_string(), text);
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
        "sip:host;a;A=1",
        "sip:host?",
        "sip:host?a",
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

/// As phones write that append a parameter without looking.
#[test]
fn a_parameter_that_says_the_same_again_is_kept_once_by_the_tolerant() {
    let text = "sip:bob@h.example;transport=tcp;lr;Transport=TCP;lr";
    assert_eq!(uri(text).to_string(), "sip:bob@h.example;transport=tcp;lr");
    assert!(strict(text).is_err());
    let unlike = ["transport=udp;transport=tcp", "lr;lr=", "lr=;lr", "a=b;%61=b", "a=%62;a=b"];
    for parameters in unlike {
        let error = format!("sip:h;{parameters}").parse::<Uri>().unwrap_err();
        assert!(error.expected().contains("come"), "{parameters}: {error}");
    }
    let many = format!("sip:h{}", ";lr".repeat(MAX_PARAMETERS + 1));
    assert_eq!(many.parse::<Uri>().unwrap_err().expected(), "fewer parameters");
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
        ("sip:bob@[::ffff:192.0.2.128]", "sip:bob@[::ffff:c000:280]"),
        ("sip:bob@[2001:db8::9:1]", "sip:bob@[2001:db8::9:01]"),
        ("sip:bob@[0:0:0:0:0:FFFF:129.144.52.38]", "sip:bob@[::FFFF:129.144.52.38]"),
        ("sip:%6aoe@h.example;%6Cr", "sip:joe@h.example;LR"),
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
        ("sip:x.y;ttl=1", "sip:x.y"),
        ("sip:x.y;user=phone", "sip:x.y"),
        ("sip:x.y;method=INVITE", "sip:x.y"),
        ("sip:a@x.y", "sip:x.y"),
        ("sip:a:@x.y", "sip:a@x.y"),
        ("sip:a:B@x.y", "sip:a:b@x.y"),
        ("sip:x.y?a=b", "sip:x.y?a=b&a=b"),
    ] {
        assert_ne!(uri(one), uri(other));
        assert_ne!(uri(other), uri(one));
    }
}

#[test]
fn equality_is_not_transitive() {
    let [plain, on, off] = ["", ";security=on", ";security=off"]
        .map(|security| uri(&format!("sip:carol@chicago.com{security}")));
    assert_eq!(plain, on);
    assert_eq!(plain, off);
    assert_ne!(on, off);
}

#[test]
fn a_registrar_knows_one_user_by_one_key() {
    let key = |text: &str| sip(text).address_of_record();
    let alice = key("sip:alice@atlanta.com");
    for same in [
        "sip:%61lice@ATLANTA.com;transport=tcp;user=phone",
        "sips:alice@atlanta.com?subject=x",
        "sip:alice:secret@atlanta.com",
    ] {
        assert_eq!(key(same), alice, "{same}");
    }
    for other in [
        "sip:Alice@atlanta.com",
        "sip:atlanta.com",
        "sip:alice@atlanta.com:5060",
        "sip:alice@b.atlanta.com",
    ] {
        assert_ne!(key(other), alice, "{other}");
    }
    assert_eq!(key("sip:a%3Bb@x.y"), key("sip:a;b@x.y"));
    assert_eq!(key("sip:a@[2001:DB8:0::1]"), key("sip:a@[2001:db8::1]"));
    assert_ne!(key("sip:%00@x.y"), key("sip:%00%00@x.y"));
    let key = key("sip:%40%00%c3@X.Y:7");
    assert_eq!((key.user(), key.host(), key.port()), (Some(&b"@\0\xc3"[..]), "x.y", Some(7)));
    assert_eq!(key.to_string(), "sip:%40%00%C3@x.y:7");
}

/// SIP URIs that are close to each other, so that many are equal.
fn sip_uri_text() -> impl Strategy<Value = String> {
    let part = |texts: &'static [&'static str]| prop::sample::select(texts);
    let parameters = prop::sample::subsequence(
        vec![";lr", ";transport=UDP", ";a=b", ";A=B;c", ";%61=%62", ";ttl=1", ";maddr=h", ";x=%3b"],
        0..4,
    )
    .prop_shuffle()
    .prop_map(|parameters| parameters.concat());
    (
        part(&["sip:", "sips:", "SIP:"]),
        part(&[
            "", "a@", "A@", "%61@", "a:b@", "a:%62@", "#%@", "%23%25@", "é%C3@", "a;b@", "a%3Bb@",
        ]),
        part(&["h", "H", "h.", "[::1]", "[0::1]", "192.0.2.1", "h:5", "h:05", "_"]),
        parameters,
        part(&["", "?a=b", "?A=b&c=", "?c=&a=b", "?a=%62;@"]),
    )
        .prop_map(|(scheme, user, host, parameters, headers)| {
            format!("{scheme}{user}{host}{parameters}{headers}")
        })
}

proptest! {
    #[test]
    fn equality_is_reflexive_and_symmetric(one in sip_uri_text(), other in sip_uri_text()) {
        if let (Ok(one), Ok(other)) = (one.parse::<Uri>(), other.parse::<Uri>()) {
            prop_assert_eq!(&one, &one);
            prop_assert_eq!(one == other, other == one);
        }
    }

    #[test]
    fn what_is_read_is_written_so_that_it_is_read_as_equal(text in sip_uri_text()) {
        if let Ok(read) = text.parse::<Uri>() {
            let written = read.to_string();
            prop_assert_eq!(&uri(&written), &read, "{}", written);
            prop_assert_eq!(uri(&written).to_string(), written);
            if let Ok(strict) = strict(&text) {
                prop_assert_eq!(strict, read, "the profiles read nothing differently");
            }
        }
    }

    #[test]
    fn equal_keys_hash_alike_and_are_read_back(one in sip_uri_text(), other in sip_uri_text()) {
        if let (Ok(one), Ok(other)) = (one.parse::<Uri>(), other.parse::<Uri>()) {
            let key = |uri: &Uri| uri.as_sip().unwrap().address_of_record();
            let keys = HashSet::from([key(&one), key(&other)]);
            prop_assert_eq!(keys.len() == 1, key(&one) == key(&other));
            prop_assert_eq!(key(&uri(&key(&one).to_string())), key(&one));
            if one == other {
                prop_assert_eq!(key(&one), key(&other), "the key is coarser than equality");
            }
        }
    }

    #[test]
    fn no_text_panics(text in "(sip:|sips:|tel:|)[ -~é]{0,40}") {
        for profile in [Profile::Strict, Profile::Tolerant] {
            match read(&text, profile) {
                Ok(uri) => {
                    let written = uri.to_string();
                    prop_assert_eq!(read(&written, Profile::Tolerant), Ok(uri), "{}", written);
                }
                Err(error) => prop_assert!(error.offset() <= text.len()),
            }
        }
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
    let error = strict("sip:host;lr;transport=").unwrap_err();
    assert_eq!((error.offset(), error.expected()), (22, "a URI parameter value"));
    let error = "sip:a@[fe80::1%25en0]".parse::<Uri>().unwrap_err();
    assert_eq!((error.offset(), error.expected()), (14, "an IPv6 address without a zone"));
    let error = "sip:a@b..c".parse::<Uri>().unwrap_err();
    assert_eq!((error.offset(), error.expected()), (8, "a host name"));
    let error = strict("tel:7042;ext=x").unwrap_err();
    assert_eq!((error.offset(), error.rfc()), (9, "RFC 3966 §3"));
}

#[test]
fn a_parameter_is_found_where_going_through_all_finds_it() {
    for wire in [
        "",
        ";tag=1",
        ";TAG=1;other",
        "; x ; tag = 1 ;y",
        ";tagx=2;tag;atag=3",
        ";a=\"x;tag=9\\\";tag=8\";tag=\"q;\"",
        ";tag=;b",
        ";tag",
        ";tag=1;",
        ";ta",
        "; ;tag=1",
    ] {
        let parameters = Parameters::read(Text::from(wire));
        for name in ["tag", "x", "other", "a", "y", "tagx", "b", "absent", ""] {
            let all = parameters.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
            assert_eq!(parameters.get(name), all.map(|(_, value)| value), "{name:?} in {wire:?}");
        }
    }
}
