use super::super::probe::{forgiven, read, read_strictly, refused, same};
use super::*;

#[test]
fn zones_are_converted() {
    for (text, normal) in [
        ("Fri, 01 Jan 2010 16:00:00 EST", "Fri, 01 Jan 2010 21:00:00 GMT"),
        ("Thu, 31 Dec 2009 20:30:00 PDT", "Fri, 01 Jan 2010 03:30:00 GMT"),
        ("Fri, 01 Jan 2010 01:00:00 +0130", "Thu, 31 Dec 2009 23:30:00 GMT"),
        ("Fri, 01 Jan 2010 16:00:00 -0330", "Fri, 01 Jan 2010 19:30:00 GMT"),
        ("Fri, 01 Jan 2010 16:00:00 +0000", "Fri, 01 Jan 2010 16:00:00 GMT"),
        ("Fri, 01 Jan 2010 16:00:00 UTC", "Fri, 01 Jan 2010 16:00:00 GMT"),
        ("Fri, 01 Jan 2010 16:00:00 gmt", "Fri, 01 Jan 2010 16:00:00 GMT"),
    ] {
        forgiven::<Date>(text, normal);
    }
}

#[test]
fn forms_that_are_nearly_right_are_forgiven() {
    let normal = "Fri, 01 Jan 2010 16:00:00 GMT";
    for text in [
        "Fri, 1 Jan 2010 16:00:00 GMT",
        "1 Jan 2010 16:00:00 GMT",
        "01 Jan 2010 16:00:00 GMT",
        "FRI, 01 jan 2010 16:00:00 GMT",
        "Fri,01 Jan 2010 16:00:00 GMT",
        "Fri,  01 Jan 2010\t16:00:00  GMT",
    ] {
        forgiven::<Date>(text, normal);
    }
    let leap: Date = forgiven("Sat, 31 Dec 2016 23:59:60 GMT", "Sun, 01 Jan 2017 00:00:00 GMT");
    assert_eq!(leap, same("Sun, 01 Jan 2017 00:00:00 GMT"));
}

#[test]
fn what_could_be_another_time_is_refused() {
    for (text, offset) in [
        ("", 0),
        ("Fri, 32 Jan 2010 16:00:00 GMT", 5),
        ("Fri, 01 Jan 1969 16:00:00 GMT", 12),
        ("Fri, 01 Jan 10 16:00:00 GMT", 12),
        ("Fri, 01 Jan 2010 24:00:00 GMT", 17),
        ("Fri, 01 Jan 2010 16:00 GMT", 22),
        ("Fri, 01 Jab 2010 16:00:00 GMT", 8),
        ("Wed, 31 Feb 2010 16:00:00 GMT", 5),
        ("Sun, 29 Feb 2009 16:00:00 GMT", 5),
        ("Sat, 31 Apr 2010 16:00:00 GMT", 5),
        ("Fri, 01 Jan 2010 16:00:00 CET", 26),
        ("Fri, 01 Jan 2010 16:00:00 A", 26),
        ("Fri, 01 Jan 2010 16:00:00 +1", 27),
        ("Fri, 01 Jan 2010 16:00:00 +0160", 29),
        ("Fri, 01 Jan 2010 16:00:00 GMT x", 30),
    ] {
        let error = Date::parse(&text.into()).unwrap_err();
        assert_eq!(error.offset(), offset, "{text}: {error}");
        assert!(read_strictly::<Date>(text).is_err(), "{text}");
    }
    let error = Date::parse(&"Thu, 01 Jan 1970 00:30:00 +0100".into()).unwrap_err();
    assert_eq!(error.expected(), "a time from 1970");
    refused::<Date>("Wed, 31 Feb 2010 16:00:00 GMT", 5);
}

#[test]
fn timestamps_are_seconds_with_a_fraction() {
    let stamp: Timestamp = same("54");
    assert_eq!(stamp.duration(), Some(Duration::from_secs(54)));
    assert_eq!(stamp.delay_duration(), Some(Duration::ZERO));
    let delayed: Timestamp = same("54.25 .5");
    assert_eq!(delayed.duration(), Some(Duration::from_millis(54_250)));
    assert_eq!(delayed.delay_duration(), Some(Duration::from_millis(500)));
    let made = Timestamp::new(Duration::from_millis(54_250)).with_delay(Duration::from_micros(3));
    assert_eq!(made, same("54.25 0.000003"));
    assert_eq!(Timestamp::new(Duration::from_secs(120)), same("120"));
    assert_eq!(read::<Timestamp>("1.00000000019").duration(), Some(Duration::from_secs(1)));
    assert_eq!(read::<Timestamp>("99999999999999999999").duration(), None);
    same::<Timestamp>("54. .");
    refused::<Timestamp>("", 0);
    refused::<Timestamp>(".5", 0);
    refused::<Timestamp>("1,5", 1);
    refused::<Timestamp>("1 x", 2);
    refused::<Timestamp>("1 2 3", 4);
}
