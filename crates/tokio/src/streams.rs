//! SIP over streams: TCP, TLS and WebSocket (RFC 3261 §18, RFC 5922, RFC 7118).
//!
//! Each connection is a task. It hands whole messages to the driver through the channel that the
//! UDP sockets use, and takes bytes from a queue of bounded size. The driver knows a connection by
//! its [`Flow`](offhook_sansio::Flow): the two addresses of the one TCP connection.

mod connection;
mod domain;
pub(crate) use connection::Connection;
use connection::Side;

mod establish;
pub(crate) use establish::Unestablished;

mod listener;
pub(crate) use listener::listen;

mod pool;
pub(crate) use pool::{Pool, Reach, Sent, Shared};

mod settings;
pub use settings::StreamSettings;

mod statistics;
pub use statistics::StreamStatistics;
pub(crate) use statistics::{Counters, count};

mod tls;
pub use tls::{ClientTls, Roots, ServerTls, TlsError, TlsIdentity};

mod websocket;
