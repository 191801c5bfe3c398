//! Figures over time: a small plot for each figure, with a line for each direction.

use std::{fmt::Write, ops::Range, time::Duration};

use super::PartyReport;
use crate::{Figures, escape};

/// The legend and the plots of jitter, loss, opinion score and, if measured, round trip time.
pub(super) fn draw(parties: &[&PartyReport]) -> String {
    // All plots show the same time, whatever was measured when.
    let times = || parties.iter().flat_map(|party| &party.series).map(|(at, _)| at.as_secs_f64());
    let start = times().fold(f64::INFINITY, f64::min);
    let time = start..times().fold(start + 1.0, f64::max);
    let mut plots = String::new();
    for figure in &FIGURES {
        let lines: Vec<_> =
            parties.iter().map(|party| points(&party.series, figure.value)).collect();
        if lines.iter().any(|line| !line.is_empty()) {
            plots += &plot(figure, &lines, &time);
        }
    }
    format!("{}<div class='plots'>\n{plots}</div>\n", legend(parties))
}

/// One of the figures, and how its axis looks.
struct Figure {
    name: &'static str,
    unit: &'static str,
    value: fn(&Figures) -> Option<f64>,
    /// The bottom of the axis, and the least that stands at its top.
    bottom: f64,
    top: f64,
    /// A value worth a line of its own, and what it means.
    mark: Option<(f64, &'static str)>,
}

const FIGURES: [Figure; 4] = [
    Figure {
        name: "Opinion score",
        unit: "MOS",
        value: |figures| Some(figures.mos),
        bottom: 1.0,
        top: 4.5,
        mark: Some((4.03, "satisfied")),
    },
    Figure {
        name: "Loss",
        unit: "%",
        value: |figures| Some(figures.loss_percent),
        bottom: 0.0,
        top: 5.0,
        mark: None,
    },
    Figure {
        name: "Jitter",
        unit: "ms",
        value: |figures| Some(figures.jitter_ms),
        bottom: 0.0,
        top: 10.0,
        mark: None,
    },
    Figure {
        name: "Round trip",
        unit: "ms",
        value: |figures| figures.round_trip_ms,
        bottom: 0.0,
        top: 50.0,
        mark: None,
    },
];

type Points = Vec<(f64, f64)>;

/// The points of a line, thinned out to the mean of neighbours when there are too many.
fn points(series: &[(Duration, Figures)], value: fn(&Figures) -> Option<f64>) -> Points {
    let all = series.iter().filter_map(|(at, figures)| Some((at.as_secs_f64(), value(figures)?)));
    let mut all: Points = all.filter(|(_, value)| value.is_finite()).collect();
    all.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let share = all.len().div_ceil(MOST_POINTS).max(1);
    all.chunks(share).map(mean).collect()
}

fn mean(points: &[(f64, f64)]) -> (f64, f64) {
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    (x / count, y / count)
}

fn legend(parties: &[&PartyReport]) -> String {
    let mut legend = "<ul class='legend'>\n".to_owned();
    for (index, party) in parties.iter().enumerate() {
        let class = class(index);
        let direction = escape::markup(&party.direction());
        let line = format!("<path class='curve {class}' d='M1 5H33'/>");
        let _ = writeln!(legend, "<li><svg viewBox='0 0 34 10'>{line}</svg>{direction}</li>");
    }
    legend + "</ul>\n"
}

fn class(line: usize) -> String {
    format!("c{}", line % 4)
}

fn plot(figure: &Figure, lines: &[Points], time: &Range<f64>) -> String {
    let Figure { name, unit, .. } = figure;
    let area = Area::of(figure, lines, time);
    let mut svg = format!(
        "<figure><figcaption>{name} <small>in {unit}</small></figcaption>\n\
         <svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='{name} over time'>\n"
    );
    svg += &area.axes(figure);
    for (index, line) in lines.iter().enumerate() {
        svg += &area.curve(line, &class(index));
    }
    svg + "</svg></figure>\n"
}

/// What part of the world a plot shows.
struct Area {
    start: f64,
    end: f64,
    bottom: f64,
    top: f64,
}

impl Area {
    fn of(figure: &Figure, lines: &[Points], time: &Range<f64>) -> Self {
        let Range { start, end } = *time;
        let highest = lines.iter().flatten().map(|point| point.1).fold(figure.top, f64::max);
        let top = if highest > figure.top { highest * 1.05 } else { figure.top };
        Self { start, end, bottom: figure.bottom, top }
    }

    fn x(&self, seconds: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (seconds - self.start) / (self.end - self.start)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.bottom) / (self.top - self.bottom);
        BOTTOM - (BOTTOM - TOP) * share.clamp(0.0, 1.0)
    }

    fn axes(&self, figure: &Figure) -> String {
        let mut svg = String::new();
        for tick in ticks(self.bottom, self.top, 5) {
            let y = self.y(tick);
            let _ = write!(
                svg,
                "<line class='grid' x1='{LEFT}' x2='{RIGHT}' y1='{y:.1}' y2='{y:.1}'/>\
                 <text x='{:.0}' y='{:.1}' text-anchor='end'>{tick}</text>",
                LEFT - 6.0,
                y + 4.0,
            );
        }
        for tick in ticks(self.start, self.end, 6) {
            let (x, y) = (self.x(tick), BOTTOM + 16.0);
            let _ = write!(svg, "<text x='{x:.1}' y='{y:.0}' text-anchor='middle'>{tick} s</text>");
        }
        if let Some((value, meaning)) = figure.mark {
            let y = self.y(value);
            let _ = write!(
                svg,
                "<line class='mark' x1='{LEFT}' x2='{RIGHT}' y1='{y:.1}' y2='{y:.1}'/>\
                 <text x='{:.0}' y='{:.1}'>{meaning}</text>",
                RIGHT + 6.0,
                y + 4.0,
            );
        }
        let _ = writeln!(
            svg,
            "<line class='axis' x1='{LEFT}' x2='{RIGHT}' y1='{BOTTOM}' y2='{BOTTOM}'/>"
        );
        svg
    }

    fn curve(&self, line: &Points, class: &str) -> String {
        let mut path = String::new();
        for (seconds, value) in line {
            let command = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{command}{:.1} {:.1}", self.x(*seconds), self.y(*value));
        }
        // A single point has no length: a short line shows it.
        if line.len() == 1 {
            path += "h3";
        }
        format!("<path class='curve {class}' d='{path}'/>\n")
    }
}

/// At most `most` + 1 round numbers between `low` and `high`: multiples of 1, 2 or 5 times a power
/// of ten.
pub(super) fn ticks(low: f64, high: f64, most: u32) -> Vec<f64> {
    let least = (high - low) / f64::from(most);
    if !least.is_finite() || least <= 0.0 {
        return Vec::new();
    }
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = steps.into_iter().find(|step| *step >= least * 0.999).unwrap_or(power * 10.0);
    let first = (low / step).ceil() as i64;
    // Rounding hides that a multiple of a tenth is not exactly a tenth.
    let round = |value: f64| (value * 1e6).round() / 1e6;
    let ticks = (0..=i64::from(most)).map(|index| round((first + index) as f64 * step));
    ticks.take_while(|tick| *tick <= high + step * 1e-6).collect()
}

/// Measures in pixels.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 210.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 420.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 184.0;

/// As many as there are pixels.
const MOST_POINTS: usize = 380;
