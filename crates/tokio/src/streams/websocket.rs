//! SIP in WebSocket messages (RFC 7118 §4, §5, RFC 6455).

use bytes::Bytes;
use futures_util::{SinkExt, stream::SplitSink};
use offhook_sip_message::{Host, Limits};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async_with_config, client_async_with_config,
    tungstenite::{
        ClientRequestBuilder, Error, Message, Utf8Bytes,
        handshake::server::{ErrorResponse, Request, Response},
        http::{HeaderValue, StatusCode, Uri},
        protocol::WebSocketConfig,
    },
};

use super::establish::Stream;

/// The half of a WebSocket that is written to.
pub(super) type Sink = SplitSink<WebSocketStream<Box<dyn Stream>>, Message>;

/// The server's handshake. A client that does not offer the subprotocol `sip` is refused
/// (RFC 7118 §4.1).
pub(super) async fn accept(
    stream: Box<dyn Stream>,
    limits: &Limits,
) -> Result<WebSocketStream<Box<dyn Stream>>, Error> {
    accept_hdr_async_with_config(stream, agree, Some(config(limits))).await
}

/// The client's handshake with `host`; a server that does not take `sip` is left.
pub(super) async fn connect(
    stream: Box<dyn Stream>,
    secure: bool,
    host: &Host,
    port: u16,
    limits: &Limits,
) -> Result<WebSocketStream<Box<dyn Stream>>, Error> {
    let scheme = if secure { "wss" } else { "ws" };
    let uri: Uri = format!("{scheme}://{host}:{port}/").parse()?;
    let request = ClientRequestBuilder::new(uri).with_sub_protocol(SUBPROTOCOL);
    // The handshake holds the answer against what was asked for.
    Ok(client_async_with_config(request, stream, Some(config(limits))).await?.0)
}

#[expect(clippy::result_large_err, reason = "the shape that the WebSocket library asks for")]
fn agree(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offered = request.headers().get_all(PROTOCOL_FIELD).iter();
    let offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    if offered.map(str::trim).any(|name| name == SUBPROTOCOL) {
        let value = HeaderValue::from_static(SUBPROTOCOL);
        response.headers_mut().insert(PROTOCOL_FIELD, value);
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(Some("the subprotocol sip is needed".to_owned()));
    *refusal.status_mut() = StatusCode::BAD_REQUEST;
    Err(refusal)
}

/// What a message carries for SIP; the rest keeps the connection open, or closes it.
pub(super) fn payload(message: Message) -> Option<Bytes> {
    match message {
        Message::Text(text) => Some(text.into()),
        Message::Binary(bytes) => Some(bytes),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => None,
    }
}

/// Text where it is text: browsers that log it then show it (RFC 7118 §4.2 allows both).
pub(super) fn message(bytes: Bytes) -> Message {
    match Utf8Bytes::try_from(bytes.clone()) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(bytes),
    }
}

pub(super) async fn send(sink: &mut Sink, message: Message) -> Result<(), Error> {
    match sink.send(message).await {
        Err(Error::ConnectionClosed) => Ok(()),
        sent => sent,
    }
}

/// No message is larger than SIP's limits, nor is any part of one.
fn config(limits: &Limits) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(limits.message))
        .max_frame_size(Some(limits.message))
}

/// RFC 7118 §4.1.
const SUBPROTOCOL: &str = "sip";
/// RFC 6455 §11.3.4.
const PROTOCOL_FIELD: &str = "Sec-WebSocket-Protocol";
/// How much is read at a time; the memory is taken at once.
const BUFFER: usize = 8 * 1024;
