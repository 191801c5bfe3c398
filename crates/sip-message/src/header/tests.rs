use proptest::prelude::*;

use super::*;
use crate::{Host, Method, Parameters, Profile, SipUri, Text, Uri};

fn parse<H: Header>(text: &str) -> Result<H, ParseError> {
    H::parse(&WireText::from(text))
}

fn strict<H: Header>(text: &str) -> Result<H, ParseError> {
    H::parse(&WireText::new(text, Profile::Strict))
}

fn written(header: &impl Header) -> String {
    let mut text = String::new();
    header.write(&mut text);
    text
}

#[test]
fn addresses_without_brackets_leave_parameters_to_the_field() {
    let to: To = parse("sip:+16505552222@ss1.example.net;user=phone;tag=1").unwrap();
    assert_eq!(to.tag(), Some("1"));
    assert!(to.uri().as_sip().unwrap().parameters.is_empty());
    let to: To = parse("<sip:+16505552222@ss1.example.net;user=phone>;tag=1").unwrap();
    assert!(to.uri().as_sip().unwrap().parameters.contains("user"));
}

#[test]
fn display_names_come_quoted_as_tokens_or_not_at_all() {
    let name = |text| parse::<From>(text).unwrap().address.display_name;
    assert_eq!(name("A. G. Bell <sip:a@b.example>").as_deref(), Some("A. G. Bell"));
    assert_eq!(name("caller<sip:a@b.example>").as_deref(), Some("caller"));
    assert_eq!(
        name("\"Bell, \\\"A\\\" <x>\" <sip:a@b.example>").as_deref(),
        Some("Bell, \"A\" <x>")
    );
    assert_eq!(name("\"\" <sip:a@b.example>").as_deref(), Some(""));
    assert_eq!(name("<sip:a@b.example>"), None);
    assert_eq!(name("sip:a@b.example"), None);
}

#[test]
fn broken_addresses_are_refused_at_their_place() {
    for (text, offset) in [
        ("", 0),
        ("\"Mr. J. User <sip:j.user@example.com>", 37),
        ("Bell, Alexander <sip:a.g.bell@example.com>", 4),
        ("\"Watson\" < sip:t.watson@example.org >", 10),
        ("<sip:a@b.example", 16),
        ("<sip:a@b.example>;;", 18),
        ("<sip:a@b.example>;tag=1;tag=2", 24),
        ("<sip:a@b.example>;tag=", 22),
        ("<sip:a@b.example>;x=\"a;tag\" ; Tag ;y", 17),
        ("<sip:a@b.example> x", 18),
        ("sip:a@b.example?x=y", 15),
        ("sip:a@b_.example:port", 7),
        ("sip:a@b.example:port", 16),
    ] {
        let error = strict::<From>(text).unwrap_err();
        assert_eq!(error.offset(), offset, "{text}: {error}");
        assert_eq!(error.rfc(), "RFC 3261 §20.20");
    }
    assert!(parse::<Route>("sip:a@b.example").is_err(), "a route needs brackets");
}

#[test]
fn vias_are_read_with_all_their_white_space() {
    let via: Via = parse(
        "SIP / 2.0 / UDP first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1",
    )
    .unwrap();
    assert_eq!((via.port, via.ttl(), via.maddr()), (Some(4000), Some(16), Some("224.2.0.1")));
    assert_eq!(via.branch(), Some("z9hG4bKa7c6a8dlze.1"));
    assert_eq!((via.has_rport(), via.rport()), (false, None));
    let text =
        "SIP/2.0/UDP first.example.com:4000;ttl=16;maddr=224.2.0.1;branch=z9hG4bKa7c6a8dlze.1";
    assert_eq!(written(&via), text);
    let via: Via = parse("SIP/2.0/TLS h.example;rport=1;received=192.0.2.1").unwrap();
    assert_eq!((via.rport(), via.received()), (Some(1), "192.0.2.1".parse().ok()));
}

#[test]
fn broken_vias_are_refused() {
    for text in [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0 h.example",
        "SIP/7.0/UDP h.example",
        "HTTP/2.0/TCP h.example",
        "SIP/2.0/UDP h.example:",
        "SIP/2.0/UDP h.example:70000",
        "SIP/2.0/UDP h.example;",
        "SIP/2.0/UDP h.example;;",
        "SIP/2.0/UDP h.example;branch=",
        "SIP/2.0/UDP 2001:db8::1",
        "SIP/2.0/UDPh.example",
        "SIP/2.0/UDP h.example;branch=a;branch=b",
    ] {
        assert!(strict::<Via>(text).is_err(), "{text}");
    }
}

