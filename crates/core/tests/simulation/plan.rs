//! What the two people of one call will do, drawn before the call is placed.

use std::time::Duration;

use offhook_sansio::Random;
use offhook_sip_message::StatusCode;

/// One call to be.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// When it is placed, after the start.
    pub(crate) at: Duration,
    /// The numbers of the phones.
    pub(crate) caller: usize,
    pub(crate) callee: usize,
    pub(crate) callee_does: CalleeDoes,
    /// After how long the caller gives up, if nobody has answered.
    pub(crate) patience: Duration,
    /// Seconds that the INVITE says it is good for.
    pub(crate) expires: Option<u64>,
    /// How long after their side of the answer each of them hangs up.
    pub(crate) caller_talks: Duration,
    pub(crate) callee_talks: Duration,
    /// How many frames of sound each of them says.
    pub(crate) frames: u32,
}

/// What the callee does about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CalleeDoes {
    /// Rings, if ever, then answers.
    Answer { ring: Option<Duration>, after: Duration },
    /// Refuses with this status.
    Reject { status: StatusCode, after: Duration },
    /// Rings, and nobody comes; the phone gives up much later.
    Ring { give_up: Duration },
    /// Has no codec of the caller's.
    CannotAnswer,
}

impl Plan {
    /// Draws a call that is placed at `at`. One in fifty comes from the phone with the foreign
    /// codec.
    pub(crate) fn draw(at: Duration, random: &mut Random) -> Self {
        let foreign = one_in(random, 50);
        let caller = if foreign { FOREIGN } else { pick(random, 2) };
        let callee = if foreign { pick(random, 2) } else { 1 - caller };
        let callee_does = if foreign { CalleeDoes::CannotAnswer } else { CalleeDoes::draw(random) };
        let patience = match pick(random, 8) {
            0 => Duration::ZERO,
            1 | 2 => between(random, 0.01, 6.0),
            _ => between(random, 20.0, 60.0),
        };
        let expires = one_in(random, 12).then(|| 2 + pick(random, 20) as u64);
        let (caller_talks, callee_talks) = talks(random);
        let frames = if one_in(random, 10) { 25 } else { 0 };
        Self {
            at,
            caller,
            callee,
            callee_does,
            patience,
            expires,
            caller_talks,
            callee_talks,
            frames,
        }
    }
}

impl CalleeDoes {
    fn draw(random: &mut Random) -> Self {
        let after = if one_in(random, 4) { Duration::ZERO } else { between(random, 0.0, 5.0) };
        match pick(random, 10) {
            0 => Self::Reject { status: StatusCode::BUSY_HERE, after },
            1 => Self::Reject { status: StatusCode::DECLINE, after },
            2 => Self::Ring { give_up: between(random, 70.0, 90.0) },
            _ => {
                let ring = one_in(random, 2).then(|| after.mul_f64(random.unit()));
                Self::Answer { ring, after }
            }
        }
    }
}

/// The one who hangs up second does so long after, in case the first BYE never arrives.
fn talks(random: &mut Random) -> (Duration, Duration) {
    let first = match pick(random, 6) {
        0 => Duration::ZERO,
        1 => between(random, 0.0, 0.2),
        _ => between(random, 0.5, 20.0),
    };
    let second = first + between(random, 60.0, 90.0);
    match pick(random, 5) {
        0 => (first, first),
        1 | 2 => (second, first),
        _ => (first, second),
    }
}

fn pick(random: &mut Random, choices: u32) -> usize {
    (random.u32() % choices) as usize
}

fn one_in(random: &mut Random, many: u32) -> bool {
    pick(random, many) == 0
}

pub(crate) fn between(random: &mut Random, from: f64, to: f64) -> Duration {
    Duration::from_secs_f64(from + (to - from) * random.unit())
}

/// The phone that has another codec than the rest.
pub(crate) const FOREIGN: usize = 2;
