//! A SIP and VoIP stack: from the text of a SIP message to a phone call.
//!
//! Most programs need four types: [`Endpoint`], [`Account`], [`Call`] and [`Error`].
//!
//! ```no_run
//! use offhook::{Endpoint, Error};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let endpoint = Endpoint::builder("sip:alice@192.0.2.1").bind("0.0.0.0:5060").await?;
//!     let call = endpoint.call("sip:bob@192.0.2.2").await?;
//!     call.answered().await?;
//!     call.play_wav("hello.wav").await?;
//!     println!("{}", call.stats().await?);
//!     call.hang_up().await?;
//!     Ok(())
//! }
//! ```
//!
//! Below the handles lie the layers, each a crate that can be used alone, and each here under one
//! name. They read the network from nothing but values: see [`core`] for the endpoint that one
//! drives by hand, and [`sansio`] for the contract that all of them keep.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub use offhook_audio as audio;
pub use offhook_codec as codec;
pub use offhook_core as core;
pub use offhook_media as media;
pub use offhook_rtp as rtp;
pub use offhook_sansio as sansio;
pub use offhook_sdp as sdp;
pub use offhook_sip as sip;
pub use offhook_sip_message as sip_message;
#[cfg(feature = "tokio")]
pub use offhook_tokio::{
    Account, AccountBuilder, AccountId, Audio, AudioReceiver, Builder, Call, CallBuilder,
    ClientTls, Dns, Ended, Endpoint, Error, EventPackage, Hold, IncomingInfo, IncomingRequest,
    IncomingTransfer, Listener, Notification, PeerOffer, Publication, PublicationState, Recorder,
    RegistrationFault, RegistrationState, Roots, ServerTls, StreamSettings, StreamStatistics,
    Subscriber, SubscriberEnd, SubscriberStatus, Subscription, SubscriptionBuilder,
    SubscriptionFault, SubscriptionStatus, Tap, TlsError, TlsIdentity, Transfer, quality_row,
};
pub use offhook_trace as trace;

/// The programs in the README are compiled with the tests.
#[cfg(all(doctest, feature = "tokio"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
