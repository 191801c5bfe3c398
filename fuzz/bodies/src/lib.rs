//! The bodies of the fuzz targets: each takes any bytes and asserts what must hold for all of them.
//!
//! They stand in a package of the workspace, so that the ordinary test run compiles them and
//! replays the seeds (`tests/seeds.rs`). The targets of cargo-fuzz only call them.
//!
//! ```
//! offhook_fuzz_bodies::sip_message(b"OPTIONS sip:bob@biloxi.example SIP/2.0\r\n\r\n");
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod jitter_buffer;
pub use jitter_buffer::jitter_buffer;

mod media_leg;
pub use media_leg::media_leg;

mod promise;
use promise::{Promised, are_equal, is_within};

mod rtcp;
pub use rtcp::rtcp;

mod rtp;
pub use rtp::rtp;

mod script;
use script::Script;

mod sdp;
pub use sdp::sdp;

mod sip_differential;
pub use sip_differential::sip_differential;

mod sip_headers;
pub use sip_headers::{HEADERS, HeaderRow, sip_header};

mod sip_message;
pub use sip_message::sip_message;

mod sip_multipart;
pub use sip_multipart::sip_multipart;

mod sip_stream;
pub use sip_stream::sip_stream;

mod sipfrag;
pub use sipfrag::sipfrag;

mod uri;
pub use uri::uri;

mod user_agent;
pub use user_agent::user_agent;

/// A body: it takes any bytes, and panics where a promise is broken.
pub type Body = fn(&[u8]);

/// Every target by its name: that of its file in `fuzz/targets` and of its folder of seeds.
pub const TARGETS: [(&str, Body); 13] = [
    ("jitter_buffer", jitter_buffer),
    ("media_leg", media_leg),
    ("rtcp", rtcp),
    ("rtp", rtp),
    ("sdp", sdp),
    ("sip_differential", sip_differential),
    ("sip_header", sip_header),
    ("sip_message", sip_message),
    ("sip_multipart", sip_multipart),
    ("sip_stream", sip_stream),
    ("sipfrag", sipfrag),
    ("uri", uri),
    ("user_agent", user_agent),
];
