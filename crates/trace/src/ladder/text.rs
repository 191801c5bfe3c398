//! A ladder for a terminal.

use crate::{
    Recording, escape,
    ladder::rows::{Arrow, Ladder, Row},
};

/// The ladder of a recording as lines of text, one for each message and each run of media.
///
/// The first column is the time in seconds since the start of the recording.
pub fn text(recording: &Recording) -> String {
    let ladder = Ladder::of(recording);
    let gap = gap(&ladder);
    let mut text = heading(&ladder, gap);
    for row in &ladder.rows {
        text += &line(row, ladder.columns.len(), gap);
    }
    if ladder.omitted > 0 {
        text +=
            &format!("{:>9}  {} more packets found no room in the recording\n", "", ladder.omitted);
    }
    text
}

/// How far the columns stand apart, so that most labels fit.
fn gap(ladder: &Ladder) -> usize {
    let labels = ladder.rows.iter().map(|row| escape::terminal(&row.label()));
    let longest = labels.map(|label| label.chars().count()).max().unwrap_or_default();
    (longest + 10).clamp(NARROWEST, WIDEST)
}

fn heading(ladder: &Ladder, gap: usize) -> String {
    let mut names = format!("{:>9}  ", "s");
    let mut rails = format!("{:>9}  ", "");
    for (index, name) in ladder.columns.iter().enumerate() {
        let last = index + 1 == ladder.columns.len();
        let name = escape::clip(&escape::terminal(name), gap - 2);
        if last {
            names += &name;
            rails += "│";
        } else {
            names += &format!("{name:<gap$}");
            rails += &format!("{:<gap$}", "│");
        }
    }
    format!("{names}\n{rails}\n")
}

fn line(row: &Row, columns: usize, gap: usize) -> String {
    let width = columns.saturating_sub(1) * gap + 1;
    let mut cells: Vec<char> = vec![' '; width];
    cells.iter_mut().step_by(gap).for_each(|cell| *cell = '│');
    let label = escape::terminal(&row.label());
    let remark = row.remark();
    if row.from == row.to {
        let rails: String = cells.iter().collect();
        let rest = format!("{rails}  {label} (to itself) {remark}");
        return seconds(row) + rest.trim_end() + "\n";
    }
    let (left, right) = (row.from.min(row.to) * gap, row.from.max(row.to) * gap);
    let between = cells.iter_mut().skip(left + 1).take(right - left - 1);
    draw(between, &arrow(row, &label, right - left - 1));
    let rails: String = cells.into_iter().collect();
    let remark = if remark.is_empty() { remark } else { format!("  {remark}") };
    seconds(row) + &rails + &remark + "\n"
}

fn seconds(row: &Row) -> String {
    format!("{:>9.3}  ", row.at.as_secs_f64())
}

/// The arrow with its label in the middle, `width` characters wide.
fn arrow(row: &Row, label: &str, width: usize) -> Vec<char> {
    let rightwards = row.from < row.to;
    let shaft = if matches!(row.arrow, Arrow::Run { .. }) { '═' } else { '─' };
    // What is lost ends before it arrives.
    let length = if row.is_lost() { width - width / 8 } else { width };
    let tip = match (row.is_lost(), rightwards) {
        (true, _) => '✗',
        (false, true) => '▶',
        (false, false) => '◀',
    };
    let label = format!(" {} ", escape::clip(label, length.saturating_sub(6)));
    let before = length.saturating_sub(label.chars().count() + 1) / 2;
    let mut arrow: Vec<char> = std::iter::repeat_n(shaft, before).chain(label.chars()).collect();
    arrow.resize(length - 1, shaft);
    arrow.push(tip);
    arrow.resize(width, ' ');
    if !rightwards {
        mirror(&mut arrow, before, label.chars().count(), length);
    }
    arrow
}

/// Turns an arrow around and leaves its label readable.
fn mirror(arrow: &mut [char], before: usize, label: usize, length: usize) {
    arrow.reverse();
    let blank = arrow.len() - length;
    let after = length - before - label;
    if let Some(words) = arrow.get_mut(blank + after..blank + after + label) {
        words.reverse();
    }
}

fn draw<'a>(cells: impl Iterator<Item = &'a mut char>, arrow: &[char]) {
    // A column that the arrow crosses shows where it has room.
    for (cell, character) in cells.zip(arrow) {
        if *character != ' ' || *cell != '│' {
            *cell = *character;
        }
    }
}

const NARROWEST: usize = 28;
const WIDEST: usize = 64;
