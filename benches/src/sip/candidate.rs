//! A job of a peer on a message, ready to be timed, and the check that it is done right.

use std::{
    fmt,
    hint::black_box,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Job, Peer, Routing, Start, VIA_BRANCH, offhook::Offhook, received};
use crate::MESSAGES;

/// One job of one peer on one message.
pub struct Candidate {
    /// The peer's name and version.
    pub peer: &'static str,
    /// The message's name.
    pub message: &'static str,
    /// How long the message is.
    pub length: usize,
    /// How many rows of the message the peer has types for; for [`Job::Full`] only.
    pub typed_rows: Option<usize>,
    work: Box<dyn FnMut(u64) -> Duration>,
}

impl Candidate {
    /// Does the job so many times and tells how long that took.
    pub fn run(&mut self, times: u64) -> Duration {
        (self.work)(times)
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.peer, self.message)
    }
}

/// The job on each message that the peer can do it on.
pub fn candidates<P: Peer>(job: Job) -> Vec<Candidate> {
    let able = MESSAGES.into_iter().filter(|(_, message)| agrees::<P>(job, message));
    able.map(|(name, message)| {
        let datagram = received(message);
        let typed_rows = if job == Job::Full { P::full(&datagram) } else { None };
        let work: Box<dyn FnMut(u64) -> Duration> = match job {
            Job::Route => Box::new(move |times| route::<P>(&datagram, times)),
            Job::Full => Box::new(move |times| full::<P>(&datagram, times)),
            Job::Write => Box::new(move |times| write::<P>(&datagram, times)),
            Job::Edit => Box::new(move |times| edit::<P>(&datagram, times)),
        };
        Candidate { peer: P::NAME, message: name, length: message.len(), typed_rows, work }
    })
    .collect()
}

/// Whether the peer does the job on the message, and comes to the same values as offhook.
pub fn agrees<P: Peer>(job: Job, message: &[u8]) -> bool {
    let datagram = received(message);
    let same = |bytes: &Bytes, expected: &dyn Fn(&Routing<'_>) -> bool| {
        Offhook::route(bytes, |found| expected(found)).unwrap_or(false)
    };
    match job {
        Job::Route => P::route(&datagram, |theirs| same(&datagram, &|ours| ours == theirs)),
        Job::Full => P::full(&datagram).map(|rows| rows > 0),
        Job::Write => P::built(&datagram).and_then(|mut built| {
            let written = Bytes::copy_from_slice(P::write(&mut built)?.as_ref());
            Offhook::route(&written, |theirs| same(&datagram, &|ours| ours == theirs))
        }),
        Job::Edit => P::parsed(&datagram).and_then(|mut parsed| {
            let written = Bytes::copy_from_slice(P::edit(&mut parsed)?.as_ref());
            let second_branch = second_branch(message);
            Offhook::route(&written, |theirs| {
                same(&datagram, &|ours| theirs == &edited(ours, second_branch))
            })
        }),
    }
    .unwrap_or(false)
}

/// What the values are after the change.
fn edited<'a>(values: &Routing<'a>, second_branch: Option<&'a str>) -> Routing<'a> {
    let branch = match values.start {
        Start::Request(_) => VIA_BRANCH,
        Start::Response(_) => second_branch.unwrap_or_default(),
    };
    let max_forwards = values.max_forwards.map(|hops| hops.saturating_sub(1));
    Routing { branch, max_forwards, ..*values }
}

/// The branch of the `Via` below the top one, found by the eye.
fn second_branch(message: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(message).ok()?;
    let row = text.split("\r\nVia: ").nth(2)?.lines().next()?;
    let branch = row.split(';').find_map(|part| part.strip_prefix("branch="));
    branch.map(str::trim)
}

fn route<P: Peer>(datagram: &Bytes, times: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        black_box(P::route(black_box(datagram), |values| {
            black_box(values);
        }));
    }
    start.elapsed()
}

fn full<P: Peer>(datagram: &Bytes, times: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        black_box(P::full(black_box(datagram)));
    }
    start.elapsed()
}

fn write<P: Peer>(datagram: &Bytes, times: u64) -> Duration {
    in_batches(times, || P::built(datagram), P::write)
}

fn edit<P: Peer>(datagram: &Bytes, times: u64) -> Duration {
    in_batches(times, || P::parsed(datagram), P::edit)
}

/// Times the work alone, not the making and dropping of what it works on. Batches are small, so
/// that all of one stays in the cache.
fn in_batches<T, R>(
    times: u64,
    make: impl Fn() -> Option<T>,
    work: impl Fn(&mut T) -> Option<R>,
) -> Duration {
    let (mut total, mut left) = (Duration::ZERO, times);
    while left > 0 {
        let count = left.min(BATCH);
        let mut batch: Vec<T> = (0..count).filter_map(|_| make()).collect();
        let start = Instant::now();
        for item in &mut batch {
            black_box(work(black_box(item)));
        }
        total = total.saturating_add(start.elapsed());
        left = left.saturating_sub(count);
    }
    total
}

const BATCH: u64 = 16;
