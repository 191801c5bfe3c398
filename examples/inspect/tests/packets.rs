//! Session descriptions, RTP and RTCP.

use std::fs;

use serde_json::{Value, json};

use super::{bytes, data, json as look, run};

/// The vectors of a file: what each is, and its octets.
fn vectors(file: &str) -> Vec<(Value, Vec<u8>)> {
    let file: Value = serde_json::from_slice(&bytes(&format!("rtp/tests/data/{file}"))).unwrap();
    let vectors = file["vectors"].as_array().unwrap().iter();
    vectors
        .map(|vector| {
            let digits = vector["hex"].as_str().unwrap();
            let octet = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
            (vector.clone(), (0..digits.len()).step_by(2).map(octet).collect())
        })
        .collect()
}

#[test]
fn every_session_description_of_the_rfcs_is_valid() {
    let mut count = 0;
    for file in fs::read_dir(data("sdp/tests/data")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "sdp") {
            let shown = run(&[path.to_str().unwrap()], b"");
            assert_eq!(shown.status, 0, "{}\n{}", path.display(), shown.text);
            let (status, value) = look(&[], &fs::read(path).unwrap());
            assert_eq!((status, &value["kind"]), (0, &"sdp".into()));
            count += 1;
        }
    }
    assert!(count > 90, "{count}");
}

#[test]
fn a_session_description_has_session_fields_and_streams() {
    let text = "v=0\r\no=alice 1 2 IN IP4 a.example\r\ns=x\r\nc=IN IP4 192.0.2.1\r\nb=AS:64\r\n\
                t=0 0\r\na=sendonly\r\nm=audio 4000/2 RTP/AVP 0 96\r\na=rtpmap:96 opus/48000/2\r\n\
                a=rtcp-mux\r\n";
    let (status, value) = look(&[], text.as_bytes());
    assert_eq!(status, 0);
    assert_eq!(value["origin"]["session_version"], "2");
    assert_eq!(value["session_name"], "x");
    assert_eq!(value["connection"]["address"], "192.0.2.1");
    assert_eq!(value["times"], json!(["0 0"]));
    assert_eq!(value["lines"], json!([{"type": "b", "value": "AS:64"}]));
    assert_eq!(value["attributes"], json!([{"name": "sendonly", "value": null}]));
    let media = &value["media"][0];
    assert_eq!((&media["port"], &media["ports"]), (&4000.into(), &2.into()));
    assert_eq!(media["formats"], json!(["0", "96"]));
    assert_eq!(media["attributes"][0], json!({"name": "rtpmap", "value": "96 opus/48000/2"}));
    let shown = run(&["-"], text.as_bytes());
    let at = text.find("a=rtpmap").unwrap();
    assert!(shown.text.contains(&format!("{at}    a=rtpmap")), "{}", shown.text);
}

#[test]
fn the_caret_of_a_session_description_stands_in_its_line() {
    let text = "v=0\r\no=alice 1 2 IN IP4 a.example\r\ns=x\r\nm=audio 4000 RTP/AVP\r\n";
    let (status, value) = look(&[], text.as_bytes());
    assert_eq!((status, &value["error"]["offset"]), (1, &(text.len() - 2).into()));
    let shown = run(&["-"], text.as_bytes());
    assert!(shown.text.contains("m=audio 4000 RTP/AVP\n"), "{}", shown.text);
    assert!(shown.text.contains("(RFC 8866 §5.14)"), "{}", shown.text);
}

#[test]
fn rtp_packets_are_shown_with_their_extensions() {
    for (vector, packet) in vectors("rfc8285.json") {
        let (status, value) = look(&[], &packet);
        assert_eq!((status, &value["kind"]), (0, &"rtp".into()), "{vector}");
        assert_eq!(value["sequence_number"], 500);
        let elements = vector["elements"].as_array().unwrap();
        let shown = value["header_extension"]["elements"].as_array().unwrap();
        assert_eq!(shown.len(), elements.len(), "{vector}");
        for (element, expected) in shown.iter().zip(elements) {
            assert_eq!(element["id"], expected["id"]);
            assert_eq!(element["value"], expected["value"]);
        }
    }
}

#[test]
fn rtcp_packets_are_shown_whole_or_reduced() {
    for (vector, packet) in vectors("rtcp.json") {
        let (status, value) = look(&[], &packet);
        assert_eq!((status, &value["kind"]), (0, &"rtcp".into()), "{vector}");
        let first = &value["packets"][0];
        for (key, expected) in vector["fields"].as_object().unwrap() {
            if matches!(&**key, "ssrc" | "ntp_seconds" | "packet_count" | "reason") {
                assert!(first["type"] == "unknown" || first[key] == *expected, "{key} {first}");
            }
        }
    }
    let (vector, packet) = vectors("rtcp.json").swap_remove(1);
    let (_, value) = look(&[], &packet);
    let block = &value["packets"][0]["blocks"][0];
    assert_eq!(block["cumulative_lost"], vector["fields"]["blocks"][0]["cumulative_lost"]);
    let goodbye = [0x81, 203, 0, 1, 0, 0, 0, 1];
    assert_eq!(run(&["-"], &goodbye).status, 0);
    assert_eq!(run(&["--strict", "-"], &goodbye).status, 1);
}

#[test]
fn the_caret_of_a_packet_stands_under_its_octet() {
    let shown = run(&["-"], &[0x81, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]);
    assert_eq!(shown.status, 1);
    let caret = "      error  81 00 00 01 00 00 00 02 00 00 00 03\n             \
                 \u{20}                                   ^ byte 12: expected as many CSRCs";
    assert!(shown.text.contains(caret), "{}", shown.text);
    let second = [0x81, 203, 0, 1, 0, 0, 0, 1, 0x40, 203, 0, 0];
    let (_, value) = look(&[], &second);
    assert_eq!(value["error"]["offset"], 8);
}
