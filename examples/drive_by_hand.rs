//! The same endpoint without a runtime: std sockets, one loop, no async.
//!
//! Two endpoints call each other, speak a tone for two seconds, and hang up. Everything between
//! the sockets and the core stands in `drive`.

use std::{
    net::UdpSocket,
    thread::sleep,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use offhook::{
    audio::{Source, ToneSource},
    core::{CallId, Config, Endpoint, Event, MediaSockets, Outgoing},
    sansio::{Datagram, Flow, Machine, Protocol, Random},
};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
/// One party: the core, its sockets, and the call it is in.
struct Party {
    core: Endpoint,
    sockets: [UdpSocket; 3], // SIP, RTP, RTCP
    media: MediaSockets,
    call: Option<CallId>,
    tone: ToneSource,
    heard: u64,
    over: bool,
}

impl Party {
    fn new(name: &str, hertz: f64) -> Outcome<Self> {
        let bind = || UdpSocket::bind("127.0.0.1:0");
        let sockets = [bind()?, bind()?, bind()?];
        sockets.iter().try_for_each(|socket| socket.set_nonblocking(true))?;
        let [sip, rtp, rtcp] = sockets.each_ref().map(UdpSocket::local_addr);
        let (sip, rtp, rtcp) = (sip?, rtp?, rtcp?);
        let config = Config::new(format!("sip:{name}@{sip}").parse()?);
        let mut core = Endpoint::new(Instant::now(), config, Random::from_system());
        core.listen(Protocol::Udp, sip, sip);
        let media = MediaSockets { rtp, rtcp, public_rtp: rtp, public_rtcp: rtcp };
        let tone = ToneSource::new(8000, hertz, -12.0);
        Ok(Self { core, sockets, media, call: None, tone, heard: 0, over: false })
    }

    /// Obeys the contract of `Machine`: bytes in, time in, events out, bytes out.
    fn drive(&mut self) -> Outcome {
        let mut buffer = [0; 65_535];
        for socket in &self.sockets {
            // An error is nearly always "nothing there": the sockets do not block.
            while let Ok((length, remote)) = socket.recv_from(&mut buffer) {
                let flow = Flow::udp(socket.local_addr()?, remote);
                let payload = BytesMut::from(buffer.get(..length).unwrap_or_default());
                self.core.receive(Instant::now(), Datagram { flow, payload });
            }
        }
        self.core.handle_timeout(Instant::now());
        while let Some(event) = self.core.poll_event() {
            match event {
                Event::Incoming { call, .. } => {
                    self.call = Some(call);
                    self.core.answer(Instant::now(), call, self.media)?;
                }
                Event::Ended { ending, statistics, .. } => {
                    println!("{ending}: {statistics}");
                    self.over = true;
                }
                _ => {}
            }
        }
        while let Some(sent) = self.core.poll_transmit() {
            let mut sockets = self.sockets.iter();
            let socket = sockets.find(|it| it.local_addr().ok() == Some(sent.flow.local));
            socket.ok_or("no such socket")?.send_to(&sent.payload, sent.flow.remote)?;
        }
        Ok(())
    }

    /// Speaks one frame of the tone and listens to one frame.
    fn converse(&mut self) -> Outcome {
        let Some(call) = self.call else { return Ok(()) };
        let Some(samples) = self.core.leg(call).map(|leg| leg.frame()) else { return Ok(()) };
        let mut frame = vec![0; samples];
        self.tone.read(&mut frame)?;
        self.core.send_audio(Instant::now(), call, &frame)?;
        self.core.play_audio(Instant::now(), call, &mut frame)?;
        self.heard += u64::from(frame.iter().any(|sample| sample.unsigned_abs() > 1000));
        Ok(())
    }
}

fn main() -> Outcome {
    let (mut alice, mut bob) = (Party::new("alice", 440.0)?, Party::new("bob", 1000.0)?);
    let flow = Flow::udp(alice.sockets[0].local_addr()?, bob.sockets[0].local_addr()?);
    let target = format!("sip:bob@{}", flow.remote).parse()?;
    let call = alice.core.call(Instant::now(), Outgoing::new(target, flow), alice.media)?;
    alice.call = Some(call);
    let (start, mut frames) = (Instant::now(), 0);
    while !(alice.over && bob.over) {
        alice.drive()?;
        bob.drive()?;
        if frames < FRAMES && start.elapsed() >= FRAME_TIME * frames {
            frames += 1;
            alice.converse()?;
            bob.converse()?;
        } else if frames == FRAMES {
            frames += 1;
            alice.core.hang_up(Instant::now(), call)?;
        }
        sleep(Duration::from_millis(1));
    }
    println!("frames of tone heard: alice {}, bob {}", alice.heard, bob.heard);
    Ok(())
}

const FRAME_TIME: Duration = Duration::from_millis(20);
const FRAMES: u32 = 100;
