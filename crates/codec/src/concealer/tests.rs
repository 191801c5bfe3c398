use std::f64::consts::TAU;

use proptest::prelude::*;

use super::*;

const FRAME: usize = 160;

#[test]
fn nothing_lost_means_nothing_changed() {
    let spoken = noise(8000);
    for length in [1, 7, 80, 160, 390, 391, 2000] {
        let mut concealer = Concealer::new(8000);
        let mut heard = spoken.clone();
        heard.chunks_mut(length).for_each(|frame| concealer.received(frame));
        assert_eq!(heard, spoken, "in frames of {length}");
    }
}

#[test]
fn what_follows_the_cross_fade_is_untouched() {
    let spoken = sine(8000, 200.0, 8000.0, 5 * FRAME);
    let heard = lossy(8000, &spoken, FRAME, |frame| frame == 2);
    assert_eq!(heard[..2 * FRAME], spoken[..2 * FRAME]);
    assert_eq!(heard[3 * FRAME + 80..], spoken[3 * FRAME + 80..]);
}

#[test]
fn a_concealed_sine_has_no_click_and_keeps_its_frequency() {
    for rate in [8000, 16_000, 44_100, 48_000] {
        for frequency in [70.0, 133.3, 200.0, 440.0, 1000.0, 1333.0] {
            let frame = rate as usize / 50;
            let spoken = sine(rate, frequency, 10_000.0, 8 * frame);
            let heard = lossy(rate, &spoken, frame, |number| number == 4);
            let steepest = largest_step(&heard);
            let allowed = largest_step(&spoken) * 5 / 4;
            assert!(steepest <= allowed, "{frequency} Hz at {rate}: {steepest} > {allowed}");
            let lost = 4 * frame..5 * frame;
            let crossings = (zero_crossings(&heard[lost.clone()]), zero_crossings(&spoken[lost]));
            assert!(crossings.0.abs_diff(crossings.1) <= 1, "{frequency} at {rate}: {crossings:?}");
        }
    }
}

#[test]
fn a_sine_whose_period_fits_is_continued_as_it_was() {
    let spoken = sine(8000, 100.0, 10_000.0, 8 * 80);
    let heard = lossy(8000, &spoken, 80, |number| number == 6);
    let lost = 6 * 80..7 * 80;
    let off = heard[lost.clone()].iter().zip(&spoken[lost]).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(off <= Some(2), "{off:?}");
}

#[test]
fn a_sound_without_pitch_starts_where_the_last_one_ended() {
    let spoken = noise(10 * FRAME);
    let heard = lossy(8000, &spoken, FRAME, |number| number >= 4);
    let joint = i32::from(heard[4 * FRAME]) - i32::from(heard[4 * FRAME - 1]);
    assert!(joint.abs() <= largest_step(&spoken[..4 * FRAME]), "a step of {joint}");
}

#[test]
fn a_long_loss_is_whole_for_10_ms_and_fades_to_silence_within_60_ms() {
    let spoken = sine(8000, 200.0, 10_000.0, 4 * FRAME);
    let mut heard = spoken;
    let mut concealer = Concealer::new(8000);
    concealer.received(&mut heard);
    let mut lost = [1; 800];
    lost.chunks_mut(FRAME).for_each(|frame| concealer.conceal(frame));
    let peaks: Vec<_> = lost.chunks(80).map(|part| part.iter().max().copied()).collect();
    assert!(peaks[0] > Some(9_900), "{peaks:?}");
    let falling = peaks[..6].windows(2).all(|pair| pair[1] <= pair[0]);
    assert!(falling, "{peaks:?}");
    assert!(peaks[3] > Some(4_000) && peaks[3] <= Some(6_000), "{peaks:?}");
    assert!(lost[480..].iter().all(|sample| *sample == 0));
}

