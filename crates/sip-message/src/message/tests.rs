use crate::{
    Contact, From, HeaderName, Limits, Message, Method, ParseOptions, Profile, StatusCode, Subject,
    Via,
};
use bytes::Bytes;

const OPTIONS: &str =
    "OPTIONS sip:a@b.example SIP/2.0\r\nVia: SIP/2.0/UDP h.example\r\nSubject: x\r\n";

fn parse(text: &str) -> Result<Message, crate::ParseError> {
    Message::parse(Bytes::copy_from_slice(text.as_bytes()))
}

fn strictly(text: &str) -> Result<Message, crate::ParseError> {
    Message::parse_with(Bytes::copy_from_slice(text.as_bytes()), &ParseOptions::strict())
}

#[test]
fn bare_line_feeds_are_for_the_tolerant_only() {
    let message = "SIP/2.0 200 OK\nSubject: a\n b\nv: SIP/2.0/UDP h.example\n\nbody";
    let parsed = parse(message).unwrap();
    assert_eq!(parsed.as_bytes(), message);
    assert_eq!(parsed.header::<Subject>().unwrap(), Some(Subject("a b".into())));
    assert_eq!(parsed.body(), "body");
    assert_eq!(strictly(message).unwrap_err().offset(), 14);
}

#[test]
fn a_missing_reason_phrase_is_for_the_tolerant_only() {
    assert!(parse("SIP/2.0 200\r\n\r\n").is_ok());
    assert!(strictly("SIP/2.0 200\r\n\r\n").is_err());
    assert!(strictly("SIP/2.0 200 \r\n\r\n").is_ok());
}

#[test]
fn a_lone_carriage_return_is_no_line_end_for_anyone() {
    let smuggled = format!("{OPTIONS}X: a\rVia: b\r\n\r\n");
    assert_eq!(parse(&smuggled).unwrap_err().offset(), OPTIONS.len() + 4);
    assert!(strictly(&smuggled).is_err());
}

#[test]
fn spaces_before_the_colon_are_legal() {
    let message = strictly("SIP/2.0 200 OK\r\nSubject \t : x\r\n\r\n").unwrap();
    assert_eq!(message.headers().get_raw(HeaderName::SUBJECT), Some(&b"x"[..]));
}

#[test]
fn lines_that_are_no_header_fields_are_refused_at_their_place() {
    for (line, offset) in
        [(" folded: first\r\n", 0), ("no colon\r\n", 3), (": x\r\n", 0), ("a@b: x\r\n", 1)]
    {
        let start = "SIP/2.0 200 OK\r\n";
        let error = parse(&format!("{start}{line}\r\n")).unwrap_err();
        assert_eq!(error.offset(), start.len() + offset, "{line}");
    }
}

#[test]
fn start_lines_that_are_none_are_refused() {
    for line in [
        "",
        "OPTIONS",
        "OPTIONS sip:a@b.example",
        "OPTIONS sip:a@b.example HTTP/1.1",
        "OPT:IONS sip:a SIP/2.0",
        " OPTIONS sip:a@b.example SIP/2.0",
        "SIP/2.0",
        "SIP/2.0 ",
        "SIP/2.0 20 OK",
        "SIP/2.0 099 X",
        "SIP/2.0 700 X",
        "SIP/2.0 2000 X",
        "SIP/2.0 +20 X",
        "SIP/2.0  200 OK",
        "SIP/2.0 4294967301 X",
    ] {
        assert!(parse(&format!("{line}\r\nSubject: x\r\n\r\n")).is_err(), "{line}");
    }
}

#[test]
fn the_body_is_what_content_length_tells() {
    let body = |length: &str| {
        parse(&format!("{OPTIONS}{length}\r\nbody and more")).map(|message| message.body())
    };
    assert_eq!(body("").unwrap(), "body and more");
    assert_eq!(body("l: 4\r\n").unwrap(), "body");
    assert_eq!(body("Content-Length:\r\n 0004\r\n").unwrap(), "body");
    assert_eq!(body("Content-Length: 0\r\n").unwrap(), "");
    assert!(body("Content-Length: 14\r\n").is_err());
    assert!(body("Content-Length: 4\r\nl: 4\r\n").is_err());
    for bad in ["", "-1", "+4", "4 4", "4,4", "0x4", "18446744073709551616"] {
        assert!(body(&format!("Content-Length: {bad}\r\n")).is_err(), "{bad}");
    }
}

