//! Times in milliseconds with a fraction: `non-zero-int-or-real` (RFC 8866 §9).
#![deny(clippy::arithmetic_side_effects)]

use std::time::Duration;

/// Reads `20` or `2.5`. Zero, signs, exponents and more than an hour are no packet time.
pub(super) fn read(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let time = Duration::from_millis(whole).checked_add(nanoseconds(fraction)?)?;
    (!time.is_zero() && time <= LONGEST).then_some(time)
}

/// Writes what [`read`] reads.
pub(super) fn write(time: Duration) -> String {
    let fraction = time.subsec_nanos() % NANOSECONDS;
    match fraction {
        0 => time.as_millis().to_string(),
        _ => format!("{}.{fraction:06}", time.as_millis()).trim_end_matches('0').to_owned(),
    }
}

/// The digits behind the point, down to nanoseconds; finer ones are dropped.
fn nanoseconds(fraction: &str) -> Option<Duration> {
    let six: String = fraction.chars().chain("000000".chars()).take(6).collect();
    six.parse().ok().map(Duration::from_nanos)
}

/// Nanoseconds in a millisecond.
const NANOSECONDS: u32 = 1_000_000;
const LONGEST: Duration = Duration::from_secs(3600);
