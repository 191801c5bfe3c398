//! The call flows of RFC 3665 under the auditor: nothing but the RFC's own errors is found.
#![cfg(test)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use offhook_sansio::{Flow, Protocol};
use offhook_testkit::{Auditor, Breach, Rule};
use serde_json::Value;

/// A message of a flow, as the RFC prints it.
#[derive(Clone, Debug)]
struct Printed {
    id: String,
    from: usize,
    to: usize,
    text: String,
}

#[test]
fn only_the_errors_of_the_rfc_are_found() {
    let mut found = BTreeSet::new();
    let flows = flows();
    assert_eq!(flows.len(), 16);
    for (section, messages) in &flows {
        for breach in audit(messages) {
            found.insert((section.as_str(), format!("{} {:?}", breach.line, breach.rule)));
        }
    }
    let known = KNOWN.iter().map(|(section, breach)| (*section, (*breach).to_owned())).collect();
    assert_eq!(found, known, "{:#?}", found.difference(&known));
}

#[test]
fn changes_to_the_flows_are_found() {
    let flows = flows();
    for (rule, section, id, from, to) in CHANGES {
        let mut messages = flows[*section].clone();
        let message = messages.iter_mut().find(|it| it.id == *id).unwrap();
        let changed = message.text.replacen(from, to, 1);
        assert_ne!(message.text, changed, "{section} {id} {from}");
        message.text = changed;
        let breaches = audit(&messages);
        assert!(
            breaches.iter().any(|it| it.rule == *rule),
            "{section} {id} {rule:?} {breaches:#?}"
        );
    }
}

#[test]
fn a_missing_acknowledgement_is_found_in_every_flow_with_one() {
    let mut flows = flows();
    let known = |section: &str| {
        KNOWN.iter().any(|(it, what)| *it == section && what.contains("FinalIsAcked"))
    };
    for (section, messages) in flows.iter_mut().filter(|(section, _)| !known(section)) {
        // Proxies pass on what they got: nobody sends that ACK at all.
        let before = messages.len();
        messages.retain(|it| !it.text.starts_with("ACK "));
        let rules: Vec<Rule> = audit(messages).iter().map(|it| it.rule).collect();
        assert_eq!(rules.contains(&Rule::FinalIsAcked), before > messages.len(), "{section}");
    }
}

/// The messages follow one another by 10 ms; copies follow Timer A, and what comes after them
/// waits for Timer B.
fn audit(messages: &[Printed]) -> Vec<Breach> {
    let start = Instant::now();
    let mut auditor = Auditor::new(start);
    let mut at = start;
    let mut series: Option<(&str, Instant, Duration)> = None;
    for message in messages {
        at += Duration::from_millis(10);
        match series {
            Some((text, first, interval)) if text == message.text => {
                at = at - Duration::from_millis(10) + interval;
                series = Some((text, first, interval * 2));
            }
            Some((_, first, interval)) => {
                if interval > T1 {
                    at = first + T1 * 64;
                }
                series = None;
            }
            None => {}
        }
        series.get_or_insert((&message.text, at, T1));
        let flow = message.flow();
        let back = Flow { local: flow.remote, remote: flow.local, ..flow };
        auditor.sent(message.from, at, flow, message.text.as_bytes());
        auditor.delivered(message.to, at, back, message.text.as_bytes());
    }
    auditor.finish(at + Duration::from_millis(10))
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

fn flows() -> BTreeMap<String, Vec<Printed>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/rfc3665");
    let list: Value =
        serde_json::from_slice(&fs::read(folder.join("flows.json")).unwrap()).unwrap();
    let mut flows = BTreeMap::new();
    for flow in list["flows"].as_array().unwrap() {
        let mut parties = Vec::new();
        let messages = flow["messages"].as_array().unwrap().iter().map(|it| {
            let file = folder.join(it["file"].as_str().unwrap());
            let [from, to] =
                ["from", "to"].map(|end| party(&mut parties, it[end].as_str().unwrap()));
            let text = String::from_utf8(fs::read(file).unwrap()).unwrap();
            Printed { id: it["id"].as_str().unwrap().to_owned(), from, to, text }
        });
        flows.insert(flow["section"].as_str().unwrap().to_owned(), messages.collect());
    }
    flows
}

/// The RFC calls some parties by two names.
fn party(parties: &mut Vec<String>, name: &str) -> usize {
    let name = match name {
        "Redirect Proxy" => "Redirect Server",
        "Proxy" => "Proxy 3",
        name => name,
    };
    let known = parties.iter().position(|it| it == name);
    known.unwrap_or_else(|| {
        parties.push(name.to_owned());
        parties.len() - 1
    })
}

const KNOWN: &[(&str, &str)] = &[];

const CHANGES: &[(Rule, &str, &str, &str, &str)] = &[];

const T1: Duration = Duration::from_millis(500);
