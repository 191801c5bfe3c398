//! What holders of handles may rely on, over real sockets on loopback.
//!
//! Time is real here, for the runtime's is; T1 is short, so that nothing waits for half a minute.
#![cfg(test)]

use std::{
    net::{SocketAddr, UdpSocket},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use offhook_audio::{Frame, NullSink, Silence, ToneSource, WavSource};
use offhook_core::Ending;
use offhook_sip::End;
use offhook_sip_message::StatusCode;
use offhook_tokio::{Builder, Call, Ended, Endpoint, Error};

const T1: Duration = Duration::from_millis(20);
const RATE: u32 = 8000;

fn builder(name: &str) -> Builder {
    let sip = offhook_sip::Config { t1: T1, ..offhook_sip::Config::default() };
    Endpoint::builder(&format!("sip:{name}@127.0.0.1")).sip(sip)
}

async fn endpoint(name: &str) -> Endpoint {
    builder(name).bind("127.0.0.1:0").await.unwrap()
}

async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it waits for ever")
}

fn uri(address: SocketAddr) -> String {
    format!("sip:bob@{address}")
}

/// Alice, Bob, and a call between them that Bob has not answered.
async fn ringing() -> (Endpoint, Endpoint, Call, Call) {
    let (alice, bob) = (endpoint("alice").await, endpoint("bob").await);
    let placed = alice.call(&uri(bob.local_address())).await.unwrap();
    let taken = within(bob.incoming()).await.unwrap();
    taken.ring().await.unwrap();
    assert_eq!(within(placed.progress()).await.unwrap(), StatusCode::RINGING);
    (alice, bob, placed, taken)
}

async fn standing() -> (Endpoint, Endpoint, Call, Call) {
    let (alice, bob, placed, taken) = ringing().await;
    taken.answer().await.unwrap();
    within(placed.answered()).await.unwrap();
    within(taken.answered()).await.unwrap();
    (alice, bob, placed, taken)
}

/// A peer that hears everything and says what it is told to.
fn silent_peer() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").unwrap()
}

fn read(socket: &UdpSocket) -> Option<String> {
    let mut buffer = [0; 65_535];
    let length = socket.recv(&mut buffer).ok()?;
    String::from_utf8(buffer[..length].to_vec()).ok()
}

fn invite(number: usize, from: SocketAddr) -> String {
    let lines = [
        "INVITE sip:bob@127.0.0.1 SIP/2.0".to_owned(),
        format!("Via: SIP/2.0/UDP {from};branch=z9hG4bK{number};rport"),
        "Max-Forwards: 70".to_owned(),
        format!("From: <sip:carol@127.0.0.1>;tag=c{number}"),
        "To: <sip:bob@127.0.0.1>".to_owned(),
        format!("Call-ID: {number}@127.0.0.1"),
        "CSeq: 1 INVITE".to_owned(),
        format!("Contact: <sip:carol@{from}>"),
        "\r\n".to_owned(),
    ];
    lines.join("\r\n")
}

/// The CANCEL of [`invite`].
fn cancel(number: usize, from: SocketAddr) -> String {
    invite(number, from).replace("INVITE", "CANCEL")
}

fn wav(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("offhook-handles-{}-{name}.wav", std::process::id()))
}