#[test]
fn parameters_that_peers_get_wrong_are_read_in_the_tolerant_profile_only() {
    for (text, name, value) in [
        ("SIP/2.0/UDP h.example;branch=a;", "branch", Some("a")),
        ("SIP/2.0/UDP h.example;rport;branch=b ; ", "branch", Some("b")),
        ("SIP/2.0/UDP h.example;i=<urn:uuid:1>;lr", "i", Some("<urn:uuid:1>")),
        ("SIP/2.0/UDP h.example;i=a/b@c?d", "i", Some("a/b@c?d")),
    ] {
        let via: Via = parse(text).unwrap();
        assert_eq!(via.parameters.value(name), value, "{text}");
        assert_eq!(parse::<Via>(&written(&via)).unwrap(), via);
        assert!(strict::<Via>(text).is_err(), "{text}");
    }
    for text in [";;", ";a;;b", ";a=", ";a=<", ";a=<b;c>", ";a=\"b", ";=a", ";a=b c", ";a=a;A=b"] {
        assert!(parse::<Via>(&format!("SIP/2.0/UDP h.example{text}")).is_err(), "{text}");
    }
}

#[test]
fn names_without_quotes_are_read_in_the_tolerant_profile_only() {
    for name in ["Jürgen Groß", "+49 (30) 123", "bob@biloxi.example", "a: b/c"] {
        let text = format!("{name} <sip:a@b.example>;tag=1");
        let from: From = parse(&text).unwrap();
        assert_eq!(from.address.display_name.as_deref(), Some(name));
        assert_eq!(from.tag(), Some("1"));
        assert_eq!(written(&from), format!("\"{name}\" <sip:a@b.example>;tag=1"));
        assert!(strict::<From>(&text).is_err(), "{text}");
    }
    for text in [
        "a\"b <sip:a@b.example>",
        "a;b <sip:a@b.example>",
        "a, b <sip:a@b.example>",
        "a>b<sip:a@b>",
    ] {
        assert!(parse::<From>(text).is_err(), "{text}");
    }
}

#[test]
fn commas_with_nothing_between_them_separate_nothing() {
    let message = |profile| {
        let text = "SIP/2.0 200 OK\r\nAllow: ,INVITE, ,ACK,\r\nAllow: ,\r\nAllow:\r\n\r\n";
        let options = crate::ParseOptions { profile, ..Default::default() };
        crate::Message::parse_with(text.into(), &options).unwrap()
    };
    let methods = |profile| message(profile).headers_of().collect::<Result<Vec<Allow>, _>>();
    assert_eq!(methods(Profile::Tolerant).unwrap(), [Allow(Method::INVITE), Allow(Method::ACK)]);
    assert_eq!(methods(Profile::Strict).unwrap_err().offset(), 23);
}

#[test]
fn a_star_stands_for_all_contacts() {
    assert_eq!(parse::<Contact>(" * ").unwrap(), Contact::Star);
    assert!(parse::<Contact>("*;q=1").is_err());
    let contact: Contact = parse("<sip:a@b.example>;expires=3600").unwrap();
    assert_eq!(contact.expires(), Some(3600));
    assert_eq!(parse::<Contact>("<sip:a@b.example>;expires=99999999999").unwrap().expires(), None);
}

#[test]
fn numbers_over_their_range_are_refused() {
    assert!(parse::<CSeq>("36893488147419103232 REGISTER").is_err());
    assert!(parse::<CSeq>("-1 INVITE").is_err());
    assert!(parse::<CSeq>("1INVITE").is_err());
    assert_eq!(parse::<CSeq>("4294967295 INVITE").unwrap().number, u32::MAX);
    assert!(parse::<MaxForwards>("256").is_err());
    assert!(parse::<ContentLength>("-999").is_err());
    assert!(parse::<ContentLength>("99999999999999999999999999").is_err());
    assert!(parse::<ContentLength>("1 2").is_err());
}

