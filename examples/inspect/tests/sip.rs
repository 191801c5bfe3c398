//! SIP messages and streams of them.

use super::{json, messages, run, torture};

const OPTIONS: &str = "OPTIONS sip:bob@biloxi.example SIP/2.0\r\n\
    v: SIP/2.0/UDP pc33.atlanta.example;branch=z9hG4bK776a;rport\r\n\
    To: <sip:bob@biloxi.example>\r\nFrom: <sip:alice@atlanta.example>;tag=1928\r\n\
    Call-ID: a84b4c76e66710\r\nCSeq: 63104 OPTIONS\r\nMax-Forwards: 70\r\n\
    Content-Length: 0\r\n\r\n";

#[test]
fn every_torture_message_is_valid_or_shown_with_a_caret() {
    for (manifest, bytes) in [messages("rfc4475"), messages("rfc5118")].concat() {
        // A scheme that no SIP element routes by is well-formed, and refused with 416.
        let refused = manifest["response_codes"][0] == 416;
        // Its time zone can be told, so the tolerant profile tells it.
        let repaired = manifest["name"] == "baddate";
        let valid = repaired || manifest["validity"] != "invalid" && !refused;
        let shown = run(&["-"], &bytes);
        assert_eq!(shown.status, u8::from(!valid), "{manifest}\n{}", shown.text);
        assert_eq!(shown.text.contains("^ byte "), !valid, "{manifest}\n{}", shown.text);
        let (status, value) = json(&[], &bytes);
        assert_eq!(status, shown.status);
        let faulty = value.get("error").or(value.get("errors")).is_some();
        assert_eq!(faulty, !valid, "{value}");
    }
}

#[test]
fn every_message_of_the_example_flows_is_valid() {
    for folder in ["rfc3261-flows", "rfc3665", "rfc5359"] {
        for (manifest, bytes) in messages(folder) {
            let shown = run(&["-"], &bytes);
            assert_eq!(shown.status, 0, "{manifest}\n{}", shown.text);
            let (_, value) = json(&["--strict"], &bytes);
            // Some digests in the examples have too few digits, or quotes around their qop.
            for error in value["errors"].as_array().into_iter().flatten() {
                assert!(error["header"].as_str().unwrap().ends_with("Authorization"), "{error}");
            }
        }
    }
}

#[test]
fn the_parts_of_a_multipart_are_taken_apart() {
    let message = torture("mpart01");
    let (_, value) = json(&[], &message);
    let parts = value["body"]["parts"].as_array().unwrap();
    assert_eq!((&value["body"]["subtype"], parts.len()), (&"mixed".into(), 2));
    assert_eq!(parts[0]["typed"]["content_type"]["subtype"], "plain");
    assert_eq!(parts[0]["body_length"], 5);
    let shown = run(&["-"], &message);
    let at = message.windows(5).position(|it| it == b"Hello").unwrap();
    assert!(shown.text.contains(&format!("{at}      body")), "{}", shown.text);
}

#[test]
fn a_fragment_shows_its_errors_but_does_not_spoil_the_message() {
    let fragment = "SIP/2.0 180 Ringing\r\nMax-Forwards: 700\r\n";
    let head = OPTIONS.replace("Content-Length: 0\r\n", "Content-Type: message/sipfrag\r\n");
    let (status, value) = json(&[], format!("{head}{fragment}").as_bytes());
    assert_eq!((status, &value["body"]["status"]), (0, &180.into()));
    let offset = head.len() + fragment.find("700").unwrap();
    assert_eq!(value["body"]["errors"][0]["offset"], offset);
}

#[test]
fn rows_stand_at_their_bytes_with_their_parts_below() {
    let shown = run(&["-"], OPTIONS.as_bytes());
    let start = "\
request  OPTIONS sip:bob@biloxi.example  (261 bytes)
   0  method          OPTIONS
   8  uri             sip:bob@biloxi.example
        user          bob
        host          biloxi.example
  31  version         SIP/2.0
  40  v               SIP/2.0/UDP pc33.atlanta.example;branch=z9hG4bK776a;rport
        transport     UDP
        host          pc33.atlanta.example
        ;branch       z9hG4bK776a
        ;rport
 102  To              <sip:bob@biloxi.example>
";
    assert!(shown.text.starts_with(start), "{}", shown.text);
    let body = OPTIONS.len();
    assert!(shown.text.ends_with(&format!(" {body}  body            none\n")), "{}", shown.text);
}

#[test]
fn a_field_that_cannot_be_read_does_not_spoil_the_others() {
    let message = OPTIONS.replace("70", "700").replace("Call-ID: a", "Warning: 1\r\nCall-ID: a");
    let (status, value) = json(&[], message.as_bytes());
    assert_eq!(status, 1);
    assert_eq!(value["typed"]["call_id"], "a84b4c76e66710");
    assert_eq!(value["typed"].get("max_forwards"), None);
    assert_eq!(value["typed"]["warning"].as_array().map(Vec::len), Some(0));
    let errors = value["errors"].as_array().unwrap();
    let place = |text| message.find(text).unwrap();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!(errors[0]["header"], "Warning");
    assert_eq!(errors[1]["offset"], place("700"));
    assert_eq!(errors[1]["rfc"], "RFC 3261 §20.22");
    assert_eq!(errors[1]["status"], 400);
}

