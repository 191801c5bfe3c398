//! Calls that stand, and the far side of their dialogs.

use offhook_sip::{CallId, Config, Event, Invite};

use crate::{
    caller::with_body,
    side::Side,
    support::{
        body,
        raw::{field, plain_invite, request, respond, tag_of},
    },
};

/// The far side of a dialog, which writes its requests.
pub(crate) struct Peer {
    uri: String,
    /// The peer, and this side.
    names: [String; 2],
    call_id: String,
    pub(crate) cseq: u32,
}

impl Peer {
    /// Of a dialog that `request` of this side makes, with the answer of `tag`.
    pub(crate) fn asked_by(request: &str, tag: &str) -> Self {
        Self {
            uri: field(request, "Contact").trim_matches(['<', '>']).to_owned(),
            names: [format!("{};tag={tag}", field(request, "To")), field(request, "From").into()],
            call_id: field(request, "Call-ID").to_owned(),
            cseq: 0,
        }
    }

    /// Of a dialog that a [`request`] of the peer makes, answered by this side with `tag`.
    pub(crate) fn of_request(tag: &str) -> Self {
        Self {
            uri: "sip:alice@192.0.2.1".to_owned(),
            names: [
                "<sip:bob@example.org>;tag=bob".to_owned(),
                format!("<sip:alice@example.com>;tag={tag}"),
            ],
            call_id: "call-1@198.51.100.7".to_owned(),
            cseq: 1,
        }
    }

    /// The next request, in a transaction of its own.
    pub(crate) fn asks(&mut self, method: &str, more: &str) -> String {
        self.cseq += 1;
        self.writes(method, &format!("z9hG4bK{method}{}", self.cseq), more)
    }

    /// A request with the last number.
    pub(crate) fn writes(&self, method: &str, branch: &str, more: &str) -> String {
        let Self { uri, names: [from, to], call_id, cseq } = self;
        format!(
            "{method} {uri} SIP/2.0\n\
             Via: SIP/2.0/UDP 198.51.100.7:5070;branch={branch};rport\n\
             Max-Forwards: 70\n\
             From: {from}\n\
             To: {to}\n\
             Call-ID: {call_id}\n\
             CSeq: {cseq} {method}\n\
             Contact: <sip:bob@198.51.100.7:5070>\n\
             {more}\n"
        )
    }

    /// The ACK to what this side has answered finally to the last INVITE.
    pub(crate) fn acknowledges(&self, side: &Side) -> Option<String> {
        let cseq = format!("CSeq: {} INVITE", self.cseq);
        let is_final = |it: &&str| it.contains(&cseq) && !it.starts_with("SIP/2.0 1");
        let status = side.responses().find(is_final)?;
        let branch = match status.starts_with("SIP/2.0 2") {
            true => format!("z9hG4bKACK{}", self.cseq),
            false => format!("z9hG4bKINVITE{}", self.cseq),
        };
        Some(self.writes("ACK", &branch, ""))
    }
}

/// What a peer says of itself in a response.
pub(crate) const CONTACT: &str = "Contact: <sip:bob@198.51.100.7:5070>\n";

/// A call of ours that stands.
pub(crate) fn placed(config: Config) -> (Side, CallId, Peer) {
    let mut side = Side::new(config);
    let invite = Invite { body: Some(body("v=0 offer")), ..plain_invite() };
    let call = side.agent.invite(side.now, invite).unwrap();
    side.drain();
    let invite = side.last("INVITE").unwrap().to_owned();
    side.hear(&with_body(&respond(&invite, "200 OK", "bob", CONTACT)));
    side.events.clear();
    (side, call, Peer::asked_by(&invite, "bob"))
}

/// A call of another that stands.
pub(crate) fn taken(config: Config) -> (Side, CallId, Peer) {
    let mut side = Side::new(config);
    side.hear(&with_body(&request("INVITE", "z9hG4bKINVITE1", 1, "", "")));
    let Some(Event::Incoming { call, .. }) = side.events.pop() else { panic!("no call") };
    side.agent.answer(side.now, call, Some(body("v=0 answer"))).unwrap();
    side.drain();
    let peer = Peer::of_request(&tag_of(side.last("SIP/2.0 200").unwrap()));
    let ack = peer.acknowledges(&side).unwrap();
    side.hear(&ack);
    side.events.clear();
    (side, call, peer)
}

/// One or the other.
pub(crate) fn standing(beginning: usize, config: Config) -> (Side, CallId, Peer) {
    if beginning == 0 { placed(config) } else { taken(config) }
}
