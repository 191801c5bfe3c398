//! The page that tells a whole call.
//!
//! One file without scripts and without anything from elsewhere. From the top: the verdict, the
//! figures of each direction, the ladder of messages, what was said beside what was heard, and the
//! figures over time.

use std::{ops::Range, time::Duration};

use crate::{
    Figures, QualityRow, Recording, escape,
    ladder::{self, Ladder},
    quality::{HEADINGS, opinion},
};

mod plot;

mod sound;

/// Everything that goes onto the page of one call.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The heading, such as `Alice calls Bob`.
    pub title: String,
    /// How long the call was; `None`: as long as the recording.
    pub duration: Option<Duration>,
    /// The codec that was agreed on, such as `PCMU`.
    pub codec: Option<String>,
    /// The packets, for the ladder.
    pub recording: Recording,
    /// Each party's sound and figures. When there are two, what one says the other hears.
    pub parties: Vec<PartyReport>,
}

/// What one party said and heard, and how well the sound came through to it.
#[derive(Clone, Debug, Default)]
pub struct PartyReport {
    /// The name of the party.
    pub name: String,
    /// The sound that it sent, as mono samples.
    pub said: Vec<i16>,
    /// The sound that was played to it, as mono samples.
    pub heard: Vec<i16>,
    /// Samples a second of both.
    pub sample_rate: u32,
    /// When the first sample of both was, since the start of the recording.
    pub sound_start: Duration,
    /// Where the sound that was heard was broken, since the start of the recording.
    pub breaks: Vec<Range<Duration>>,
    /// The figures of the direction to this party, over the whole call.
    pub quality: Option<QualityRow>,
    /// The figures of the direction to this party over time, since the start of the recording. See
    /// [`Recording::series`].
    pub series: Vec<(Duration, Figures)>,
}

impl Report {
    /// The page: one HTML document, complete in itself. Text from outside is escaped.
    ///
    /// The ladder shows its first 400 rows, and what is longer than a line is cut with an ellipsis.
    /// [`ladder::text`](crate::ladder::text) shows all.
    pub fn html(&self) -> String {
        let title = escape::markup(&self.title);
        let ladder = Ladder::of(&self.recording);
        let sections = [
            self.head(&ladder),
            self.quality(),
            Self::messages(&ladder),
            self.sound(),
            self.over_time(),
        ]
        .concat();
        format!(
            "<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n\
             <meta name='viewport' content='width=device-width,initial-scale=1'>\n\
             <meta name='color-scheme' content='light dark'>\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
             {sections}</main>\n</body>\n</html>\n"
        )
    }

    /// The verdict: what one wants to know first.
    fn head(&self, ladder: &Ladder) -> String {
        let title = escape::markup(&self.title);
        let measured = self.parties.iter().filter_map(|party| party.quality.as_ref());
        let worst = measured.min_by(|one, other| one.mos.total_cmp(&other.mos));
        let (class, verdict) = verdict(worst.map(|row| row.mos));
        let why = worst.map(why).unwrap_or_default();
        let (messages, others) = ladder.counts();
        let mut tiles = self.duration_tile();
        tiles += &tile("Codec", self.codec.as_deref().unwrap_or("–"), "of the sound");
        self.parties.iter().for_each(|party| tiles += &score(party));
        format!(
            "<header>\n<p class='verdict {class}'>{verdict}</p>\n<h1>{title}</h1>\n\
             <p class='soft'>{why}{messages} SIP messages and {others} other packets were \
             recorded.</p>\n<div class='tiles'>\n{tiles}</div>\n</header>\n"
        )
    }

    fn duration_tile(&self) -> String {
        match self.duration {
            Some(duration) => tile("Duration", &clock(duration), "of the call"),
            None => tile("Duration", &clock(self.end()), "of the recording"),
        }
    }

    fn quality(&self) -> String {
        let rows: Vec<_> = self.parties.iter().filter_map(|party| party.quality.as_ref()).collect();
        if rows.is_empty() {
            return String::new();
        }
        let heading: String = HEADINGS.iter().map(|name| format!("<th>{name}</th>")).collect();
        let mut table = format!("<table>\n<tr>{heading}<th>users are</th></tr>\n");
        for row in rows {
            let cells = row.cells().map(|cell| format!("<td>{}</td>", escape::markup(&cell)));
            table += &format!("<tr>{}<td>{}</td></tr>\n", cells.concat(), row.opinion());
        }
        section("Quality", "Each row is one direction of the sound.", &(table + "</table>\n"))
    }