#[test]
fn empty_lines_before_a_message_are_skipped_and_counted() {
    let message = parse(&format!("\r\n\r\n{OPTIONS}\r\n")).unwrap();
    assert!(message.as_bytes().starts_with(b"OPTIONS"));
    assert_eq!(parse("\r\n\r\nX").unwrap_err().offset(), 5);
}

#[test]
fn every_limit_has_its_status() {
    let limited = |limits: Limits| {
        let options = ParseOptions { profile: Profile::Tolerant, limits };
        let message = format!("{OPTIONS}\r\n0123456789");
        Message::parse_with(message.into(), &options).map_err(|error| error.status()).map(drop)
    };
    let limits = Limits::default();
    assert_eq!(limited(limits), Ok(()));
    let exact = Limits { message: 85, start_line: 31, header: 26, headers: 2, body: 10 };
    assert_eq!(limited(exact), Ok(()));
    let refused = [
        (Limits { message: 84, ..limits }, StatusCode::MESSAGE_TOO_LARGE),
        (Limits { start_line: 30, ..limits }, StatusCode::REQUEST_URI_TOO_LONG),
        (Limits { header: 25, ..limits }, StatusCode::MESSAGE_TOO_LARGE),
        (Limits { headers: 1, ..limits }, StatusCode::MESSAGE_TOO_LARGE),
        (Limits { body: 9, ..limits }, StatusCode::REQUEST_ENTITY_TOO_LARGE),
    ];
    for (limits, status) in refused {
        assert_eq!(limited(limits), Err(status), "{limits:?}");
    }
}

#[test]
fn folding_does_not_get_round_the_header_limit() {
    let folds = " x\r\n".repeat(5_000);
    let error = parse(&format!("{OPTIONS}{folds}\r\n")).unwrap_err();
    assert_eq!(error.status(), StatusCode::MESSAGE_TOO_LARGE);
}

#[test]
fn values_come_from_all_rows_and_all_disguises_in_order() {
    let message = parse(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a.example;x=\"1,2\" ,\r\n SIP/2.0/TCP b.example\r\n\
         X: y\r\nv: SIP/2.0/UDP c.example\r\nVIA : bad\r\n\r\n",
    )
    .unwrap();
    let hosts: Vec<_> = message
        .headers_of::<Via>()
        .map(|via| via.map(|via| via.host.to_string()).map_err(|error| error.offset()))
        .collect();
    let bad = message.as_bytes().len() - 7;
    let hosts: Vec<_> = hosts.iter().map(|host| host.as_deref()).collect();
    assert_eq!(hosts, [Ok("a.example"), Ok("b.example"), Ok("c.example"), Err(&(bad))]);
}

