//! Counts allocations: none for an RTP packet in either direction, none to route a SIP message,
//! one to write it; and the bytes that a call keeps.
//!
//! A global allocator cannot be written without `unsafe`; this is the one place here that has any.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
    time::{Duration, Instant},
};

use bytes::Bytes;
use offhook_benches::{
    Accounts, Agents, FRAME, INVITE, MESSAGES, Wire, leg,
    sip::{Offhook, Peer, received},
    tone,
};
use offhook_media::{Heard, Leg};
use offhook_sansio::{Machine, Transmit};
use offhook_sip_message::{Message, ParseOptions, Request, ValidRequest};

struct Counting;

thread_local! {
    /// Each test has a thread of its own, so that tests do not count each other.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// What was allocated and not freed.
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged. Counting neither allocates nor
// unwinds: the cell is constant-initialised and has no destructor, so it is there at all times.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.set(BYTES.get().wrapping_sub(layout.size()));
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn count(taken: usize, given_back: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    BYTES.set(BYTES.get().wrapping_add(taken).wrapping_sub(given_back));
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations_of<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.get();
    let result = work();
    (ALLOCATIONS.get() - before, result)
}

#[test]
fn the_counter_counts() {
    let (count, _) = allocations_of(|| black_box(Box::new(1)));
    assert_eq!(count, 1);
    let mut growing = Vec::with_capacity(1);
    let (count, ()) = allocations_of(|| growing.extend_from_slice(black_box(&[0; 100])));
    assert_eq!(count, 1);
}

#[test]
fn no_rtp_packet_that_is_sent_allocates() {
    let mut now = Instant::now();
    let mut leg = leg(now, 1).unwrap();
    let frame = tone();
    let mut send = |packets: u32| {
        for _ in 0..packets {
            now += FRAME;
            leg.send_audio(now, &frame).unwrap();
            assert!(leg.poll_transmit().is_some_and(|sent| sent.payload.len() == 172));
        }
    };
    send(100);
    let (count, ()) = allocations_of(|| send(1000));
    assert_eq!(count, 0);
}

#[test]
fn no_rtp_packet_that_is_received_and_played_allocates() {
    let mut now = Instant::now();
    let (mut far, mut near) = (leg(now, 1).unwrap(), leg(now, 2).unwrap());
    let packets = packets(&mut far, now, 1100);
    let (mut wire, mut frame, mut speech) = (Wire::default(), tone(), 0);
    let mut hear = |packets: &[Transmit]| {
        for packet in packets {
            now += FRAME;
            near.receive(now, wire.datagram(packet));
            while near.poll_event().is_some() {}
            speech += usize::from(near.play_audio(now, &mut frame).unwrap() == Heard::Speech);
        }
    };
    hear(&packets[..100]);
    let (count, ()) = allocations_of(|| hear(&packets[100..]));
    assert_eq!(count, 0);
    assert!(speech > 1000, "the packets were played: {speech}");
}

#[test]
fn a_call_of_a_minute_with_its_reports_allocates_nothing() {
    let mut now = Instant::now();
    let (mut one, mut other) = (leg(now, 1).unwrap(), leg(now, 2).unwrap());
    let (mut wire, mut frame, mut carried) = (Wire::default(), tone(), 0);
    let mut talk = |frames: u32| {
        for _ in 0..frames {
            now += FRAME;
            for way in 0..2 {
                let (near, far) =
                    if way == 0 { (&mut one, &mut other) } else { (&mut other, &mut one) };
                near.send_audio(now, &frame).unwrap();
                carried += wire.carry(now, near, far);
                near.play_audio(now, &mut frame).unwrap();
                if near.poll_timeout().is_some_and(|due| due <= now) {
                    near.handle_timeout(now);
                    carried += wire.carry(now, near, far);
                }
            }
        }
        carried
    };
    // The first reports tell each side who the other is.
    talk(1000);
    let (count, carried) = allocations_of(|| talk(3000));
    assert_eq!(count, 0);
    assert!(carried > 8010, "reports went out, too: {carried}");
}

#[test]
fn a_lossy_stream_is_concealed_without_an_allocation() {
    let mut now = Instant::now();
    let (mut far, mut near) = (leg(now, 1).unwrap(), leg(now, 2).unwrap());
    let packets = packets(&mut far, now, 1100);
    let (mut wire, mut frame, mut concealed) = (Wire::default(), tone(), 0);
    let mut hear = |packets: &[Transmit]| {
        for (at, packet) in packets.iter().enumerate() {
            now += FRAME;
            if at % 7 != 3 {
                near.receive(now, wire.datagram(packet));
            }
            while near.poll_event().is_some() {}
            concealed += usize::from(near.play_audio(now, &mut frame).unwrap() == Heard::Concealed);
        }
    };
    hear(&packets[..100]);
    let (count, ()) = allocations_of(|| hear(&packets[100..]));
    assert_eq!(count, 0);
    assert!(concealed > 100, "losses were concealed: {concealed}");
}

#[test]
fn what_a_proxy_reads_of_a_message_allocates_nothing() {
    for (name, message) in MESSAGES {
        let datagram = received(message);
        let (count, read) = allocations_of(|| Offhook::route(&datagram, |values| values.cseq > 0));
        assert_eq!((count, read), (0, Some(true)), "{name}");
    }
}

/// How many there are is told by `cargo test -p offhook-benches --test allocations -- --nocapture`.
#[test]
fn every_header_field_as_its_type_allocates_a_few_times() {
    for (name, message) in MESSAGES {
        let datagram = received(message);
        let (count, rows) = allocations_of(|| Offhook::full(&datagram));
        eprintln!("{name}: {count} allocations for {rows:?} rows with a type");
        assert!(count <= 8, "{name}: {count}");
    }
}

#[test]
fn a_message_is_written_with_one_allocation() {
    for (name, message) in MESSAGES {
        let datagram = received(message);
        let mut built = Offhook::built(&datagram).unwrap();
        let (count, written) = allocations_of(|| Offhook::write(&mut built));
        eprintln!("{name}: {count} allocations to write it");
        assert!(written.is_some_and(|written| written.as_ref() == message), "{name}");
        assert!(count <= 1, "{name}: {count}");

        let mut parsed = Offhook::parsed(&datagram).unwrap();
        let (count, written) = allocations_of(|| Offhook::edit(&mut parsed));
        eprintln!("{name}: {count} allocations to change and write it");
        assert!(written.is_some(), "{name}");
    }
}

#[test]
fn a_valid_request_is_one_allocation_and_what_its_values_need() {
    let datagram = received(INVITE);
    let (count, valid) =
        allocations_of(|| ValidRequest::new(request(datagram), &ParseOptions::default()).unwrap());
    eprintln!("{count} allocations for a valid request");
    assert!(count <= 3, "{count}");
    assert_eq!(valid.max_forwards(), Some(70));
}

/// What a leg sends within `count` frames, without its reports.
fn packets(leg: &mut Leg, mut now: Instant, count: usize) -> Vec<Transmit> {
    let frame = tone();
    let send = |_| {
        now += FRAME;
        leg.send_audio(now, &frame).ok()?;
        leg.poll_transmit()
    };
    (0..count).filter_map(send).collect()
}

fn request(datagram: Bytes) -> Request {
    match Message::parse(datagram) {
        Ok(Message::Request(request)) => request,
        other => unreachable!("{other:?} is no request"),
    }
}

#[test]
fn a_call_that_stands_takes_at_most_eight_kib_at_each_side() {
    const CALLS: usize = 4_000;
    let mut agents = Agents::new(Duration::from_millis(1));
    let before = BYTES.get();
    (0..CALLS).for_each(|_| agents.hold());
    let fresh = (BYTES.get() - before) / CALLS / 2;
    agents.pass(Duration::from_secs(60));
    assert_eq!((agents.live_calls(), agents.live_transactions()), ((CALLS, CALLS), (0, 0)));
    let settled = (BYTES.get() - before) / CALLS / 2;
    println!("a call at each side: {fresh} bytes at first, {settled} when its INVITE is forgotten");
    assert!(fresh <= 8 * 1024 && settled <= 8 * 1024);
}

#[test]
fn an_account_that_is_registered_takes_at_most_eight_kib() {
    const ACCOUNTS: usize = 4_000;
    let mut accounts = Accounts::new();
    let before = BYTES.get();
    (0..ACCOUNTS).for_each(|_| accounts.register());
    accounts.pass(Duration::from_secs(60));
    assert_eq!(accounts.live(), (ACCOUNTS, 0));
    let fresh = (BYTES.get() - before) / ACCOUNTS;
    let refreshes = accounts.pass(Duration::from_secs(10 * 3_600));
    accounts.pass(Duration::from_secs(60));
    let settled = (BYTES.get() - before) / ACCOUNTS;
    println!("an account: {fresh} bytes at first, {settled} after {refreshes} refreshes of all");
    assert!(refreshes >= 10 * ACCOUNTS, "each is refreshed every hour");
    assert!(fresh <= 8 * 1024 && settled <= fresh + 64);
}

#[test]
fn a_call_that_is_modified_for_ever_takes_no_more_memory() {
    let mut agents = Agents::new(Duration::from_secs(1));
    agents.hold();
    let mut bytes = Vec::new();
    for _ in 0..5 {
        (0..10_000).for_each(|_| agents.modify());
        agents.pass(Duration::from_secs(60));
        assert_eq!((agents.live_calls(), agents.live_transactions()), ((1, 1), (0, 0)));
        bytes.push(BYTES.get());
    }
    println!("after each 20000 re-INVITEs, half of them of either side: {bytes:?}");
    // Tables are as large as they get after the first ten thousands.
    assert!(bytes[1..].iter().all(|later| *later <= bytes[1]), "{bytes:?}");
}
