//! The printed ladders.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::Value;

/// What goes between two user agents, named in the order of the alphabet: who says it, and what, with
/// a plus sign if it has a body.
pub(crate) type Ladder = BTreeMap<[String; 2], Vec<String>>;

struct Message {
    from: String,
    to: String,
    call: String,
    number: u32,
    kind: String,
}

/// The ladder of a section, between its user agents: what a proxy passes on is said by the user agent
/// behind it, and what it answers itself was never said.
pub(crate) fn ladder(rfc: &str, section: &str) -> Ladder {
    let messages = messages(rfc, section);
    let mut ladder = Ladder::new();
    for (at, message) in messages.iter().enumerate().filter(|(_, it)| !is_proxy(&it.from)) {
        let passed = |other: &&Message| {
            let same = (other.number, &other.kind) == (message.number, &message.kind);
            same && is_proxy(&other.from) && !is_proxy(&other.to) && other.to != message.from
        };
        // The Call-ID of one message in RFC 5359 §2.2 is another one's: it is the next then.
        let of_call = messages.iter().filter(passed).find(|other| other.call == message.call);
        let next = || messages.iter().skip(at).find(passed);
        let to = match is_proxy(&message.to) {
            true => of_call.or_else(next).map(|it| &it.to),
            false => Some(&message.to),
        };
        if let Some(to) = to.filter(|_| !message.kind.starts_with("100 ")) {
            note(&mut ladder, &message.from, to, &message.kind);
        }
    }
    ladder
}

pub(crate) fn note(ladder: &mut Ladder, from: &str, to: &str, kind: &str) {
    let mut pair = [from.to_owned(), to.to_owned()];
    pair.sort();
    ladder.entry(pair).or_default().push(format!("{from}: {kind}"));
}

/// `INVITE+`, `180 INVITE`.
pub(crate) fn kind(text: &str) -> String {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let cseq = head.split("\r\n").find(|line| line.starts_with("CSeq:")).unwrap();
    let method = cseq.rsplit(' ').next().unwrap();
    let body = if body.trim().is_empty() { "" } else { "+" };
    match head.strip_prefix("SIP/2.0 ") {
        Some(status) => format!("{} {method}{body}", &status[..3]),
        None => format!("{method}{body}"),
    }
}

fn messages(rfc: &str, section: &str) -> Vec<Message> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testkit/tests/data").join(rfc);
    let flows: Value =
        serde_json::from_slice(&fs::read(folder.join("flows.json")).unwrap()).unwrap();
    let mut flows = flows["flows"].as_array().unwrap().iter();
    let flow = flows.find(|flow| flow["section"] == section).unwrap();
    let message = |it: &Value| {
        let text = fs::read_to_string(folder.join(it["file"].as_str().unwrap())).unwrap();
        let line = |name| text.split("\r\n").find(|line| line.starts_with(name)).unwrap();
        let number = line("CSeq:").split_whitespace().nth(1).unwrap().parse().unwrap();
        let party = |end: &str| match it[end].as_str().unwrap() {
            "Redirect Proxy" => "Redirect Server".to_owned(),
            name => name.to_owned(),
        };
        let (from, to) = (party("from"), party("to"));
        Message { from, to, call: line("Call-ID:").to_owned(), number, kind: kind(&text) }
    };
    flow["messages"].as_array().unwrap().iter().map(message).collect()
}

fn is_proxy(name: &str) -> bool {
    name.starts_with("Proxy") || name == "SIP ALG"
}
