use serde_json::Value;

use super::*;

#[test]
fn all_codes_of_both_laws_decode_to_the_values_of_g711() {
    assert_eq!(every_code(decode_mulaw), table("mu_law_decode"));
    assert_eq!(every_code(decode_alaw), table("a_law_decode"));
}

#[test]
fn a_decoded_value_encodes_to_its_code_again() {
    for code in 0..=255 {
        assert_eq!(encode_alaw(decode_alaw(code)), code);
        // µ-law has two zeros; the positive one is sent.
        let expected = if code == 0x7f { 0xff } else { code };
        assert_eq!(encode_mulaw(decode_mulaw(code)), expected);
    }
}

#[test]
fn every_sample_is_mulaw_coded_into_the_interval_that_holds_it() {
    // G.711 table 2: 15 intervals of 2 above the half one around zero, then 16 each of 4, 8 …
    let steps = [(15, 2), (16, 4), (16, 8), (16, 16), (16, 32), (16, 64), (16, 128), (16, 256)];
    let decisions = decision_values(1, &steps, 4);
    assert_eq!(decisions.last(), Some(&(8159 * 4)));
    for sample in i16::MIN..=i16::MAX {
        let interval = usize::from(!encode_mulaw(sample) & 0x7f);
        check_interval(sample, interval, &decisions, encode_mulaw(sample) & SIGN != 0);
    }
}

#[test]
fn every_sample_is_alaw_coded_into_the_interval_that_holds_it() {
    // G.711 table 1: 32 intervals of 2 from zero on, then 16 each of 4, 8 … in a scale of 4096.
    let steps = [(31, 2), (16, 4), (16, 8), (16, 16), (16, 32), (16, 64), (16, 128)];
    let decisions = decision_values(2, &steps, 8);
    assert_eq!(decisions.last(), Some(&(4096 * 8)));
    for sample in i16::MIN..=i16::MAX {
        let code = encode_alaw(sample) ^ ALAW_EVEN_BITS;
        check_interval(sample, usize::from(code & 0x7f), &decisions, code & SIGN != 0);
    }
}

#[test]
fn a_sample_on_a_decision_value_goes_to_the_interval_above_it() {
    assert_eq!([3, 4, -4, -5].map(|sample| decode_mulaw(encode_mulaw(sample))), [0, 8, 0, -8]);
    assert_eq!([15, 16, -16, -17].map(|sample| decode_alaw(encode_alaw(sample))), [8, 24, -8, -24]);
}

#[test]
fn encoding_keeps_the_order_of_samples() {
    for sample in i16::MIN..i16::MAX {
        let next = sample + 1;
        assert!(decode_mulaw(encode_mulaw(sample)) <= decode_mulaw(encode_mulaw(next)));
        assert!(decode_alaw(encode_alaw(sample)) <= decode_alaw(encode_alaw(next)));
    }
}

#[test]
fn a_frame_is_converted_sample_by_sample_and_the_rest_of_the_buffer_is_left() {
    let samples = [0, 1, -1, 1000, -1000, i16::MAX, i16::MIN];
    for law in [Law::Mu, Law::A] {
        let mut payload = [0x11; 9];
        assert_eq!(G711::new(law).encode(&samples, &mut payload), Ok(7));
        assert_eq!(payload[7..], [0x11, 0x11]);
        let mut heard = [7; 8];
        assert_eq!(G711::new(law).decode(&payload[..7], &mut heard), Ok(7));
        let one_by_one = match law {
            Law::Mu => samples.map(|sample| decode_mulaw(encode_mulaw(sample))),
            Law::A => samples.map(|sample| decode_alaw(encode_alaw(sample))),
        };
        assert_eq!((&heard[..7], heard[7]), (&one_by_one[..], 7));
    }
}

#[test]
fn a_buffer_that_is_too_short_is_refused_and_left_alone() {
    let mut payload = [9; 2];
    let refused = G711::new(Law::Mu).encode(&[1, 2, 3], &mut payload);
    assert_eq!(refused, Err(CodecError::NoRoom { needed: 3, room: 2 }));
    assert_eq!(payload, [9; 2]);
    let refused = G711::new(Law::A).decode(&[1], &mut []);
    assert_eq!(refused, Err(CodecError::NoRoom { needed: 1, room: 0 }));
}

fn every_code(decode: fn(u8) -> i16) -> Vec<i64> {
    (0..=255).map(|code| i64::from(decode(code))).collect()
}

fn table(name: &str) -> Vec<i64> {
    let tables: Value = serde_json::from_str(include_str!("../../tests/data/g711.json")).unwrap();
    tables[name].as_array().unwrap().iter().map(|value| value.as_i64().unwrap()).collect()
}

/// The decision values x1 … x128 of G.711, in the scale of 16-bit samples.
fn decision_values(first: i32, steps: &[(usize, i32)], scale: i32) -> Vec<i32> {
    let widths = steps.iter().flat_map(|&(count, width)| std::iter::repeat_n(width, count));
    let mut value = first;
    let mut values = vec![first * scale];
    values.extend(widths.map(|width| {
        value += width;
        value * scale
    }));
    assert_eq!(values.len(), 128);
    values
}

/// Interval n lies between x(n) and x(n+1); a sample on a decision value may go to either side.
fn check_interval(sample: i16, interval: usize, decisions: &[i32], positive: bool) {
    let magnitude = i32::from(sample).abs();
    let from = if interval == 0 { 0 } else { decisions[interval - 1] };
    let to = if interval == 127 { i32::from(i16::MAX) + 1 } else { decisions[interval] };
    assert!((from..=to).contains(&magnitude), "{sample} went to interval {interval}");
    assert_eq!(positive, sample >= 0, "the sign of {sample}");
}
