//! Points in time: `Date` (RFC 3261 §20.17) and `Timestamp` (§20.38).

use std::time::Duration;

use nom::{
    Parser,
    bytes::complete::{tag, take_while, take_while_m_n, take_while1},
    character::complete::char,
    combinator::{map_opt, opt, recognize, verify},
    sequence::{preceded, terminated},
};

use super::{Header, HeaderName};
use crate::{
    Text, WireText,
    parse::{Fault, ParseError, Parsed, expect, finish, lws, lws1, write_number},
};

/// When the message was first sent, RFC 3261 §20.17.
///
/// The strict profile takes the one form of `rfc1123-date`, in GMT. The tolerant profile also takes
/// the other zones of RFC 822 §5.1 and UTC, which it converts, a missing day of the week, one digit
/// for the day of the month, and names in any case: phones and gateways with a C library send them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Seconds since 1970-01-01 00:00:00 UTC, leap seconds not counted. What lies behind the year
    /// 9999 is written as its last second, for the grammar has four digits; a builder refuses it.
    pub unix_seconds: u64,
}

impl Header for Date {
    const NAME: HeaderName = HeaderName::DATE;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let is_tolerant = value.is_tolerant();
        let rule = |i| if is_tolerant { lax_date(i) } else { rfc1123_date(i) };
        finish(value, "RFC 3261 §20.17", rule).map(|unix_seconds| Self { unix_seconds })
    }

    fn write(&self, out: &mut String) {
        let unix_seconds = self.unix_seconds.min(LAST);
        let (days, seconds) = (unix_seconds / DAY, unix_seconds % DAY);
        let (year, month, day) = civil(days);
        out.push_str(name(&WEEKDAYS, days.wrapping_add(THURSDAY) % 7));
        out.push_str(", ");
        write_two_digits(day, ' ', out);
        out.push_str(name(&MONTHS, month));
        out.push(' ');
        write_number(year, out);
        out.push(' ');
        write_two_digits(seconds / 3600, ':', out);
        write_two_digits(seconds / 60 % 60, ':', out);
        write_two_digits(seconds % 60, ' ', out);
        out.push_str("GMT");
    }
}

fn write_two_digits(number: u64, behind: char, out: &mut String) {
    out.push_str(if number < 10 { "0" } else { "" });
    write_number(number, out);
    out.push(behind);
}

/// `wkday "," SP date1 SP time SP "GMT"`, which has case (RFC 3261 §20.17).
fn rfc1123_date(i: &str) -> Parsed<'_, u64> {
    let space = || expect("one space", char(' '));
    let weekday = terminated(name_of(&WEEKDAYS, str::eq), (tag(","), tag(" ")));
    let (i, _) = expect("a day of the week and \",\"", weekday).parse(i)?;
    let (i, days) = days(i, 2, space(), str::eq)?;
    let (i, _) = space().parse(i)?;
    let (i, seconds) = time(i, 59)?;
    let (i, _) = (space(), expect("GMT", tag("GMT"))).parse(i)?;
    Ok((i, days.saturating_mul(DAY).saturating_add(seconds)))
}

/// `[ wkday "," ] date1 time zone` with any white space, in any case.
fn lax_date(i: &str) -> Parsed<'_, u64> {
    let same = str::eq_ignore_ascii_case;
    let (i, _) = opt((name_of(&WEEKDAYS, same), tag(","), lws)).parse(i)?;
    let (i, days) = days(i, 1, lws1, same)?;
    let (i, _) = lws1(i)?;
    // A leap second is no part of the grammar, but of the time.
    let (i, seconds) = time(i, 60)?;
    let (i, _) = lws1(i)?;
    let (rest, zone) = expect("GMT or another zone", zone).parse(i)?;
    let local = days.saturating_mul(DAY).saturating_add(seconds);
    match local.checked_add_signed(zone.saturating_neg()) {
        Some(unix_seconds) => Ok((rest, unix_seconds)),
        None => Fault::error(i, "a time from 1970"),
    }
}

/// `date1`, as days since 1970.
fn days<'a>(
    i: &'a str,
    least_digits: usize,
    gap: impl Parser<&'a str, Error = Fault<'a>>,
    same: fn(&str, &str) -> bool,
) -> Parsed<'a, u64> {
    let mut gap = gap;
    let start = i;
    let day = verify(digits(least_digits, 2), |day| (1..=31).contains(day));
    let (i, day) = expect("a day of the month", day).parse(i)?;
    let (i, _) = gap.parse(i)?;
    let (i, month) = expect("a month", name_of(&MONTHS, same)).parse(i)?;
    let (i, _) = gap.parse(i)?;
    let year = verify(digits(4, 4), |year| *year >= 1970);
    let (i, year) = expect("a year from 1970", year).parse(i)?;
    if day > days_of_month(year, month) {
        return Fault::error(start, "a day that the month has");
    }
    let before = days_before_year(year).saturating_add(days_before_month(year, month));
    Ok((i, before.saturating_add(day.saturating_sub(1))))
}

