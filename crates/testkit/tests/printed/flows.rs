//! Call flows as RFCs print them, under the auditor.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use offhook_sansio::{Flow, Protocol};
use offhook_testkit::{Auditor, Breach};
use serde_json::Value;

/// A message of a flow, as the RFC prints it.
#[derive(Clone, Debug)]
pub(crate) struct Printed {
    pub(crate) id: String,
    from: usize,
    to: usize,
    pub(crate) text: String,
}

/// Breaches by section: the line of the message, and the rule.
pub(crate) type Breaches = BTreeSet<(String, String)>;

pub(crate) fn found(flows: &BTreeMap<String, Vec<Printed>>) -> Breaches {
    let audited = flows.iter().flat_map(|(section, messages)| {
        audit(messages).into_iter().map(move |breach| (section, breach))
    });
    let line = |breach: Breach| format!("{} {:?}", breach.line, breach.rule);
    audited.map(|(section, breach)| (section.clone(), line(breach))).collect()
}

pub(crate) fn known(breaches: &[(&str, &str)]) -> Breaches {
    let owned = |(section, breach): &(&str, &str)| ((*section).to_owned(), (*breach).to_owned());
    breaches.iter().map(owned).collect()
}

/// The messages follow one another by 10 ms; copies follow Timer A, and what comes after them
/// waits for Timer B.
pub(crate) fn audit(messages: &[Printed]) -> Vec<Breach> {
    let start = Instant::now();
    let mut auditor = Auditor::new(start);
    let mut at = start;
    let mut copies: Option<Copies<'_>> = None;
    for message in messages {
        at += Duration::from_millis(10);
        let is_copied = messages.iter().filter(|it| it.text == message.text).count() > 1;
        match &mut copies {
            Some(copies) if copies.text == message.text => {
                at = copies.last + copies.interval;
                (copies.last, copies.interval) = (at, copies.interval * 2);
            }
            Some(Copies { first, interval, .. }) if *interval > T1 => {
                at = *first + T1 * 64;
                copies = None;
            }
            None if is_copied => {
                copies = Some(Copies { text: &message.text, first: at, last: at, interval: T1 });
            }
            _ => {}
        }
        let flow = message.flow();
        let back = Flow { local: flow.remote, remote: flow.local, ..flow };
        auditor.sent(message.from, at, flow, message.text.as_bytes());
        auditor.delivered(message.to, at, back, message.text.as_bytes());
    }
    auditor.finish(at + Duration::from_millis(10))
}

/// A message that is printed again and again.
struct Copies<'a> {
    text: &'a str,
    first: Instant,
    last: Instant,
    interval: Duration,
}

impl Printed {
    fn flow(&self) -> Flow {
        let via = self.text.lines().find(|line| line.starts_with("Via")).unwrap();
        let protocols = [Protocol::Udp, Protocol::Tcp, Protocol::Tls];
        let is_it = |it: &Protocol| via.contains(&format!("SIP/2.0/{it}"));
        let protocol = protocols.into_iter().find(is_it).unwrap();
        let port = if protocol == Protocol::Tls { 5061 } else { 5060 };
        let address = |party: usize| SocketAddr::from(([192, 0, 2, 101 + party as u8], port));
        Flow { protocol, local: address(self.from), remote: address(self.to) }
    }
}

/// The flows of a folder of `tests/data`, by their sections. `named` gives each party one name.
pub(crate) fn flows(folder: &str, named: fn(&str) -> &str) -> BTreeMap<String, Vec<Printed>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
    let list: Value =
        serde_json::from_slice(&fs::read(folder.join("flows.json")).unwrap()).unwrap();
    let mut flows = BTreeMap::new();
    for flow in list["flows"].as_array().unwrap() {
        let mut parties = Vec::new();
        let messages = flow["messages"].as_array().unwrap().iter().map(|it| {
            let file = folder.join(it["file"].as_str().unwrap());
            let [from, to] =
                ["from", "to"].map(|end| party(&mut parties, named(it[end].as_str().unwrap())));
            let text = String::from_utf8(fs::read(file).unwrap()).unwrap();
            Printed { id: it["id"].as_str().unwrap().to_owned(), from, to, text }
        });
        flows.insert(flow["section"].as_str().unwrap().to_owned(), messages.collect());
    }
    flows
}

fn party(parties: &mut Vec<String>, name: &str) -> usize {
    let known = parties.iter().position(|it| it == name);
    known.unwrap_or_else(|| {
        parties.push(name.to_owned());
        parties.len() - 1
    })
}

const T1: Duration = Duration::from_millis(500);
