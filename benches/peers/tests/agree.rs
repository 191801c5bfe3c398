//! Every peer comes to the same values as offhook on every message, or is known not to.

use offhook_bench_peers::*;
use offhook_benches::{
    MESSAGES,
    sip::{Job, Offhook, Peer, Rsip, agrees},
};

/// What a peer cannot do, with the reason in `README.md`.
const CANNOT: &[(&str, &str, Job)] = &[("ezk-sip-types 0.6.5", "register", Job::Full)];

fn check<P: Peer>() {
    for (name, message) in MESSAGES {
        for job in Job::ALL {
            let known = CANNOT.contains(&(P::NAME, name, job));
            assert_eq!(agrees::<P>(job, message), !known, "{} {job:?} {name}", P::NAME);
        }
    }
}

#[test]
fn offhook_agrees_with_itself() {
    check::<Offhook>();
}

#[test]
fn the_parsers_in_rust_agree() {
    check::<Rsip>();
    check::<Rsipstack>();
    check::<Rsiprtp>();
    check::<Ezk>();
    check::<Rvoip>();
}

#[cfg(feature = "c-peers")]
#[test]
fn the_parsers_in_c_agree() {
    check::<Osip>();
    check::<Sofia>();
}
