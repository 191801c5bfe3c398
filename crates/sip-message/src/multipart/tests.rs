use proptest::prelude::*;

use super::*;
use crate::{Message, StatusCode, Uri};

fn media_type(text: &str) -> MediaType {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn read(kind: &str, body: &str) -> [Result<Multipart, ParseError>; 2] {
    let body = Bytes::from(body.to_owned());
    let kind = media_type(kind);
    [Multipart::parse(&kind, &body), Multipart::parse_with(&kind, &body, &ParseOptions::strict())]
}

/// The body, which both profiles must read alike.
fn multipart(kind: &str, body: &str) -> Multipart {
    let [tolerant, strict] =
        read(kind, body).map(|it| it.unwrap_or_else(|e| panic!("{body}: {e}")));
    assert_eq!(bodies(&tolerant), bodies(&strict));
    tolerant
}

fn bodies(multipart: &Multipart) -> Vec<Bytes> {
    multipart.parts().iter().map(Part::body).collect()
}

const B: &str = "multipart/mixed;boundary=b";

#[test]
fn the_example_of_the_rfc_is_taken_apart() {
    let body = "This is the preamble.\r\n--simple boundary\r\n\r\n\
        This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.\r\n\
        --simple boundary\r\nContent-type: text/plain; charset=us-ascii\r\n\r\n\
        This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n\r\n\
        --simple boundary--\r\n\r\nThis is the epilogue.\r\n";
    let read = multipart("multipart/mixed; boundary=\"simple boundary\"", body);
    assert_eq!(read.as_bytes(), body);
    assert_eq!(read.preamble(), "This is the preamble.");
    assert_eq!(read.epilogue(), "\r\n\r\nThis is the epilogue.\r\n");
    let [implicit, explicit] = read.parts() else { panic!("two parts") };
    assert!(implicit.body().ends_with(b"NOT end with a linebreak."));
    assert!(explicit.body().ends_with(b"DOES end with a linebreak.\r\n"));
    assert_eq!(implicit.media_type().unwrap(), explicit.media_type().unwrap());
}

#[test]
fn the_torture_message_has_its_two_parts() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/rfc4475/messages/mpart01.dat");
    let message = Message::parse(std::fs::read(path).unwrap().into()).unwrap();
    let kind = message.header::<crate::ContentType>().unwrap().unwrap().0;
    let body = message.body();
    for options in [ParseOptions::default(), ParseOptions::strict()] {
        let read = Multipart::parse_with(&kind, &body, &options).unwrap();
        assert_eq!(read.parts().len(), 2);
        assert_eq!(read.find("text/plain").unwrap().body(), "Hello");
        let binary = read.find("application/octet-stream").unwrap();
        assert!(binary.body().starts_with(b"0\x82\x01\x52"));
        assert_eq!(read.not_understood(|part| part.is("text/plain")), [binary]);
        assert!(body.as_ptr_range().contains(&binary.body().as_ptr()), "no bytes are copied");
    }
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

#[test]
fn boundary_lines_are_told_from_lines_that_look_alike() {
    let one = |body| bodies(&multipart(B, body));
    assert_eq!(one("--b\r\n\r\nx\r\n--b--"), ["x"]);
    assert_eq!(one("--b  \t\r\n\r\nx\r\n--b \r\n\r\ny\r\n--b--  "), ["x", "y"], "padding");
    assert_eq!(
        one("--b\r\n\r\n --b\r\n-b\r\nx--b\r\n--\r\n\r\n--b--"),
        [" --b\r\n-b\r\nx--b\r\n--\r\n"]
    );
    assert_eq!(one("--b\r\n\r\n\r\n--b--"), [""]);
    assert_eq!(one("--b\r\nContent-Type: a/b\r\n\r\n--b--"), [""], "header fields alone");
    let line_feed = "--b\r\n\r\nx\n--b\r\ny\r\n--b--";
    assert_eq!(one(line_feed), ["x\n--b\r\ny"], "no boundary stands behind LF in a body of CRLFs");
    let tolerant = |body| read(B, body)[0].clone().map(|it| bodies(&it)).unwrap();
    for (body, parts) in [
        ("--b\r\n\r\nx\r\n--bb\r\n\r\n--b--", &["x\r\n--bb\r\n"][..]),
        ("--b\r\n\r\nx\r\n--b--y\r\n--b--", &["x\r\n--b--y"]),
        ("--b\n\nx\n--b--\n", &["x"]),
        ("--b\r\n\r\nx\r\n--b\r\n\r\ny", &["x", "y"]),
        ("--b\r\n--b--", &[""]),
        ("--b\r\n\r\n--b--", &[""]),
        ("--b--", &[]),
    ] {
        assert_eq!(tolerant(body), parts, "{body}");
    }
    for body in
        ["--b\r\n\r\nx\r\n--bb\r\n\r\n--b--", "--b\n\nx\n--b--\n", "--b\r\n\r\nx", "--b\r\n--b--"]
    {
        assert!(read(B, body)[1].is_err(), "{body}");
    }
    for body in ["", "x", "--", "--b", "-b\r\n", "--b\r\nx\r\n--b--", "x--b\r\n\r\nx--b--"] {
        assert!(read(B, body).iter().all(Result::is_err), "{body}");
    }
}

#[test]
fn a_boundary_line_behind_a_bare_lf_in_the_preamble_is_refused_where_readers_differ() {
    let body = "x\n--b\r\n\r\ny\r\n--b\r\n\r\nz\r\n--b--";
    let [tolerant, strict] = read("multipart/mixed;boundary=b", body);
    // Other boundary lines stand between CRLF, so this one belongs to the preamble.
    assert_eq!(tolerant.unwrap().parts().len(), 1);
    let error = strict.unwrap_err();
    assert_eq!((error.offset(), error.expected()), (2, "CRLF before the boundary"));
}

#[test]
fn boundaries_have_their_grammar() {
    let body = |boundary: &str| format!("--{boundary}\r\n\r\nx\r\n--{boundary}--\r\n");
    let long = "b".repeat(70);
    for boundary in ["gc0pJq0M:08jU534c0p", "a b", "'()+_,-./:=?", &long] {
        multipart(&format!("Multipart/Mixed;boundary=\"{boundary}\""), &body(boundary));
    }
    for boundary in ["", "a ", &"b".repeat(71)] {
        let kind = format!("multipart/mixed;boundary=\"{boundary}\"");
        assert!(read(&kind, &body(boundary)).iter().all(Result::is_err), "{boundary}");
    }
    let [tolerant, strict] = read("multipart/mixed;boundary=\"a*!\"", &body("a*!"));
    assert!(tolerant.is_ok() && strict.is_err());
    for kind in ["multipart/mixed", "text/plain;boundary=b"] {
        assert!(read(kind, &body("b")).iter().all(Result::is_err), "{kind}");
    }
}

#[test]
fn nested_parts_are_found() {
    let body = "--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n\
        --bb\r\nContent-Type: application/sdp\r\n\r\nold\r\n\
        --bb\r\nContent-Type: application/sdp\r\nContent-ID: <a%b@h.example>\r\n\r\nnew\r\n--bb--\r\n\
        --b\r\nContent-Type: text/html\r\n\r\nhtml\r\n--b--\r\n";
    let [tolerant, strict] = read(B, body);
    let read = tolerant.unwrap();
    assert_eq!(read.find("Application/SDP").unwrap().body(), "new", "the best alternative");
    assert_eq!(read.find_cid("cid:a%25b@h.example").unwrap().body(), "new");
    assert!(read.find_cid("cid:a%2525b@h.example").is_none() && read.find_cid("sip:a").is_none());
    assert_eq!(read.find("text/html").unwrap().body(), "html");
    assert!(read.find("text/plain").is_none());
    assert_eq!(strict.unwrap_err().expected(), "CRLF behind the boundary", "b starts bb");
}

#[test]
fn what_must_be_understood_is_told() {
    let part = |kind: &str, handling: &str| {
        format!("--b\r\nContent-Type: {kind}\r\nContent-Disposition: render{handling}\r\n\r\nx\r\n")
    };
    let types = |kind: &str, parts: &[String]| -> Vec<String> {
        let read = multipart(kind, &format!("{}--b--", parts.concat()));
        let missing = read.not_understood(|part| part.is("application/sdp"));
        missing.iter().map(|part| part.media_type().unwrap().to_string()).collect()
    };
    let sdp = part("application/sdp", "");
    let optional = part("a/optional", ";handling=optional");
    let required = part("a/required", ";handling=REQUIRED");
    let silent = part("a/silent", "");
    let all = [sdp, optional.clone(), required.clone(), silent];
    assert_eq!(types(B, &all), ["a/required", "a/silent"]);
    assert!(types("multipart/alternative;boundary=b", &all).is_empty());
    assert_eq!(types("multipart/alternative;boundary=b", &[optional]), ["a/optional"]);
    let nested =
        "--b\r\nContent-Type: multipart/mixed;boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n\r\n";
    assert_eq!(types(B, &[nested.to_owned()]), ["text/plain;charset=us-ascii"]);
    let broken = "--b\r\nContent-Type: /\r\nContent-Disposition: ;\r\n\r\nx\r\n--b--";
    let read = multipart(B, broken);
    assert_eq!(read.not_understood(|part| part.is("text/plain")).len(), 1, "on the safe side");
}

#[test]
fn types_and_dispositions_have_their_defaults() {
    let kind = |kind: &str, head: &str| {
        let read = multipart(kind, &format!("--b\r\n{head}\r\nx\r\n--b--"));
        let part = &read.parts()[0];
        (
            part.media_type().unwrap().to_string(),
            part.disposition().unwrap().disposition.to_string(),
        )
    };
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    assert_eq!(kind(B, ""), pair("text/plain;charset=us-ascii", "render"));
    assert_eq!(kind("multipart/digest;boundary=b", ""), pair("message/rfc822", "render"));
    assert_eq!(kind(B, "c: application/sdp\r\n"), pair("application/sdp", "session"));
}

#[test]
fn parts_and_depth_are_limited() {
    let many = "--b\r\n\r\n\r\n".repeat(64);
    assert_eq!(multipart(B, &format!("{many}--b--")).parts().len(), 64);
    assert!(read(B, &format!("{many}--b\r\n\r\n\r\n--b--")).iter().all(Result::is_err));
    let nest = |depth: usize| {
        (0..depth).fold("x".to_owned(), |inner, at| {
            let kind = if at == 0 {
                "text/plain".into()
            } else {
                format!("multipart/mixed;boundary=b{at}.")
            };
            let at = at + 1;
            format!("--b{at}.\r\nContent-Type: {kind}\r\n\r\n{inner}\r\n--b{at}.--")
        })
    };
    assert_eq!(
        multipart("multipart/mixed;boundary=b5.", &nest(5)).find("text/plain").unwrap().body(),
        "x"
    );
    let deep = read("multipart/mixed;boundary=b6.", &nest(6));
    let [tolerant, strict] = deep.map(|it| it.map(|it| it.find("text/plain").is_some()));
    assert_eq!(tolerant, Ok(false));
    assert_eq!(strict.unwrap_err().expected(), "less nesting");
}

#[test]
fn errors_say_where_in_the_body() {
    let error = |body: &str| read(B, body)[1].clone().unwrap_err().offset();
    assert_eq!(error("--b\r\n\r\nx\r\n--b\r\nbad\r\n\r\n--b--"), 18);
    assert_eq!(error("--b\r\n\r\nx"), 8);
    assert_eq!(error("--b\r\n\r\nx\r\n--b-\r\n"), 13);
    let nested = "--b\r\nc: multipart/mixed;boundary=c\r\n\r\n--c\r\n\r\nx\r\n--b--";
    assert_eq!(error(nested), 46);
}

#[test]
fn a_preamble_with_bare_line_feeds_hides_no_boundary() {
    for preamble in ["--\n--b\n\nx\n", "\n--b\r\n", "x\n--b \t\r\n"] {
        let [read, strict] = read(B, &format!("{preamble}\r\n--b \r\n\r\ny\n--b\r\n--b--"));
        assert_eq!(bodies(&read.unwrap()), ["y\n--b"], "{preamble:?}");
        assert!(strict.is_err(), "{preamble:?}");
    }
    let [read, _] = read(B, "x\n--b\n\ny\n--b--\n");
    assert_eq!(bodies(&read.unwrap()), ["y"]);
}

#[test]
fn a_part_with_two_types_or_two_uses_has_none() {
    let body = "--b\r\nContent-Type: a/b\r\nc: text/plain\r\n\r\nx\r\n--b\r\n\
        Content-Disposition: render;handling=optional\r\ncontent-disposition : session\r\n\r\n\
        y\r\n--b--";
    let read = multipart(B, body);
    let [types, uses] = read.parts() else { panic!("two parts") };
    assert!(types.media_type().is_err() && !types.is("a/b") && !types.is("text/plain"));
    assert!(uses.disposition().is_err() && uses.is_required());
}

#[test]
fn what_is_built_is_read_back() {
    let id: Uri = "cid:one@h.example".parse().unwrap();
    let inner = Multipart::builder("alternative").part("text/plain", "--offhook-part-00000000\r\n");
    let inner = inner.build().unwrap();
    let built = Multipart::builder("related")
        .parameter("type", "application/sdp")
        .part("application/sdp", "v=0\r\n")
        .content_id("one@h.example")
        .multipart(&inner)
        .header(&crate::ContentDisposition {
            disposition: "render".into(),
            parameters: crate::Parameters::new(),
        })
        .build()
        .unwrap();
    let kind = built.media_type().to_string();
    assert_eq!(kind, "multipart/related;boundary=offhook-part-00000002;type=\"application/sdp\"");
    let read = Multipart::parse_with(&media_type(&kind), built.as_bytes(), &ParseOptions::strict());
    let read = read.unwrap();
    assert_eq!(read.find_cid(&id.to_string()).unwrap().body(), "v=0\r\n");
    assert_eq!(read.find("text/plain").unwrap().body(), "--offhook-part-00000000\r\n");
    let response = crate::Response::builder(StatusCode::OK)
        .raw(crate::HeaderName::VIA, "SIP/2.0/UDP h.example;branch=z9hG4bK1")
        .body(&kind, built.as_bytes().clone());
    assert_eq!(response.build().unwrap().body(), built.as_bytes());
}

#[test]
fn nothing_can_be_smuggled_in() {
    let builder = || Multipart::builder("mixed");
    assert!(builder().build().is_err(), "no part");
    assert!(builder().raw("A", "b").part("a/b", "").build().is_err(), "no part yet");
    for value in ["a\r\n\r\nb", "a\nb", "a\0"] {
        assert!(builder().part("a/b", "").raw("A", value).build().is_err());
        assert!(builder().part(value, "").build().is_err());
    }
    assert!(builder().part("a/b", "").raw("A:", "b").build().is_err());
    let disposition = |text: &str| crate::ContentDisposition::new(text);
    let with = |text| builder().part("a/b", "").header(&disposition(text));
    assert!(with("render").build().is_ok());
    assert!(with("session;handling=optional").build().is_err());
    assert!(with("render").header(&disposition("session")).build().is_err(), "one too many");
    assert!(builder().part("a/b", "").raw("content-type", "c/d").build().is_err());
    assert!(builder().part("a/b, c/d", "").build().is_err());
    for id in ["", "a> <b", "a b", "é"] {
        assert!(builder().part("a/b", "").content_id(id).build().is_err());
    }
    for (name, value) in [("a=b;c", "d"), ("boundary", "x"), ("", "x")] {
        assert!(builder().parameter(name, value).part("a/b", "").build().is_err());
    }
    for subtype in ["", "mixed;x", "mixed\r\n"] {
        assert!(Multipart::builder(subtype).part("a/b", "").build().is_err());
    }
}

proptest! {
    #[test]
    fn all_bodies_survive(parts in prop::collection::vec("(\r\n|-|--|offhook-part-|0000000[0-3]|x|\0){0,8}", 1..5)) {
        let builder = parts.iter().fold(Multipart::builder("mixed"), |builder, body| {
            builder.part("a/b", body.clone())
        });
        let built = builder.build().unwrap();
        prop_assert_eq!(bodies(&built), parts);
    }

    #[test]
    fn no_body_panics(body in "(--b|--|\r\n|\n|\r| |x|c: multipart/mixed;boundary=b|:){0,20}") {
        for read in read(B, &body) {
            match read {
                Ok(read) => prop_assert_eq!(read.as_bytes(), body.as_bytes()),
                Err(error) => prop_assert!(error.offset() <= body.len()),
            }
        }
    }
}
