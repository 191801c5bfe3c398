use std::{cell::RefCell, net::SocketAddr, rc::Rc};

use super::*;

const MS: Duration = Duration::from_millis(1);

/// Sends a numbered ping to its peer at each tick and echoes the pings of others.
struct Pinger {
    address: SocketAddr,
    peer: SocketAddr,
    next_tick: Option<Instant>,
    tick: Duration,
    left: u32,
    out: VecDeque<Transmit>,
    events: VecDeque<String>,
}

impl Pinger {
    fn new(address: &str, peer: &str) -> Self {
        let [address, peer] = [address, peer].map(|text| text.parse().unwrap());
        let (out, events) = (VecDeque::new(), VecDeque::new());
        Self { address, peer, next_tick: None, tick: 20 * MS, left: 0, out, events }
    }

    fn start(&mut self, now: Instant, pings: u32) {
        self.left = pings;
        self.next_tick = Some(now);
    }

    fn say(&mut self, text: &str) {
        let flow = Flow::udp(self.address, self.peer);
        self.out.push_back(Transmit { flow, payload: text.to_owned().into() });
    }
}

impl Machine for Pinger {
    type Event = String;

    fn receive(&mut self, _now: Instant, Datagram { flow, payload }: Datagram) {
        let text = String::from_utf8(payload.to_vec()).unwrap();
        if let Some(number) = text.strip_prefix("ping") {
            self.out.push_back(Transmit { flow, payload: format!("echo{number}").into() });
        }
        self.events.push_back(text);
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.next_tick.is_some_and(|tick| tick <= now) {
            self.say(&format!("ping{}", self.left));
            self.left -= 1;
            self.next_tick = (self.left > 0).then(|| now + self.tick);
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.out.pop_front()
    }

    fn poll_event(&mut self) -> Option<String> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next_tick
    }
}

fn pair(seed: u64, impairment: Impairment) -> (Network<Pinger>, HostId, HostId) {
    let mut network = Network::new(Instant::now(), seed);
    let (a, b) = ("10.0.0.1:1", "[fd77::2]:2");
    let mut host = |mine: &str, peer| {
        let pinger = Pinger::new(mine, peer);
        let ip = pinger.address.ip();
        network.host(pinger, &[ip])
    };
    let (alice, bob) = (host(a, b), host(b, a));
    network.link(alice, bob, impairment);
    (network, alice, bob)
}

const ROUGH: Impairment = Impairment {
    delay: Duration::from_millis(40),
    jitter: Duration::from_millis(15),
    loss: 0.1,
    loss_burst: 2.0,
    duplication: 0.05,
    reordering: 0.1,
    ..Impairment::NONE
};

fn trace(seed: u64, pings: u32) -> Vec<String> {
    let (mut network, alice, _) = pair(seed, ROUGH);
    let start = network.now();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let lines = Rc::clone(&seen);
    network.tap(move |Seen { at, host, passage, payload, .. }| {
        let text = String::from_utf8_lossy(payload);
        lines.borrow_mut().push(format!("{:?} {host} {passage:?} {text}", *at - start));
    });
    network.host_mut(alice).start(start, pings);
    let stopped = network.run_until_idle(start + Duration::from_secs(60), |_| ()).unwrap();
    assert_eq!(stopped, Stopped::Idle);
    seen.take()
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    assert_eq!(trace(3, 200), trace(3, 200));
    assert_ne!(trace(3, 200), trace(4, 200));
}

#[test]
fn every_packet_is_seen_sent_and_then_lost_or_delivered() {
    let trace = trace(3, 200);
    let count = |word: &str| trace.iter().filter(|line| line.contains(word)).count();
    let twice = count("Delivered") + count("Lost") - count("Sent");
    assert!((5..40).contains(&twice), "{twice} duplicates");
    assert!((15..70).contains(&count("Lost(Impairment)")), "{trace:#?}");
    let (sent, lost) = (trace.iter().position(|line| line.contains("Lost")), count("Lost"));
    assert!(trace[sent.unwrap() - 1].contains("Sent") && lost > 0);
}

