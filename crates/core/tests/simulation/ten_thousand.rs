//! Thousands of calls over a network that gets worse and better, and what became of each.

use std::{
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, Instant},
};

use offhook_core::Outgoing;
use offhook_sansio::{Flow, Machine, Random};
use offhook_sip::End;
use offhook_testkit::{HostId, Impairment, Network, Stopped};

use crate::{
    phone::{Phone, host},
    plan::{FOREIGN, Plan, between},
    verdict::{Case, only_end},
};

/// Three phones on one network: two that understand each other, and one with a foreign codec.
struct Town {
    seed: u64,
    plans: Rc<[Plan]>,
    network: Network<Phone>,
    phones: Vec<HostId>,
    /// The stretches of time in which nothing was lost.
    lossless: Vec<(Duration, Duration)>,
    random: Random,
}

impl Town {
    fn new(seed: u64, calls: usize) -> Self {
        let mut random = Random::from_seed(seed);
        let mut at = Duration::ZERO;
        let plans: Rc<[Plan]> = (0..calls)
            .map(|_| {
                at += between(&mut random, 0.1, 0.5);
                Plan::draw(at, &mut random)
            })
            .collect();
        let start = Instant::now();
        let mut network = Network::new(start, seed).audited();
        let phones = (0..=FOREIGN)
            .map(|me| network.host(Phone::new(me, start, &plans, seed), &[host(me).into()]))
            .collect();
        Self { seed, plans, network, phones, lossless: Vec::new(), random }
    }

    /// One phase after the other until all calls are placed and over.
    fn live(&mut self) {
        let last = self.plans.last().map_or(Duration::ZERO, |plan| plan.at);
        while self.network.elapsed() < last + LONGEST_CALL {
            let from = self.network.elapsed();
            let weather = self.weather();
            let until = self.network.now() + between(&mut self.random, 20.0, 60.0);
            self.network.run_until(until, |happened| match happened.event {}).unwrap();
            if weather {
                self.lossless.push((from, self.network.elapsed()));
            }
        }
        let limit = self.network.now() + Duration::from_secs(3600);
        let stopped = self.network.run_until_idle(limit, |happened| match happened.event {});
        assert_eq!(stopped.unwrap(), Stopped::Idle, "something goes on forever; {self}");
    }

    /// Draws what all links do from now on. `true` if they lose nothing.
    fn weather(&mut self) -> bool {
        let random = &mut self.random;
        let (blackout, one_way, fair) =
            (random.unit() < 0.12, random.unit() < 0.5, random.unit() < 0.3);
        let loss = if fair { 0.0 } else { 0.3 * random.unit() };
        let links = Impairment {
            delay: between(random, 0.001, 0.15),
            jitter: between(random, 0.0, 0.1),
            loss,
            loss_burst: 1.0 + 3.0 * random.unit(),
            duplication: 0.1 * random.unit(),
            reordering: 0.1 * random.unit(),
            reordering_hold: between(random, 0.0, 0.4),
        };
        let dark = Impairment { loss: 1.0, ..links };
        for (index, one) in self.phones.iter().enumerate() {
            for other in self.phones.iter().skip(index + 1) {
                self.network.link_one_way(*one, *other, if blackout { dark } else { links });
                let back = if blackout && !one_way { dark } else { links };
                self.network.link_one_way(*other, *one, back);
            }
        }
        loss == 0.0 && !blackout
    }

    fn phone(&self, number: usize) -> &Phone {
        self.network.host_ref(self.phones[number])
    }

    fn case(&self, index: usize) -> Case<'_> {
        let plan = &self.plans[index];
        let caller = &self.phone(plan.caller).diary[&index];
        Case { plan, caller, callee: self.phone(plan.callee).diary.get(&index) }
    }

    /// Whether all of a call, and what it left on its way, fell into one stretch without loss.
    fn was_lossless(&self, case: &Case<'_>) -> bool {
        let begun = case.caller.begun.unwrap();
        let views = [Some(case.caller), case.callee];
        let ends = views.into_iter().flatten().filter_map(|view| view.ends.last());
        let ended = ends.map(|(at, _)| *at).max().unwrap_or(Duration::MAX);
        self.lossless.iter().any(|(from, until)| *from <= begun && ended <= *until)
    }

    /// Checks every call and counts the pairs of ends.
    fn judge(&self) -> BTreeMap<(String, String), usize> {
        let mut table = BTreeMap::new();
        for index in 0..self.plans.len() {
            let case = self.case(index);
            let fault = case.fault(self.was_lossless(&case));
            let Case { plan, caller, callee } = &case;
            assert!(
                fault.is_none(),
                "call {index}: {}\n{plan:#?}\ncaller {caller:#?}\ncallee {callee:#?}\n{self}",
                fault.unwrap_or_default()
            );
            let seen = callee.map_or("never told".into(), |callee| name(only_end(callee)));
            *table.entry((name(only_end(caller)), seen)).or_default() += 1;
        }
        table
    }

    /// No phone broke a rule of the protocol.
    fn check_audit(&mut self) {
        let breaches = self.network.audit();
        let first = &breaches[..breaches.len().min(3)];
        assert!(breaches.is_empty(), "{} breaches, such as {first:#?}; {self}", breaches.len());
    }

    /// Nothing is left over anywhere.
    fn check_empty(&mut self) {
        for number in 0..self.phones.len() {
            let phone = self.phone(number);
            let endpoint = &phone.endpoint;
            assert_eq!(endpoint.live_calls(), 0, "calls; {self}");
            assert_eq!(endpoint.agent().live_calls(), 0, "SIP calls; {self}");
            assert_eq!(endpoint.agent().live_transactions(), 0, "transactions; {self}");
            assert_eq!(endpoint.poll_timeout(), None, "deadlines; {self}");
            assert_eq!(phone.live_lines(), 0, "lines; {self}");
        }
        // Every media socket that was ever used can be used again.
        for number in 0..self.phones.len() {
            let sockets = self.phone(number).used_sockets();
            let (local, remote) = (host(number), host((number + 1) % 3));
            let flow = Flow::udp((local, 5060).into(), (remote, 5060).into());
            let target: offhook_sip_message::Uri = "sip:again@192.0.2.99".parse().unwrap();
            self.network.tell(self.phones[number], |phone, now| {
                for pair in sockets {
                    phone.endpoint.call(now, Outgoing::new(target.clone(), flow), pair).unwrap();
                }
            });
        }
    }
}

