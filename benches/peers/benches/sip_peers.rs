//! Each job of each peer on each message, by criterion: groups `sip route`, `sip full`, `sip write`
//! and `sip edit`.

use std::time::Duration;

use criterion::{Criterion, Throughput};
use offhook_bench_peers::all_candidates;
use offhook_benches::sip::Job;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for job in Job::ALL {
        let mut group = criterion.benchmark_group(job.name());
        for mut candidate in all_candidates(job) {
            group.throughput(Throughput::Bytes(candidate.length as u64));
            let name = format!("{}/{}", candidate.message, candidate.peer);
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|times| candidate.run(times));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