fn end(ended: &Ended) -> &End {
    match &ended.ending {
        Ending::Signalling(end) => end,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_call_ends_for_both_when_either_hangs_up() {
    for callee_hangs_up in [false, true] {
        let (alice, bob, placed, taken) = standing().await;
        let (first, second) = if callee_hangs_up { (&taken, &placed) } else { (&placed, &taken) };
        assert_eq!(end(&within(first.hang_up()).await.unwrap()), &End::HungUp);
        assert_eq!(end(&within(second.ended()).await.unwrap()), &End::PeerHungUp);
        within(alice.shutdown()).await;
        within(bob.shutdown()).await;
    }
}

#[tokio::test]
async fn a_refusal_reaches_whoever_waits_for_the_answer() {
    let (_alice, _bob, placed, taken) = ringing().await;
    taken.reject(StatusCode::BUSY_HERE).await.unwrap();
    let Err(Error::Ended(ended)) = within(placed.answered()).await else { panic!("answered") };
    assert_eq!(ended.status(), Some(StatusCode::BUSY_HERE));
    assert_eq!(within(taken.ended()).await.unwrap().status(), Some(StatusCode::BUSY_HERE));
    let Err(Error::Ended(_)) = within(placed.sample_rate()).await else { panic!("media") };
}

#[tokio::test]
async fn a_caller_who_hangs_up_before_the_answer_cancels() {
    let (_alice, _bob, placed, taken) = ringing().await;
    assert_eq!(end(&within(placed.hang_up()).await.unwrap()), &End::Cancelled);
    assert_eq!(end(&within(taken.ended()).await.unwrap()), &End::PeerCancelled);
    let Err(Error::Ended(_)) = within(taken.answer()).await else { panic!("answered") };
}

#[tokio::test]
async fn a_call_to_nobody_ends_with_408() {
    let (alice, nobody) = (endpoint("alice").await, silent_peer());
    let call = alice.call(&uri(nobody.local_addr().unwrap())).await.unwrap();
    let Err(Error::Ended(ended)) = within(call.answered()).await else { panic!("answered") };
    assert_eq!(ended.status(), Some(StatusCode::REQUEST_TIMEOUT));
    assert!(matches!(within(call.progress()).await, Err(Error::Ended(_))));
    assert!(within(call.stats()).await.unwrap().media.is_none());
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_call_as_its_state_asks() {
    let (_alice, _bob, placed, taken) = ringing().await;
    let copy = placed.clone();
    drop(placed);
    tokio::time::sleep(5 * T1).await;
    taken.ring().await.expect("a clone still holds the call");
    drop(copy);
    assert_eq!(end(&within(taken.ended()).await.unwrap()), &End::PeerCancelled);

    let (_alice, _bob, placed, taken) = ringing().await;
    drop(taken);
    let ended = within(placed.ended()).await.unwrap();
    assert_eq!(ended.status(), Some(StatusCode::TEMPORARILY_UNAVAILABLE));

    let (_alice, _bob, placed, taken) = standing().await;
    drop(taken);
    assert_eq!(end(&within(placed.ended()).await.unwrap()), &End::PeerHungUp);

    let (_alice, _bob, placed, taken) = standing().await;
    drop(placed);
    assert_eq!(end(&within(taken.ended()).await.unwrap()), &End::PeerHungUp);
}

#[tokio::test]
async fn a_call_that_nobody_waited_for_is_ended_too() {
    let (alice, bob) = (endpoint("alice").await, endpoint("bob").await);
    let target = uri(bob.local_address());
    // Asked for, and forgotten before the handle could be given.
    let mut asked = Box::pin(alice.call(&target));
    assert!(asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(asked);
    let taken = within(bob.incoming()).await.unwrap();
    taken.ring().await.unwrap();
    assert_eq!(end(&within(taken.ended()).await.unwrap()), &End::PeerCancelled);
}

#[tokio::test]
async fn dropping_an_endpoint_refuses_callers_and_keeps_its_calls() {
    let (alice, bob, placed, taken) = standing().await;
    let target = uri(bob.local_address());
    drop(bob);
    let refused = alice.call(&target).await.unwrap();
    let ended = within(refused.ended()).await.unwrap();
    assert_eq!(ended.status(), Some(StatusCode::TEMPORARILY_UNAVAILABLE));
    assert_eq!(end(&within(placed.hang_up()).await.unwrap()), &End::HungUp);
    assert_eq!(end(&within(taken.ended()).await.unwrap()), &End::PeerHungUp);
}

#[tokio::test]
async fn close_ends_all_calls_and_frees_the_sockets() {
    let (alice, bob, placed, taken) = standing().await;
    let nobody = silent_peer();
    let hopeless = alice.call(&uri(nobody.local_addr().unwrap())).await.unwrap();
    let address = alice.local_address();
    within(alice.shutdown()).await;
    assert_eq!(end(&within(taken.ended()).await.unwrap()), &End::PeerHungUp);
    assert_eq!(end(&within(placed.ended()).await.unwrap()), &End::HungUp);
    assert_eq!(end(&within(hopeless.ended()).await.unwrap()), &End::Cancelled);
    assert!(matches!(within(placed.ring()).await, Err(Error::Ended(_))));
    assert!(within(placed.stats()).await.unwrap().media.is_some());
    within(bob.shutdown()).await;
    tokio::time::sleep(5 * T1).await;
    UdpSocket::bind(address).expect("the port is free again");
}

#[tokio::test]
async fn a_closing_endpoint_still_obeys() {
    let (alice, nobody) = (endpoint("alice").await, silent_peer());
    let call = alice.call(&uri(nobody.local_addr().unwrap())).await.unwrap();
    let closing = tokio::spawn(alice.shutdown());
    tokio::time::sleep(T1).await;
    let stats = tokio::time::timeout(10 * T1, call.stats()).await;
    stats.expect("the endpoint closes for 64 of them").unwrap();
    assert!(!closing.is_finished());
    drop(call);
    within(closing).await.unwrap();
}

#[tokio::test]
async fn a_response_that_cannot_be_sent_ends_no_call() {
    let (alice, nobody, stranger) = (endpoint("alice").await, silent_peer(), silent_peer());
    let callee = nobody.local_addr().unwrap();
    let call = alice.call(&uri(callee)).await.unwrap();
    // Alice's answer is to go where her own INVITE went, and is longer than any datagram.
    let mut text = invite(1, stranger.local_addr().unwrap()).replace("INVITE", "OPTIONS");
    let via = format!("Via: SIP/2.0/UDP 127.0.0.1:{};maddr=127.0.0.1", callee.port());
    let top = format!("{via};branch=z9hG4bKlong\r\nVia:");
    text = text.replacen("Via:", &top, 1).replace("\r\n\r\n", "\r\n");
    while text.len() < 65_500 {
        let left = 65_500 - text.len();
        let length = if left > 15_000 { 15_000.min(left - 100) } else { left };
        let room = length - via.len() - ";branch=\r\n".len();
        text.push_str(&format!("{via};branch={}\r\n", "x".repeat(room)));
    }
    text.push_str("\r\n");
    stranger.send_to(text.as_bytes(), alice.local_address()).unwrap();
    let ended = within(call.ended()).await.unwrap();
    assert_eq!(ended.status(), Some(StatusCode::REQUEST_TIMEOUT), "{ended}");
}

#[tokio::test]
async fn a_refusal_that_is_lost_is_repeated_even_while_the_endpoint_closes() {
    let (bob, carol) = (endpoint("bob").await, silent_peer());
    let from = carol.local_addr().unwrap();
    carol.send_to(invite(1, from).as_bytes(), bob.local_address()).unwrap();
    let taken = within(bob.incoming()).await.unwrap();
    taken.reject(StatusCode::BUSY_HERE).await.unwrap();
    within(taken.ended()).await.unwrap();
    within(bob.shutdown()).await;
    carol.set_nonblocking(true).unwrap();
    let heard = std::iter::from_fn(|| read(&carol));
    let refusals = heard.filter(|text| text.starts_with("SIP/2.0 486")).count();
    assert!(refusals > 1, "said {refusals} times, and nobody has acknowledged it");
}

#[tokio::test]
async fn the_end_of_the_runtime_ends_every_wait() {
    let (other, (alice, placed)) = tokio::task::spawn_blocking(|| {
        let other = tokio::runtime::Runtime::new().unwrap();
        let nobody = silent_peer();
        let held = other.block_on(async {
            let alice = endpoint("alice").await;
            let placed = alice.call(&uri(nobody.local_addr().unwrap())).await.unwrap();
            (alice, placed)
        });
        (other, held)
    })
    .await
    .unwrap();
    let waiting = tokio::spawn({
        let placed = placed.clone();
        async move { placed.answered().await }
    });
    other.shutdown_background();
    assert!(matches!(within(waiting).await.unwrap(), Err(Error::Closed)));
    assert!(matches!(within(placed.hang_up()).await, Err(Error::Closed)));
    assert!(matches!(within(alice.incoming()).await, Err(Error::Closed)));
    within(alice.shutdown()).await;
}

#[tokio::test]
async fn a_recording_is_complete_when_the_end_is_told() {
    let (_alice, _bob, placed, taken) = standing().await;
    let path = wav("recording");
    taken.record_wav(&path).await.unwrap();
    let tone = ToneSource::new(RATE, 440.0, 0.5).lasting(Duration::from_millis(400));
    within(placed.play(tone)).await.unwrap();
    drop(placed);
    within(taken.ended()).await.unwrap();
    let mut recorded = WavSource::open(&path, RATE).unwrap();
    let mut samples = vec![0; RATE as usize * 5];
    let read = offhook_audio::Source::read(&mut recorded, &mut samples).unwrap();
    std::fs::remove_file(&path).unwrap();
    let loud = samples[..read].iter().filter(|sample| sample.unsigned_abs() > 3000).count();
    assert!(loud > RATE as usize / 5, "{loud} loud samples of {read}");
}

#[tokio::test]
async fn a_file_is_played_to_its_end() {
    let (_alice, _bob, placed, taken) = standing().await;
    let path = wav("played");
    let mut file = offhook_audio::WavSink::create(&path, RATE).unwrap();
    offhook_audio::Sink::write(&mut file, &vec![9000; RATE as usize / 5]).unwrap();
    offhook_audio::Sink::finish(&mut file).unwrap();
    within(placed.play_wav(&path)).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(taken.stats().await.unwrap().media.unwrap().rtp.packets_received >= 10);
    assert!(matches!(within(placed.play_wav("/no/such/file")).await, Err(Error::Device(_))));
}

#[tokio::test]
async fn sound_goes_round_through_audio_channels() {
    let (_alice, _bob, placed, taken) = standing().await;
    let (near, far) = (placed.audio().await.unwrap(), taken.audio().await.unwrap());
    let echo = tokio::spawn(async move {
        while let Some(frame) = far.heard.receive().await {
            far.spoken.send(frame).unwrap();
        }
    });
    let frame = |at: u64| Frame { at: Duration::from_millis(at), samples: vec![12_000; 160] };
    for at in (0..400).step_by(20) {
        near.spoken.send(frame(at)).unwrap();
    }
    within(async {
        let loud = |frame: &Frame| frame.samples.iter().all(|sample| *sample > 8_000);
        while !near.heard.receive().await.is_some_and(|frame| loud(&frame)) {}
    })
    .await;
    within(placed.hang_up()).await.unwrap();
    within(echo).await.unwrap();
    within(async { while near.heard.receive().await.is_some() {} }).await;
}

#[tokio::test]
async fn everyone_who_listens_to_a_call_learns_of_its_end() {
    let (_alice, _bob, placed, _taken) = standing().await;
    let heard = Arc::new(placed.audio().await.unwrap().heard);
    let listeners: Vec<_> = (0..5)
        .map(|_| {
            let heard = Arc::clone(&heard);
            tokio::spawn(async move { while heard.receive().await.is_some() {} })
        })
        .collect();
    tokio::time::sleep(5 * T1).await;
    within(placed.hang_up()).await.unwrap();
    for listener in listeners {
        within(listener).await.unwrap();
    }
}

#[tokio::test]
async fn a_device_of_another_rate_is_refused() {
    let (_alice, _bob, placed, _taken) = standing().await;
    let played = within(placed.play(Silence::new(16_000))).await;
    assert!(matches!(played, Err(Error::SampleRate { device: 16_000, call: RATE })), "{played:?}");
    let recorded = within(placed.record(NullSink::new(48_000))).await;
    assert!(matches!(recorded, Err(Error::SampleRate { device: 48_000, call: RATE })));
}

#[tokio::test]
async fn a_source_that_another_one_replaces_says_so() {
    let (_alice, _bob, placed, _taken) = standing().await;
    let first = tokio::spawn({
        let placed = placed.clone();
        async move { placed.play(ToneSource::new(RATE, 440.0, 0.1)).await }
    });
    tokio::time::sleep(5 * T1).await;
    let second = tokio::spawn({
        let placed = placed.clone();
        async move { placed.play(ToneSource::new(RATE, 880.0, 0.1)).await }
    });
    assert!(matches!(within(first).await.unwrap(), Err(Error::Replaced)));
    within(placed.hang_up()).await.unwrap();
    assert!(matches!(within(second).await.unwrap(), Err(Error::Ended(_))));
}

#[tokio::test]
async fn a_source_given_early_waits_for_the_media() {
    let (_alice, _bob, placed, taken) = ringing().await;
    let early = tokio::spawn({
        let placed = placed.clone();
        let tone = ToneSource::new(RATE, 440.0, 0.1).lasting(Duration::from_millis(40));
        async move { placed.play(tone).await }
    });
    tokio::time::sleep(T1).await;
    taken.answer().await.unwrap();
    within(early).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_leave_nothing_behind() {
    const CALLS: u16 = 40;
    let alice = endpoint("alice").await;
    // Exactly as many ports as the calls need, so that the second round needs those of the first.
    let ports = 24_000..=24_000 + 2 * CALLS - 1;
    let bob = builder("bob").media_ports(ports).bind("127.0.0.1:0").await.unwrap();
    let target = uri(bob.local_address());
    for _ in 0..2 {
        let mut pairs = Vec::new();
        for _ in 0..CALLS {
            let placed = alice.call(&target).await.unwrap();
            let taken = within(bob.incoming()).await.unwrap();
            taken.answer().await.unwrap();
            pairs.push((placed, taken));
        }
        for (placed, taken) in &pairs {
            within(placed.answered()).await.unwrap();
            within(taken.answered()).await.unwrap();
        }
        let one_more = alice.call(&target).await.unwrap();
        let refused = within(bob.incoming()).await.unwrap();
        assert!(matches!(refused.answer().await, Err(Error::NoMediaPorts { .. })));
        drop((refused, one_more));
        let ends = pairs.into_iter().map(|(placed, taken)| {
            tokio::spawn(async move { (placed.hang_up().await, taken.ended().await) })
        });
        for end in ends.collect::<Vec<_>>() {
            let (placed, taken) = within(end).await.unwrap();
            assert!(placed.is_ok() && taken.is_ok());
        }
        // The media sockets outlive their calls for half a second.
        tokio::time::sleep(Duration::from_millis(800)).await;
    }
    within(alice.shutdown()).await;
    within(bob.shutdown()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_keeps_nobody_from_hanging_up() {
    let (_alice, bob, placed, taken) = standing().await;
    let target = bob.local_address();
    let calm = Arc::new(AtomicBool::new(false));
    let flood = std::thread::spawn({
        let calm = Arc::clone(&calm);
        move || {
            let socket = silent_peer();
            let from = socket.local_addr().unwrap();
            for number in 0_usize.. {
                let text = invite(number, from).replace("INVITE", "OPTIONS");
                // A full buffer loses one of many.
                let _ = socket.send_to(text.as_bytes(), target);
                if calm.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    for _ in 0..20 {
        let stats = tokio::time::timeout(Duration::from_secs(2), taken.stats()).await;
        stats.expect("the driver obeys").unwrap();
    }
    let hung_up = tokio::time::timeout(Duration::from_secs(5), taken.hang_up()).await;
    calm.store(true, Ordering::Relaxed);
    flood.join().unwrap();
    hung_up.expect("the driver obeys").unwrap();
    within(placed.ended()).await.unwrap();
}

#[tokio::test]
async fn calls_that_nobody_takes_pile_up_only_so_far() {
    let (bob, carol) = (endpoint("bob").await, silent_peer());
    let from = carol.local_addr().unwrap();
    carol.set_nonblocking(true).unwrap();
    let mut refused = 0;
    for number in 0..300 {
        carol.send_to(invite(number, from).as_bytes(), bob.local_address()).unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
        carol.send_to(cancel(number, from).as_bytes(), bob.local_address()).unwrap();
        while let Some(reply) = read(&carol) {
            refused += usize::from(reply.starts_with("SIP/2.0 480"));
        }
    }
    assert!(refused > 0, "all 300 were kept");
    // Those given up are not told of; a live one is, and has room as soon as somebody takes calls.
    carol.send_to(invite(1000, from).as_bytes(), bob.local_address()).unwrap();
    let taken = within(bob.incoming()).await.unwrap();
    taken.ring().await.expect("it lives");
}

#[tokio::test]
async fn a_call_that_cannot_be_placed_says_why() {
    let alice = endpoint("alice").await;
    for bad in ["tel:+15551234", "sips:b@127.0.0.1;transport=udp", "sip:b@h;transport=x", "bob"] {
        assert!(matches!(alice.call(bad).await, Err(Error::Uri { .. })), "{bad}");
    }
    // A port that was free a moment ago refuses.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for refused in [format!("sips:bob@{free}"), format!("sip:bob@{free};transport=tcp")] {
        assert!(matches!(alice.call(&refused).await, Err(Error::Unreachable { .. })), "{refused}");
    }
    let other_kind = alice.call("sip:bob@[::1]").await;
    assert!(matches!(other_kind, Err(Error::Unresolved { .. })));
}
