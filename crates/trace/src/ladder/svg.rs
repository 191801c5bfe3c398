//! A ladder as a drawing.

use crate::{
    Recording, escape,
    ladder::rows::{Arrow, Ladder, Row},
};

/// The ladder of a recording as an SVG document, for light and dark backgrounds.
///
/// It shows the first 1000 rows and says how many more there are. [`text`](crate::ladder::text)
/// shows all.
pub fn svg(recording: &Recording) -> String {
    draw(&Ladder::of(recording), MOST_ROWS)
}

/// Draws at most `rows` rows.
pub(crate) fn draw(ladder: &Ladder, rows: usize) -> String {
    let shown = ladder.rows.get(..rows).unwrap_or(&ladder.rows);
    let sheet = Sheet::new(ladder, shown);
    let notes = notes(ladder, shown.len());
    let rails_end = TOP + ROW * shown.len() as f64 + 8.0;
    let height = rails_end + 20.0 * notes.len() as f64 + 8.0;
    let mut svg = sheet.open(height);
    svg += &format!("<style>\n{STYLE}</style>\n");
    for (index, name) in ladder.columns.iter().enumerate() {
        svg += &sheet.column(index, name, rails_end);
    }
    for (index, row) in shown.iter().enumerate() {
        svg += &sheet.row(row, TOP + ROW * index as f64);
    }
    for (index, note) in notes.iter().enumerate() {
        let y = rails_end + 20.0 * (index + 1) as f64 - 4.0;
        svg += &format!("<text class='time' x='{LEFT:.0}' y='{y:.0}'>{note}</text>\n");
    }
    svg + "</svg>\n"
}

fn notes(ladder: &Ladder, shown: usize) -> Vec<String> {
    let hidden = ladder.rows.len() - shown;
    let hidden = (hidden > 0).then(|| format!("{hidden} more rows are not drawn"));
    let omitted = (ladder.omitted > 0)
        .then(|| format!("{} more packets found no room in the recording", ladder.omitted));
    hidden.into_iter().chain(omitted).collect()
}

/// Where things stand on the drawing.
struct Sheet {
    columns: usize,
    gap: f64,
}

impl Sheet {
    fn new(ladder: &Ladder, rows: &[Row]) -> Self {
        let longest = rows.iter().map(|row| row.label().chars().count()).max().unwrap_or_default();
        let columns = ladder.columns.len();
        let room = (PAGE / columns.saturating_sub(1).max(1) as f64).clamp(NARROWEST, WIDEST);
        let gap = (longest as f64 * LETTER + 60.0).clamp(NARROWEST, room);
        Self { columns, gap }
    }

    fn open(&self, height: f64) -> String {
        let width = self.x(self.columns.saturating_sub(1)) + RIGHT;
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' class='ladder' role='img' \
             viewBox='0 0 {width:.0} {height:.0}' width='{width:.0}' height='{height:.0}' \
             aria-label='Ladder of messages'>\n"
        )
    }

    fn x(&self, column: usize) -> f64 {
        LEFT + BOX / 2.0 + self.gap * column as f64
    }

    fn column(&self, index: usize, name: &str, rails_end: f64) -> String {
        let x = self.x(index);
        let left = x - BOX / 2.0;
        let name = escape::markup(&escape::clip(name, 18));
        format!(
            "<line class='rail' x1='{x:.1}' x2='{x:.1}' y1='34' y2='{rails_end:.0}'/>\
             <rect class='box' x='{left:.1}' y='4' width='{BOX:.0}' height='30' rx='8'/>\
             <text class='name' x='{x:.1}' y='24'>{name}</text>\n"
        )
    }

    fn row(&self, row: &Row, y: f64) -> String {
        let time = row.at.as_secs_f64();
        let base = if matches!(row.arrow, Arrow::Run { .. }) { y + 5.0 } else { y + 10.0 };
        let time =
            format!("<text class='time' x='62' y='{base:.0}' text-anchor='end'>{time:.3}</text>");
        let (x1, x2) = (self.x(row.from), self.x(row.to));
        let drawn = match &row.arrow {
            _ if row.from == row.to => own_arrow(row, x1, y),
            Arrow::Message { .. } => message(row, x1, x2, y),
            Arrow::Run { .. } => run(row, x1, x2, y),
        };
        let remark = row.remark();
        let class = if row.is_lost() { "remark lost" } else { "remark" };
        let x = self.x(self.columns.saturating_sub(1)) + 12.0;
        let remark = match remark.as_str() {
            "" => remark,
            _ => format!("<text class='{class}' x='{x:.0}' y='{base:.0}'>{remark}</text>"),
        };
        format!("<g>{}{time}{drawn}{remark}</g>\n", title(row))
    }
}

