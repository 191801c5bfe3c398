//! The offer/answer exchange (RFC 3264): two descriptions in, one agreement out.
//!
//! `machine` knows whose turn it is, `offer` and `answer` make our descriptions, `matching` reads
//! the peer's, and `proposal` is one of ours before it is text.

mod agreement;
pub use agreement::NegotiatedMedia;

mod answer;

mod capabilities;
pub use capabilities::{Capabilities, LocalMedia};

mod machine;
pub use machine::Negotiation;

mod matching;

mod offer;

mod packet_time;

mod proposal;

mod remote;