#[test]
fn call_ids_are_one_word_or_two() {
    let unusual = "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{";
    assert_eq!(parse::<CallId>(unusual).unwrap().as_str(), unusual);
    for text in ["", "a@", "@a", "a@b@c", "a b", "a;b"] {
        assert!(parse::<CallId>(text).is_err(), "{text}");
    }
}

#[test]
fn media_types_have_no_case_and_may_be_ranges() {
    let accept: Accept = parse("Application/*;q=0.5").unwrap();
    assert!(accept.0.covers("application/sdp") && !accept.0.covers("text/plain"));
    assert_eq!(accept.0.parameters.value("q"), Some("0.5"));
    let kind: ContentType = parse("multipart/mixed; boundary=\"a;b\"").unwrap();
    assert_eq!(kind.0.parameters.text("boundary").as_deref(), Some("a;b"));
    assert!(kind.is("Multipart/Mixed"));
    assert!(parse::<ContentType>("application").is_err());
    assert!(
        parse::<ContentDisposition>("session;handling=Optional").is_ok_and(|it| !it.is_required())
    );
}

#[test]
fn dates_are_seconds() {
    for (text, unix_seconds) in [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Sat, 13 Nov 2010 23:29:00 GMT", 1_289_690_940),
        ("Thu, 21 Feb 2002 13:02:03 GMT", 1_014_296_523),
        ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
        ("Sat, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
    ] {
        let date = parse::<Date>(text).unwrap();
        assert_eq!(date.unix_seconds, unix_seconds, "{text}");
        assert_eq!(written(&date)[4..], text[4..]);
    }
}

#[test]
fn a_date_beyond_four_digits_of_year_is_the_last_one_that_fits() {
    let written = written(&Date { unix_seconds: u64::MAX });
    assert_eq!(written, "Fri, 31 Dec 9999 23:59:59 GMT");
}

#[test]
fn a_number_in_a_parameter_has_no_sign() {
    let via: Via = parse("SIP/2.0/UDP h.example;rport=+5060;ttl=+1").unwrap();
    assert_eq!((via.rport(), via.ttl()), (None, None));
    assert_eq!(parse::<Contact>("<sip:a@b.example>;expires=+60").unwrap().expires(), None);
    assert_eq!(parse::<Reason>("SIP;cause=+486").unwrap().cause(), None);
}

#[test]
fn small_headers_are_read_and_written() {
    fn same<H: Header>(text: &str) {
        assert_eq!(written(&parse::<H>(text).unwrap()), text);
    }
    same::<Warning>("370 devnull \"Choose a \\\"bigger\\\" pipe\"");
    same::<Warning>("307 isi.edu:5060 \"Session parameter 'foo' not understood\"");
    same::<Reason>("Q.850;cause=16;text=\"Terminated\"");
    same::<RetryAfter>("18000 (I'm in a meeting (long));duration=3600");
    same::<Timestamp>("54.5 0.25");
    same::<Timestamp>("54");
    same::<UserAgent>("Softphone Beta1.5 (a, b)");
    same::<Require>("100rel");
    same::<RSeq>("988789");
    assert!(parse::<Warning>("1812 overture \"In Progress\"").is_err());
    assert!(parse::<Require>("").is_err());
}

#[test]
fn a_reason_made_of_a_status_reads_back() {
    let reason = Reason::sip(crate::StatusCode::BUSY_HERE, "say \"no\"");
    assert_eq!(written(&reason), "SIP;cause=486;text=\"say \\\"no\\\"\"");
    assert_eq!((reason.cause(), reason.text().as_deref()), (Some(486), Some("say \"no\"")));
}

fn token() -> impl Strategy<Value = Text> {
    "[A-Za-z0-9.!%*_+`'~-]{1,12}".prop_map(Text::from)
}

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![
        "([a-z0-9]([a-z0-9_-]{0,5}[a-z0-9])?\\.){0,3}[a-z]([a-z0-9-]{0,5}[a-z0-9])?"
            .prop_map(|name| Host::Name(name.into())),
        any::<std::net::Ipv4Addr>().prop_map(Host::V4),
        any::<std::net::Ipv6Addr>().prop_map(Host::V6),
    ]
}

