//! Fills the place of lost frames, in the manner of ITU-T G.711 Appendix I.
//!
//! Appendix I holds the output back by 3.75 ms, to bend the end of the last good frame towards
//! the repeated pattern. This one adds no delay: what was heard stays as it was, and the
//! pattern is bent instead.

use std::fmt;

use crate::repetition::{Repetition, Times};

/// Stands behind a decoder and conceals the frames that did not come.
///
/// Call [`received`](Self::received) with each decoded frame and [`conceal`](Self::conceal) where
/// one is missing, in the order in which they are played. The lost time is filled by repeating
/// the last pitch period: one for the first 10 ms, then two, then three, so that it does not
/// buzz. From 10 ms on the level falls by 20 % each 10 ms; after 60 ms there is silence. Frames
/// may have any length, and may change it.
pub struct Concealer {
    times: Times,
    /// The last 48.75 ms that were played.
    history: Box<[i16]>,
    repetition: Repetition,
    concealing: bool,
    /// Samples of cross-fade from the pattern back to the speech: still to come, and in all.
    rejoin: (usize, usize),
}

impl Concealer {
    /// A concealer that has heard silence so far. It allocates here and never again.
    ///
    /// A `sample_rate` outside 1 000 to 384 000 Hz counts as the nearest of the two.
    pub fn new(sample_rate: u32) -> Self {
        let times = Times::new(sample_rate);
        Self {
            times,
            history: vec![0; times.history].into(),
            repetition: Repetition::new(times),
            concealing: false,
            rejoin: (0, 0),
        }
    }

    /// Takes a frame that came, and remembers it.
    ///
    /// The first 4 to 10 ms after a loss are cross-faded with the pattern. Any other sample is
    /// left as it is, bit for bit.
    pub fn received(&mut self, frame: &mut [i16]) {
        if frame.is_empty() {
            return;
        }
        if std::mem::take(&mut self.concealing) {
            let length = self.repetition.rejoin_length();
            self.rejoin = (length, length);
        }
        self.cross_fade(frame);
        self.remember(frame);
    }

    /// Overwrites `frame` with what the listener shall hear in the place of a lost one.
    pub fn conceal(&mut self, frame: &mut [i16]) {
        if frame.is_empty() {
            return;
        }
        if !std::mem::replace(&mut self.concealing, true) {
            self.repetition.start(&self.history);
            self.rejoin = (0, 0);
        }
        frame.fill_with(|| self.repetition.next_sample().round() as i16);
        self.remember(frame);
    }

    /// Whether the last frame was a concealed one.
    pub fn concealing(&self) -> bool {
        self.concealing
    }

    fn cross_fade(&mut self, frame: &mut [i16]) {
        let (left, length) = &mut self.rejoin;
        for sample in frame.iter_mut().take(*left) {
            let pattern = *left as f32 / (*length as f32 + 1.0);
            let speech = f32::from(*sample) * (1.0 - pattern);
            *sample = (speech + self.repetition.next_sample() * pattern).round() as i16;
            *left -= 1;
        }
    }

    fn remember(&mut self, frame: &[i16]) {
        let kept = self.times.history;
        let fresh = frame.get(frame.len().saturating_sub(kept)..).unwrap_or_default();
        self.history.copy_within(fresh.len().., 0);
        if let Some(end) = self.history.get_mut(kept - fresh.len()..) {
            end.copy_from_slice(fresh);
        }
    }
}

impl fmt::Debug for Concealer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Concealer")
            .field("sample_rate", &self.times.sample_rate)
            .field("concealing", &self.concealing)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
