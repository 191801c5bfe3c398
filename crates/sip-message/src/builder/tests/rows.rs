//! Rows as they stand in what is written: the index, disguises, folds, names.

use super::*;
use crate::Profile;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n";

fn request(text: &str) -> Request {
    match Message::parse(Bytes::copy_from_slice(text.as_bytes())) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

/// What was built is what a parse of its bytes gives, down to the last span.
pub(super) fn assert_index(request: &Request) {
    let Message::Request(parsed) = Message::parse(request.as_bytes().clone()).unwrap() else {
        panic!("a request is read as a request")
    };
    assert_eq!(request.headers().lines, parsed.headers().lines);
    assert_eq!(request.headers().profile, Profile::Tolerant);
    assert_eq!((request.method(), request.uri_span()), (parsed.method(), parsed.uri_span()));
    assert_eq!((request.version_span(), request.body), (parsed.version_span(), parsed.body));
    assert_eq!((request.as_bytes(), request.body()), (parsed.as_bytes(), parsed.body()));
}

pub(super) fn assert_index_of_response(response: &Response) {
    let Message::Response(parsed) = Message::parse(response.as_bytes().clone()).unwrap() else {
        panic!("a response is read as a response")
    };
    assert_eq!(response.headers().lines, parsed.headers().lines);
    assert_eq!((response.status(), response.body), (parsed.status(), parsed.body));
    assert_eq!(
        (response.version_span(), response.reason_span()),
        (parsed.version_span(), parsed.reason_span())
    );
    assert_eq!((response.as_bytes(), response.body()), (parsed.as_bytes(), parsed.body()));
}

#[test]
fn an_edit_without_changes_writes_the_same_bytes() {
    let with_bytes = b"SIP/2.0 200 a\xffb\r\nX: \xff\r\nl : 2\r\n\r\n\0\xff";
    let Message::Response(response) = Message::parse(Bytes::from_static(with_bytes)).unwrap()
    else {
        panic!()
    };
    let written = response.edit().build().unwrap();
    assert_eq!(written.as_bytes(), &with_bytes[..]);
    assert_index_of_response(&written);
    for text in [
        "BYE sip:a@b.example SIP/2.0\r\nf:x\r\nSubject : a \t\r\n\t b\r\nContent-Length: 0\r\n\r\n",
        "ping tel:%2b1 sip/2.0\r\nl:\r\n  003\r\nX-A:\r\n\r\nabc",
    ] {
        let written = request(text).edit().build().unwrap();
        assert_eq!(written.as_bytes(), text);
        assert_index(&written);
    }
}

#[test]
fn bytes_alone_are_those_of_the_built_message() {
    let request = request(
        "OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h\r\n ;branch=1\r\nMax-Forwards: 70\r\n\
         X: 1\r\nmax-forwards: 3\r\nl: 2\r\n\r\nhi",
    );
    let via = "SIP/2.0/UDP p.example;branch=z9hG4bKp";
    let edited = request.edit().prepend_raw(HeaderName::VIA, via).replace(&MaxForwards(69));
    let bytes = edited.to_bytes().unwrap();
    let start =
        format!("OPTIONS sip:a@b SIP/2.0\r\nVia: {via}\r\nv: SIP/2.0/UDP h\r\n ;branch=1\r\n");
    let rest = "Max-Forwards: 69\r\nX: 1\r\nl: 2\r\n\r\nhi";
    assert_eq!(bytes, [start, rest.to_owned()].concat());
    let built = edited.build().unwrap();
    assert_eq!(built.as_bytes(), &bytes);
    assert_index(&built);
    let broken = request.edit().prepend_raw(HeaderName::VIA, "a\r\nb");
    assert_eq!(broken.to_bytes(), Err(BuildError::LineBreak(HeaderName::VIA)));
    let response = Response::builder(StatusCode::OK).reason("Fine");
    assert_eq!(response.to_bytes().unwrap(), response.build().unwrap().as_bytes());
}

#[test]
fn a_version_that_cannot_be_written_gives_way_to_ours() {
    for version in ["SIP/2.0\0", "SIP/2.0 \t", "SIP/é"] {
        let text = format!("BYE sip:a@b.example {version}\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(request(&text).edit().build().unwrap().version(), "SIP/2.0");
    }
}

#[test]
fn kept_written_and_folded_rows_have_their_places_in_the_index() {
    let sloppy = "BYE sip:a@b.example SIP/2.0\nVia: SIP/2.0/UDP a.example\nSubject: a\n b\r\n c\n\
        Route: <sip:1@r.example>,\n <sip:2@r.example>\r\nX-Odd \t: 1\r\nt:<sip:a@b.example>\r\n\r\n";
    let via = Via::new("UDP", "192.0.2.1".parse().unwrap(), None).with_branch("z9hG4bK1");
    let edit =
        request(sloppy).edit().prepend(&via).replace(&MaxForwards(1)).remove_first::<Route>();
    let built = edit.raw(HeaderName::new("x-own").unwrap(), "").body("a/b", SDP).build().unwrap();
    let expected = "BYE sip:a@b.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
        Via: SIP/2.0/UDP a.example\r\nSubject: a\r\n b\r\n c\r\nRoute: <sip:2@r.example>\r\n\
        X-Odd \t: 1\r\nt:<sip:a@b.example>\r\nMax-Forwards: 1\r\nx-own: \r\nContent-Type: a/b\r\n\
        Content-Length: 36\r\n\r\nv=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n";
    assert_eq!(text(&built), expected);
    assert_index(&built);
}

#[test]
fn names_of_our_own_are_compact_by_choice() {
    let long = "BYE sip:a@b.example SIP/2.0\r\nSubject: x\r\n\r\n";
    let edit = request(long).edit().header(&Contact::new(uri("sip:c@d.example")));
    let edit = edit.raw(HeaderName::new("X-Own").unwrap(), "1").header(&MaxForwards(7));
    let compact = edit.compact_names(true).body("a/b", "abc").build().unwrap();
    let expected = "BYE sip:a@b.example SIP/2.0\r\nSubject: x\r\nm: <sip:c@d.example>\r\n\
        X-Own: 1\r\nMax-Forwards: 7\r\nc: a/b\r\nl: 3\r\n\r\nabc";
    assert_eq!(text(&compact), expected);
    assert_index(&compact);
    let long = invite().compact_names(true).compact_names(false).build().unwrap();
    assert_eq!(long.as_bytes(), invite().build().unwrap().as_bytes());
}

#[test]
fn a_tag_stands_behind_a_semicolon_that_a_peer_has_left() {
    for to in ["<sip:a@b.example>;", "sip:a@b.example; ", "<sip:a@b.example> ;x=1;\t"] {
        let reply = Response::builder(StatusCode::OK).raw(HeaderName::TO, to).to_tag("9");
        let reply = reply.build().unwrap();
        assert_eq!(reply.header::<To>().unwrap().unwrap().tag(), Some("9"), "{to}");
        assert_index_of_response(&reply);
    }
}

#[test]
fn the_fault_of_a_row_goes_with_the_row() {
    let bad = To::new(uri("sip:a@b.example")).with_tag("a b");
    let good = To::new(uri("sip:a@b.example")).with_tag("a");
    assert!(invite().replace(&bad).build().is_err());
    assert!(invite().replace(&bad).replace(&good).build().is_ok());
    assert!(invite().header(&bad).remove(HeaderName::TO).build().is_ok());
    assert!(invite().prepend(&bad).remove_first::<To>().build().is_ok());
    let reply = Response::builder(StatusCode::OK).raw(HeaderName::TO, "<sip:a@b.example>");
    assert!(reply.clone().to_tag("a b").build().is_err());
    assert!(reply.clone().to_tag("a b").to_tag("c").build().is_err());
    assert!(reply.to_tag("a b").remove(HeaderName::TO).build().is_ok());
    let both = invite().raw(HeaderName::SUBJECT, "a\rb").replace(&bad);
    assert!(matches!(both.build(), Err(BuildError::Header(_))), "the first row in order counts");
}

#[test]
fn commas_with_nothing_between_them_are_no_values_to_remove() {
    let text = "BYE sip:a@b.example SIP/2.0\r\nRoute: , <sip:1@r.example>,,\r\n , <sip:2@r.example>,\r\n\r\n";
    let once = request(text).edit().remove_first::<Route>().build().unwrap();
    let left: Vec<_> = once.headers_of::<Route>().map(|route| route.unwrap()).collect();
    assert_eq!(left, [Route::new(uri("sip:2@r.example"))]);
    let twice = once.edit().remove_first::<Route>().build().unwrap();
    assert_eq!(twice.headers().count(HeaderName::ROUTE), 0);
}

#[test]
fn a_row_without_a_value_does_not_stand_for_the_first_value() {
    for empty in [",", " , ,", "", ",\r\n ,"] {
        let top = "Via: SIP/2.0/UDP a.example\r\nv: SIP/2.0/UDP b.example";
        let text = format!("BYE sip:a@b.example SIP/2.0\r\nVia:{empty}\r\nX: 1\r\n{top}\r\n\r\n");
        let left = request(&text).edit().remove_first::<Via>().build().unwrap();
        let hosts = |request: &Request| {
            let vias = request.headers_of::<Via>();
            vias.map(|via| via.unwrap().host.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(hosts(&left), ["b.example"], "{empty:?}");
        assert_index(&left);
        let own = Via::new("UDP", "c.example".parse().unwrap(), None);
        let replaced = request(&text).edit().replace_first(&own).build().unwrap();
        assert_eq!(hosts(&replaced), ["c.example", "b.example"], "{empty:?}");
        assert_index(&replaced);
        let none = request(&format!("BYE sip:a@b.example SIP/2.0\r\nVia:{empty}\r\n\r\n"));
        let none = none.edit().remove_first::<Via>().build().unwrap();
        assert_eq!(none.headers().count(HeaderName::VIA), 0);
    }
}

/// A row that any reader takes for `name`, whatever it looks like.
fn disguise(name: &HeaderName) -> impl Strategy<Value = String> + use<> {
    let (long, compact) = (name.as_str().to_owned(), name.compact().map(String::from));
    let names = vec![long.clone(), compact.unwrap_or(long)];
    let spelled = (proptest::sample::select(names), any::<u32>()).prop_map(|(name, upper)| {
        let letter = |(at, c): (usize, char)| match upper >> (at % 32) & 1 {
            0 => c.to_ascii_lowercase(),
            _ => c.to_ascii_uppercase(),
        };
        name.chars().enumerate().map(letter).collect::<String>()
    });
    let value = "(\r?\n[ \t])?[a-z<>:@;=\",\u{e9}]{0,9}(\r?\n[ \t]+[a-z]{0,3}){0,2}";
    (spelled, "[ \t]{0,2}", value, "\r?\n")
        .prop_map(|(name, white, value, end)| format!("{name}{white}:{value}{end}"))
}

proptest! {
    #[test]
    fn what_is_removed_is_gone_in_every_disguise(
        rows in proptest::collection::vec(
            prop_oneof![
                disguise(&HeaderName::VIA), disguise(&HeaderName::SUBJECT),
                disguise(&HeaderName::CONTACT), disguise(&HeaderName::new("X-Own").unwrap()),
            ],
            0..12,
        ),
    ) {
        let request = request(&format!("BYE sip:a@b.example SIP/2.0\r\n{}\r\n", rows.concat()));
        let mut left = request.headers().len();
        let unknown = HeaderName::new("x-OWN").unwrap();
        let mut edit = request.edit();
        for name in [HeaderName::CONTACT, unknown, HeaderName::VIA] {
            edit = edit.remove(name.clone());
            left -= request.headers().count(name.clone());
            let built = edit.clone().build().unwrap();
            assert_index(&built);
            for profile in [Profile::Strict, Profile::Tolerant] {
                let options = ParseOptions { profile, ..ParseOptions::default() };
                let parsed = Message::parse_with(built.as_bytes().clone(), &options).unwrap();
                prop_assert_eq!(parsed.headers().count(name.clone()), 0);
                prop_assert_eq!(parsed.headers().len(), left + 1);
            }
        }
        let kept = |request: &Request| {
            let texts = request.headers().texts(HeaderName::SUBJECT);
            texts.map(Result::unwrap).collect::<Vec<_>>()
        };
        prop_assert_eq!(kept(&edit.build().unwrap()), kept(&request));
    }

    #[test]
    fn the_index_that_is_built_is_the_one_that_is_parsed(
        rows in proptest::collection::vec(disguise(&HeaderName::SUBJECT), 0..6),
        verbs in proptest::collection::vec((0..9_usize, "[ -~]{0,8}"), 0..8),
        compact in any::<bool>(),
    ) {
        let mut edit = request(&format!("BYE sip:a@b.example SIP/2.0\r\n{}\r\n", rows.concat()))
            .edit()
            .compact_names(compact);
        for (verb, text) in &verbs {
            edit = match verb {
                0 => edit.header(&Subject(text.as_str().into())),
                1 => edit.prepend(&MaxForwards(3)),
                2 => edit.replace(&Subject(text.as_str().into())),
                3 => edit.remove(HeaderName::MAX_FORWARDS),
                4 => edit.raw(HeaderName::new("X-Own").unwrap(), text),
                5 => edit.list(&[Supported("a".into()), Supported("b".into())]),
                6 => edit.remove_first::<Supported>(),
                7 => edit.body("text/plain", text.clone()),
                _ => edit.raw(HeaderName::CONTENT_LENGTH, text),
            };
        }
        let built = edit.build().unwrap();
        assert_index(&built);
        let again = built.edit().build().unwrap();
        assert_index(&again);
        prop_assert_eq!(again.as_bytes(), built.as_bytes());
    }
}
