//! How well the sound came through, as a table.

use crate::escape;

/// The figures of one direction of a call, from one party to another, over its whole time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QualityRow {
    /// Which direction, such as `Alice → Bob`.
    pub direction: String,
    /// Packets that arrived.
    pub packets: u64,
    /// Packets that did not arrive (RFC 3550 §6.4.1). Below 0 if duplicates outnumber the losses.
    pub lost: i64,
    /// Packets that arrived after their time to be played.
    pub late: u64,
    /// The interarrival jitter in milliseconds.
    pub jitter_ms: f64,
    /// The round trip time in milliseconds, if RTCP has measured it.
    pub round_trip_ms: Option<f64>,
    /// The transmission rating factor R, 0 to 100 (ITU-T G.107).
    pub r_factor: f64,
    /// The mean opinion score, 1 to 4.5 (ITU-T G.107).
    pub mos: f64,
}

impl QualityRow {
    /// The share of lost packets in percent.
    pub fn loss_percent(&self) -> f64 {
        let lost = self.lost.max(0) as f64;
        let expected = lost + self.packets as f64;
        if expected > 0.0 { 100.0 * lost / expected } else { 0.0 }
    }

    /// What users say of a call of this score (ITU-T G.107 Annex B, table B.1).
    pub fn opinion(&self) -> &'static str {
        opinion(self.mos)
    }

    pub(crate) fn cells(&self) -> [String; 8] {
        [
            self.direction.clone(),
            self.packets.to_string(),
            format!("{} ({:.1} %)", self.lost, self.loss_percent()),
            self.late.to_string(),
            format!("{:.1} ms", self.jitter_ms),
            self.round_trip_ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.0} ms")),
            format!("{:.0}", self.r_factor),
            format!("{:.2}", self.mos),
        ]
    }
}

/// The rows as an aligned table for a terminal, with a line of headings.
///
/// ```
/// use offhook_trace::{QualityRow, quality_table};
///
/// let row = QualityRow {
///     direction: "Alice → Bob".to_owned(), packets: 495, lost: 5, late: 2, jitter_ms: 3.3,
///     round_trip_ms: Some(62.0), r_factor: 86.1, mos: 4.22,
/// };
/// assert_eq!(quality_table(&[row]), "\
/// direction    packets       lost  late  jitter  round trip   R   MOS
/// Alice → Bob      495  5 (1.0 %)     2  3.3 ms       62 ms  86  4.22
/// ");
/// ```
pub fn quality_table(rows: &[QualityRow]) -> String {
    let heading = HEADINGS.map(str::to_owned);
    let lines = rows.iter().map(|row| row.cells().map(|cell| escape::terminal(&cell)));
    let lines: Vec<[String; 8]> = [heading].into_iter().chain(lines).collect();
    let mut widths = [0; 8];
    for line in &lines {
        let each = widths.iter_mut().zip(line);
        each.for_each(|(width, cell)| *width = cell.chars().count().max(*width));
    }
    lines.iter().map(|line| text_line(line, &widths)).collect()
}

fn text_line(cells: &[String; 8], widths: &[usize; 8]) -> String {
    let mut line = String::new();
    for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
        line += &match index {
            0 => format!("{cell:<width$}"),
            _ => format!("  {cell:>width$}"),
        };
    }
    line + "\n"
}

/// What users say of a call of this mean opinion score (ITU-T G.107 Annex B, table B.1).
pub(crate) fn opinion(mos: f64) -> &'static str {
    match mos {
        4.34.. => "very satisfied",
        4.03.. => "satisfied",
        3.60.. => "some dissatisfied",
        3.10.. => "many dissatisfied",
        2.58.. => "nearly all dissatisfied",
        _ => "not recommended",
    }
}

pub(crate) const HEADINGS: [&str; 8] =
    ["direction", "packets", "lost", "late", "jitter", "round trip", "R", "MOS"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_a_share_of_what_was_expected() {
        let row = QualityRow { packets: 90, lost: 10, ..QualityRow::default() };
        assert_eq!(row.loss_percent(), 10.0);
        assert_eq!(QualityRow::default().loss_percent(), 0.0);
        assert_eq!(QualityRow { packets: 9, lost: -1, ..row }.loss_percent(), 0.0);
    }

    #[test]
    fn a_hostile_name_cannot_speak_to_the_terminal() {
        let direction = "\x1b]0;owned\x07\n → Bob".to_owned();
        let table = quality_table(&[QualityRow { direction, ..QualityRow::default() }]);
        assert_eq!(table.lines().count(), 2);
        assert!(!table.contains(['\x1b', '\x07']), "{table}");
    }
}
