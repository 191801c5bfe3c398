//! Traces between two parties, written by hand.

use std::time::{Duration, Instant};

use offhook_sansio::{Flow, Protocol};

use crate::{Auditor, Breach, Rule};

pub(super) const A: usize = 0;
pub(super) const B: usize = 1;

/// Messages with the time, in milliseconds, at which each is sent.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) steps: Vec<Step>,
    protocol: Protocol,
    /// The end of the trace.
    pub(super) until: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) at: u64,
    pub(super) who: usize,
    pub(super) text: String,
    pub(super) is_lost: bool,
}

impl Trace {
    pub(super) fn new() -> Self {
        Self { steps: Vec::new(), protocol: Protocol::Udp, until: 0 }
    }

    pub(super) fn say(mut self, at: u64, who: usize, text: impl Into<String>) -> Self {
        self.steps.push(Step { at, who, text: text.into(), is_lost: false });
        self.until = self.until.max(at + 100);
        self
    }

    pub(super) fn over_tcp(mut self) -> Self {
        self.protocol = Protocol::Tcp;
        self.steps.iter_mut().for_each(|it| it.text = it.text.replace("2.0/UDP", "2.0/TCP"));
        self
    }

    pub(super) fn until(mut self, until: u64) -> Self {
        self.until = until;
        self
    }

    /// Changes the text of the messages that contain `what`.
    pub(super) fn change(mut self, what: &str, from: &str, to: &str) -> Self {
        let mut changed = 0;
        for step in self.steps.iter_mut().filter(|step| step.text.contains(what)) {
            let text = step.text.replace(from, to);
            changed += usize::from(text != step.text);
            step.text = text;
        }
        assert!(changed > 0, "nothing to change: {what:?}, {from:?}");
        self
    }

    /// Leaves out the messages that contain `what`.
    pub(super) fn without(mut self, what: &str) -> Self {
        let before = self.steps.len();
        self.steps.retain(|step| !step.text.contains(what));
        assert!(self.steps.len() < before, "nothing to leave out: {what:?}");
        self
    }

    /// Loses the messages that contain `what`.
    pub(super) fn lose(mut self, what: &str) -> Self {
        self.steps.iter_mut().for_each(|step| step.is_lost |= step.text.contains(what));
        self
    }

    /// Sends the first message that contains `what` at another time.
    pub(super) fn at(mut self, what: &str, at: u64) -> Self {
        let step = self.steps.iter_mut().find(|step| step.text.contains(what)).unwrap();
        step.at = at;
        self
    }

    /// Sends the first message that contains `what` once more.
    pub(super) fn again(self, what: &str, at: u64) -> Self {
        let step = self.steps.iter().find(|step| step.text.contains(what)).unwrap().clone();
        self.say(at, step.who, step.text)
    }

    pub(super) fn audit(&self) -> Vec<Breach> {
        let start = Instant::now();
        let mut auditor = Auditor::new(start);
        let mut moments = Vec::new();
        for step in &self.steps {
            moments.push((step.at, false, step));
            if !step.is_lost {
                moments.push((step.at + LATENCY, true, step));
            }
        }
        moments.sort_by_key(|(at, ..)| *at);
        for (at, arrives, step) in moments {
            let at = start + Duration::from_millis(at);
            let party = if arrives { 1 - step.who } else { step.who };
            let [local, remote] = [party, 1 - party].map(|it| address(it).parse().unwrap());
            let flow = Flow { protocol: self.protocol, local, remote };
            match arrives {
                true => auditor.delivered(party, at, flow, step.text.as_bytes()),
                false => auditor.sent(party, at, flow, step.text.as_bytes()),
            }
        }
        auditor.finish(start + Duration::from_millis(self.until))
    }

    pub(super) fn rules(&self) -> Vec<Rule> {
        self.audit().iter().map(|breach| breach.rule).collect()
    }
}

/// A request in the dialog of the call.
pub(super) fn ask(who: usize, method: &str, branch: &str, cseq: u32) -> String {
    let (own, peer) = (name(who), name(1 - who));
    format!(
        "{method} sip:{peer}@{host} SIP/2.0\r\n{}Max-Forwards: 70\r\nContact: <sip:{own}@{}>\r\nContent-Length: 0\r\n\r\n",
        head(who, method, branch, cseq),
        address(who),
        host = address(1 - who),
    )
}

/// A response of the peer to `ask(who, …)`.
pub(super) fn reply(who: usize, method: &str, branch: &str, cseq: u32, status: u16) -> String {
    let peer = name(1 - who);
    format!(
        "SIP/2.0 {status} Said\r\n{}Contact: <sip:{peer}@{}>\r\nContent-Length: 0\r\n\r\n",
        head(who, method, branch, cseq),
        address(1 - who)
    )
}

fn head(who: usize, method: &str, branch: &str, cseq: u32) -> String {
    let (own, peer) = (name(who), name(1 - who));
    format!(
        "Via: SIP/2.0/UDP {};branch=z9hG4bK{branch}\r\n\
         From: <sip:{own}@example.com>;tag={own}\r\nTo: <sip:{peer}@example.com>;tag={peer}\r\n\
         Call-ID: call\r\nCSeq: {cseq} {method}\r\n",
        address(who)
    )
}

/// More for a message.
pub(super) trait Add {
    fn header(self, line: &str) -> String;
    fn sdp(self, user: &str, version: u32, port: u16) -> String;
    /// Without the To tag: outside of a dialog.
    fn first(self) -> String;
}

impl Add for String {
    fn header(self, line: &str) -> String {
        self.replacen("Call-ID", &format!("{line}\r\nCall-ID"), 1)
    }

    fn sdp(self, user: &str, version: u32, port: u16) -> String {
        let sdp = format!(
            "v=0\r\no={user} 1 {version} IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n\
             t=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
        );
        let length = sdp.len();
        let empty = "Content-Length: 0";
        let full = format!("Content-Type: application/sdp\r\nContent-Length: {length}");
        format!("{}{sdp}", self.replace(empty, &full))
    }

    fn first(self) -> String {
        self.replace("To: <sip:bob@example.com>;tag=bob", "To: <sip:bob@example.com>")
    }
}

fn name(who: usize) -> &'static str {
    if who == A { "alice" } else { "bob" }
}

fn address(who: usize) -> &'static str {
    if who == A { "192.0.2.1:5060" } else { "192.0.2.2:5060" }
}

/// How long a message takes.
const LATENCY: u64 = 5;
