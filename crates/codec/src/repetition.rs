//! The repeated pitch pattern that stands in for lost speech: ITU-T G.711 Appendix I §I.2.

/// The durations of Appendix I, counted in samples of the stream's rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) sample_rate: u32,
    /// 10 ms: the step of everything that changes in the course of a loss.
    step: usize,
    /// 5 ms, a voice of 200 Hz: 40 samples at 8 kHz.
    shortest_pitch: usize,
    /// 15 ms, a voice of 66 Hz: 120 samples at 8 kHz.
    longest_pitch: usize,
    /// 20 ms of the newest samples are compared with older ones to find the pitch.
    window: usize,
    /// Three of the longest periods and a quarter for the overlap: 390 samples at 8 kHz.
    pub(crate) history: usize,
}

impl Times {
    pub(crate) fn new(sample_rate: u32) -> Self {
        let sample_rate = sample_rate.clamp(1000, 384_000);
        let samples = |milliseconds: u32| (sample_rate * milliseconds / 1000) as usize;
        let longest_pitch = samples(15);
        Self {
            sample_rate,
            step: samples(10),
            shortest_pitch: samples(5),
            longest_pitch,
            window: samples(20),
            history: 3 * longest_pitch + longest_pitch / 4,
        }
    }
}

/// An endless continuation of a history, which fades out.
pub(crate) struct Repetition {
    times: Times,
    /// The history as it was when the loss began.
    pattern: Box<[i16]>,
    pitch: usize,
    cursor: Cursor,
    /// The shorter pattern that is being left, and the samples of cross-fade still to come.
    leaving: (Cursor, usize),
    /// How far the pattern starts beside the last sample played.
    offset: f32,
    /// Samples since the loss began; it stops at the end of the fade.
    lost: usize,
}

/// A place in the last `periods` of the pattern, which is read round and round.
#[derive(Clone, Copy)]
struct Cursor {
    periods: usize,
    at: usize,
}

impl Repetition {
    pub(crate) fn new(times: Times) -> Self {
        let cursor = Cursor { periods: 1, at: 0 };
        Self {
            times,
            pattern: vec![0; times.history].into(),
            pitch: times.longest_pitch,
            cursor,
            leaving: (cursor, 0),
            offset: 0.0,
            lost: FADE_STEPS * times.step,
        }
    }

    /// A loss begins behind this history.
    pub(crate) fn start(&mut self, history: &[i16]) {
        self.pattern.copy_from_slice(history);
        self.pitch = pitch(history, &self.times);
        self.cursor = Cursor { periods: 1, at: 0 };
        self.leaving = (self.cursor, 0);
        self.lost = 0;
        let end = self.times.history;
        self.offset = self.sample(end - 1) - self.sample(end - 1 - self.pitch);
    }

    /// The next sample of the continuation, within the range of `i16` or so little above that the
    /// cast saturates it.
    pub(crate) fn next_sample(&mut self) -> f32 {
        if self.lost >= FADE_STEPS * self.times.step {
            return 0.0;
        }
        if self.lost == self.times.step || self.lost == 2 * self.times.step {
            self.take_one_more_period();
        }
        let sample = (self.pattern_sample() + self.start_correction()) * self.gain();
        self.lost += 1;
        sample
    }

    /// How long the cross-fade back to speech takes: a quarter period, and 4 ms more for each
    /// 10 ms lost, but never more than 10 ms.
    pub(crate) fn rejoin_length(&self) -> usize {
        (self.overlap() + self.lost * 2 / 5).min(self.times.step)
    }

    /// One period alone sounds like a buzzer when it lasts. The place in the period is kept.
    fn take_one_more_period(&mut self) {
        self.leaving = (self.cursor, self.overlap());
        let at = self.cursor.at % self.pitch;
        self.cursor = Cursor { periods: self.cursor.periods + 1, at };
    }

    fn pattern_sample(&mut self) -> f32 {
        let sample = self.smooth_sample(self.cursor);
        self.cursor.advance(self.pitch);
        let (old, left) = self.leaving;
        if left == 0 {
            return sample;
        }
        let weight = left as f32 / (self.overlap() as f32 + 1.0);
        let mixed = sample * (1.0 - weight) + self.smooth_sample(old) * weight;
        self.leaving.0.advance(self.pitch);
        self.leaving.1 -= 1;
        mixed
    }

    /// The last quarter period of the pattern is bent towards what stood before its beginning,
    /// so that the next round joins without a click.
    fn smooth_sample(&self, Cursor { periods, at }: Cursor) -> f32 {
        let length = periods * self.pitch;
        let place = self.times.history - length + at;
        let into_overlap = (at + self.overlap() + 1).saturating_sub(length);
        let weight = into_overlap as f32 / (self.overlap() as f32 + 1.0);
        if into_overlap == 0 {
            return self.sample(place);
        }
        self.sample(place) * (1.0 - weight) + self.sample(place - length) * weight
    }

    /// Leads from the last sample played to the pattern within a quarter period. A periodic
    /// signal needs none of it.
    fn start_correction(&self) -> f32 {
        let left = self.overlap().saturating_sub(self.lost);
        self.offset * left as f32 / (self.overlap() as f32 + 1.0)
    }

    /// Whole for 10 ms, then 20 % less for each 10 ms.
    fn gain(&self) -> f32 {
        let fading = self.lost.saturating_sub(self.times.step) as f32;
        1.0 - fading / ((FADE_STEPS - 1) * self.times.step) as f32
    }

    fn overlap(&self) -> usize {
        self.pitch / 4
    }

    fn sample(&self, place: usize) -> f32 {
        self.pattern.get(place).copied().map_or(0.0, f32::from)
    }
}

impl Cursor {
    fn advance(&mut self, pitch: usize) {
        self.at = (self.at + 1) % (self.periods * pitch);
    }
}

/// The lag at which the newest samples are most like older ones.
///
/// Rates above 8 kHz are searched in steps of 0.125 ms first, then around the best one.
fn pitch(history: &[i16], times: &Times) -> usize {
    let stride = (times.sample_rate as usize / 8000).max(1);
    let likeness = |lag: &usize| likeness(history, *lag, times.window, stride);
    let coarse = (times.shortest_pitch..=times.longest_pitch).step_by(stride);
    let best = best(coarse, likeness).unwrap_or(times.longest_pitch);
    if stride == 1 {
        return best;
    }
    let from = (best + 1 - stride).max(times.shortest_pitch);
    let to = (best + stride - 1).min(times.longest_pitch);
    self::best(from..=to, likeness).unwrap_or(best)
}

fn best(lags: impl Iterator<Item = usize>, likeness: impl Fn(&usize) -> f64) -> Option<usize> {
    lags.map(|lag| (lag, likeness(&lag)))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map(|(lag, _)| lag)
}

/// The cross-correlation of the newest samples with those `lag` before, over the root of the
/// energy of the older ones. Silence is like nothing.
fn likeness(history: &[i16], lag: usize, window: usize, stride: usize) -> f64 {
    let newest = history.iter().rev().take(window).step_by(stride);
    let older = history.iter().rev().skip(lag).step_by(stride);
    let (correlation, energy) =
        newest.zip(older).fold((0_i64, 0_i64), |(correlation, energy), (new, old)| {
            let (new, old) = (i32::from(*new), i32::from(*old));
            (correlation + i64::from(new * old), energy + i64::from(old * old))
        });
    if energy == 0 { 0.0 } else { correlation as f64 / (energy as f64).sqrt() }
}

/// The fade ends after six steps of 10 ms.
const FADE_STEPS: usize = 6;
