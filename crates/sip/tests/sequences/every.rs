//! All sequences of what can happen, and a sample of the long ones.

use std::fmt::Debug;

use offhook_sansio::Random;

/// A machine, and all that happens around it.
pub(crate) trait Stage: Sized {
    type Happens: Copy + Debug + PartialEq + 'static;
    /// What can happen, any number of times.
    const ALL: &'static [Self::Happens];
    /// How many ways there are to begin.
    const BEGINNINGS: usize;

    fn begin(beginning: usize) -> Self;

    fn happens(&mut self, what: Self::Happens);

    /// Lets it end, and checks what is left.
    fn finish(self);
}

/// All sequences of up to four, all orders of five different ones from the first beginning, and some
/// of six.
pub(crate) fn many<S: Stage>() {
    let is_order =
        |events: &[S::Happens]| events.iter().enumerate().all(|(n, it)| !events[..n].contains(it));
    every::<S>(S::BEGINNINGS, 0..=4, |_| true);
    every::<S>(1, 5..=5, is_order);
    let mut random = Random::from_seed(6);
    for _ in 0..SAMPLE {
        let pick = |_| S::ALL[random.u32() as usize % S::ALL.len()];
        let order: Vec<_> = (0..6).map(pick).collect();
        run::<S>(random.u32() as usize % S::BEGINNINGS, &order);
    }
}

/// All sequences of up to six.
pub(crate) fn all<S: Stage>() {
    every::<S>(S::BEGINNINGS, 0..=6, |_| true);
}

fn every<S: Stage>(
    beginnings: usize,
    lengths: std::ops::RangeInclusive<usize>,
    wanted: impl Fn(&[S::Happens]) -> bool,
) {
    for beginning in 0..beginnings {
        for length in lengths.clone() {
            let mut digits = vec![0; length];
            loop {
                let order: Vec<_> = digits.iter().map(|digit| S::ALL[*digit]).collect();
                if wanted(&order) {
                    run::<S>(beginning, &order);
                }
                if !count_on(&mut digits, S::ALL.len()) {
                    break;
                }
            }
        }
    }
}

/// The next number with these digits; false after the last.
fn count_on(digits: &mut [usize], base: usize) -> bool {
    for digit in digits {
        *digit = (*digit + 1) % base;
        if *digit != 0 {
            return true;
        }
    }
    false
}

fn run<S: Stage>(beginning: usize, order: &[S::Happens]) {
    let _named = Named(beginning, &order);
    let mut stage = S::begin(beginning);
    for what in order {
        stage.happens(*what);
    }
    stage.finish();
}

/// Says which sequence it was, if it fails.
struct Named<'a>(usize, &'a dyn Debug);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("beginning {}: {:?}", self.0, self.1);
        }
    }
}

const SAMPLE: usize = 5_000;
