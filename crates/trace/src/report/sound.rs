//! What was said beside what was heard, as envelopes: the highest and the lowest sample of each
//! pixel.

use std::{fmt::Write, ops::Range, time::Duration};

use super::{PartyReport, plot::ticks};
use crate::escape;

/// The sounds of one direction, to be stacked.
pub(super) struct Heard<'a> {
    title: String,
    lanes: Vec<Lane<'a>>,
}

struct Lane<'a> {
    name: String,
    class: &'static str,
    samples: &'a [i16],
    sample_rate: u32,
    start: Duration,
    breaks: &'a [Range<Duration>],
}

impl<'a> Lane<'a> {
    fn said(party: &'a PartyReport) -> Self {
        let PartyReport { name, said, sample_rate, sound_start, .. } = party;
        let name = format!("{} said", escape::clip(name, 12));
        let (sample_rate, start) = (*sample_rate, *sound_start);
        Self { name, class: "said", samples: said, sample_rate, start, breaks: &[] }
    }

    fn heard(party: &'a PartyReport) -> Self {
        let PartyReport { name, heard, sample_rate, sound_start, breaks, .. } = party;
        let name = format!("{} heard", escape::clip(name, 12));
        let (sample_rate, start) = (*sample_rate, *sound_start);
        Self { name, class: "heard", samples: heard, sample_rate, start, breaks }
    }

    fn is_heard_or_said(&self) -> bool {
        !self.samples.is_empty() && self.sample_rate > 0
    }

    fn start(&self) -> f64 {
        self.start.as_secs_f64()
    }

    fn end(&self) -> f64 {
        self.start() + self.samples.len() as f64 / f64::from(self.sample_rate)
    }
}

/// Each direction of the sound. Of two parties one hears the other; else nobody knows who.
pub(super) fn directions(parties: &[PartyReport]) -> Vec<Heard<'_>> {
    let lanes = match parties {
        [one, other] => vec![
            (other, vec![Lane::said(one), Lane::heard(other)]),
            (one, vec![Lane::said(other), Lane::heard(one)]),
        ],
        _ => parties.iter().map(|it| (it, vec![Lane::said(it), Lane::heard(it)])).collect(),
    };
    let paired = parties.len() == 2;
    let titled = lanes.into_iter().map(|(party, mut lanes)| {
        lanes.retain(Lane::is_heard_or_said);
        let title = if paired { party.direction() } else { party.name.clone() };
        Heard { title, lanes }
    });
    titled.filter(|heard| !heard.lanes.is_empty()).collect()
}

