use std::f64::consts::TAU;
use std::fs;

use proptest::prelude::*;

use super::*;
use crate::scratch::Scratch;

#[test]
fn sixteen_bit_mono_at_the_same_rate_comes_out_unchanged() {
    let samples: Vec<i16> = (i16::MIN..=i16::MAX).collect();
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let folder = Scratch::new();
    for rate in [1000, 8000, 44_100, 384_000] {
        let path = folder.file("all.wav", &wav(1, 1, rate, 16, &bytes));
        assert!(read_all(&path, rate).unwrap() == samples, "at {rate}");
    }
}

#[test]
fn every_coding_gives_the_same_sound() {
    let folder = Scratch::new();
    let values = [0_i16, 256, -256, 16_384, -32_768, 32_512];
    let coded =
        |code: fn(i16) -> Vec<u8>| values.iter().copied().flat_map(code).collect::<Vec<_>>();
    let codings = [
        (1, 8, coded(|value| vec![(value / 256 + 128) as u8])),
        (1, 16, coded(|value| value.to_le_bytes().into())),
        (1, 24, coded(|value| (i32::from(value) << 8).to_le_bytes()[..3].into())),
        (1, 32, coded(|value| (i32::from(value) << 16).to_le_bytes().into())),
        (3, 32, coded(|value| (f32::from(value) / 32_768.0).to_le_bytes().into())),
    ];
    for (format, bits, bytes) in codings {
        let path = folder.file("coding.wav", &wav(format, 1, 8000, bits, &bytes));
        assert_eq!(read_all(&path, 8000).unwrap(), values, "format {format} with {bits} bits");
    }
}

#[test]
fn channels_are_averaged() {
    let folder = Scratch::new();
    let stereo = le(&[100, 300, -32_768, -32_768, 32_767, 32_767, 1000, -1000]);
    let path = folder.file("stereo.wav", &wav(1, 2, 8000, 16, &stereo));
    assert_eq!(read_all(&path, 8000).unwrap(), [200, -32_768, 32_767, 0]);
    let path = folder.file("six.wav", &wav(1, 6, 8000, 16, &le(&[6, 0, 0, 0, 0, 0])));
    assert_eq!(read_all(&path, 8000).unwrap(), [1]);
}

#[test]
fn floats_beyond_full_scale_and_numbers_that_are_none_do_no_harm() {
    let folder = Scratch::new();
    let floats = [2.0, -2.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.0];
    let bytes: Vec<u8> = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
    let path = folder.file("float.wav", &wav(3, 1, 8000, 32, &bytes));
    let expected = [i16::MAX, i16::MIN, 0, i16::MAX, i16::MIN, i16::MAX];
    assert_eq!(read_all(&path, 8000).unwrap(), expected);
    assert_eq!(read_all(&path, 16_000).unwrap().len(), 12);
}

#[test]
fn a_resampled_tone_keeps_length_place_pitch_and_level() {
    let folder = Scratch::new();
    for (from, to) in [
        (44_100, 8000),
        (48_000, 8000),
        (8000, 48_000),
        (11_025, 8000),
        (1000, 8000),
        (384_000, 8000),
        (12_345, 8000),
        (8000, 1000),
        (8000, 384_000),
    ] {
        let path = folder.file("tone.wav", &wav(1, 1, from, 16, &le(&sine(from, from as usize))));
        let heard = read_all(&path, to).unwrap();
        assert_eq!(heard.len(), to as usize, "{from} to {to}");
        // Away from the ends, where a tone that starts at once has all frequencies.
        let (edge, wanted) = (to as usize / 10, sine(to, to as usize));
        let inner = edge..to as usize - edge;
        let differences = heard[inner.clone()].iter().zip(&wanted[inner]);
        let worst = differences.map(|(heard, wanted)| heard.abs_diff(*wanted)).max();
        assert!(worst <= Some(30), "{from} to {to}: {worst:?}");
    }
}

#[test]
fn what_the_lower_rate_cannot_hold_is_filtered_out() {
    let folder = Scratch::new();
    let turn = TAU * 6000.0 / 48_000.0;
    let tone: Vec<i16> = (0..48_000).map(|n| (10_000.0 * (turn * n as f64).sin()) as i16).collect();
    let path = folder.file("high.wav", &wav(1, 1, 48_000, 16, &le(&tone)));
    let heard = read_all(&path, 8000).unwrap();
    let loudest = heard[800..7200].iter().map(|sample| sample.unsigned_abs()).max();
    assert!(loudest <= Some(10), "{loudest:?}");
}

#[test]
fn rates_without_a_common_divisor_are_resampled_too() {
    let folder = Scratch::new();
    let path = folder.file("odd.wav", &wav(1, 1, 44_101, 16, &le(&sine(44_101, 4410))));
    assert_eq!(read_all(&path, 8000).unwrap().len(), 800);
    let path = folder.file("one.wav", &wav(1, 1, 48_000, 16, &le(&[1000])));
    assert_eq!(read_all(&path, 8000).unwrap().len(), 1);
}

#[test]
fn a_read_is_short_only_at_the_end() {
    let folder = Scratch::new();
    let path = folder.file("long.wav", &wav(1, 1, 8000, 16, &le(&[3; 2500])));
    let mut source = WavSource::open(path, 8000).unwrap();
    let mut frame = [0; 1000];
    assert_eq!(source.read(&mut []).unwrap(), 0);
    let reads = [(); 5].map(|()| source.read(&mut frame).unwrap());
    assert_eq!(reads, [1000, 1000, 500, 0, 0]);
}

