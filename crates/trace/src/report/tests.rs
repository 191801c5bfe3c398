use super::*;

fn party(name: &str) -> PartyReport {
    PartyReport { name: name.to_owned(), sample_rate: 8000, ..PartyReport::default() }
}

fn row(direction: &str, mos: f64) -> Option<QualityRow> {
    Some(QualityRow { direction: direction.to_owned(), mos, ..QualityRow::default() })
}

#[test]
fn an_empty_report_is_a_page_all_the_same() {
    let html = Report::default().html();
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    assert!(html.contains("Sound was not measured") && !html.contains("<section>"));
}

#[test]
fn the_verdict_is_that_of_the_worst_direction() {
    let report = |scores: [f64; 2]| {
        let parties = scores.map(|mos| PartyReport { quality: row("x", mos), ..party("x") });
        Report { parties: parties.into(), ..Report::default() }.html()
    };
    assert!(report([4.2, 4.4]).contains("Good sound"));
    assert!(report([4.2, 3.7]).contains("Fair sound"));
    assert!(report([2.2, 4.4]).contains("Poor sound"));
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "</title><script>alert('1')</script>\"&\x1b\u{202e}";
    let party = |said: Vec<i16>| PartyReport {
        quality: row(hostile, 4.0),
        heard: said.clone(),
        said,
        series: vec![(Duration::ZERO, Figures::default())],
        ..party(hostile)
    };
    for parties in [1, 2, 3] {
        let html = Report {
            title: hostile.to_owned(),
            codec: Some(hostile.to_owned()),
            parties: (0..parties).map(|_| party(vec![1; 80])).collect(),
            ..Report::default()
        }
        .html();
        assert!(!html.contains("<script") && !html.contains(['\x1b', '\u{202e}']));
        assert_eq!(html.matches("</title>").count(), 1);
    }
}

#[test]
fn figures_that_are_no_numbers_spoil_nothing() {
    let odd = Figures {
        jitter_ms: f64::NAN,
        loss_percent: f64::INFINITY,
        mos: -9.0,
        round_trip_ms: None,
    };
    let series = vec![(Duration::from_secs(1), odd), (Duration::from_secs(1), odd)];
    let quality = row("x", f64::NAN);
    let parties = vec![PartyReport { series, quality, ..party("x") }];
    let html = Report { parties, ..Report::default() }.html();
    let drawings = html.split("<div class='plots'>").nth(1).unwrap_or_default();
    assert!(!drawings.contains("NaN") && !drawings.contains("inf"), "{drawings}");
    assert!(!html.contains("Round trip</"));
}

#[test]
fn a_sound_of_any_length_and_rate_is_drawn() {
    for (length, sample_rate) in [(0, 8000), (1, 8000), (5, 8000), (9, 0), (100_000, 48_000)] {
        let (said, heard) = (vec![i16::MIN; length], vec![i16::MAX; length]);
        let breaks = vec![Duration::MAX..Duration::ZERO];
        let one = PartyReport { said, heard, sample_rate, breaks, ..party("x") };
        let html = Report { parties: vec![one], ..Report::default() }.html();
        let drawn = length > 0 && sample_rate > 0;
        assert_eq!(html.contains("class='wave said' d='M"), drawn, "{length} at {sample_rate}");
        assert!(!html.contains("NaN") && !html.contains("inf "));
    }
}

#[test]
fn a_long_call_with_many_messages_makes_a_page_below_half_a_megabyte() {
    let mut recording = Recording::new();
    let [alice, _] = ["Alice", "Bob"].map(|name| recording.party(name));
    let [a, b] = ["10.0.0.1:5060", "10.0.0.2:5060"].map(|text| text.parse().unwrap());
    for number in 0..2000 {
        let text = format!("SIP/2.0 200 {}\r\nCSeq: {number} INVITE\r\n\r\n", "<long>".repeat(20));
        let (at, flow) = (Duration::from_secs(number), offhook_sansio::Flow::udp(a, b));
        recording.packet(at, alice, crate::Direction::Sent, flow, text.as_bytes());
    }
    let noise = |index: i32| (index.wrapping_mul(7919) % 30_000) as i16;
    let figures =
        |second| (Duration::from_secs(second), Figures { mos: 4.0, ..Figures::default() });
    let party = |name| PartyReport {
        said: (0..1_000_000).map(noise).collect(),
        heard: (0..1_000_000).map(noise).collect(),
        series: (0..5000).map(figures).collect(),
        breaks: (0..5000)
            .map(|second| Duration::from_secs(second)..Duration::from_secs(second))
            .collect(),
        ..party(name)
    };
    let parties = vec![party("Alice"), party("Bob")];
    let html = Report { recording, parties, ..Report::default() }.html();
    assert!(html.len() < 500_000, "{} bytes", html.len());
    assert!(html.contains("1600 more rows are not drawn"));
}

#[test]
fn durations_read_as_people_say_them() {
    let texts = [15.43, 59.99, 60.0, 754.0, 3725.0].map(|s| clock(Duration::from_secs_f64(s)));
    assert_eq!(texts, ["15.4 s", "59.9 s", "1:00 min", "12:34 min", "1:02:05 h"]);
}

#[test]
fn ticks_are_round_and_few() {
    assert_eq!(plot::ticks(0.0, 5.0, 5), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(plot::ticks(2.64, 18.1, 10), [4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0]);
    assert_eq!(plot::ticks(0.0, 0.3, 3), [0.0, 0.1, 0.2, 0.3]);
    assert!(plot::ticks(1.0, 1.0, 5).is_empty() && plot::ticks(0.0, f64::NAN, 5).is_empty());
}