/// `2DIGIT ":" 2DIGIT ":" 2DIGIT` as seconds of the day.
fn time(i: &str, last_second: u64) -> Parsed<'_, u64> {
    let up_to = |last: u64| verify(digits(2, 2), move |part| *part <= last);
    let clock = (up_to(23), tag(":"), up_to(59), tag(":"), up_to(last_second));
    let seconds = clock.map(|(hours, _, minutes, _, seconds)| {
        hours.wrapping_mul(3600).wrapping_add(minutes.wrapping_mul(60)).wrapping_add(seconds)
    });
    expect("a time of the day", seconds).parse(i)
}

/// The zones of RFC 822 §5.1 but for the letters of the military, and UTC, as seconds east of GMT.
fn zone(i: &str) -> Parsed<'_, i64> {
    if let Some(sign) = i.chars().next().filter(|c| matches!(c, '+' | '-')) {
        let minutes = verify(digits(2, 2), |minutes| *minutes < 60);
        let (rest, (_, hours, minutes)) = (char(sign), digits(2, 2), minutes).parse(i)?;
        let seconds = hours.wrapping_mul(3600).wrapping_add(minutes.wrapping_mul(60));
        let seconds = i64::try_from(seconds).unwrap_or_default();
        return Ok((rest, if sign == '-' { seconds.saturating_neg() } else { seconds }));
    }
    let named = |text: &str| {
        let mut zones = ZONES.iter().filter(|(name, _)| name.eq_ignore_ascii_case(text));
        zones.next().map(|(_, hours)| hours.saturating_mul(3600))
    };
    map_opt(take_while1(|c: char| c.is_ascii_alphabetic()), named).parse(i)
}

fn digits<'a>(least: usize, most: usize) -> impl Parser<&'a str, Output = u64, Error = Fault<'a>> {
    map_opt(take_while_m_n(least, most, is_digit), |text: &str| text.parse().ok())
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// One of `names`, as its place among them.
fn name_of<'a>(
    names: &'static [&'static str],
    same: fn(&str, &str) -> bool,
) -> impl Parser<&'a str, Output = u64, Error = Fault<'a>> {
    map_opt(take_while_m_n(3, 3, |c: char| c.is_ascii_alphabetic()), move |text: &str| {
        (0..).zip(names).find(|(_, name)| same(name, text)).map(|(at, _)| at)
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

/// When the request was sent, by the sender's clock, RFC 3261 §20.38.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Seconds, with their fraction, as written.
    pub time: Text,
    /// The delay that the responder took, in seconds, as written.
    pub delay: Option<Text>,
}

impl Timestamp {
    /// The time `since` since any moment that the sender chooses.
    pub fn new(since: Duration) -> Self {
        Self { time: decimal(since), delay: None }
    }

    /// The same time, in a response that took `delay` (RFC 3261 §8.2.6.1).
    #[must_use]
    pub fn with_delay(self, delay: Duration) -> Self {
        Self { delay: Some(decimal(delay)), ..self }
    }

    /// The time as a number, to the nanosecond; `None` above 2^64 seconds.
    pub fn duration(&self) -> Option<Duration> {
        duration(&self.time)
    }

    /// The delay as a number, to the nanosecond; zero without one.
    pub fn delay_duration(&self) -> Option<Duration> {
        self.delay.as_deref().map_or(Some(Duration::ZERO), duration)
    }
}

impl Header for Timestamp {
    const NAME: HeaderName = HeaderName::TIMESTAMP;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
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
            out.push(' ');
            out.push_str(delay);
        }
    }
}

/// Seconds with as many decimals as are needed.
fn decimal(duration: Duration) -> Text {
    let text = format!("{}.{:09}", duration.as_secs(), duration.subsec_nanos());
    Text::from(text.trim_end_matches('0').trim_end_matches('.'))
}

/// `*DIGIT [ "." *DIGIT ]`. What is below a nanosecond is left out.
fn duration(text: &str) -> Option<Duration> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let seconds = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut nanoseconds = 0_u32;
    let mut step = 100_000_000_u32;
    for digit in part.chars() {
        nanoseconds = nanoseconds.saturating_add(digit.to_digit(10)?.saturating_mul(step));
        step /= 10;
    }
    Some(Duration::new(seconds, nanoseconds))
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
/// Hours east of GMT.
const ZONES: [(&str, i64); 11] = [
    ("GMT", 0),
    ("UTC", 0),
    ("UT", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

#[cfg(test)]
mod tests;
