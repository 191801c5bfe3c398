//! offhook's runtime adapter for tokio: sockets, timers and the handles that users hold.
//!
//! One task, the driver, owns the sans-IO [`offhook_core::Endpoint`] and its sockets; an
//! [`Endpoint`], its [`Account`]s and its [`Call`]s are handles that talk to it. SIP goes over UDP, TCP, TLS and
//! WebSocket: each [`Listener`] takes one of them, and calls go out by what their URI and its
//! domain ask for (RFC 3263). A caller and a callee in one program:
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
//!
//! A phone that is registered at a provider, and its calls:
//!
//! ```no_run
//! use offhook_tokio::{Endpoint, Error};
//! use offhook_sip::Login;
//!
//! # async fn phone() -> Result<(), Error> {
//! let endpoint = Endpoint::builder("sip:alice@example.com").bind("0.0.0.0:5060").await?;
//! let login = Login::new("example.com", "alice", "secret");
//! let account = endpoint.account("sip:alice@example.com").login(login).open().await?;
//! account.registered().await?;
//! let placed = account.call("sip:bob@example.com").await?;
//! let taken = endpoint.incoming().await?;
//! assert!(account.owns(&placed) && account.owns(&taken));
//! endpoint.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! A server for phones on UDP and TCP, and for browsers behind TLS:
//!
//! ```no_run
//! use offhook_tokio::{Endpoint, Listener, ServerTls, TlsIdentity};
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let identity = TlsIdentity::from_pem(&std::fs::read("chain.pem")?, &std::fs::read("key.pem")?)?;
//! let tls = ServerTls::new(identity);
//! let endpoint = Endpoint::builder("sip:desk@example.com")
//!     .listen(Listener::udp("0.0.0.0:5060"))
//!     .listen(Listener::tcp("0.0.0.0:5060"))
//!     .listen(Listener::tls("[::]:5061", tls.clone()))
//!     .listen(Listener::wss("0.0.0.0:443", tls))
//!     .start()
//!     .await?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod account;
pub use account::{Account, AccountBuilder, AccountId, RegistrationFault, RegistrationState};

mod arrival;

mod audio;
pub use audio::{Audio, AudioReceiver};

mod builder;
pub use builder::Builder;

mod call;
pub use call::{Call, Ended};

mod command;

mod devices;

mod dns;
pub use dns::Dns;

mod driver;

mod elsewhere;
pub use elsewhere::PeerOffer;

mod endpoint;
pub use endpoint::Endpoint;

mod error;
pub use error::Error;

mod info;
pub use info::IncomingInfo;

mod listener;
pub use listener::Listener;

mod place;
pub use place::CallBuilder;

mod publication;
pub use publication::{Publication, PublicationState};

mod recorder;
pub use recorder::{Recorder, Tap, quality_row};

mod request;
pub use request::IncomingRequest;

mod sockets;

mod streams;
pub use streams::{
    ClientTls, Roots, ServerTls, StreamSettings, StreamStatistics, TlsError, TlsIdentity,
};

mod subscriber;
pub use subscriber::{Subscriber, SubscriberStatus};

mod subscription;
pub use subscription::{
    Notification, Subscription, SubscriptionBuilder, SubscriptionFault, SubscriptionStatus,
};

mod transfer;
pub use transfer::{IncomingTransfer, Transfer};

mod visible;

pub use offhook_core::Hold;
pub use offhook_sip::{EventPackage, SubscriberEnd};

/// Reads a URI of the user's.
fn uri(text: &str) -> Result<offhook_sip_message::Uri, Error> {
    text.parse().map_err(|error: offhook_sip_message::ParseError| Error::Uri {
        uri: text.to_owned(),
        reason: error.to_string(),
    })
}
