//! What was heard, held against what was said, frame by frame.

use std::{ops::Range, time::Duration};

/// How much of what was said was heard, sample for sample and in order.
///
/// Sound in frames either arrives whole or not at all, so it is compared in frames: a frame was
/// heard if its samples come next in what was heard. Silence before the first and after the last
/// of them is nobody's fault; any other frame that was heard and not said is invented.
///
/// ```
/// use offhook_testkit::SoundCheck;
///
/// let said = [10, 11, 20, 21, 30, 31, 40, 41];
/// let heard = [0, 0, 10, 11, 20, 21, 99, 99, 40, 41, 0, 0];
/// let check = SoundCheck::new(&said, &heard, 2);
/// assert_eq!((check.said, check.exact), (4, 3));
/// assert_eq!((check.missing, check.invented), (vec![2], vec![3]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoundCheck {
    /// Whole frames that were said.
    pub said: usize,
    /// Those of them that were heard, each exactly and in order.
    pub exact: usize,
    /// The numbers, from 0, of the said frames that were not heard.
    pub missing: Vec<usize>,
    /// The numbers, from 0, of the heard frames that nobody said.
    pub invented: Vec<usize>,
}

impl SoundCheck {
    /// Compares two recordings in frames of `frame` samples. A shorter rest is left out.
    pub fn new(said: &[i16], heard: &[i16], frame: usize) -> Self {
        let said: Vec<&[i16]> = said.chunks_exact(frame.max(1)).collect();
        let heard: Vec<&[i16]> = heard.chunks_exact(frame.max(1)).collect();
        let mut check = Self { said: said.len(), ..Self::default() };
        // Silence at the beginning looks like the silence before it.
        let (mut next_said, mut next_heard) = (leading_silence(&said), leading_silence(&heard));
        check.exact = next_said.min(next_heard);
        check.missing.extend(check.exact..next_said);
        let before = check.exact;
        while let Some((skip_said, skip_heard)) =
            next_match(tail(&said, next_said), tail(&heard, next_heard))
        {
            check.missing.extend(next_said..next_said + skip_said);
            let between = check.exact > before;
            check.invent(&heard, next_heard, skip_heard, between);
            check.exact += 1;
            next_said += skip_said + 1;
            next_heard += skip_heard + 1;
        }
        check.missing.extend(next_said..said.len());
        let rest = next_heard..heard.len();
        check.invented.extend(rest.filter(|index| !is_silent(heard.get(*index))));
        check
    }

    /// The share of what was said that was heard, 0 to 1; 1 if nothing was said.
    pub fn share(&self) -> f64 {
        if self.said == 0 { 1.0 } else { self.exact as f64 / self.said as f64 }
    }

    /// Where what was heard is not what was said: stretches of time since the first heard sample,
    /// each frame lasting `frame`.
    pub fn breaks(&self, frame: Duration) -> Vec<Range<Duration>> {
        let mut joined: Vec<Range<Duration>> = Vec::new();
        for index in &self.invented {
            let start = frame.saturating_mul(u32::try_from(*index).unwrap_or(u32::MAX));
            let end = start.saturating_add(frame);
            match joined.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => joined.push(start..end),
            }
        }
        joined
    }

    /// Counts what was heard before a match. Only between two matches silence is an invention.
    fn invent(&mut self, heard: &[&[i16]], from: usize, count: usize, between: bool) {
        let invented =
            (from..from + count).filter(|index| between || !is_silent(heard.get(*index)));
        self.invented.extend(invented);
    }
}

/// How many frames of each to skip until the two agree again, with as few skipped as possible.
///
/// Two silent frames agree only where nothing has to be skipped: silence looks the same
/// everywhere, and would join what does not belong together.
fn next_match(said: &[&[i16]], heard: &[&[i16]]) -> Option<(usize, usize)> {
    let reach = said.len().saturating_add(heard.len()).min(REACH);
    (0..reach).find_map(|skipped| {
        (0..=skipped).map(|skip_said| (skip_said, skipped - skip_said)).find(|(a, b)| {
            let pair = said.get(*a).zip(heard.get(*b));
            pair.is_some_and(|(said, heard)| {
                said == heard && (skipped == 0 || !is_silent(Some(said)))
            })
        })
    })
}

