//! All jobs of all peers on all messages in one process, in interleaved rounds, so that whatever
//! else the machine does falls on all of them. A round is twenty slices of a millisecond, of which
//! the shortest counts: a slice in which the machine did something else is longer. Prints medians of
//! the rounds, ratios, and what offhook must reach.
//!
//! `--rounds N` takes N rounds for 30, `--test` one short one.

use std::time::Duration;

use offhook_bench_peers::{all_candidates, names};
use offhook_benches::{
    MESSAGES,
    sip::{Candidate, Job, Offhook, Peer},
};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let test = arguments.iter().any(|argument| argument == "--test");
    let rounds = arguments.iter().position(|argument| argument == "--rounds");
    let rounds = rounds.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(30);
    let (rounds, slice) = if test { (1, Duration::ZERO) } else { (rounds, SLICE) };
    let mut rows: Vec<Row> = Job::ALL
        .into_iter()
        .flat_map(|job| all_candidates(job).into_iter().map(move |it| Row::new(job, it)))
        .collect();
    for row in &mut rows {
        row.calibrate(slice);
    }
    for _ in 0..rounds {
        for row in &mut rows {
            row.round();
        }
    }
    let table = Table { rows, names: names() };
    for job in Job::ALL {
        table.print(job);
    }
    table.print_musts();
}

const SLICE: Duration = Duration::from_millis(1);
const SLICES: usize = 20;

struct Row {
    job: Job,
    candidate: Candidate,
    times: u64,
    /// Nanoseconds.
    samples: Vec<f64>,
}

impl Row {
    fn new(job: Job, candidate: Candidate) -> Self {
        Self { job, candidate, times: 1, samples: Vec::new() }
    }

    fn calibrate(&mut self, slice: Duration) {
        while self.candidate.run(self.times) < slice / 2 {
            self.times *= 2;
        }
    }

    fn round(&mut self) {
        let slices = (0..SLICES).map(|_| self.candidate.run(self.times));
        let shortest = slices.min().unwrap_or_default();
        self.samples.push(shortest.as_nanos() as f64 / self.times as f64);
    }

    fn median(&self) -> f64 {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

struct Table {
    rows: Vec<Row>,
    names: Vec<&'static str>,
}

impl Table {
    fn find(&self, job: Job, peer: &str, message: &str) -> Option<&Row> {
        self.rows.iter().find(|row| {
            row.job == job && row.candidate.peer == peer && row.candidate.message == message
        })
    }

    /// The peer's time divided by offhook's.
    fn ratio(&self, job: Job, peer: &str, message: &str) -> Option<f64> {
        let ours = self.find(job, Offhook::NAME, message)?.median();
        Some(self.find(job, peer, message)?.median() / ours)
    }

    fn print(&self, job: Job) {
        println!("\n{}: time, and time ÷ offhook's{}\n", job.name(), note(job));
        print!("| peer |");
        for (message, bytes) in MESSAGES {
            print!(" {message}, {} B |", bytes.len());
        }
        println!("\n|---|{}", "---|".repeat(MESSAGES.len()));
        for peer in &self.names {
            print!("| {peer} |");
            for (message, _) in MESSAGES {
                print!(" {} |", self.cell(job, peer, message));
            }
            println!();
        }
    }

    fn cell(&self, job: Job, peer: &str, message: &str) -> String {
        let Some(row) = self.find(job, peer, message) else { return "–".to_owned() };
        let mut cell = format!("{} ns", row.median().round());
        if let Some(ratio) = self.ratio(job, peer, message).filter(|_| peer != Offhook::NAME) {
            cell += &format!(", {ratio:.1}");
        }
        if let Some(typed) = row.candidate.typed_rows {
            cell += &format!(" ({typed})");
        }
        cell
    }

    fn print_musts(&self) {
        println!("\nWhat offhook must reach, against the fastest peer of all:\n");
        println!(
            "| must | message | fastest peer | its time ÷ offhook's | |\n|---|---|---|---|---|"
        );
        for (job, least, must) in MUSTS {
            for (message, _) in MESSAGES {
                let others = self.names.iter().filter(|name| **name != Offhook::NAME);
                let ratios =
                    others.filter_map(|peer| Some((self.ratio(job, peer, message)?, peer)));
                let Some((ratio, peer)) = ratios.min_by(|one, other| one.0.total_cmp(&other.0))
                else {
                    continue;
                };
                let verdict = if ratio >= least { "met" } else { "missed" };
                println!("| {must} | {message} | {peer} | {ratio:.2} | {verdict} |");
            }
        }
        println!(
            "\nAllocations are counted by `cargo test -p offhook-benches --test allocations`."
        );
    }
}

/// The least ratio for each job.
const MUSTS: [(Job, f64, &str); 4] = [
    (Job::Route, 5.0, "route in 1/5 of its time"),
    (Job::Full, 2.0, "full in 1/2 of its time"),
    (Job::Write, 1.0, "write as fast"),
    (Job::Edit, 1.0, "edit as fast"),
];

fn note(job: Job) -> &'static str {
    match job {
        Job::Full => "; in brackets how many rows have a type (C: how many values)",
        Job::Route | Job::Write | Job::Edit => "",
    }
}