#[test]
fn the_clock_jumps_to_the_next_arrival_or_deadline() {
    let (mut network, alice, bob) = pair(1, Impairment { delay: 30 * MS, ..Impairment::NONE });
    let start = network.now();
    network.host_mut(alice).start(start + Duration::from_secs(3600), 2);
    let mut heard = Vec::new();
    let limit = start + Duration::from_secs(7200);
    let on_event = |happened: Happened<'_, Pinger>| {
        heard.push((
            happened.at - start - Duration::from_secs(3600),
            happened.host,
            happened.event,
        ));
    };
    assert_eq!(network.run_until_idle(limit, on_event), Ok(Stopped::Idle));
    let expected =
        [(30, bob, "ping2"), (50, bob, "ping1"), (60, alice, "echo2"), (80, alice, "echo1")];
    assert_eq!(heard, expected.map(|(at, host, text)| (at * MS, host, text.to_owned())));
    assert_eq!(network.elapsed(), Duration::from_secs(3600) + 80 * MS);
}

#[test]
fn run_until_stops_before_what_lies_beyond_and_leaves_the_clock_there() {
    let (mut network, alice, _) = pair(1, Impairment { delay: 30 * MS, ..Impairment::NONE });
    let start = network.now();
    network.host_mut(alice).start(start, 1);
    network.run_until(start + 29 * MS, |_| panic!("nothing arrives so early")).unwrap();
    assert_eq!((network.elapsed(), network.packets_on_the_way()), (29 * MS, 1));
    let stopped = network.run_until_idle(start + 30 * MS, |_| ()).unwrap();
    assert_eq!((stopped, network.elapsed()), (Stopped::Limit, 30 * MS));
}

#[test]
fn a_machine_may_be_spoken_to_from_the_event() {
    let (mut network, alice, bob) = pair(1, Impairment::NONE);
    network.host_mut(alice).say("hello");
    let mut texts = Vec::new();
    let limit = network.now();
    let on_event = |happened: Happened<'_, Pinger>| {
        if happened.host == bob {
            happened.machine.say("welcome");
        }
        texts.push(happened.event);
    };
    network.run_until(limit, on_event).unwrap();
    assert_eq!(texts, ["hello", "welcome"]);
}

#[test]
fn steps_and_polled_events_do_the_same_by_hand() {
    let (mut network, alice, bob) = pair(1, Impairment { delay: 5 * MS, ..Impairment::NONE });
    network.host_mut(alice).say("hello");
    let at = network.now() + 5 * MS;
    while network.step().unwrap().is_some() {}
    let event = Event { at, host: bob, event: "hello".to_owned() };
    assert_eq!((network.poll_event(), network.poll_event()), (Some(event), None));
}

#[test]
fn what_nobody_can_receive_is_counted_and_dropped() {
    let (mut network, alice, bob) = pair(1, Impairment::NONE);
    network.host_mut(alice).peer = "10.9.9.9:5060".parse().unwrap();
    network.host_mut(alice).say("lost");
    network.host_mut(bob).address = "10.0.0.1:5060".parse().unwrap();
    network.host_mut(bob).say("forged");
    network.run_until(network.now(), |_| panic!("nothing arrives")).unwrap();
    let Counters { sent, delivered, no_such_address, foreign_source, .. } = *network.counters();
    assert_eq!((sent, delivered, no_such_address, foreign_source), (2, 0, 1, 1));
}

#[test]
fn a_filter_loses_what_it_refuses() {
    let (mut network, alice, _) = pair(1, Impairment::NONE);
    let mut first = true;
    network.filter(move |_, transmit| {
        let echo = transmit.payload.starts_with(b"echo");
        !(echo && std::mem::take(&mut first))
    });
    network.tell(alice, |pinger, now| pinger.start(now, 3));
    let mut echoes = Vec::new();
    let limit = network.now() + Duration::from_secs(1);
    network.run_until(limit, |happened| echoes.push(happened.event)).unwrap();
    assert_eq!(echoes, ["ping3", "ping2", "echo2", "ping1", "echo1"]);
    assert_eq!(network.counters().filtered, 1);
}

#[test]
fn a_reliable_transport_loses_nothing_on_a_lossy_link() {
    let (mut network, alice, _) = pair(1, Impairment { loss: 1.0, ..ROUGH });
    let pinger = network.host_mut(alice);
    let flow =
        Flow { protocol: offhook_sansio::Protocol::Tcp, ..Flow::udp(pinger.address, pinger.peer) };
    pinger.out.extend((0..9).map(|n| Transmit { flow, payload: format!("{n}").into() }));
    let mut texts = String::new();
    let limit = network.now() + Duration::from_secs(1);
    network.run_until(limit, |happened| texts += &happened.event).unwrap();
    assert_eq!(texts, "012345678");
}