/// What a reader sees who points at the row.
fn title(row: &Row) -> String {
    let label = escape::markup(&escape::clip(&row.label(), 80));
    match row.arrow {
        Arrow::Message { took: Some(took), .. } => {
            format!("<title>{label}, {:.1} ms on its way</title>", took.as_secs_f64() * 1e3)
        }
        _ => format!("<title>{label}</title>"),
    }
}

fn message(row: &Row, x1: f64, x2: f64, y: f64) -> String {
    let forth = (x2 - x1).signum();
    let lost = row.is_lost();
    let end = if lost { x1 + (x2 - x1) * 0.86 } else { x2 - forth * 1.0 };
    let class = match row.arrow {
        _ if lost => "arrow lost",
        Arrow::Message { repeat: Some(_), .. } => "arrow again",
        _ => "arrow",
    };
    let middle = (x1 + x2) / 2.0;
    let label = label(row, x1, x2);
    let tip = if lost { cross(end, y + 6.0) } else { head(end, y + 6.0, forth) };
    let shaft = end - forth * if lost { 0.0 } else { 6.0 };
    let (line, text) = (y + 6.0, y);
    format!(
        "<line class='{class}' x1='{x1:.1}' x2='{shaft:.1}' y1='{line:.0}' y2='{line:.0}'/>{tip}\
         <text class='label' x='{middle:.1}' y='{text:.0}'>{label}</text>"
    )
}

/// A band for a run of media; its point shows the direction.
fn run(row: &Row, x1: f64, x2: f64, y: f64) -> String {
    let forth = (x2 - x1).signum();
    let (start, end) = (x1 + forth * 6.0, x2 - forth * 6.0);
    let neck = end - forth * 9.0;
    let (top, middle, bottom) = (y - 9.0, y + 1.0, y + 11.0);
    let (x, base) = ((start + end) / 2.0, y + 5.0);
    let label = label(row, x1, x2);
    format!(
        "<path class='run' d='M{start:.1} {top:.0}H{neck:.1}L{end:.1} {middle:.0}L{neck:.1} \
         {bottom:.0}H{start:.1}Z'/><text class='label' x='{x:.1}' y='{base:.0}'>{label}</text>"
    )
}

/// A party that sends to itself.
fn own_arrow(row: &Row, x: f64, y: f64) -> String {
    let label = escape::markup(&escape::clip(&row.label(), 40));
    let (x1, y1) = (x + 10.0, y + 4.0);
    format!("<text class='label own' x='{x1:.1}' y='{y1:.0}'>{label} (to itself)</text>")
}

fn label(row: &Row, x1: f64, x2: f64) -> String {
    let room = ((x2 - x1).abs() - 40.0) / LETTER;
    escape::markup(&escape::clip(&row.label(), room as usize))
}

fn head(x: f64, y: f64, forth: f64) -> String {
    let back = x - forth * 8.0;
    let (top, bottom) = (y - 4.0, y + 4.0);
    format!("<path class='head' d='M{x:.1} {y:.0}L{back:.1} {top:.0}V{bottom:.0}Z'/>")
}

fn cross(x: f64, y: f64) -> String {
    let (left, right, top, bottom) = (x - 5.0, x + 5.0, y - 5.0, y + 5.0);
    format!(
        "<path class='cross' d='M{left:.1} {top:.0}L{right:.1} {bottom:.0}M{left:.1} \
         {bottom:.0}L{right:.1} {top:.0}'/>"
    )
}

const STYLE: &str = include_str!("ladder.css");

const MOST_ROWS: usize = 1000;

/// Measures in pixels: the margins, the boxes of names, the distances of rows and of columns, how
/// wide a page is that all columns should fit on, and about how wide a letter is.
const LEFT: f64 = 78.0;
const RIGHT: f64 = 130.0;
const TOP: f64 = 62.0;
const BOX: f64 = 132.0;
const ROW: f64 = 32.0;
const NARROWEST: f64 = 220.0;
const PAGE: f64 = 800.0;
const WIDEST: f64 = 560.0;
const LETTER: f64 = 7.4;
