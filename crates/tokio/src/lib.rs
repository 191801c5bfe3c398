//! offhook's runtime adapter for tokio: sockets, timers and the handles that users hold.
//!
//! One task, the driver, owns the sans-IO [`offhook_core::Endpoint`] and its sockets; an
//! [`Endpoint`] and its [`Call`]s are handles that talk to it. A caller and a callee in one
//! program:
//!
//! ```
//! use offhook_tokio::Endpoint;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), offhook_tokio::Error> {
//! let alice = Endpoint::builder("sip:alice@127.0.0.1").bind("127.0.0.1:0").await?;
//! let bob = Endpoint::builder("sip:bob@127.0.0.1").bind("127.0.0.1:0").await?;
//!
//! let placed = alice.call(&format!("sip:bob@{}", bob.local_address())).await?;
//! let taken = bob.incoming().await?;
//! taken.ring().await?;
//! taken.answer().await?;
//! placed.answered().await?;
//!
//! let ended = placed.hang_up().await?;
//! assert_eq!(ended.status(), None, "hung up, not failed");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod audio;
pub use audio::{Audio, AudioReceiver};

mod builder;
pub use builder::Builder;

mod call;
pub use call::{Call, Ended};

mod command;

mod devices;

mod driver;

mod endpoint;
pub use endpoint::Endpoint;

mod error;
pub use error::Error;

mod recorder;
pub use recorder::{Recorder, Tap, quality_row};

mod resolve;

mod sockets;
