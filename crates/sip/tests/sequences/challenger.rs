//! A server that challenges (RFC 3261 §22): whatever comes, nobody gets in without the password, no
//! request gets in twice, no nonce is taken after its time; and who knows the password gets in.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use bytes::Bytes;
use offhook_sansio::Random;
use offhook_sip::{Authenticator, Challenged, Challenger, Login, Role, User, Verdict};
use offhook_sip_message::{HeaderName, Message, ParseOptions, Request, ValidRequest};

use crate::{
    every::{Stage, all, many},
    support::raw::{field, request},
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    /// The user asks with what it knows so far, and learns from a challenge.
    Asks,
    /// The user writes a request that does not arrive yet.
    Held,
    /// It arrives.
    Late,
    /// What has arrived last arrives again.
    Replayed,
    Bare,
    /// Someone asks with another password.
    Mallory,
    /// Another user gets in, for whom the challenger has to remember something too.
    Other,
    /// Half of the life of a nonce.
    Half,
    /// Longer than a nonce lives.
    Long,
}

use Happens::{Asks, Bare, Half, Held, Late, Long, Mallory, Other, Replayed};

struct Server {
    now: Instant,
    challenger: Challenger,
    alice: Authenticator,
    mallory: Authenticator,
    other: Authenticator,
    held: Option<ValidRequest>,
    last: Option<ValidRequest>,
    number: u32,
    /// The credentials that got in.
    accepted: HashSet<String>,
    /// The nonces, and when they were given out.
    given: HashMap<String, Instant>,
}

impl Stage for Server {
    type Happens = Happens;
    const ALL: &'static [Happens] = &[Asks, Held, Late, Replayed, Bare, Mallory, Other, Half, Long];
    const BEGINNINGS: usize = 2;

    /// One that remembers one nonce, or enough of them.
    fn begin(beginning: usize) -> Self {
        let now = Instant::now();
        let mut random = Random::from_seed(3);
        let challenger = Challenger::new(now, &mut random, Role::Server, REALM);
        let challenger = challenger.with_lifetime(LIFETIME);
        let mut knows =
            |user, password| Authenticator::new(random.fork(), [Login::new(REALM, user, password)]);
        Self {
            now,
            challenger: if beginning == 0 { challenger.with_capacity(1) } else { challenger },
            alice: knows("alice", "secret"),
            mallory: knows("alice", "guessed"),
            other: knows("bob", "zanzibar"),
            held: None,
            last: None,
            number: 0,
            accepted: HashSet::new(),
            given: HashMap::new(),
        }
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Asks => drop(self.asks()),
            Held => self.hold(),
            Late => {
                if let Some(request) = self.held.take() {
                    self.arrives(&request);
                }
            }
            Replayed => {
                if let Some(request) = self.last.clone() {
                    self.arrives(&request);
                }
            }
            Bare => {
                let message = self.message();
                assert!(self.arrives(&message).is_some(), "without credentials");
            }
            Mallory => self.knocks(),
            Other => {
                let message = self.message();
                let challenged = self.arrives(&message).unwrap();
                let reply = challenged.reply_to(&message).build().unwrap();
                let again = self.other.challenged(&message, &reply).unwrap().build().unwrap();
                assert!(self.arrives(&valid(again)).is_none());
            }
            Half => self.now += LIFETIME / 2,
            Long => self.now += LIFETIME * 2,
        }
    }

    /// Who knows the password gets in, at the second try at the latest.
    fn finish(mut self) {
        assert!(self.asks() || self.asks());
    }
}

impl Server {
    /// The next request, without credentials.
    fn message(&mut self) -> ValidRequest {
        self.number += 1;
        let branch = format!("z9hG4bKm{}", self.number);
        let text = request("MESSAGE", &branch, self.number, "", "");
        match Message::parse(Bytes::from(text.replace('\n', "\r\n"))).unwrap() {
            Message::Request(request) => valid(request),
            Message::Response(_) => panic!("a response"),
        }
    }

    /// A request of the user that has credentials, if need be after a challenge.
    fn hold(&mut self) {
        let message = self.message();
        let mut request = valid(self.alice.authorize(&message).build().unwrap());
        if request.headers().count(HeaderName::AUTHORIZATION) == 0 {
            let challenged = self.arrives(&request).unwrap();
            let reply = challenged.reply_to(&request).build().unwrap();
            request = valid(self.alice.challenged(&request, &reply).unwrap().build().unwrap());
        }
        self.held = Some(request);
    }

    /// Whether it gets in at once.
    fn asks(&mut self) -> bool {
        let message = self.message();
        let request = valid(self.alice.authorize(&message).build().unwrap());
        let Some(challenged) = self.arrives(&request) else { return true };
        let reply = challenged.reply_to(&request).build().unwrap();
        if let Ok(again) = self.alice.challenged(&request, &reply) {
            return self.arrives(&valid(again.build().unwrap())).is_none();
        }
        false
    }

    fn knocks(&mut self) {
        let message = self.message();
        let request = valid(self.mallory.authorize(&message).build().unwrap());
        let challenged = self.arrives(&request).expect("the wrong password");
        let reply = challenged.reply_to(&request).build().unwrap();
        if let Ok(again) = self.mallory.challenged(&request, &reply) {
            assert!(self.arrives(&valid(again.build().unwrap())).is_some(), "the wrong password");
        }
    }

    /// The challenge, if it does not get in.
    fn arrives(&mut self, request: &ValidRequest) -> Option<Challenged> {
        self.last = Some(request.clone());
        let user = |name: &str| match name {
            "alice" => Some(User::with_password("alice", "secret")),
            "bob" => Some(User::with_password("bob", "zanzibar")),
            _ => None,
        };
        let verdict = self.challenger.check(self.now, request, |claim| user(claim.username()));
        match verdict {
            Verdict::Authenticated(_) => {
                let text = String::from_utf8(request.as_bytes().to_vec()).unwrap();
                let credentials = field(&text, "Authorization").to_owned();
                let nonce = credentials.split(" nonce=\"").nth(1).unwrap();
                let given = self.given[nonce.split('"').next().unwrap()];
                assert!(self.now - given <= LIFETIME, "an old nonce");
                assert!(self.accepted.insert(credentials), "twice");
                None
            }
            Verdict::Challenged(challenged) => {
                for challenge in challenged.challenges() {
                    self.given.insert(challenge.nonce.to_string(), self.now);
                }
                Some(challenged)
            }
            other => panic!("{other:?}"),
        }
    }
}

fn valid(request: impl Into<Request>) -> ValidRequest {
    ValidRequest::new(request.into(), &ParseOptions::default()).unwrap()
}

const REALM: &str = "biloxi.example";
const LIFETIME: Duration = Duration::from_secs(300);

#[test]
fn a_challenger_lets_the_right_ones_in_whatever_happens() {
    many::<Server>();
}

#[test]
#[ignore = "takes minutes"]
fn a_challenger_lets_the_right_ones_in_whatever_six_things_happen() {
    all::<Server>();
}
