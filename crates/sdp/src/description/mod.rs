//! The text of a session description and its typed lines (RFC 8866).
//!
//! Each line keeps the bytes it came with beside its typed value, so that writing an untouched
//! description gives back the same bytes.

mod attribute;
pub use attribute::{Attribute, FormatParameters, Rtcp, RtpMap};

mod connection;
pub use connection::{Address, Connection};

mod direction;
pub use direction::Direction;

mod line;
pub use line::{Field, Line};

mod media;
pub use media::{MediaDescription, MediaLine};

mod milliseconds;

mod origin;
pub use origin::Origin;

mod parse;

mod session;
pub use session::SessionDescription;
pub(crate) use session::unbounded;

mod words;

mod write;

#[cfg(test)]
mod tests;
