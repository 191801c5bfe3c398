//! SIP messages: text to types and back (RFC 3261 §7, §18.3, §19, §20, §25).
//!
//! A [`Message`] is the bytes as they came and an index of where everything stands in them. Nothing
//! is copied and nothing is typed until it is asked for. What came is written back byte for byte;
//! changes go through a builder that writes a new message once. Before a request is acted upon it
//! becomes a [`ValidRequest`], or a [`Rejection`] that knows the answer to send.
//!
//! ```
//! use bytes::Bytes;
//! use offhook_sip_message::{
//!     Contact, Message, Method, ParseOptions, Response, StatusCode, Uri, ValidRequest, Via,
//! };
//!
//! let datagram = Bytes::from_static(
//!     b"OPTIONS sip:bob@biloxi.example SIP/2.0\r\n\
//!       v: SIP/2.0/UDP pc33.atlanta.example;branch=z9hG4bK776a;rport\r\n\
//!       Max-Forwards: 70\r\n\
//!       To: Bob <sip:bob@biloxi.example>\r\n\
//!       From: \"Alice\" <sip:alice@atlanta.example>;tag=1928\r\n\
//!       Call-ID: a84b4c76e66710\r\n\
//!       CSeq: 63104 OPTIONS\r\n\
//!       Content-Length: 0\r\n\r\n",
//! );
//! let Message::Request(request) = Message::parse(datagram.clone())? else { unreachable!() };
//! assert_eq!(request.method(), Method::OPTIONS);
//! assert_eq!(request.as_bytes(), &datagram);
//! let via = request.header::<Via>()?.ok_or("no Via")?;
//! assert_eq!(via.branch(), Some("z9hG4bK776a"));
//!
//! let request = ValidRequest::new(request, &ParseOptions::default())?;
//! assert_eq!(request.from().tag(), Some("1928"));
//! let response = Response::reply_to(&request, StatusCode::OK)
//!     .to_tag("8321")
//!     .header(&Contact::new("sip:bob@192.0.2.4".parse::<Uri>()?))
//!     .build()?;
//! assert!(response.as_bytes().starts_with(b"SIP/2.0 200 OK\r\nv: SIP/2.0/UDP pc33"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]
#![deny(clippy::expect_used, clippy::panic)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "tests may count"))]

mod text;
pub use text::Text;

mod builder;
pub use builder::{BuildError, RequestBuilder, ResponseBuilder};

mod envelope;
pub use envelope::Envelope;

mod framer;
pub use framer::{Frame, Framer, is_keep_alive};

mod header;
pub use header::*;

mod headers;
pub use headers::{HeaderField, Headers, Values};

mod limits;
pub use limits::{Limits, ParseOptions, Profile};

mod message;
pub use message::Message;

mod method;
pub use method::Method;

mod multipart;
pub use multipart::{Multipart, MultipartBuilder, Part};

mod outline;
pub use outline::{Outline, StartLine};

mod parse;
pub use parse::ParseError;

mod request;
pub use request::Request;

mod response;
pub use response::Response;

mod sipfrag;
pub use sipfrag::Sipfrag;

mod status;
pub use status::StatusCode;

mod transaction_key;
pub use transaction_key::{SentBy, TransactionKey};

mod uri;
pub use uri::{
    AbsoluteUri, AddressOfRecord, Host, Parameters, SipUri, TelUri, Uri, escape_user, unescape,
};

mod valid;
pub use valid::{Rejection, ValidRequest, ValidResponse};

mod wire_text;
pub use wire_text::WireText;