#[test]
fn each_error_stands_below_its_row() {
    let message = OPTIONS.replace("70", "700");
    let shown = run(&["-"], message.as_bytes());
    let at = message.find("700").unwrap();
    let error = format!(
        "        error         Max-Forwards: 700\n                                    ^ byte {at} in Max-Forwards: "
    );
    assert!(shown.text.contains(&error), "{}", shown.text);
}

#[test]
fn a_request_that_cannot_be_parsed_is_shown_as_far_as_it_goes() {
    let message = OPTIONS.replace("Content-Length: 0", "Content-Length: 9");
    let shown = run(&["-"], message.as_bytes());
    assert_eq!(shown.status, 1);
    assert!(shown.text.starts_with("no SIP message"), "{}", shown.text);
    assert!(shown.text.contains("transport     UDP") && shown.text.contains("(RFC 3261 §18.3)"));
    let (_, value) = json(&[], message.as_bytes());
    assert_eq!(value.as_object().map(|object| object.len()), Some(1));
    assert_eq!(value["error"]["header"], "Content-Length");
}

#[test]
fn offsets_count_from_the_start_of_the_file() {
    let message = format!("\r\n\r\n{}", OPTIONS.replace("SIP/2.0/UDP", "SIP/2.0"));
    let (_, value) = json(&["--kind", "sip"], message.as_bytes());
    let via = message.find("pc33").unwrap();
    let offset = value["errors"][0]["offset"].as_u64().unwrap() as usize;
    assert!((via - 10..=via).contains(&offset), "{value}");
    let shown = run(&["--kind", "sip", "-"], message.as_bytes());
    assert!(shown.text.contains("   4  method"), "{}", shown.text);
}

#[test]
fn the_strict_profile_asks_for_more() {
    let message = OPTIONS.replace(";tag=1928", "");
    assert_eq!(run(&["-"], message.as_bytes()).status, 0);
    assert_eq!(run(&["--strict", "-"], message.as_bytes()).status, 1);
    let bare = OPTIONS.replace("\r\n", "\n");
    assert_eq!(run(&["-"], bare.as_bytes()).status, 0);
    assert_eq!(run(&["--strict", "-"], bare.as_bytes()).status, 1);
}

#[test]
fn a_stream_is_shown_frame_by_frame() {
    let stream = format!("\r\n\r\n{OPTIONS}\r\n{OPTIONS}");
    let (status, value) = json(&[], stream.as_bytes());
    assert_eq!((status, &value["kind"]), (0, &"stream".into()));
    let frames = value["frames"].as_array().unwrap();
    let of = |frame: usize| (frames[frame]["kind"].as_str(), frames[frame]["offset"].as_u64());
    let length = OPTIONS.len() as u64;
    assert_eq!(of(0), (Some("ping"), Some(0)));
    assert_eq!(of(1), (Some("request"), Some(4)));
    assert_eq!(of(2), (Some("pong"), Some(4 + length)));
    assert_eq!(of(3), (Some("request"), Some(6 + length)));
    assert_eq!(frames.len(), 4);
    let shown = run(&["-"], stream.as_bytes());
    assert!(shown.text.contains(&format!(" {}  method", 6 + length)), "{}", shown.text);
}

#[test]
fn a_stream_that_is_cut_short_is_invalid_at_its_end() {
    let stream = format!("{OPTIONS}{}", &OPTIONS[..100]);
    let (status, value) = json(&[], stream.as_bytes());
    assert_eq!(status, 1);
    assert_eq!(value["frames"][0]["method"], "OPTIONS");
    assert_eq!(value["frames"][1]["offset"], OPTIONS.len());
    assert_eq!(value["frames"][1]["error"]["offset"], stream.len());
    let unframed = format!("{OPTIONS}{}", OPTIONS.replace("Content-Length", "Length"));
    let (status, value) = json(&[], unframed.as_bytes());
    assert_eq!((status, &value["frames"][1]["error"]["rfc"]), (1, &"RFC 3261 §18.3".into()));
}

#[test]
fn octets_behind_the_body_of_a_datagram_are_told() {
    let (status, value) = json(&[], &torture("dblreq"));
    assert_eq!((status, &value["ignored_length"]), (0, &450.into()));
    assert_eq!(value["method"], "REGISTER");
}

#[test]
fn a_session_description_in_the_body_is_taken_apart() {
    let (status, value) = json(&[], &torture("wsinv"));
    assert_eq!(status, 0);
    assert_eq!(value["body_length"], 150);
    assert_eq!(value["body"]["media"][0]["port"], 49217);
    let shown = run(&["-"], &torture("wsinv"));
    assert!(shown.text.contains(" 931    m "), "{}", shown.text);
    let broken =
        String::from_utf8(torture("wsinv")).unwrap().replace("m=audio 49217", "m=audio x9217");
    let (status, value) = json(&[], broken.as_bytes());
    assert_eq!((status, value.get("body")), (1, None));
    assert_eq!(value["errors"][0]["offset"], broken.find("x9217").unwrap());
    assert_eq!(value["errors"][0]["rfc"], "RFC 8866 §5.14");
}