impl std::fmt::Display for Town {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, .. } = self;
        write!(f, "at {:?}; repeat with OFFHOOK_SEED={seed} ", self.network.elapsed())?;
        write!(f, "cargo test -p offhook-core --test simulation ten_thousand")
    }
}

fn name(end: Option<&End>) -> String {
    match end {
        Some(End::Rejected { status, .. }) => format!("Rejected {}", status.as_u16()),
        Some(End::Refused { status }) => format!("Refused {}", status.as_u16()),
        Some(end) => format!("{end:?}"),
        None => "none".to_owned(),
    }
}

fn seed() -> u64 {
    std::env::var("OFFHOOK_SEED").map_or(SEED, |seed| seed.parse().expect("a number"))
}

/// Told once the test fails, also when a machine panics in the middle.
struct Repeat(u64);

impl Drop for Repeat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("repeat with OFFHOOK_SEED={}", self.0);
        }
    }
}

#[test]
fn ten_thousand_calls_over_a_bad_network_all_end_once_and_leave_nothing_behind() {
    let repeat = Repeat(seed());
    let begun = Instant::now();
    let mut town = Town::new(repeat.0, 10_000);
    town.live();
    let table = town.judge();
    println!(" calls  the caller saw   the callee saw");
    for ((caller, callee), count) in &table {
        println!("{count:>6}  {caller:<16} {callee}");
    }
    let lossless = (0..10_000).filter(|index| town.was_lossless(&town.case(*index))).count();
    let stale: u64 = (0..3).map(|number| town.phone(number).verbs_on_stale_calls).sum();
    let speech: u32 =
        (0..2).flat_map(|number| town.phone(number).diary.values()).map(|view| view.speech).sum();
    println!(
        "{:?} of calls in {:?}; {lossless} calls without loss, {stale} verbs on calls that were \
         over, {speech} frames of speech heard; {:?}",
        town.network.elapsed(),
        begun.elapsed(),
        town.network.counters()
    );
    // The weather and the people were bad enough for every kind of end.
    for wanted in ["Rejected 486", "Rejected 603", "Rejected 488", "TimedOut"].into_iter().chain([
        "Cancelled",
        "HungUp",
        "PeerHungUp",
    ]) {
        assert!(table.keys().any(|(caller, _)| caller == wanted), "no {wanted}; {town}");
    }
    for wanted in ["NotAcknowledged", "PeerCancelled", "PeerHungUp", "HungUp", "never told"] {
        assert!(table.keys().any(|(_, callee)| callee == wanted), "no {wanted}; {town}");
    }
    // And yet retransmissions carried all but a few through.
    let unlucky = |table: &BTreeMap<(String, String), usize>, end: &str| -> usize {
        table.iter().filter(|((a, b), _)| a == end || b == end).map(|(_, count)| count).sum()
    };
    assert!(unlucky(&table, "TimedOut") < 800, "{town}");
    assert!(unlucky(&table, "NotAcknowledged") < 150, "{town}");
    assert!(lossless > 200 && stale > 1000 && speech > 5_000, "{town}");
    town.check_audit();
    town.check_empty();
}

#[test]
fn the_same_seed_gives_the_same_calls() {
    let run = || {
        let mut town = Town::new(5, 150);
        town.live();
        (town.judge(), *town.network.counters(), town.network.elapsed())
    };
    assert_eq!(run(), run());
}

/// Every phone hangs up or gives up long before this.
const LONGEST_CALL: Duration = Duration::from_secs(300);

/// Any number will do.
const SEED: u64 = 20_261_122;
