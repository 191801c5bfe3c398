//! What the owner of a user agent may choose about session timers (RFC 4028).

use std::time::Duration;

/// The use of session timers (RFC 4028): who asks for them, for how long, and who refreshes.
///
/// Refreshes are sent and answered without the owner, except for a re-INVITE of the peer: it is told
/// of as any other, for only the owner knows whether its offer changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    /// Whether they are used.
    pub wanted: TimerUse,
    /// The session interval to ask for, in whole seconds. It is taken as at least `min_se`.
    pub interval: Duration,
    /// The shortest session interval that is taken, in whole seconds; a shorter one is refused with
    /// 422. It is taken as at least 90 seconds (RFC 4028 §5).
    pub min_se: Duration,
    /// Who is to refresh, where this side may choose.
    pub refreshes: Refreshes,
}

/// Whether session timers are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimerUse {
    /// They are neither offered nor taken: an INVITE that requires them is answered with 420.
    Off,
    /// They are offered, and used where the peer or a proxy asks for them.
    #[default]
    Supported,
    /// They are offered and asked for in every call. A peer that does not support them is asked
    /// whether it is still there all the same: this side refreshes (RFC 4028 §7.2).
    Requested,
    /// As `Requested`; our INVITE requires them too, and one that does not offer them is answered
    /// with 421. RFC 4028 §7.1 recommends `Requested` instead.
    Required,
}

/// Who is to refresh the session, where this side may choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refreshes {
    /// Whoever the peer chooses; the caller if it leaves the choice too.
    #[default]
    Either,
    /// This side.
    We,
    /// The peer, if it supports session timers. An INVITE cannot ask for that, for its callee may
    /// not; then it is the callee's choice (RFC 4028 §7.1).
    Peer,
}

impl SessionTimer {
    /// No session timers.
    pub const OFF: Self = Self {
        wanted: TimerUse::Off,
        interval: INTERVAL,
        min_se: Duration::from_secs(LEAST as u64),
        refreshes: Refreshes::Either,
    };

    /// Session timers that are asked for with this interval.
    pub const fn requested(interval: Duration) -> Self {
        Self { wanted: TimerUse::Requested, interval, ..Self::OFF }
    }

    /// Whether `timer` is among what this side supports.
    pub(crate) fn is_supported(&self) -> bool {
        self.wanted != TimerUse::Off
    }

    /// Whether this side asks for a timer by itself.
    pub(crate) fn is_requested(&self) -> bool {
        matches!(self.wanted, TimerUse::Requested | TimerUse::Required)
    }

    /// The shortest interval that is taken, in seconds.
    pub(crate) fn min_seconds(&self) -> u32 {
        seconds(self.min_se).max(LEAST)
    }

    /// The interval to ask for, in seconds.
    pub(crate) fn seconds(&self) -> u32 {
        seconds(self.interval).max(self.min_seconds())
    }
}

impl Default for SessionTimer {
    fn default() -> Self {
        Self { wanted: TimerUse::Supported, ..Self::requested(INTERVAL) }
    }
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// What RFC 4028 §4 recommends.
const INTERVAL: Duration = Duration::from_secs(1_800);
/// The absolute minimum of a session interval, and of Min-SE (RFC 4028 §4, §5).
pub(crate) const LEAST: u32 = 90;
