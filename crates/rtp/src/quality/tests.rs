use serde_json::Value;

use super::*;
use crate::test_vectors::{e_model, list};

fn number(vector: &Value, name: &str) -> f64 {
    vector[name].as_f64().unwrap_or_else(|| panic!("{name} in {vector}"))
}

fn near(vector: &Value, found: f64, name: &str, tolerance: f64) {
    let wanted = number(vector, name);
    assert!((found - wanted).abs() <= tolerance, "{found} for {vector}");
}

fn codec(vector: &Value) -> Codec {
    Codec { impairment: number(vector, "Ie"), robustness: number(vector, "Bpl") }
}

fn milliseconds(vector: &Value) -> Duration {
    Duration::from_secs_f64(number(vector, "Ta_ms") / 1000.0)
}

#[test]
fn mos_follows_from_the_rating() {
    for vector in list(&e_model()["mos"]) {
        near(vector, mos(number(vector, "R")), "mos", 1e-6);
    }
}

#[test]
fn delay_costs_nothing_up_to_100_ms() {
    for vector in list(&e_model()["delay_impairment"]) {
        near(vector, delay_impairment(milliseconds(vector)), "Idd", 1e-5);
    }
}

#[test]
fn loss_costs_what_the_codec_cannot_bear() {
    for vector in list(&e_model()["effective_equipment_impairment"]) {
        let (loss, burst_ratio) = (number(vector, "Ppl_percent") / 100.0, number(vector, "BurstR"));
        let found = effective_equipment_impairment(codec(vector), loss, burst_ratio);
        near(vector, found, "Ie_eff", 1e-5);
    }
}

#[test]
fn the_short_model_puts_both_together() {
    for vector in list(&e_model()["simple_model"]) {
        let r = r_factor(&Conditions {
            codec: codec(vector),
            loss: number(vector, "Ppl_percent") / 100.0,
            burst_ratio: number(vector, "BurstR"),
            one_way_delay: milliseconds(vector),
        });
        near(vector, r, "R", 1e-5);
        near(vector, mos(r), "mos", 1e-5);
    }
}

#[test]
fn the_default_connection_has_its_published_score() {
    let r = r_factor(&Conditions::new(Codec::G711));
    near(&e_model()["default_connection"], r, "R_published", 0.0);
    near(&e_model()["default_connection"], mos(r), "mos_published", 0.005);
}

#[test]
fn late_packets_count_as_lost_and_all_delays_add_up() {
    let statistics = Statistics {
        packets_expected: 200,
        packets_received: 194,
        duplicate: 2,
        late: 3,
        discarded: 1,
        round_trip: Some(Duration::from_millis(60)),
        jitter_buffer_delay: Duration::from_millis(45),
        ..Statistics::default()
    };
    let codec = Codec::G711_WITH_CONCEALMENT;
    let conditions = Conditions::from_statistics(&statistics, codec, Duration::from_millis(20));
    assert!((conditions.loss - 0.06).abs() < 1e-9, "{conditions:?}");
    assert_eq!(conditions.one_way_delay, Duration::from_millis(95));
    let idle = Conditions::from_statistics(&Statistics::default(), codec, Duration::ZERO);
    assert_eq!(idle, Conditions::new(codec));
}

#[test]
fn strangers_do_not_dilute_the_loss_and_payloads_that_do_not_fit_are_lost() {
    let mut statistics =
        Statistics { packets_expected: 200, packets_received: 190, ..Statistics::default() };
    statistics.drops.not_playing = 100;
    statistics.drops.too_large = 5;
    let codec = Codec::G711_WITH_CONCEALMENT;
    let conditions = Conditions::from_statistics(&statistics, codec, Duration::ZERO);
    assert!((conditions.loss - 0.15).abs() < 1e-9, "{conditions:?}");
}