#[test]
fn traffic_on_one_link_does_not_change_another() {
    let run = |more: bool| {
        let (mut network, alice, bob) = pair(9, ROUGH);
        let pinger = Pinger::new("10.0.0.3:3", "10.0.0.1:1");
        let carol = network.host(pinger, &["10.0.0.3".parse().unwrap()]);
        network.link_others(ROUGH);
        let start = network.now();
        network.host_mut(alice).start(start, 50);
        if more {
            network.host_mut(carol).start(start, 50);
        }
        let mut at_bob = Vec::new();
        let limit = start + Duration::from_secs(9);
        let on_event = |happened: Happened<'_, Pinger>| {
            if happened.host == bob {
                at_bob.push((happened.at - start, happened.event));
            }
        };
        network.run_until(limit, on_event).unwrap();
        at_bob
    };
    assert_eq!(run(false), run(true));
}

/// Whose deadline stays in the past, or whose outputs never end.
struct Broken {
    deadline: Option<Instant>,
    endless: bool,
    loops: bool,
}

impl Machine for Broken {
    type Event = ();

    fn receive(&mut self, _now: Instant, Datagram { flow, payload }: Datagram) {
        self.endless = flow.local == flow.remote && payload.is_empty();
        self.loops = true;
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_transmit(&mut self) -> Option<Transmit> {
        let address = "10.0.0.1:1".parse().unwrap();
        let flow = Flow::udp(address, address);
        std::mem::take(&mut self.loops).then(|| Transmit { flow, payload: "again".into() })
    }

    fn poll_event(&mut self) -> Option<()> {
        self.endless.then_some(())
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }
}

fn stuck(broken: impl FnOnce(Instant) -> Broken) -> Stuck {
    let start = Instant::now();
    let mut network = Network::new(start, 1);
    network.host(broken(start), &["10.0.0.1".parse().unwrap()]);
    network.run_until(start + Duration::from_secs(5), |_| ()).unwrap_err()
}

#[test]
fn a_deadline_that_stays_in_the_past_is_an_error_and_no_endless_loop() {
    let soon = |start| Broken { deadline: Some(start + 7 * MS), endless: false, loops: false };
    let error = stuck(soon);
    assert!(matches!(error, Stuck::Deadline { at, overdue: Duration::ZERO, .. } if at == 7 * MS));
    assert_eq!(
        error.to_string(),
        "host 0 makes no progress at 7ms: poll_timeout is 0ns in the past after 100000 calls of \
         handle_timeout"
    );
}

#[test]
fn endless_output_is_an_error_and_no_endless_loop() {
    let error = stuck(|_| Broken { deadline: None, endless: true, loops: false });
    assert!(matches!(error, Stuck::Output { at: Duration::ZERO, .. }));
}

#[test]
fn packets_that_go_round_without_time_are_an_error_and_no_endless_loop() {
    let error = stuck(|_| Broken { deadline: None, endless: false, loops: true });
    assert!(matches!(error, Stuck::Packets { at: Duration::ZERO, .. }));
}

#[test]
fn half_a_million_packets_between_many_hosts_are_carried() {
    let mut network = Network::new(Instant::now(), 11);
    network.link_others(ROUGH);
    let limit = network.now() + Duration::from_secs(60);
    for index in 0..10_000_u32 {
        let [address, peer] = [index, index ^ 1].map(|number| {
            let [_, a, b, c] = number.to_be_bytes();
            SocketAddr::from(([10, a, b, c], 5060))
        });
        let mut pinger = Pinger::new("10.0.0.1:1", "10.0.0.1:1");
        (pinger.address, pinger.peer) = (address, peer);
        let start = network.now() + MS * (index % 50);
        pinger.start(start, 25);
        network.host(pinger, &[address.ip()]);
    }
    let mut events = 0_u64;
    assert_eq!(network.run_until_idle(limit, |_| events += 1), Ok(Stopped::Idle));
    let Counters { sent, delivered, lost, duplicated, .. } = *network.counters();
    assert_eq!((sent - lost + duplicated, events), (delivered, delivered));
    assert!(delivered > 400_000, "{delivered}");
}
