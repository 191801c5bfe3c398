//! A registration, over a datagram transport and over a connection that is kept alive.

use offhook_sansio::{Flow, Protocol};
use offhook_sip::{Config, Login, Registration, RegistrationId};
use offhook_sip_message::NameAddr;

use crate::{
    every::{Stage, all, many},
    side::{Side, Subject, udp},
    support::raw::{fields, respond},
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    Accepted,
    Refused,
    TooBrief,
    /// 401, with a new nonce each time.
    Challenged,
    Again,
    /// Longer than a transaction waits.
    Silence,
    /// Longer than any refresh or retry waits.
    Hours,
    FlowFails,
    /// The owner takes another flow.
    Changes,
    Removed,
}

use Happens::{
    Accepted, Again, Challenged, Changes, FlowFails, Hours, Refused, Removed, Silence, TooBrief,
};

struct Registering {
    side: Side,
    id: RegistrationId,
    flow: Flow,
    number: usize,
}

fn tcp() -> Flow {
    Flow { protocol: Protocol::Tcp, ..udp() }
}

impl Stage for Registering {
    type Happens = Happens;
    const ALL: &'static [Happens] = &[
        Accepted, Refused, TooBrief, Challenged, Again, Silence, Hours, FlowFails, Changes, Removed,
    ];
    const BEGINNINGS: usize = 2;

    fn begin(beginning: usize) -> Self {
        let mut side = Side::new(Config::default());
        let bob = NameAddr::new("sip:bob@biloxi.example".parse().unwrap());
        let flow = if beginning == 0 { udp() } else { tcp() };
        let registrar = "sip:biloxi.example".parse().unwrap();
        let mut wanted = Registration::new(registrar, bob, flow);
        wanted.logins = vec![Login::new("biloxi.example", "bob", "zanzibar")];
        if beginning == 1 {
            wanted.instance = Some("urn:uuid:00000000-0000-1000-8000-000A95A0E128".into());
            wanted.reg_id = Some(1);
        }
        let id = side.agent.register(side.now, wanted).unwrap();
        side.drain();
        Self { side, id, flow, number: 0 }
    }

    fn happens(&mut self, what: Happens) {
        self.number += 1;
        match what {
            Accepted => self.respond("200 OK", "Require: outbound\n"),
            Refused => self.respond("500 Oops", ""),
            TooBrief => self.respond("423 Interval Too Brief", "Min-Expires: 7200\n"),
            Challenged => {
                let challenge = format!(
                    "WWW-Authenticate: Digest realm=\"biloxi.example\", nonce=\"n{}\", \
                     qop=\"auth\", algorithm=SHA-256\n",
                    self.number
                );
                self.respond("401 Unauthorized", &challenge);
            }
            Again => self.side.hear_again(),
            Silence => self.side.wait(33),
            Hours => self.side.wait(4000),
            FlowFails => self.side.fail(self.flow),
            Changes => {
                self.flow = if self.flow == udp() { tcp() } else { udp() };
                let _ = self.side.agent.retarget(self.side.now, self.id, self.flow);
            }
            Removed => drop(self.side.agent.unregister(self.side.now, self.id)),
        }
        self.side.drain();
    }

    /// The owner removes it, nobody answers, and all is over.
    fn finish(mut self) {
        self.happens(Removed);
        self.side.wait(200);
        assert!(self.side.is_over(Subject::Registration(self.id)));
        self.side.finish(100);
    }
}

impl Registering {
    fn respond(&mut self, status: &str, more: &str) {
        let Some((flow, last)) = self.side.last_on("REGISTER") else { return };
        let (flow, last) = (flow, last.to_owned());
        let contacts = fields(&last, "Contact").into_iter();
        let contacts: String = contacts.map(|it| format!("Contact: {it}\n")).collect();
        let more = format!("{more}{contacts}Content-Length: 0\n");
        self.side.hear_on(flow, &respond(&last, status, "s", &more));
    }
}

#[test]
fn a_registration_ends_well_whatever_happens() {
    many::<Registering>();
}

#[test]
#[ignore = "takes minutes"]
fn a_registration_ends_well_whatever_six_things_happen() {
    all::<Registering>();
}
