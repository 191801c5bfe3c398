//! Points in time: `Date` (RFC 3261 §20.17) and `Timestamp` (§20.38).

use bytestring::ByteString;
use nom::{
    Parser,
    bytes::complete::{tag, take_while, take_while_m_n, take_while1},
    character::complete::char,
    combinator::{map_opt, opt, recognize, verify},
    sequence::{preceded, terminated},
};

use super::{Header, HeaderName};
use crate::{
    WireText,
    parse::{ParseError, Parsed, expect, finish, lws1},
};

/// When the message was first sent, RFC 3261 §20.17.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Seconds since 1970-01-01 00:00:00 UTC, leap seconds not counted. What lies behind the year
    /// 9999 is written as its last second, for the grammar has four digits; a builder refuses it.
    pub unix_seconds: u64,
}

impl Header for Date {
    const NAME: HeaderName = HeaderName::DATE;
    const IS_LIST: bool = false;

    /// `rfc1123-date`: the zone is always `GMT`, years begin with 1970.
    fn parse(value: &WireText) -> Result<Self, ParseError> {
        let weekday =
            expect("a day of the week and \",\"", terminated(name_of(&WEEKDAYS), tag(",")));
        let day = expect("a day of the month", verify(digits(2), |day| (1..=31).contains(day)));
        let month = expect("a month", name_of(&MONTHS));
        let year = expect("a year from 1970", verify(digits(4), |year| *year >= 1970));
        let exists = |(_, _, day, _, month, _, year): &(u64, _, u64, _, u64, _, u64)| {
            *day <= days_of_month(*year, *month)
        };
        let date = (weekday, lws1, day, lws1, month, lws1, year);
        let date = expect("a day that the month has", verify(date, exists));
        let zone = expect("GMT", tag("GMT"));
        let rule = (date, lws1, time, lws1, zone);
        let ((_, _, day, _, month, _, year), _, seconds, _, _) =
            finish(value, "RFC 3261 §20.17", rule)?;
        let days = days_before_year(year)
            .saturating_add(days_before_month(year, month))
            .saturating_add(day.saturating_sub(1));
        Ok(Self { unix_seconds: days.saturating_mul(DAY).saturating_add(seconds) })
    }

    fn write(&self, out: &mut String) {
        let unix_seconds = self.unix_seconds.min(LAST);
        let (days, seconds) = (unix_seconds / DAY, unix_seconds % DAY);
        let (year, month, day) = civil(days);
        let weekday = name(&WEEKDAYS, days.wrapping_add(THURSDAY) % 7);
        let month = name(&MONTHS, month);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        out.push_str(&format!(
            "{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT"
        ));
    }
}

/// When the request was sent, by the sender's clock, RFC 3261 §20.38.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Seconds, with their fraction, as written.
    pub time: ByteString,
    /// The delay that the responder took, in seconds, as written.
    pub delay: Option<ByteString>,
}

impl Header for Timestamp {
    const NAME: HeaderName = HeaderName::TIMESTAMP;
    const IS_LIST: bool = false;

    fn parse(value: &WireText) -> Result<Self, ParseError> {
        let time = expect(
            "seconds",
            recognize((take_while1(is_digit), opt((char('.'), take_while(is_digit))))),
        );
        let delay = recognize((take_while(is_digit), opt((char('.'), take_while(is_digit)))));
        let delay = opt(preceded(lws1, verify(delay, |delay: &str| !delay.is_empty())));
        let (time, delay) = finish(value, "RFC 3261 §20.38", (time, delay))?;
        let delay = delay.map(|delay| value.slice_ref(delay));
        Ok(Self { time: value.slice_ref(time), delay })
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.time);
        if let Some(delay) = &self.delay {
            out.push_str(&format!(" {delay}"));
        }
    }
}

/// `2DIGIT ":" 2DIGIT ":" 2DIGIT` as seconds of the day.
fn time(i: &str) -> Parsed<'_, u64> {
    let below = |limit: u64| verify(digits(2), move |part| *part < limit);
    let clock = (below(24), tag(":"), below(60), tag(":"), below(61));
    let seconds = clock.map(|(hours, _, minutes, _, seconds)| {
        hours.wrapping_mul(3600).wrapping_add(minutes.wrapping_mul(60)).wrapping_add(seconds)
    });
    expect("a time of the day", seconds).parse(i)
}

fn digits<'a>(count: usize) -> impl Parser<&'a str, Output = u64, Error = crate::parse::Fault<'a>> {
    map_opt(take_while_m_n(count, count, is_digit), |text: &str| text.parse().ok())
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// One of `names`, as its place among them.
fn name_of<'a>(
    names: &'static [&'static str],
) -> impl Parser<&'a str, Output = u64, Error = crate::parse::Fault<'a>> {
    map_opt(take_while_m_n(3, 3, |c: char| c.is_ascii_alphabetic()), move |text: &str| {
        (0..).zip(names).find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(at, _)| at)
    })
}

fn name(names: &'static [&'static str], at: u64) -> &'static str {
    usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

/// Days from 1970 to the start of `year`, which is 1970 or later.
fn days_before_year(year: u64) -> u64 {
    let before = year.saturating_sub(1);
    let leaps = |year: u64| (year / 4).saturating_sub(year / 100).saturating_add(year / 400);
    let years = year.saturating_sub(1970);
    years.saturating_mul(365).saturating_add(leaps(before).saturating_sub(leaps(1969)))
}

/// Days from the start of `year` to the start of `month`, 0 for January.
fn days_before_month(year: u64, month: u64) -> u64 {
    (0..month).fold(0, |days, month| days.saturating_add(days_of_month(year, month)))
}

fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        1 if is_leap(year) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

/// Year, month (0 for January) and day of the month of a day since 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    let guess = (days / 366).saturating_add(1970);
    let past = |year: &u64| days_before_year(year.saturating_add(1)) <= days;
    let year = (guess..).find(|year| !past(year)).unwrap_or(guess);
    let mut rest = days.saturating_sub(days_before_year(year));
    let mut month = 0;
    while month < 11 && rest >= days_of_month(year, month) {
        rest = rest.saturating_sub(days_of_month(year, month));
        month = month.saturating_add(1);
    }
    (year, month, rest.saturating_add(1))
}

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The weekday of 1970-01-01.
const THURSDAY: u64 = 3;
/// Seconds of a day.
const DAY: u64 = 86_400;
/// 9999-12-31 23:59:59.
const LAST: u64 = 253_402_300_799;
