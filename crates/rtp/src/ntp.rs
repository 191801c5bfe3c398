//! Wallclock time as RTCP carries it (RFC 3550 §4), handed in as a value.

use std::time::{Duration, Instant, SystemTime};

/// A time in the format of NTP: seconds since 1900-01-01 00:00 UTC in the high 32 bits, the
/// fraction of a second in the low 32 bits. It wraps around in 2036, which RTCP allows for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The time that is `since_1970` after 1970-01-01 00:00 UTC.
    pub const fn from_unix(since_1970: Duration) -> Self {
        Self::from_duration(since_1970).wrapping_add(Self(UNIX_EPOCH_SECONDS << 32))
    }

    /// Whole seconds since 1900, modulo 2³².
    pub const fn seconds(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The fraction of a second, in units of 2⁻³² seconds.
    pub const fn fraction(self) -> u32 {
        self.0 as u32
    }

    /// The middle 32 bits: what a report block calls LSR (RFC 3550 §6.4.1), in units of 1/65536
    /// seconds.
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }

    const fn from_duration(duration: Duration) -> Self {
        let fraction = ((duration.subsec_nanos() as u64) << 32) / NANOSECONDS;
        Self((duration.as_secs() << 32) | fraction)
    }

    const fn wrapping_add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

/// One moment on both clocks: what ties the monotonic `Instant` of a machine to wallclock time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wallclock {
    /// The moment on the monotonic clock.
    pub instant: Instant,
    /// The same moment as wallclock time.
    pub ntp: NtpTime,
}

impl Wallclock {
    /// The tie between `instant` and the system's wallclock time of the same moment.
    ///
    /// A clock that stands before 1970 is read as 1970: RTCP needs differences of this time only.
    pub fn new(instant: Instant, system: SystemTime) -> Self {
        let since_1970 = system.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { instant, ntp: NtpTime::from_unix(since_1970) }
    }

    /// The wallclock time at `now`.
    pub fn ntp_at(&self, now: Instant) -> NtpTime {
        let after = NtpTime::from_duration(now.saturating_duration_since(self.instant));
        let before = NtpTime::from_duration(self.instant.saturating_duration_since(now));
        NtpTime(self.ntp.wrapping_add(after).0.wrapping_sub(before.0))
    }
}

/// Converts units of 1/65536 seconds, as LSR and DLSR count them.
pub(crate) fn duration_of(units: u32) -> Duration {
    Duration::from_secs(u64::from(units)) / 65_536
}

/// Converts to units of 1/65536 seconds; what is too long for the field is the field's maximum.
pub(crate) fn units_of(duration: Duration) -> u32 {
    let seconds = duration.as_secs().saturating_mul(65_536);
    let fraction = u64::from(duration.subsec_nanos()) * 65_536 / NANOSECONDS;
    u32::try_from(seconds.saturating_add(fraction)).unwrap_or(u32::MAX)
}

/// Seconds from 1900 to 1970.
const UNIX_EPOCH_SECONDS: u64 = 2_208_988_800;
const NANOSECONDS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_rfc_3550_figure_2_has_its_middle_bits() {
        // 10 Nov 1995 11:33:25.125 UTC
        let time = NtpTime::from_unix(Duration::from_millis(816_003_205_125));
        assert_eq!((time.seconds(), time.fraction()), (0xb44d_b705, 0x2000_0000));
        assert_eq!(time.middle(), 0xb705_2000);
    }

    #[test]
    fn wallclock_time_runs_with_the_instant_in_both_directions() {
        let instant = Instant::now() + Duration::from_secs(10);
        let clock = Wallclock { instant, ntp: NtpTime(100 << 32) };
        assert_eq!(clock.ntp_at(instant + Duration::from_millis(1500)).0, (101 << 32) | (1 << 31));
        assert_eq!(clock.ntp_at(instant - Duration::from_millis(500)).0, (99 << 32) | (1 << 31));
    }

    #[test]
    fn wallclock_time_wraps_around_in_2036() {
        let instant = Instant::now();
        let clock = Wallclock { instant, ntp: NtpTime(u64::from(u32::MAX) << 32) };
        assert_eq!(clock.ntp_at(instant + Duration::from_secs(2)).0, 1 << 32);
    }

    #[test]
    fn delays_in_65536ths_of_a_second_convert_both_ways() {
        assert_eq!(units_of(Duration::from_millis(5250)), 0x0005_4000);
        assert_eq!(duration_of(0x0005_4000), Duration::from_millis(5250));
        assert_eq!(units_of(Duration::from_secs(1 << 20)), u32::MAX);
    }
}
