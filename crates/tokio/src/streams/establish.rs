//! From a TCP connection to one that carries SIP: the handshakes of TLS and WebSocket, in time.

use std::{io, sync::Arc};

use offhook_sansio::Protocol;
use offhook_sip::Target;
use offhook_sip_message::Limits;
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::{WebSocketStream, tungstenite};

use super::{ClientTls, TlsError, websocket};

/// Bytes in both directions, with or without TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

/// A connection that carries SIP.
pub(super) enum Link {
    Bytes(Box<dyn Stream>),
    WebSocket(Box<WebSocketStream<Box<dyn Stream>>>),
}

/// Why a connection did not come up.
#[derive(Debug, Error)]
pub(crate) enum Unestablished {
    #[error("not in time")]
    TooSlow,
    #[error("too many connections are open")]
    TooMany,
    #[error("TLS is not set up: {0}")]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("WebSocket: {0}")]
    WebSocket(#[from] tungstenite::Error),
}

/// The server's side of the handshakes of `protocol`.
pub(super) async fn serve(
    stream: TcpStream,
    protocol: Protocol,
    tls: Option<&TlsAcceptor>,
    limits: &Limits,
) -> Result<Link, Unestablished> {
    // A message is written at once and waits for no other.
    stream.set_nodelay(true)?;
    let stream: Box<dyn Stream> = match tls {
        Some(acceptor) => Box::new(acceptor.accept(stream).await?),
        None => Box::new(stream),
    };
    Ok(match protocol {
        Protocol::Ws | Protocol::Wss => {
            Link::WebSocket(Box::new(websocket::accept(stream, limits).await?))
        }
        _ => Link::Bytes(stream),
    })
}

/// The client's side of them. TLS is asked for the host of the URI (RFC 5922 §7.3).
pub(super) async fn approach(
    stream: TcpStream,
    target: &Target,
    tls: &Arc<ClientTls>,
    limits: &Limits,
) -> Result<Link, Unestablished> {
    stream.set_nodelay(true)?;
    let secure = matches!(target.protocol, Protocol::Tls | Protocol::Wss);
    let stream: Box<dyn Stream> = match secure {
        true => Box::new(tls.connect(stream, &target.domain).await?),
        false => Box::new(stream),
    };
    Ok(match target.protocol {
        Protocol::Ws | Protocol::Wss => {
            let (host, port) = (&target.domain, target.address.port());
            let socket = websocket::connect(stream, secure, host, port, limits).await?;
            Link::WebSocket(Box::new(socket))
        }
        _ => Link::Bytes(stream),
    })
}
