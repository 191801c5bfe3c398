//! How much media a packet holds (RFC 3264 §6.1, RFC 8866 §6.4, §6.5).

use std::time::Duration;

use super::remote::Remote;

/// Our own packet time within what every receiver takes.
pub(super) fn bounded(ours: Duration) -> Duration {
    ours.clamp(SHORTEST, LONGEST)
}

/// The packet time for what we send: the peer's wish, else ours, within the peer's limit.
///
/// A wish that is not usable is not followed. One packet a millisecond would be an attack.
pub(super) fn packet_time(
    remote: &Remote,
    clock_rate: u32,
    ours: Duration,
    reasons: &mut Vec<String>,
) -> Duration {
    let ours = if is_usable(ours, clock_rate) { ours } else { whole_steps(bounded(ours)) };
    let time = match remote.ptime {
        Some(wish) if is_usable(wish, clock_rate) => {
            reasons.push(format!("{wish:?} of media in a packet: the peer asks for it"));
            wish
        }
        Some(wish) => {
            reasons.push(format!("{ours:?} of media in a packet: {wish:?} is not usable"));
            ours
        }
        None => {
            reasons.push(format!("{ours:?} of media in a packet: the peer asks for nothing"));
            ours
        }
    };
    match remote.max_ptime {
        Some(limit) if limit < time => {
            let limited = if is_usable(limit, clock_rate) { limit } else { whole_steps(limit) };
            reasons.push(why_limited(limited, limit));
            limited
        }
        _ => time,
    }
}

/// A limit below our least is passed over: RFC 8866 §6.5 makes none of the values a reason to refuse,
/// and a flood would be an attack.
fn why_limited(limited: Duration, limit: Duration) -> String {
    if limited > limit {
        return format!(
            "{limited:?} of media in a packet: it is our least, though the peer takes {limit:?}"
        );
    }
    format!("{limited:?} of media in a packet: the peer takes no more than {limit:?}")
}

/// Whether packets of this length are a whole number of RTP clock ticks, and neither a flood nor
/// longer than receivers have to take.
fn is_usable(time: Duration, clock_rate: u32) -> bool {
    let ticks = time.as_nanos().saturating_mul(clock_rate.into());
    (SHORTEST..=LONGEST).contains(&time) && ticks.is_multiple_of(NANOSECONDS)
}

/// The longest multiple of 10 ms within the limit.
fn whole_steps(limit: Duration) -> Duration {
    let steps = limit.as_millis() / SHORTEST.as_millis();
    SHORTEST.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX).max(1))
}

/// Nanoseconds in a second.
const NANOSECONDS: u128 = 1_000_000_000;
/// The frame length of the codecs with frames; 100 packets a second.
const SHORTEST: Duration = Duration::from_millis(10);
/// A receiver should accept packets of up to 200 ms (RFC 3551 §4.2).
const LONGEST: Duration = Duration::from_millis(200);