fn header_parameters() -> impl Strategy<Value = Parameters> {
    let value = prop_oneof![
        Just(None),
        token().prop_map(|value| Some((value, false))),
        "[^\r\n\0]{0,12}".prop_map(|text| Some((text.into(), true))),
    ];
    proptest::collection::vec((token(), value), 0..4).prop_map(|all| {
        let mut parameters = Parameters::new();
        for (name, value) in all {
            match value {
                Some((text, true)) => parameters.set_quoted(name, &text),
                Some((token, false)) => parameters.set(name, Some(token)),
                None => parameters.set(name, None::<Text>),
            }
        }
        parameters
    })
}

fn sip_uri() -> impl Strategy<Value = Uri> {
    let pair = ("[a-z-]{1,6}", proptest::option::of("[a-z0-9%]{0}[a-z0-9:/$]{1,6}"));
    let parts = (
        any::<bool>(),
        proptest::option::of(("\\PC{1,12}", proptest::option::of("[a-z0-9&=+$,]{0,6}"))),
        host(),
        proptest::option::of(any::<u16>()),
        proptest::collection::vec(pair, 0..4),
        proptest::option::of(
            "[a-z]{1,4}=[a-z0-9%]{0}[a-z0-9/?:+$]{0,6}(&[a-z]{1,4}=[a-z]{0,3}){0,2}",
        ),
    );
    parts.prop_map(|(secure, user, host, port, pairs, headers)| {
        let mut uri = SipUri::new(host);
        if let Some((user, password)) = user {
            uri = uri.with_user(&user);
            uri.password = password.map(Into::into);
        }
        (uri.secure, uri.port, uri.headers) = (secure, port, headers.map(Into::into));
        for (name, value) in pairs {
            uri.parameters.set(name, value);
        }
        uri.into()
    })
}

proptest! {
    #[test]
    fn uris_read_back_as_they_were_written(uri in sip_uri()) {
        let text = uri.to_string();
        let read: Uri = text.parse().unwrap();
        prop_assert_eq!(read.to_string(), text);
        prop_assert_eq!(read, uri);
    }

    #[test]
    fn vias_read_back_as_they_were_written(
        transport in token(), host in host(), port in proptest::option::of(any::<u16>()),
        parameters in header_parameters(),
    ) {
        let via = Via { transport, host, port, parameters };
        let read: Via = parse(&written(&via)).unwrap();
        prop_assert_eq!(written(&read), written(&via));
        prop_assert_eq!(read, via);
    }

    #[test]
    fn addresses_read_back_as_they_were_written(
        name in proptest::option::of("[^\r\n\0]{0,12}"), uri in sip_uri(),
        parameters in header_parameters(),
    ) {
        let display_name = name.map(Text::from);
        let to = To { address: NameAddr { display_name, uri }, parameters };
        let read: To = parse(&written(&to)).unwrap();
        prop_assert_eq!(&read, &to);
        let address: NameAddr = to.address.to_string().parse().unwrap();
        prop_assert_eq!(address, to.address);
    }

    #[test]
    fn cseqs_read_back_as_they_were_written(number: u32, method in token()) {
        let cseq = CSeq { number, method: Method::new(&method).unwrap() };
        prop_assert_eq!(parse::<CSeq>(&written(&cseq)).unwrap(), cseq);
    }

    #[test]
    fn dates_read_back_as_they_were_written(unix_seconds in 0..253_402_300_800_u64) {
        let date = Date { unix_seconds };
        prop_assert_eq!(parse::<Date>(&written(&date)).unwrap(), date);
    }

    #[test]
    fn no_text_panics(text in "[ -~é\t\0]{0,40}") {
        let text = WireText::from(text.as_str());
        let _ = (Uri::parse(&text), Via::parse(&text), Contact::parse(&text), From::parse(&text));
        let _ = (CSeq::parse(&text), Date::parse(&text), Warning::parse(&text), RetryAfter::parse(&text));
    }
}

#[test]
fn transports_are_compared_without_case() {
    let via = |text| parse::<Via>(text).unwrap();
    assert_eq!(via("SIP/2.0/UDP h.example"), via("SIP/2.0/udp H.example"));
    assert_ne!(via("SIP/2.0/UDP h.example"), via("SIP/2.0/TCP h.example"));
    assert_ne!(via("SIP/2.0/UDP h.example"), via("SIP/2.0/UDP h.example:5060"));
}