#[test]
fn each_row_knows_its_place_and_its_own_values() {
    let text = "OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP a, SIP/2.0/UDP b\r\n\
                VIA : SIP/2.0/UDP c\r\n ;x\r\nSubject:\r\nVia: ?\r\n\r\n";
    let message = parse(text).unwrap();
    let rows: Vec<_> = message.headers().fields().collect();
    let names: Vec<_> = rows.iter().map(|row| (row.offset(), row.name_as_written())).collect();
    assert_eq!(names, [(25, "v"), (58, "VIA"), (84, "Subject"), (94, "Via")]);
    let hosts = |row: usize| rows[row].values::<Via>().map(|via| via.map(|via| via.host));
    assert_eq!(hosts(0).map(|host| host.unwrap().to_string()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(hosts(1).count(), 1);
    assert_eq!(hosts(2).count(), 0);
    assert_eq!(hosts(3).next().unwrap().unwrap_err().offset(), 99);
    assert_eq!(rows[1].name(), HeaderName::VIA);
    assert_eq!(rows[1].raw(), b"SIP/2.0/UDP c\r\n ;x");
    assert_eq!(rows[1].text().unwrap(), "SIP/2.0/UDP c ;x");
}

#[test]
fn an_error_in_a_folded_value_says_where_in_the_message() {
    let text = "SIP/2.0 200 OK\r\nFrom:\r\n   Bob \t\r\n  \t<sip:a@b.example\r\n >\r\n\r\n";
    let error = parse(text).unwrap().header::<From>().unwrap_err();
    assert_eq!((error.expected(), error.header()), ("\">\" after the URI", Some(HeaderName::FROM)));
    let place = text.find("\r\n >").unwrap();
    assert!((place..place + 4).contains(&error.offset()), "{}", error.offset());
    let text = "SIP/2.0 200 OK\r\nFrom: Bob\r\n <sip:a@b.example>\r\n ;=tag=1\r\n\r\n";
    let error = parse(text).unwrap().header::<From>().unwrap_err();
    assert_eq!(error.offset(), text.find("=tag").unwrap());
}

#[test]
fn every_error_of_a_folded_list_has_its_own_place() {
    let text = format!("SIP/2.0 200 OK\r\nContact: ?{}\r\n\r\n", ",\r\n \t?".repeat(2_500));
    let message = parse(&text).unwrap();
    let places: Vec<_> = text.match_indices('?').map(|(place, _)| place).collect();
    let errors = message.headers_of::<Contact>().map(|contact| contact.unwrap_err().offset());
    assert_eq!(errors.collect::<Vec<_>>(), places);
}

#[test]
fn many_parameters_cost_little() {
    let parameters: String = (0..4_000).map(|number| format!(";{number}")).collect();
    let message = parse(&format!("SIP/2.0 200 OK\r\nv: SIP/2.0/UDP h.example{parameters}\r\n\r\n"));
    assert!(message.is_err_and(|error| error.status() == StatusCode::MESSAGE_TOO_LARGE));
    let parameters: String = (0..2_000).map(|number| format!(";{number}")).collect();
    let message = parse(&format!("SIP/2.0 200 OK\r\nv: SIP/2.0/UDP h.example{parameters}\r\n\r\n"));
    let error = message.unwrap().header::<Via>().unwrap_err();
    assert_eq!(error.expected(), "fewer parameters");
}

#[test]
fn debug_output_holds_no_credentials() {
    let message = parse(&format!("{OPTIONS}Authorization: Digest secret\r\n\r\n")).unwrap();
    let shown = format!("{message:?}");
    assert!(shown.contains("h.example") && !shown.contains("Digest"), "{shown}");
}

#[test]
fn an_error_does_not_keep_its_message() {
    let name = "X".repeat(200);
    let bytes = [b"SIP/2.0 200 OK\r\n", name.as_bytes(), b": \xff\r\n\r\n"].concat().into();
    let message = Message::parse(bytes).unwrap();
    let name = HeaderName::new(&name).unwrap();
    let error = message.headers().texts(name).next().unwrap().unwrap_err();
    assert_eq!(error.header().unwrap().as_str(), "X".repeat(64));
    let Message::Response(response) = message else { panic!() };
    let bytes = response.headers.bytes;
    assert!(bytes.try_into_mut().is_ok(), "nobody else has a part of the message");
}

#[test]
fn a_reason_that_is_no_text_survives_an_edit() {
    let bytes = Bytes::from_static(b"SIP/2.0 200 a\xffb\r\nContent-Length: 0\r\n\r\n");
    let Message::Response(response) = Message::parse(bytes.clone()).unwrap() else { panic!() };
    assert_eq!((response.reason(), response.reason_bytes()), ("a", &b"a\xffb"[..]));
    assert_eq!(response.edit().build().unwrap().as_bytes(), &bytes);
}

#[test]
fn unknown_methods_are_parts_of_the_message() {
    let Message::Request(request) = parse("PING sip:a@b.example sip/2.0\r\n\r\n").unwrap() else {
        panic!()
    };
    assert_eq!(request.method(), Method::new("PING").unwrap());
    assert_eq!((request.uri_text(), request.version()), ("sip:a@b.example", "sip/2.0"));
}
