//! Whatever comes in, nothing but text goes out.

use super::{bytes, json, run, torture};

const HOSTILE: &str = "SIP/2.0 200 O\u{1b}[2J\u{202e}K\r\nVia: SIP/2.0/UDP a;x=\"\u{9b}31m\u{200b}\"\r\n\
    To: \"\u{7}\u{feff}\" <sip:a@b>\r\nFrom: <sip:a@b>;tag=1\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
    Subject: \u{1b}]0;x\u{7} \u{85}\u{2028}\r\n\r\n";

#[test]
fn control_characters_are_spelled_out() {
    let harmless = |text: &str| {
        let treacherous =
            |c: char| c.is_control() && c != '\n' || "\u{202e}\u{200b}\u{feff}".contains(c);
        !text.chars().any(treacherous)
    };
    let shown = run(&["-"], HOSTILE.as_bytes());
    assert!(harmless(&shown.text), "{:?}", shown.text);
    assert!(shown.text.contains("O\\u{1b}[2J\\u{202e}K"), "{}", shown.text);
    let shown = run(&["--json", "-"], HOSTILE.as_bytes());
    assert!(harmless(&shown.text), "{:?}", shown.text);
    let (_, value) = json(&[], HOSTILE.as_bytes());
    assert_eq!(value["reason"], "O\u{1b}[2J\u{202e}K");
    let sdp = "v=0\r\no=\u{1b}[2J 1 2 IN IP4 a\r\ns=\u{7}\u{85}\r\nm=\u{1b}\r\n";
    assert!(harmless(&run(&["-"], sdp.as_bytes()).text));
    assert!(harmless(&run(&["--json", "-"], sdp.as_bytes()).text));
}

#[test]
fn every_beginning_of_every_kind_can_be_looked_at() {
    let flow = bytes("sip-message/tests/data/rfc3261-flows/24.2/01-invite.sip");
    let sdp = bytes("sdp/tests/data/rfc8866-5-01-example.sdp");
    let rtp =
        [0xb1, 0x80, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0xbe, 0xde, 0, 1, 0x10, 1, 0, 0, 2];
    let inputs = [torture("wsinv"), [&*flow, &flow].concat(), sdp, rtp.to_vec()];
    for input in &inputs {
        for length in 0..=input.len() {
            for kind in ["auto", "sip", "sip-stream", "sdp", "rtp", "rtcp"] {
                if length % 7 == 0 || kind == "auto" {
                    let shown = run(&["--kind", kind, "-"], &input[..length]);
                    assert!(shown.status < 2 && shown.complaint.is_empty());
                    let (status, _) = json(&["--kind", kind], &input[..length]);
                    assert_eq!(status, shown.status);
                }
            }
        }
    }
}
