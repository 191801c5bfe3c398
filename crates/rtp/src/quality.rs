//! Speech quality as a figure: the E-model (ITU-T G.107) in its usual short form.
//!
//! R = 93.2 − Idd − Ie,eff: the rating of the default narrow-band connection, less what delay and
//! the codec with its losses take away. Echo is left out. MOS follows from R.
//!
//! ```
//! use offhook_rtp::quality::{Codec, Conditions, mos, r_factor};
//! use std::time::Duration;
//!
//! let mut conditions = Conditions::new(Codec::G711_WITH_CONCEALMENT);
//! conditions.loss = 0.02;
//! conditions.one_way_delay = Duration::from_millis(150);
//! let r = r_factor(&conditions);
//! assert!((r - 86.0).abs() < 0.1);
//! assert!((mos(r) - 4.23).abs() < 0.01);
//! ```

use std::time::Duration;

use crate::Statistics;

/// What a listener's side of a call is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// The codec and how it bears loss.
    pub codec: Codec,
    /// The share of packets that are not played, 0 to 1: lost, or too late.
    pub loss: f64,
    /// BurstR: how much longer the bursts of loss are than with independent losses; 1 for
    /// independent ones.
    pub burst_ratio: f64,
    /// Ta: the time from mouth to ear.
    pub one_way_delay: Duration,
}

impl Conditions {
    /// No loss and no delay.
    pub const fn new(codec: Codec) -> Self {
        Self { codec, loss: 0.0, burst_ratio: 1.0, one_way_delay: Duration::ZERO }
    }

    /// The conditions of what we hear, over the whole session.
    ///
    /// Packets that came too late or were left out count as lost, as they were not heard. The delay
    /// is half of the round trip (none if that is not known), the jitter buffer, and one `frame`
    /// to fill a packet. Losses are taken as independent.
    pub fn from_statistics(statistics: &Statistics, codec: Codec, frame: Duration) -> Self {
        // Sources that do not play say nothing of what is heard.
        let strangers = statistics.drops.not_playing;
        let expected = statistics.packets_expected.saturating_sub(strangers) as f64;
        let arrived = statistics.packets_received.saturating_sub(statistics.duplicate);
        let arrived = arrived.saturating_sub(strangers);
        let not_played = statistics.late.saturating_add(statistics.discarded);
        let not_played = not_played.saturating_add(statistics.drops.too_large);
        let played = arrived.saturating_sub(not_played) as f64;
        let loss = if expected > 0.0 { 1.0 - played / expected } else { 0.0 };
        let network = statistics.round_trip.unwrap_or_default() / 2;
        Self {
            loss: loss.clamp(0.0, 1.0),
            one_way_delay: network + statistics.jitter_buffer_delay + frame,
            ..Self::new(codec)
        }
    }
}

/// What a codec costs: its equipment impairment and its robustness against loss (ITU-T G.113).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Codec {
    /// Ie: the impairment without loss.
    pub impairment: f64,
    /// Bpl: the packet-loss robustness.
    pub robustness: f64,
}

impl Codec {
    /// G.711 whose losses are concealed.
    pub const G711_WITH_CONCEALMENT: Self = Self { impairment: 0.0, robustness: 25.1 };
    /// G.711 whose losses are left silent.
    pub const G711: Self = Self { impairment: 0.0, robustness: 4.3 };
    /// G.729 Annex A.
    pub const G729A: Self = Self { impairment: 11.0, robustness: 19.0 };
}

/// The rating R of a connection: 93.2 is that of a wired call, below 50 nobody likes to listen.
pub fn r_factor(conditions: &Conditions) -> f64 {
    let Conditions { codec, loss, burst_ratio, one_way_delay } = *conditions;
    let delay = delay_impairment(one_way_delay);
    DEFAULT_R - delay - effective_equipment_impairment(codec, loss, burst_ratio)
}

/// The mean opinion score, 1 to 4.5, that goes with a rating (G.107 Annex B).
///
/// It is the plain formula, which dips below 1 by up to 0.012 for ratings between 0 and 6.5.
pub fn mos(r: f64) -> f64 {
    if r <= 0.0 {
        1.0
    } else if r >= 100.0 {
        4.5
    } else {
        1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6
    }
}

/// Idd: what the delay costs, nothing up to 100 ms (G.107 §7.4).
pub fn delay_impairment(one_way_delay: Duration) -> f64 {
    let milliseconds = one_way_delay.as_secs_f64() * 1000.0;
    if milliseconds <= 100.0 {
        return 0.0;
    }
    let x = (milliseconds / 100.0).log2();
    let sixth_root = |value: f64| value.powf(1.0 / 6.0);
    let rise = sixth_root(1.0 + x.powi(6));
    let bend = 3.0 * sixth_root(1.0 + (x / 3.0).powi(6));
    25.0 * (rise - bend + 2.0)
}

/// Ie,eff: what the codec costs under loss (G.107 §7.5). `loss` is a share from 0 to 1.
pub fn effective_equipment_impairment(codec: Codec, loss: f64, burst_ratio: f64) -> f64 {
    let percent = loss * 100.0;
    if percent <= 0.0 {
        return codec.impairment;
    }
    let Codec { impairment, robustness } = codec;
    impairment + (95.0 - impairment) * percent / (percent / burst_ratio + robustness)
}

/// R of the connection with all parameters at their defaults, as published.
const DEFAULT_R: f64 = 93.2;

#[cfg(test)]
mod tests;
