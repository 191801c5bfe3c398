//! A whole leg: what one 20 ms frame of a call costs.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::Criterion;
use offhook_benches::{FRAME, Wire, leg, tone};
use offhook_media::Leg;
use offhook_sansio::Machine;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut group = criterion.benchmark_group("media leg");
    group.bench_function("send: frame to packet", |bencher| {
        let mut call = Call::new();
        bencher.iter(|| call.send());
    });
    group.bench_function("send, receive and play: frame to packet to frame", |bencher| {
        let mut call = Call::new();
        bencher.iter(|| call.one_way());
    });
    group.bench_function("both directions: two frames to two packets to two frames", |bencher| {
        let mut call = Call::new();
        bencher.iter(|| call.both_ways());
    });
    group.finish();
    criterion.final_summary();
}

/// Two legs. Each round is 20 ms later than the one before; reports are left out.
struct Call {
    now: Instant,
    near: Leg,
    far: Leg,
    wire: Wire,
    said: [i16; 160],
    heard: [i16; 160],
}

impl Call {
    fn new() -> Self {
        let now = Instant::now();
        let (Ok(near), Ok(far)) = (leg(now, 1), leg(now, 2)) else {
            unreachable!("G.711 is there")
        };
        Self { now, near, far, wire: Wire::default(), said: tone(), heard: [0; 160] }
    }

    fn send(&mut self) -> bool {
        self.now += FRAME;
        let sent = self.near.send_audio(self.now, black_box(&self.said)).is_ok();
        self.near.poll_transmit().is_some() && sent
    }

    fn one_way(&mut self) -> bool {
        self.now += FRAME;
        let sent = self.near.send_audio(self.now, black_box(&self.said)).is_ok();
        self.wire.carry(self.now, &mut self.near, &mut self.far);
        self.far.play_audio(self.now, &mut self.heard).is_ok() && sent
    }

    fn both_ways(&mut self) -> bool {
        let sent = self.far.send_audio(self.now, black_box(&self.said)).is_ok();
        self.wire.carry(self.now, &mut self.far, &mut self.near);
        let played = self.near.play_audio(self.now, &mut self.heard).is_ok();
        self.one_way() && sent && played
    }
}
