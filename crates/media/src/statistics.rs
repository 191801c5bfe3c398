//! The figures of a leg.

use std::{fmt, time::Duration};

use offhook_rtp::quality::{Codec, Conditions, mos, r_factor};

/// The figures of one leg, as plain numbers.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LegStatistics {
    /// The codec: `PCMU/8000`.
    pub codec: String,
    /// How much sound a packet carries.
    pub frame_time: Duration,
    /// RTP and RTCP.
    pub rtp: offhook_rtp::Statistics,
    /// What the played frames were made of.
    pub frames: Frames,
    /// Packets from a place that media may not come from, or where none was agreed.
    pub foreign: u64,
    /// Datagrams on the media sockets that are neither RTP nor RTCP.
    pub not_media: u64,
    /// Payloads that the codec refused.
    pub undecodable: u64,
    /// The rating of what is heard, 0 to 100 (ITU-T G.107); 0 while nothing has been received.
    pub r_factor: f64,
    /// The mean opinion score of what is heard, 1 to 4.5 (ITU-T G.107 Annex B); 1 while nothing
    /// has been received.
    pub mos: f64,
}

impl LegStatistics {
    /// How the leg did since `earlier` figures of it.
    pub fn since(&self, earlier: &Self) -> Interval {
        let part = |now: u64, before: u64| now.saturating_sub(before);
        let (now, before) = (&self.rtp, &earlier.rtp);
        let mut rtp = *now;
        rtp.packets_received = part(now.packets_received, before.packets_received);
        rtp.packets_expected = part(now.packets_expected, before.packets_expected);
        rtp.duplicate = part(now.duplicate, before.duplicate);
        rtp.late = part(now.late, before.late);
        rtp.discarded = part(now.discarded, before.discarded);
        rtp.drops.not_playing = part(now.drops.not_playing, before.drops.not_playing);
        rtp.drops.too_large = part(now.drops.too_large, before.drops.too_large);
        let conditions = conditions(&rtp, self.frame_time);
        Interval { loss: conditions.loss, mos: opinion(rating(&conditions)) }
    }
}

/// How a leg did for some time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Interval {
    /// The share of packets that were not played, lost or too late, 0 to 1.
    pub loss: f64,
    /// The mean opinion score of what was heard, 1 to 4.5.
    pub mos: f64,
}

/// Counts of played frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// Frames of what the far side sent.
    pub speech: u64,
    /// Frames that fill the place of lost ones.
    pub concealed: u64,
    /// Frames played while nothing was received.
    pub silence: u64,
}

impl Frames {
    /// The share of frames in the middle of sound that had to be concealed, 0 to 1.
    pub fn concealed_share(&self) -> f64 {
        let sounding = self.speech.saturating_add(self.concealed);
        if sounding == 0 { 0.0 } else { self.concealed as f64 / sounding as f64 }
    }
}

/// One line for people: packets, loss, jitter, round trip and MOS.
impl fmt::Display for LegStatistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rtp = &self.rtp;
        write!(f, "{}: ", self.codec)?;
        write!(f, "{} packets sent, {} received, ", rtp.packets_sent, rtp.packets_received)?;
        write!(f, "{} lost, {} late, jitter {:.1} ms", rtp.lost, rtp.late, rtp.jitter)?;
        if let Some(round_trip) = rtp.round_trip {
            write!(f, ", round trip {:.1} ms", round_trip.as_secs_f64() * 1000.0)?;
        }
        match rtp.packets_received {
            0 => f.write_str(", nothing heard"),
            _ => write!(f, ", MOS {:.2}", self.mos),
        }
    }
}

/// The rating of what is heard over a whole leg, 0 to 100.
pub(crate) fn heard_r_factor(rtp: &offhook_rtp::Statistics, frame: Duration) -> f64 {
    if rtp.packets_received == 0 { 0.0 } else { rating(&conditions(rtp, frame)) }
}

/// The opinion score of a rating, 1 to 4.5: the plain formula dips below 1 for the worst ratings.
pub(crate) fn opinion(r: f64) -> f64 {
    mos(r).max(1.0)
}

/// The rating on the scale that people know: total loss would take it below 0.
fn rating(conditions: &Conditions) -> f64 {
    r_factor(conditions).clamp(0.0, 100.0)
}

/// All codecs here are G.711, with concealment.
fn conditions(rtp: &offhook_rtp::Statistics, frame: Duration) -> Conditions {
    Conditions::from_statistics(rtp, Codec::G711_WITH_CONCEALMENT, frame)
}