#[test]
fn other_chunks_of_odd_length_are_stepped_over() {
    let folder = Scratch::new();
    let plain = wav(1, 1, 8000, 16, &le(&[1, 2, 3]));
    let (before, format) = plain.split_at(12);
    let odd = [before, b"LIST\x05\0\0\0abcde\0", format, b"cue \x01\0\0\0x\0"].concat();
    let path = folder.file("chunks.wav", &odd);
    assert_eq!(read_all(&path, 8000).unwrap(), [1, 2, 3]);
}

#[test]
fn every_refusal_is_one_line_with_path_and_reason() {
    let folder = Scratch::new();
    let good = wav(1, 1, 8000, 16, &le(&[1; 100]));
    let mut no_format = good.clone();
    no_format[12..16].copy_from_slice(b"junk");
    let mut wide = wav(1, 1, 8000, 16, &[0; 8]);
    wide[28..32].copy_from_slice(&64_000_u32.to_le_bytes());
    wide[32] = 8;
    let cases: [(&str, &[u8], &str); 13] = [
        ("wide", &wide, "neither integer PCM nor 32-bit float"),
        ("empty", b"", "not a valid WAV file: the file is empty"),
        ("text", b"hello, this is not sound", "it does not begin with RIFF and WAVE"),
        ("short", &good[..10], "it ends within the RIFF header"),
        ("no data", &good[..36], "it ends before its data chunk"),
        ("no format", &no_format, "no fmt chunk before its data"),
        ("truncated", &good[..144], "header announces 200 bytes of samples, there are 100"),
        ("silent", &wav(1, 1, 8000, 16, b""), "there are no samples in this WAV file"),
        ("half", &wav(1, 1, 8000, 16, b"abc"), "data chunk length is not a multiple"),
        ("mulaw", &wav(7, 1, 8000, 8, b"abc"), "neither integer PCM nor 32-bit float"),
        ("twelve", &wav(1, 1, 8000, 12, b"abcd"), "not a multiple of 8"),
        ("slow", &wav(1, 1, 10, 16, b"abcd"), "a sample rate of 10 Hz is not within"),
        ("mute", &wav(1, 0, 8000, 16, b"abcd"), "zero channels"),
    ];
    for (name, bytes, reason) in cases {
        let path = folder.file(name, bytes);
        check_line(&path, &WavSource::open(&path, 8000).unwrap_err(), reason);
    }
    for (path, reason) in [(folder.path("none"), "No such file"), (folder.path(""), "regular")] {
        check_line(&path, &WavSource::open(&path, 8000).unwrap_err(), reason);
    }
    let path = folder.file("good", &good);
    assert!(matches!(WavSource::open(path, 0), Err(DeviceError::SampleRate { rate: 0 })));
}

#[test]
fn a_file_cut_at_any_place_is_refused() {
    let folder = Scratch::new();
    let good = wav(1, 2, 8000, 24, &[9; 60]);
    for length in 0..good.len() {
        let path = folder.file("cut.wav", &good[..length]);
        let error = WavSource::open(&path, 8000).unwrap_err();
        check_line(&path, &error, if length < 44 { "not a valid WAV file" } else { "truncated" });
    }
}

#[test]
fn a_file_that_shrinks_while_it_is_played_ends_with_an_error() {
    let folder = Scratch::new();
    let path = folder.file("shrinks.wav", &wav(1, 1, 8000, 16, &le(&[1; 100_000])));
    let mut source = WavSource::open(&path, 8000).unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(44).unwrap();
    let mut frame = vec![0; 100_000];
    check_line(&path, &source.read(&mut frame).unwrap_err(), "Failed to read enough bytes");
    let mut rest = 0;
    while let count @ 1.. = source.read(&mut frame).unwrap() {
        rest += count;
    }
    assert_eq!(rest, 0);
}

proptest! {
    #[test]
    fn no_damage_to_a_header_panics_or_hangs(
        damage in prop::collection::vec((0..70_usize, any::<u8>()), 1..6),
        rate in prop_oneof![Just(8000_u32), Just(48_000)],
    ) {
        let folder = Scratch::new();
        let mut bytes = wav(1, 2, 16_000, 16, &[5; 400]);
        for (place, value) in damage {
            bytes[place] = value;
        }
        let path = folder.file("damaged.wav", &bytes);
        if let Ok(mut source) = WavSource::open(path, rate) {
            let mut frame = [0; 4096];
            let mut reads = 0;
            while let Ok(1..) = source.read(&mut frame) {
                reads += 1;
                prop_assert!(reads < 100);
            }
        }
    }
}

fn check_line(path: &Path, error: &DeviceError, reason: &str) {
    let line = error.to_string();
    assert!(line.starts_with(&format!("{}: ", path.display())), "{line}");
    assert!(line.contains(reason), "{line} should contain {reason:?}");
    assert!(!line.contains('\n'), "{line}");
}

fn wav(format: u16, channels: u16, rate: u32, bits: u16, samples: &[u8]) -> Vec<u8> {
    let frame = channels * bits.div_ceil(8);
    let mut file = b"RIFF".to_vec();
    file.extend((36 + samples.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0");
    file.extend(format.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend((samples.len() as u32).to_le_bytes());
    file.extend(samples);
    file
}

fn le(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// 200 Hz at 10 000, starting at zero.
fn sine(rate: u32, length: usize) -> Vec<i16> {
    let turn = TAU * 200.0 / f64::from(rate);
    (0..length).map(|n| (10_000.0 * (turn * n as f64).sin()).round() as i16).collect()
}

/// In frames of 20 ms or so, as a call reads.
fn read_all(path: &Path, rate: u32) -> Result<Vec<i16>, DeviceError> {
    let mut source = WavSource::open(path, rate)?;
    let mut samples = Vec::new();
    let mut frame = vec![0; rate as usize / 50];
    while let count @ 1.. = source.read(&mut frame)? {
        samples.extend(&frame[..count]);
    }
    Ok(samples)
}
