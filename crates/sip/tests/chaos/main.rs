//! Thousands of calls among three user agents whose users do what comes to their minds, over a wire
//! that loses, repeats and reorders: every call ends, nothing is left, and no rule is broken.
#![cfg(test)]

use std::collections::BTreeMap;

mod context;
mod message;
mod proxy;
mod user;
mod world;

use world::{Settings, World};

#[test]
fn hundreds_of_calls_end_and_break_no_rule() {
    let mut sent = BTreeMap::<String, usize>::new();
    for seed in 0..8 {
        for (what, times) in World::new(seed, Settings::default()).run(250) {
            *sent.entry(what).or_default() += times;
        }
    }
    println!("{sent:?}");
    for what in EVERYTHING {
        assert!(sent.get(*what).is_some_and(|times| *times >= 5), "{what}: {sent:?}");
    }
}

#[test]
fn calls_with_one_who_has_forgotten_them_end_as_well() {
    for seed in 100..104 {
        let settings = Settings { restarts: true, ..Settings::default() };
        World::new(seed, settings).run(150);
    }
}

#[test]
fn nothing_gets_lost_on_a_wire_that_loses_nothing() {
    for seed in 200..202 {
        let settings = Settings { loss: 0.0, copies: 0.0, ..Settings::default() };
        World::new(seed, settings).run(150);
    }
}

#[test]
fn calls_that_a_proxy_forks_end_and_break_no_rule() {
    let mut happened = BTreeMap::<String, usize>::new();
    for seed in 300..306 {
        let settings = Settings { forks: 0.7, ..Settings::default() };
        for (what, times) in World::new(seed, settings).run(200) {
            *happened.entry(what).or_default() += times;
        }
    }
    println!("{happened:?}");
    for what in ["forked", "cancelled", "accepted twice", "failed", "passed on"] {
        let times = happened.get(&format!("proxy: {what}"));
        assert!(times.is_some_and(|times| *times >= 10), "{what}: {happened:?}");
    }
}

/// See `CONTRIBUTING.md`.
#[test]
#[ignore = "takes minutes"]
fn a_hundred_thousand_calls_end_and_break_no_rule() {
    for seed in 1_000..1_200 {
        let restarts = seed % 4 == 3;
        let forks = if seed % 2 == 0 { 0.5 } else { 0.0 };
        World::new(seed, Settings { restarts, forks, ..Settings::default() }).run(500);
    }
}

/// What has to happen often enough among a thousand calls.
const EVERYTHING: &[&str] = &[
    "INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "INFO", "REFER", "NOTIFY", "100", "180",
    "183", "200", "202", "302", "480", "481", "487", "488", "491", "500",
];
