//! The shape of the JSON.

use serde_json::{Value, json};

use super::{json as look, messages};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Keys in the order of the alphabet, which is that of `serde_json`.
fn sorted<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

const REQUEST: &str = "INVITE sip:+1-212-555-1212:1234@gateway.example;user=phone?a=b SIP/2.0\r\n\
    Via: SIP/2.0/TCP [2001:db8::1]:5061;branch=z9hG4bK1;RPORT, SIP/2.0/UDP b\r\n\
    Via: SIP/2.0/UDP c\r\nMax-Forwards: 70\r\n\
    To: \"A \\\"B\\\" C\" <sips:b@b.example:5061;transport=tcp;lr>\r\n\
    From: tel:+15551234;tag=x\r\nCall-ID: 1@a\r\nCSeq: 7 INVITE\r\nContact: *\r\n\
    Reason: Q.850;cause=16;text=\"a, b\"\r\nSupported:\r\nAllow: INVITE, ACK\r\n\
    Date: Sat, 13 Nov 2010 23:29:00 GMT\r\nX-Own: 1\r\nContent-Length: 0\r\n\r\n";

#[test]
fn a_request_has_these_keys() {
    let (_, value) = look(&[], REQUEST.replace("?a=b", "").as_bytes());
    let expected = ["kind", "method", "uri", "version", "headers", "typed", "body_length"];
    assert_eq!(keys(&value), sorted(&expected));
    assert_eq!(value["kind"], "request");
    assert_eq!(value["version"], "SIP/2.0");
    assert_eq!(value["headers"][1], json!({"name": "Via", "value": "SIP/2.0/UDP c"}));
    assert_eq!(value["headers"].as_array().unwrap().len(), 14);
}

#[test]
fn a_response_has_these_keys() {
    let (_, bytes) = messages("rfc3261-flows").remove(1);
    let (_, value) = look(&[], &bytes);
    let expected = ["kind", "status", "reason", "version", "headers", "typed", "body_length"];
    assert_eq!(keys(&value), sorted(&expected));
    assert_eq!((&value["status"], &value["reason"]), (&200.into(), &"OK".into()));
}

#[test]
fn an_error_has_these_keys() {
    let (status, value) = look(&[], b"INVITE sip:a@b\r\n\r\n");
    assert_eq!(status, 1);
    assert_eq!(keys(&value), ["error"]);
    let expected = ["offset", "header", "expected", "rfc", "status"];
    assert_eq!(keys(&value["error"]), sorted(&expected));
    assert_eq!(value["error"]["offset"], 14);
    assert_eq!(value["error"]["header"], Value::Null);
}

#[test]
fn typed_header_fields_are_lists_objects_and_scalars() {
    let (status, value) = look(&[], REQUEST.as_bytes());
    assert_eq!(status, 1);
    assert_eq!(value["errors"][0]["rfc"], "RFC 3261 §19.1.1");
    let typed = &value["typed"];
    let via = json!({
        "transport": "TCP", "host": "[2001:db8::1]", "port": 5061,
        "parameters": {"branch": "z9hG4bK1", "rport": true},
    });
    assert_eq!(typed["via"][0], via);
    assert_eq!(typed["via"].as_array().unwrap().len(), 3);
    assert_eq!(typed["max_forwards"], 70);
    assert_eq!(typed["call_id"], "1@a");
    assert_eq!(typed["cseq"], json!({"number": 7, "method": "INVITE"}));
    assert_eq!(typed["contact"], json!(["*"]));
    assert_eq!(typed["supported"], json!([]));
    assert_eq!(typed["allow"], json!(["INVITE", "ACK"]));
    assert_eq!(typed["reason"][0]["cause"], 16);
    assert_eq!(typed["reason"][0]["parameters"]["text"], "a, b");
    assert_eq!(typed["date"]["unix_seconds"], 1_289_690_940);
    assert_eq!(typed.get("x_own"), None);
}

#[test]
fn uris_have_their_parts() {
    let (_, value) = look(&[], REQUEST.as_bytes());
    let to = json!({
        "display_name": "A \"B\" C",
        "uri": {
            "text": "sips:b@b.example:5061;transport=tcp;lr", "scheme": "sips", "user": "b",
            "password": null, "host": "b.example", "port": 5061,
            "parameters": {"transport": "tcp", "lr": true}, "headers": null,
        },
        "parameters": {},
    });
    assert_eq!(value["typed"]["to"], to);
    let from = &value["typed"]["from"];
    assert_eq!(from["uri"]["text"], "tel:+15551234");
    assert_eq!(from["uri"]["scheme"], "tel");
    assert_eq!(from["parameters"]["tag"], "x");
    let request_uri = &value["typed"]["request_uri"];
    assert_eq!(request_uri["password"], "1234");
    assert_eq!(request_uri["headers"], "a=b");
}

#[test]
fn a_value_that_is_no_text_is_shown_and_named() {
    let head = &REQUEST.as_bytes()[..REQUEST.find("X-Own").unwrap()];
    // The compact form of Session-Expires, which has a type, and a name that has none.
    for name in ["x", "X-Own"] {
        let message = [head, name.as_bytes(), b": \xff\r\n\r\n"].concat();
        let (status, value) = look(&["--kind", "sip"], &message);
        assert_eq!(status, 1);
        let last = value["headers"].as_array().unwrap().last().unwrap();
        assert_eq!(last["value"], "\u{fffd}");
        let errors = value["errors"].as_array().unwrap();
        let named = |error: &&Value| error["expected"] == "UTF-8 text";
        assert_eq!(errors.iter().find(named).unwrap()["offset"], message.len() - 5);
    }
}
