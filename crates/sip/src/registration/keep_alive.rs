//! Keepalives of an outbound flow over a stream (RFC 5626 §4.4.1).

use std::time::Duration;

use bytes::Bytes;
use offhook_sansio::{Flow, Protocol, Random};

/// The client's ping: a double CRLF.
pub(super) const PING: Bytes = Bytes::from_static(b"\r\n\r\n");

/// How long the pong may take.
pub(super) const PONG: Duration = Duration::from_secs(10);

/// Whether pings of line ends go over `flow`: not over datagrams, and WebSocket has its own
/// (RFC 7118 §6).
pub(super) fn takes_pings(flow: Flow) -> bool {
    matches!(flow.protocol, Protocol::Tcp | Protocol::Tls)
}

/// When the next ping goes out: after 80 to 100 % of what the server waits, else 95 to 120 s.
pub(super) fn next_ping(flow_timer: Option<Duration>, random: &mut Random) -> Duration {
    let (from, to) = match flow_timer {
        Some(given) => (given.mul_f64(0.8), given),
        None => DEFAULT,
    };
    (from + (to - from).mul_f64(random.unit())).max(SHORTEST)
}

/// §4.4.1, where battery power is not a concern.
const DEFAULT: (Duration, Duration) = (Duration::from_secs(95), Duration::from_secs(120));
/// A server that asks for more gets no more.
const SHORTEST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_goes_out_after_80_to_100_percent_of_the_flow_timer() {
        let mut random = Random::from_seed(1);
        for _ in 0..100 {
            let after = next_ping(Some(Duration::from_secs(120)), &mut random).as_secs_f64();
            assert!((96.0..=120.0).contains(&after));
            assert!((95..=120).contains(&next_ping(None, &mut random).as_secs()));
        }
        assert_eq!(next_ping(Some(Duration::ZERO), &mut random), SHORTEST);
    }
}
