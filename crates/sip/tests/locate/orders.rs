//! Any answers in any order, any failures and any delays end in targets or an error, within the
//! bounds.

use std::time::Duration;

use offhook_sansio::Protocol::{self, Tcp, Tls, Udp, Ws, Wss};
use offhook_sip::{
    DnsAnswer, DnsQuestion, DnsRecord, DnsValue, Failure, LocateError, LocatorConfig, LocatorEvent,
    Naptr, NextHop, Srv,
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::zone::Bench;

const ALL: [Protocol; 5] = [Udp, Tcp, Tls, Ws, Wss];
const NAMES: [&str; 6] = [
    "example.com",
    "_sip._udp.example.com",
    "_sips._tcp.example.com",
    "a.example",
    "b.example",
    ".",
];
const URIS: [&str; 8] = [
    "sip:example.com",
    "sips:example.com",
    "sip:example.com;transport=tcp",
    "sips:example.com;transport=ws",
    "sip:a.example:5070",
    "sip:b.example;maddr=a.example",
    "sip:192.0.2.1",
    "sip:[2001:db8::1]:7000",
];

#[derive(Clone, Debug)]
enum Step {
    Locate(&'static str),
    /// Answers one of the questions that are open, and perhaps again.
    Answer(usize, DnsAnswer, bool),
    Wait(u64),
    Fail(usize, Failure),
    Reach(usize),
    Abandon(usize),
}

fn value() -> impl Strategy<Value = DnsValue> {
    let name = || select(&NAMES[..]).prop_map(|name| name.parse().unwrap());
    let services = select(&["SIP+D2U", "SIPS+D2T", "SIP+D2W", "SIP+D2S", ""][..]);
    prop_oneof![
        (0..3_u16, 0..3_u16, services, name()).prop_map(
            |(order, preference, services, replacement)| {
                let (flags, services, regexp) = ("s".into(), services.into(), String::new());
                DnsValue::Naptr(Naptr { order, preference, flags, services, regexp, replacement })
            }
        ),
        (0..3_u16, 0..3_u16, 0..3_u16, name()).prop_map(|(priority, weight, port, target)| {
            DnsValue::Srv(Srv { priority, weight, port, target })
        }),
        (0..9_u8).prop_map(|last| DnsValue::Address([192, 0, 2, last].into())),
        (0..9_u16).prop_map(|last| DnsValue::Address([0x2001, 0xdb8, 0, 0, 0, 0, 0, last].into())),
    ]
}

fn answer() -> impl Strategy<Value = DnsAnswer> {
    let ttl = || (0..20_u64).prop_map(Duration::from_secs);
    let record = (ttl(), value()).prop_map(|(ttl, value)| DnsRecord { ttl, value });
    prop_oneof![
        4 => vec(record, 0..40).prop_map(DnsAnswer::Records),
        1 => ttl().prop_map(|ttl| DnsAnswer::NoRecords { ttl }),
        1 => ttl().prop_map(|ttl| DnsAnswer::NoSuchName { ttl }),
        1 => Just(DnsAnswer::Failed),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let after = proptest::option::of((0..100_u64).prop_map(Duration::from_secs));
    let failure = prop_oneof![
        Just(Failure::Transport),
        Just(Failure::TimedOut),
        after.prop_map(|retry_after| Failure::Unavailable { retry_after }),
    ];
    prop_oneof![
        2 => select(&URIS[..]).prop_map(Step::Locate),
        6 => (0..64_usize, answer(), any::<bool>())
            .prop_map(|(at, answer, again)| Step::Answer(at, answer, again)),
        1 => (0..5_000_u64).prop_map(Step::Wait),
        2 => (0..8_usize, failure).prop_map(|(at, failure)| Step::Fail(at, failure)),
        1 => (0..8_usize).prop_map(Step::Reach),
        1 => (0..8_usize).prop_map(Step::Abandon),
    ]
}

/// What is under way besides the bench.
#[derive(Default)]
struct Run {
    open: Vec<DnsQuestion>,
    /// Lookups with how many targets they have given, and whether one is being tried.
    live: Vec<(offhook_sip::LookupId, usize, bool)>,
}

impl Run {
    fn take(&mut self, bench: &mut Bench, step: Step) {
        match step {
            Step::Locate(uri) => {
                let hop = NextHop::of_uri(&uri.parse().unwrap()).unwrap();
                match bench.locator.locate(bench.now, &hop) {
                    Ok(lookup) => self.live.push((lookup, 0, false)),
                    Err(error) => assert_eq!(error, LocateError::TooManyLookups),
                }
            }
            Step::Answer(at, answer, again) => {
                if !self.open.is_empty() {
                    let question = self.open.swap_remove(at % self.open.len());
                    for _ in 0..=usize::from(again) {
                        bench.locator.answer(bench.now, question.id, answer.clone());
                    }
                }
            }
            Step::Wait(milliseconds) => {
                bench.now += Duration::from_millis(milliseconds);
                bench.locator.handle_timeout(bench.now);
            }
            Step::Fail(at, failure) => {
                if let Some((lookup, _, trying)) = self.live.get_mut(at) {
                    let result = bench.locator.failed(bench.now, *lookup, failure);
                    assert_eq!(result.is_ok(), *trying);
                    *trying = false;
                }
            }
            Step::Reach(at) => {
                if let Some((lookup, _, trying)) = self.live.get(at).copied() {
                    assert_eq!(bench.locator.reached(lookup).is_ok(), trying);
                    self.live.retain(|(other, ..)| !trying || *other != lookup);
                }
            }
            Step::Abandon(at) => {
                if at < self.live.len() {
                    bench.locator.abandon(self.live.remove(at).0);
                }
            }
        }
        self.drain(bench);
    }

    fn drain(&mut self, bench: &mut Bench) {
        while let Some(question) = bench.locator.poll_question() {
            self.open.push(question);
        }
        while let Some(event) = bench.locator.poll_event() {
            let at = self.live.iter().position(|(lookup, ..)| *lookup == event.lookup());
            let at = at.expect("an event is about a lookup that lives");
            match event {
                LocatorEvent::Try { target, .. } => {
                    let (_, given, trying) = &mut self.live[at];
                    assert!(!*trying, "one target at a time");
                    (*given, *trying) = (*given + 1, true);
                    assert!(*given <= 16 && !target.address.ip().is_unspecified());
                }
                LocatorEvent::Refused { .. } => drop(self.live.remove(at)),
                _ => unreachable!(),
            }
        }
    }

    /// Lets all time limits pass and all targets fail: everything must end.
    fn finish(&mut self, bench: &mut Bench) {
        for _ in 0..1_000 {
            for (lookup, _, trying) in &mut self.live {
                if std::mem::take(trying) {
                    bench.locator.failed(bench.now, *lookup, Failure::TimedOut).unwrap();
                }
            }
            self.drain(bench);
            match bench.locator.poll_timeout() {
                Some(due) => bench.now = bench.now.max(due),
                None if self.live.is_empty() => return,
                None => assert!(self.live.iter().any(|(.., trying)| *trying), "a lookup is stuck"),
            }
            bench.locator.handle_timeout(bench.now);
            self.drain(bench);
        }
        panic!("it does not end");
    }
}

proptest! {
    #[test]
    fn any_answers_in_any_order_end_in_targets_or_an_error(steps in vec(step(), 0..80)) {
        let mut config = LocatorConfig::new(ALL);
        (config.max_lookups, config.max_cached, config.max_failures) = (8, 6, 4);
        let mut bench = Bench::with(config, "");
        let mut run = Run::default();
        for step in steps {
            run.take(&mut bench, step);
        }
        let start = bench.now;
        run.finish(&mut bench);
        prop_assert!(bench.now <= start + Duration::from_secs(8));
        let asked = bench.locator.statistics().asked;
        prop_assert!(asked <= 24 * 82);
    }
}
