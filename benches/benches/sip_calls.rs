//! Whole calls between two user agents in memory: INVITE, 100, 180, 200, ACK, BYE, 200
//! (RFC 3261 §13, §15), each message written, read and checked by the other side.
//!
//! And one INVITE that comes again, among few and among many transactions.
//!
//! Virtual time goes on with each call, so that as many transactions linger as at that rate they do.

use std::time::Duration;

use criterion::{Criterion, Throughput};
use offhook_benches::{Agents, Crowd};

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut group = criterion.benchmark_group("sip calls");
    group.throughput(Throughput::Elements(1));
    for (name, rate) in [("100 a second", 100), ("1000 a second", 1_000)] {
        group.bench_function(name, |bencher| {
            let mut agents = full(rate);
            bencher.iter(|| agents.call());
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("sip transactions: a repeated INVITE is found among");
    for many in [1_000, 1_000_000] {
        let mut crowd = None;
        group.bench_function(many.to_string(), |bencher| {
            let crowd = crowd.get_or_insert_with(|| Crowd::new(many));
            bencher.iter(|| crowd.repeat());
        });
    }
    group.finish();
    criterion.final_summary();
}

/// Agents whose tables are as full as they get at `rate` calls a second.
fn full(rate: u32) -> Agents {
    let mut agents = Agents::new(Duration::from_secs(1) / rate);
    (0..rate * LINGER).for_each(|_| agents.call());
    agents
}

/// How many seconds a transaction lingers: 64*T1 (RFC 3261 §17).
const LINGER: u32 = 32;