fn leading_silence(frames: &[&[i16]]) -> usize {
    frames.iter().take_while(|frame| is_silent(Some(frame))).count()
}

fn tail<'a, 'b>(frames: &'b [&'a [i16]], from: usize) -> &'b [&'a [i16]] {
    frames.get(from..).unwrap_or_default()
}

/// Whether a frame holds no more than the codecs make of silence: A-law turns 0 into 8.
fn is_silent(frame: Option<&&[i16]>) -> bool {
    frame.is_none_or(|frame| frame.iter().all(|sample| sample.unsigned_abs() <= 8))
}

/// How far apart two matches may be, in skipped frames of both recordings together.
const REACH: usize = 1500;

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(values: &[i16]) -> Vec<i16> {
        values.iter().flat_map(|value| [*value; 4]).collect()
    }

    fn check(said: &[i16], heard: &[i16]) -> SoundCheck {
        SoundCheck::new(&frames(said), &frames(heard), 4)
    }

    #[test]
    fn silence_around_what_was_heard_is_no_fault() {
        let check = check(&[100, 200, 300], &[0, 0, 8, 100, 200, 300, 0]);
        assert_eq!((check.exact, check.share()), (3, 1.0));
        assert!(check.missing.is_empty() && check.invented.is_empty());
    }

    #[test]
    fn a_gap_inside_is_missing_and_its_filling_invented() {
        let check = check(&[100, 200, 300], &[100, 0, 300]);
        assert_eq!((check.missing, check.invented), (vec![1], vec![1]));
    }

    #[test]
    fn frames_in_the_wrong_order_are_not_exact() {
        let check = check(&[100, 200, 300, 400], &[100, 300, 200, 400]);
        assert_eq!(check.exact, 3);
        assert_eq!((check.missing.len(), check.invented.len()), (1, 1));
    }

    #[test]
    fn a_frame_heard_twice_is_invented_once() {
        let check = check(&[100, 200, 300], &[100, 200, 200, 300]);
        assert_eq!((check.exact, check.invented), (3, vec![2]));
    }

    #[test]
    fn silence_that_grew_inside_is_invented() {
        let check = check(&[100, 0, 200], &[100, 0, 0, 200]);
        assert_eq!((check.exact, check.invented), (3, vec![2]));
    }

    #[test]
    fn silence_that_begins_what_was_said_is_heard_in_any_silence() {
        let longer = check(&[0, 0, 100, 200], &[0, 0, 0, 100, 200]);
        assert_eq!((longer.exact, longer.invented.len()), (4, 0));
        let shorter = check(&[0, 0, 100, 200], &[0, 100, 200]);
        assert_eq!((shorter.exact, shorter.missing), (3, vec![1]));
    }

    #[test]
    fn neighbouring_breaks_are_joined() {
        let check = SoundCheck { invented: vec![1, 2, 5], ..SoundCheck::default() };
        let ms = Duration::from_millis;
        assert_eq!(check.breaks(ms(20)), [ms(20)..ms(60), ms(100)..ms(120)]);
    }

    #[test]
    fn nothing_heard_is_all_missing() {
        assert_eq!(check(&[100, 200], &[]).missing, [0, 1]);
        assert_eq!(check(&[], &[100]).invented, [0]);
        assert_eq!(SoundCheck::new(&[], &[], 0).share(), 1.0);
    }

    #[test]
    fn one_wrong_sample_spoils_its_frame() {
        let said = frames(&[100, 200, 300]);
        let mut heard = said.clone();
        heard[5] += 1;
        assert_eq!(SoundCheck::new(&said, &heard, 4).missing, [1]);
    }
}