#[test]
fn a_lone_frame_after_a_long_loss_does_not_bring_the_old_speech_back() {
    let mut concealer = Concealer::new(8000);
    concealer.received(&mut sine(8000, 200.0, 10_000.0, 4 * FRAME));
    concealer.conceal(&mut [0; 5 * FRAME]);
    concealer.received(&mut [0; 10]);
    let mut frame = [1; FRAME];
    concealer.conceal(&mut frame);
    assert_eq!(frame, [0; FRAME]);
}

#[test]
fn the_state_tells_whether_the_last_frame_was_concealed() {
    let mut concealer = Concealer::new(8000);
    assert!(!concealer.concealing());
    concealer.conceal(&mut [0; 80]);
    assert!(concealer.concealing());
    concealer.received(&mut []);
    assert!(concealer.concealing());
    concealer.received(&mut [0; 80]);
    assert!(!concealer.concealing());
}

#[test]
fn a_loss_before_any_speech_and_a_loss_of_silence_are_silent() {
    let mut concealer = Concealer::new(8000);
    let mut frame = [5; FRAME];
    concealer.conceal(&mut frame);
    assert_eq!(frame, [0; FRAME]);
    concealer.received(&mut frame);
    concealer.conceal(&mut frame);
    assert_eq!(frame, [0; FRAME]);
}

#[test]
fn a_cross_fade_goes_on_over_short_frames() {
    let spoken = sine(8000, 200.0, 8000.0, 1600);
    let heard = |length: usize| {
        let mut concealer = Concealer::new(8000);
        let mut heard = spoken.clone();
        let (before, rest) = heard.split_at_mut(400);
        let (lost, after) = rest.split_at_mut(300);
        concealer.received(before);
        lost.chunks_mut(length).for_each(|frame| concealer.conceal(frame));
        after.chunks_mut(length).for_each(|frame| concealer.received(frame));
        heard
    };
    assert_eq!(heard(3), heard(300));
}

proptest! {
    #[test]
    fn no_rate_length_or_loudness_panics_and_the_speech_comes_back(
        rate in prop_oneof![Just(0), Just(u32::MAX), 1..60_000_u32],
        frames in prop::collection::vec((0..700_usize, any::<bool>(), any::<[i16; 5]>()), 1..30),
    ) {
        let mut concealer = Concealer::new(rate);
        let mut lost = false;
        for (length, here, samples) in frames {
            let mut frame: Vec<_> = samples.into_iter().cycle().take(length).collect();
            let spoken = frame.clone();
            if here {
                concealer.received(&mut frame);
                prop_assert!(lost || frame == spoken);
            } else {
                concealer.conceal(&mut frame);
                lost |= length > 0;
            }
        }
        let spoken = [i16::MIN, i16::MAX].repeat(4000);
        let mut frame = spoken.clone();
        concealer.received(&mut frame);
        prop_assert_eq!(&frame[3840..], &spoken[3840..]);
    }
}

fn lossy(rate: u32, spoken: &[i16], frame: usize, lost: impl Fn(usize) -> bool) -> Vec<i16> {
    let mut concealer = Concealer::new(rate);
    let mut heard = spoken.to_vec();
    for (number, frame) in heard.chunks_mut(frame).enumerate() {
        if lost(number) { concealer.conceal(frame) } else { concealer.received(frame) }
    }
    heard
}

fn sine(rate: u32, frequency: f64, amplitude: f64, length: usize) -> Vec<i16> {
    let turn = TAU * frequency / f64::from(rate);
    (0..length).map(|n| (amplitude * (turn * n as f64).sin()).round() as i16).collect()
}

fn noise(length: usize) -> Vec<i16> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as i16
    };
    (0..length).map(|_| next()).collect()
}

fn largest_step(samples: &[i16]) -> i32 {
    let steps = samples.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs());
    steps.max().unwrap()
}

fn zero_crossings(samples: &[i16]) -> usize {
    samples.windows(2).filter(|pair| (pair[0] < 0) != (pair[1] < 0)).count()
}
