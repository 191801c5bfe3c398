//! The program as a whole: what goes in, what is printed, and the exit status.

mod json;
mod packets;
mod sip;
mod table;
mod terminal;

use std::{fs, path::PathBuf};

use serde_json::Value;

/// What the program did.
#[derive(Debug)]
struct Shown {
    status: u8,
    text: String,
    complaint: String,
}

/// Runs the program with `input` at its standard input.
fn run(arguments: &[&str], input: &[u8]) -> Shown {
    let arguments = ["inspect"].iter().chain(arguments).map(Into::into);
    let (mut out, mut complaint) = (Vec::new(), Vec::new());
    let shown = crate::show(arguments, &mut &*input, &mut out);
    let status = crate::status(shown, &mut complaint);
    let [text, complaint] = [out, complaint].map(|bytes| String::from_utf8(bytes).unwrap());
    Shown { status, text, complaint }
}

/// Looks at `input` as JSON; the status and the JSON.
fn json(arguments: &[&str], input: &[u8]) -> (u8, Value) {
    let shown = run(&[arguments, &["--json", "-"]].concat(), input);
    let value = serde_json::from_str(&shown.text);
    (shown.status, value.unwrap_or_else(|error| panic!("{error}: {}", shown.text)))
}

fn data(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates").join(path)
}

fn bytes(path: &str) -> Vec<u8> {
    fs::read(data(path)).unwrap()
}

/// The messages of a manifest or of a list of flows, with what it says of them.
fn messages(folder: &str) -> Vec<(Value, Vec<u8>)> {
    let folder = format!("sip-message/tests/data/{folder}");
    let list = ["manifest", "flows"].map(|name| data(&format!("{folder}/{name}.json")));
    let list = list.iter().find_map(|path| fs::read(path).ok()).unwrap();
    let list: Value = serde_json::from_slice(&list).unwrap();
    let flows = list["flows"].as_array().map_or(vec![&list], |flows| flows.iter().collect());
    let messages = flows.iter().flat_map(|flow| flow["messages"].as_array().unwrap());
    messages
        .map(|message| {
            let file = message["file"].as_str().unwrap();
            (message.clone(), bytes(&format!("{folder}/{file}")))
        })
        .collect()
}

fn torture(name: &str) -> Vec<u8> {
    bytes(&format!("sip-message/tests/data/rfc4475/messages/{name}.dat"))
}

#[test]
fn a_file_is_read_from_its_path_or_from_standard_input() {
    let path = data("sip-message/tests/data/rfc4475/messages/wsinv.dat");
    let from_path = run(&[path.to_str().unwrap()], b"");
    let from_input = run(&["-"], &torture("wsinv"));
    assert_eq!((from_path.status, from_input.status), (0, 0));
    assert_eq!(from_path.text, from_input.text);
    assert_eq!(from_path.complaint, "");
}

#[test]
fn what_cannot_be_looked_at_is_one_line_and_status_2() {
    let commands: [&[&str]; 6] = [
        &["no such file"],
        &["/"],
        &[],
        &["--kind", "stun", "-"],
        &["--colour", "-"],
        &["no\u{1b}[2J\nsuch"],
    ];
    for arguments in commands {
        let shown = run(arguments, b"");
        assert_eq!(shown.status, 2, "{arguments:?}");
        assert_eq!(shown.text, "");
        assert_eq!(shown.complaint.lines().count(), 1, "{}", shown.complaint);
        assert!(shown.complaint.starts_with("error: "), "{}", shown.complaint);
        assert!(!shown.complaint.contains('\u{1b}'));
    }
}

#[test]
fn help_is_no_complaint() {
    let shown = run(&["--help"], b"");
    assert_eq!(shown.status, 0);
    assert!(shown.text.contains("sip-stream") && !shown.text.contains("stun"));
}

#[test]
fn no_input_at_all_is_no_message() {
    let shown = run(&["-"], b"");
    assert_eq!(shown.status, 1);
    assert!(shown.text.contains("^ byte 0: expected"), "{}", shown.text);
}