pub(super) fn draw(directions: &[Heard<'_>]) -> String {
    let lanes = || directions.iter().flat_map(|heard| &heard.lanes);
    let start = lanes().map(Lane::start).fold(f64::INFINITY, f64::min);
    let end = lanes().map(Lane::end).fold(0.0, f64::max);
    let loudest = lanes().flat_map(|lane| lane.samples).map(|sample| sample.unsigned_abs()).max();
    let loudest = f64::from(loudest.unwrap_or_default().max(QUIETEST_SCALE));
    let scale = Scale { start, end: end.max(start + 0.001), loudest };
    directions.iter().map(|heard| figure(heard, &scale)).collect()
}

struct Scale {
    start: f64,
    end: f64,
    loudest: f64,
}

impl Scale {
    fn x(&self, seconds: f64) -> f64 {
        let share = (seconds - self.start) / (self.end - self.start);
        LEFT + f64::from(COLUMNS) * share.clamp(0.0, 1.0)
    }

    fn seconds(&self, column: u32) -> f64 {
        self.start + (self.end - self.start) * f64::from(column) / f64::from(COLUMNS)
    }
}

fn figure(heard: &Heard<'_>, scale: &Scale) -> String {
    let title = escape::markup(&heard.title);
    let bottom = (LANE + SPACE) * heard.lanes.len() as f64;
    let (width, height) = (LEFT + f64::from(COLUMNS) + 12.0, bottom + 22.0);
    let mut svg = format!(
        "<figure><figcaption>{title}</figcaption>\n\
         <svg viewBox='0 0 {width:.0} {height:.0}' role='img' aria-label='Sound {title}'>\n"
    );
    for (index, lane) in heard.lanes.iter().enumerate() {
        svg += &drawn_lane(lane, scale, (LANE + SPACE) * index as f64);
    }
    for tick in ticks(scale.start, scale.end, 10) {
        let (x, y) = (scale.x(tick), bottom + 14.0);
        let _ = write!(svg, "<text x='{x:.1}' y='{y:.0}' text-anchor='middle'>{tick} s</text>");
    }
    svg + "\n</svg></figure>\n"
}

fn drawn_lane(lane: &Lane<'_>, scale: &Scale, top: f64) -> String {
    let name = escape::markup(&lane.name);
    let middle = top + LANE / 2.0;
    let baseline = middle + 4.0;
    let mut svg = format!(
        "<text x='0' y='{baseline:.0}'>{name}</text>\
         <rect class='lane' x='{LEFT}' y='{top:.0}' width='{COLUMNS}' height='{LANE}' rx='4'/>\
         <path class='wave {}' d='{}'/>\n",
        lane.class,
        envelope(lane, scale, middle),
    );
    let _ = writeln!(svg, "<path class='break' d='{}'/>", broken(lane, scale, top));
    svg
}

/// The outline of all breaks. Those that begin in the same pixel are drawn once.
fn broken(lane: &Lane<'_>, scale: &Scale, top: f64) -> String {
    let mut path = String::new();
    let mut drawn_to = 0.0;
    for Range { start, end } in lane.breaks {
        let x = scale.x(start.as_secs_f64()).round();
        let width = (scale.x(end.as_secs_f64()) - x).max(2.0);
        if x + width > drawn_to {
            drawn_to = x + width;
            let _ = write!(path, "M{x:.0} {top:.0}h{width:.0}v{LANE}h-{width:.0}z");
        }
    }
    path
}

/// The outline: along the highest samples, and back along the lowest.
fn envelope(lane: &Lane<'_>, scale: &Scale, middle: f64) -> String {
    let columns: Vec<_> = (0..COLUMNS).filter_map(|column| extremes(lane, scale, column)).collect();
    let y = |sample: i16| middle - f64::from(sample) / scale.loudest * (LANE / 2.0 - 3.0);
    let highest = columns.iter().map(|(x, _, high)| (*x, y(*high) - HALF_A_LINE));
    let lowest = columns.iter().rev().map(|(x, low, _)| (*x, y(*low) + HALF_A_LINE));
    let mut path = String::new();
    for (x, y) in highest.chain(lowest) {
        let command = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{command}{x:.0} {y:.1}");
    }
    path
}

/// The place of a column and its lowest and highest sample; `None` if the sound is elsewhere.
fn extremes(lane: &Lane<'_>, scale: &Scale, column: u32) -> Option<(f64, i16, i16)> {
    let index = |column| {
        let seconds = scale.seconds(column) - lane.start();
        seconds * f64::from(lane.sample_rate)
    };
    let (from, to) = (index(column), index(column + 1));
    if to <= 0.0 {
        return None;
    }
    // A column narrower than a sample shows the sample that it lies in.
    let (from, to) = (from.max(0.0) as usize, to as usize);
    let samples = lane.samples.get(from..to.max(from + 1).min(lane.samples.len()))?;
    let low = samples.iter().min()?;
    let high = samples.iter().max()?;
    Some((LEFT + f64::from(column), *low, *high))
}

/// Measures in pixels: the margin for names, the width and the height of a lane, the space below.
const LEFT: f64 = 122.0;
const COLUMNS: u32 = 860;
const LANE: f64 = 64.0;
const SPACE: f64 = 6.0;
/// So that silence is seen as a line.
const HALF_A_LINE: f64 = 0.5;
/// A sound that nobody hears is not blown up to full height.
const QUIETEST_SCALE: u16 = 1000;