    fn messages(ladder: &Ladder) -> String {
        if ladder.rows.is_empty() {
            return String::new();
        }
        let about = "Times are seconds since the start of the recording. A cross marks a message \
                     that never arrived, a dashed line one that was sent before.";
        let drawing = ladder::draw(ladder, MOST_ROWS);
        section("Messages", about, &format!("<div class='wide'>\n{drawing}</div>\n"))
    }

    fn sound(&self) -> String {
        let directions = sound::directions(&self.parties);
        if directions.is_empty() {
            return String::new();
        }
        let about = "What was said stands above what was heard, on the same scale of time and \
                     loudness. Red marks where the sound was broken.";
        section("Sound", about, &sound::draw(&directions))
    }

    fn over_time(&self) -> String {
        let lines: Vec<_> = self.parties.iter().filter(|party| !party.series.is_empty()).collect();
        if lines.is_empty() {
            return String::new();
        }
        let about = "Measured where the sound arrives.";
        section("Over time", about, &plot::draw(&lines))
    }

    fn end(&self) -> Duration {
        self.recording.packets().iter().map(|packet| packet.at).max().unwrap_or_default()
    }
}

impl PartyReport {
    /// The name of the direction of the sound to this party.
    fn direction(&self) -> String {
        match &self.quality {
            Some(row) if !row.direction.is_empty() => row.direction.clone(),
            _ => format!("→ {}", self.name),
        }
    }
}

fn section(title: &str, about: &str, content: &str) -> String {
    format!("<section>\n<h2>{title}</h2>\n<p class='soft'>{about}</p>\n{content}</section>\n")
}

fn tile(name: &str, value: &str, about: &str) -> String {
    let value = escape::markup(&escape::clip(value, 24));
    format!("<div class='tile'><h3>{name}</h3><p class='value'>{value}</p><p>{about}</p></div>\n")
}

/// The tile of a party's score, with a bar from 1 to 4.5.
fn score(party: &PartyReport) -> String {
    let name = escape::markup(&escape::clip(&party.name, 24));
    let Some(row) = &party.quality else {
        return format!(
            "<div class='tile'><h3>{name} heard</h3><p class='value'>–</p><p>not measured</p></div>\n"
        );
    };
    let class = grade(row.mos);
    let share = (100.0 * (row.mos - 1.0) / 3.5).clamp(0.0, 100.0);
    format!(
        "<div class='tile'><h3>{name} heard</h3><p class='value'>{:.2} <small>MOS</small></p>\
         <div class='bar {class}'><i style='width:{share:.0}%'></i></div><p>{}</p></div>\n",
        row.mos,
        opinion(row.mos),
    )
}

fn verdict(worst: Option<f64>) -> (&'static str, &'static str) {
    match worst {
        None => ("none", "Sound was not measured"),
        Some(mos) => match grade(mos) {
            "good" => ("good", "Good sound"),
            "fair" => ("fair", "Fair sound"),
            _ => ("poor", "Poor sound"),
        },
    }
}

/// The lowest scores at which users are satisfied, and at which only some are not (ITU-T G.107
/// Annex B, table B.1).
const fn grade(mos: f64) -> &'static str {
    if mos >= 4.03 {
        "good"
    } else if mos >= 3.60 {
        "fair"
    } else {
        "poor"
    }
}

/// The sentence that explains the verdict.
fn why(row: &QualityRow) -> String {
    let direction = escape::markup(&row.direction);
    let (mos, loss, jitter) = (row.mos, row.loss_percent(), row.jitter_ms);
    format!("At worst ({direction}) MOS {mos:.2}, {loss:.1} % lost, {jitter:.1} ms jitter. ")
}

fn clock(duration: Duration) -> String {
    let tenths = duration.as_millis() / 100;
    let seconds = tenths / 10;
    match seconds {
        0..60 => format!("{seconds}.{} s", tenths % 10),
        60..3600 => format!("{}:{:02} min", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02} h", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

const STYLE: &str = include_str!("report.css");

/// So many rows of a ladder make about 200 kB.
const MOST_ROWS: usize = 400;

#[cfg(test)]
mod tests;
