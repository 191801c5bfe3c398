//! Keepalives of the flow of a registration: line ends over a stream, STUN over UDP (RFC 5626 §4.4,
//! RFC 6223).

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use offhook_sansio::{Flow, Protocol, Random};

use crate::transport::{Stun, StunId};

/// The client's ping over a stream: a double CRLF.
pub(super) const PING: Bytes = Bytes::from_static(b"\r\n\r\n");

/// How long the pong may take.
pub(super) const PONG: Duration = Duration::from_secs(10);

/// Whether pings go over `flow`: WebSocket has its own (RFC 7118 §6).
pub(super) fn takes_pings(flow: Flow) -> bool {
    matches!(flow.protocol, Protocol::Udp | Protocol::Tcp | Protocol::Tls)
}

/// When the next ping goes out: after 80 to 100 % of what the server waits, else 95 to 120 s over a
/// stream (§4.4.1), 24 to 29 s over UDP (§4.4.2).
pub(super) fn next_ping(
    flow_timer: Option<Duration>,
    protocol: Protocol,
    random: &mut Random,
) -> Duration {
    let (from, to) = match flow_timer {
        Some(given) => (given.mul_f64(0.8), given),
        None if protocol == Protocol::Udp => OVER_UDP,
        None => OVER_STREAMS,
    };
    (from + (to - from).mul_f64(random.unit())).max(SHORTEST)
}

/// The keepalive of a flow over UDP: what the server has seen it come from, and the request that waits
/// for its answer (RFC 8489 §6.2.1).
#[derive(Debug, Default)]
pub(super) struct Probe {
    waiting: Option<Waiting>,
    mapped: Option<SocketAddr>,
}

#[derive(Debug)]
struct Waiting {
    id: StunId,
    sent: u32,
}

impl Probe {
    /// A new request, and how long to wait until it is sent again.
    pub(super) fn begin(&mut self, rto: Duration, random: &mut Random) -> (Bytes, Duration) {
        let [low, high] = [random.u64(), random.u64()].map(u64::to_be_bytes);
        let mut id = StunId::default();
        id.iter_mut().zip(low.into_iter().chain(high)).for_each(|(byte, drawn)| *byte = drawn);
        self.waiting = Some(Waiting { id, sent: 1 });
        (Stun::request(id), rto)
    }

    /// The same request again, and how long to wait; `None` when it was sent often enough.
    pub(super) fn again(&mut self, rto: Duration) -> Option<(Bytes, Duration)> {
        let waiting = self.waiting.as_mut().filter(|it| it.sent < MOST_SENT)?;
        let wait = match waiting.sent.saturating_add(1) {
            MOST_SENT => rto * LAST_WAIT,
            sent => rto * 2_u32.saturating_pow(sent.saturating_sub(1)),
        };
        waiting.sent = waiting.sent.saturating_add(1);
        Some((Stun::request(waiting.id), wait))
    }

    /// Takes an answer, without an address if it is an error: `None` if nothing waits for it, else
    /// whether the flow is what it was.
    pub(super) fn answered(&mut self, id: StunId, mapped: Option<SocketAddr>) -> Option<bool> {
        self.waiting.take_if(|waiting| waiting.id == id)?;
        let Some(mapped) = mapped else { return Some(false) };
        let before = self.mapped.replace(mapped);
        Some(before.is_none_or(|before| before == mapped))
    }
}

/// §4.4.1, where battery power is not a concern.
const OVER_STREAMS: (Duration, Duration) = (Duration::from_secs(95), Duration::from_secs(120));
/// §4.4.2.
const OVER_UDP: (Duration, Duration) = (Duration::from_secs(24), Duration::from_secs(29));
/// A server that asks for more gets no more.
const SHORTEST: Duration = Duration::from_secs(1);
/// Rc and Rm of RFC 8489 §6.2.1.
const MOST_SENT: u32 = 7;
const LAST_WAIT: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_goes_out_after_80_to_100_percent_of_the_flow_timer() {
        let mut random = Random::from_seed(1);
        for _ in 0..100 {
            let after =
                next_ping(Some(Duration::from_secs(120)), Protocol::Tcp, &mut random).as_secs_f64();
            assert!((96.0..=120.0).contains(&after));
            assert!((24..=29).contains(&next_ping(None, Protocol::Udp, &mut random).as_secs()));
            assert!((95..=120).contains(&next_ping(None, Protocol::Tcp, &mut random).as_secs()));
        }
        assert_eq!(next_ping(Some(Duration::ZERO), Protocol::Tcp, &mut random), SHORTEST);
    }

    #[test]
    fn a_request_is_sent_seven_times_in_39_and_a_half_seconds() {
        let (mut probe, rto) = (Probe::default(), Duration::from_millis(500));
        let (request, mut waited) = probe.begin(rto, &mut Random::from_seed(1));
        let mut sent = 1;
        while let Some((again, wait)) = probe.again(rto) {
            assert_eq!(again, request);
            (sent, waited) = (sent + 1, waited + wait);
        }
        assert_eq!((sent, waited), (7, Duration::from_millis(39_500)));
    }

    #[test]
    fn an_address_that_changes_is_noticed_and_a_foreign_answer_is_not() {
        let (mut probe, mut random) = (Probe::default(), Random::from_seed(1));
        let mut ask = |probe: &mut Probe, mapped: Option<&str>, same_id: bool| {
            let (request, _) = probe.begin(Duration::from_millis(500), &mut random);
            let Some(Stun::Request { mut id, .. }) = Stun::read(&request) else { panic!() };
            id[0] ^= u8::from(!same_id);
            probe.answered(id, mapped.map(|it| it.parse().unwrap()))
        };
        assert_eq!(ask(&mut probe, Some("192.0.2.1:1"), false), None);
        assert_eq!(ask(&mut probe, Some("192.0.2.1:1"), true), Some(true));
        assert_eq!(ask(&mut probe, Some("192.0.2.1:1"), true), Some(true));
        assert_eq!(ask(&mut probe, Some("192.0.2.1:2"), true), Some(false));
        assert_eq!(ask(&mut probe, None, true), Some(false));
        assert_eq!(probe.answered([0; 12], None), None, "nothing waits");
    }
}
