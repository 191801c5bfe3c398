//! The messages of a call, drawn between those who sent and received them.
//!
//! Each recorded party has a column; so has each address that packets go to or come from and that
//! no party has. A SIP message is one arrow. It is marked as lost when a recorded party should
//! have received it and did not, and as sent again when the same bytes were sent before. Media
//! packets share one arrow a run.

mod journey;

mod rows;
pub(crate) use rows::Ladder;

mod svg;
pub(crate) use svg::draw;
pub use svg::svg;

mod text;
pub use text::text;

#[cfg(test)]
mod tests;
