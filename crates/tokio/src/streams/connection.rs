//! One connection: a task that reads messages from it, and writes what its queue holds
//! (RFC 3261 §18.3, RFC 5626 §3.5.1).

use std::{io, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use offhook_sansio::{Datagram, Flow};
use offhook_sip_message::{Frame, Framer, ParseError};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Instant, interval_at, timeout, timeout_at},
};
use tokio_tungstenite::tungstenite;
use tracing::debug;

use super::{
    Shared,
    establish::{Link, Stream},
    statistics::count,
    websocket,
};
use crate::arrival::Arrival;

/// The driver's end of a connection. Dropping it closes the connection, once what its queue holds
/// has been written.
#[derive(Debug)]
pub(crate) struct Connection {
    queue: mpsc::UnboundedSender<Queued>,
    /// The bytes that still fit into the queue.
    room: Arc<Semaphore>,
    /// The place among the connections that may be open.
    _place: OwnedSemaphorePermit,
}

/// What is to be written, and the room it takes.
#[derive(Debug)]
struct Queued {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

/// Who made the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Accepted,
    Connected,
}

impl Connection {
    /// Queues `bytes`; false if they do not fit.
    pub(crate) fn send(&self, bytes: Bytes) -> bool {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(length) else { return false };
        self.queue.send(Queued { bytes, _room: room }).is_ok()
    }
}

/// Both ends of a connection: the driver's, and the task that is yet to be run.
pub(super) fn open(
    link: Link,
    flow: Flow,
    side: Side,
    place: OwnedSemaphorePermit,
    shared: &Arc<Shared>,
) -> (Connection, impl Future<Output = ()> + use<>) {
    let (queue, queued) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(shared.settings.write_queue.min(Semaphore::MAX_PERMITS)));
    let connection = Connection { queue, room, _place: place };
    (connection, run(link, flow, side, queued, Arc::clone(shared)))
}

/// Reads and writes until either ends, and tells the driver.
async fn run(
    link: Link,
    flow: Flow,
    side: Side,
    queued: mpsc::UnboundedReceiver<Queued>,
    shared: Arc<Shared>,
) {
    let (pongs, pings) = mpsc::channel(PONGS);
    let reader = Reader { flow, side, shared: &shared, pongs };
    let writer = Writer { queued, pings, side, shared: &shared };
    let ended = match link {
        Link::Bytes(stream) => {
            let (read, write) = split(stream);
            tokio::select! {
                ended = reader.read(read) => ended,
                ended = writer.write(write) => ended,
            }
        }
        Link::WebSocket(socket) => {
            let (sink, stream) = (*socket).split();
            tokio::select! {
                ended = reader.read_messages(stream) => ended,
                ended = writer.write_messages(sink) => ended,
            }
        }
    };
    ended.unwrap_or_else(|loss| loss.tell(flow, &shared));
    // A driver that is gone needs no news.
    let _ = shared.arrivals.send(Arrival::Closed { flow }).await;
}

/// Why a connection ended that nobody closed.
#[derive(Debug, Error)]
enum Loss {
    #[error("what came cannot be read: {0}")]
    Malformed(#[from] ParseError),
    #[error("nothing came for too long")]
    Idle,
    #[error("the peer takes nothing")]
    Stuck,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    WebSocket(#[from] tungstenite::Error),
}

impl Loss {
    fn tell(self, flow: Flow, shared: &Shared) {
        debug!(%flow, error = %self, "connection closed");
        count(match self {
            Self::Malformed(_) => &shared.counters.malformed,
            Self::Idle => &shared.counters.idle,
            Self::WebSocket(
                tungstenite::Error::Protocol(_)
                | tungstenite::Error::Capacity(_)
                | tungstenite::Error::Utf8(_),
            ) => &shared.counters.malformed,
            Self::Stuck | Self::Io(_) | Self::WebSocket(_) => &shared.counters.broken,
        });
    }
}

/// The half that reads.
struct Reader<'a> {
    flow: Flow,
    side: Side,
    shared: &'a Shared,
    /// Answers to pings, for the writer.
    pongs: mpsc::Sender<()>,
}

impl Reader<'_> {
    async fn read(&self, mut stream: ReadHalf<Box<dyn Stream>>) -> Result<(), Loss> {
        let mut framer = Framer::new(self.shared.limits);
        let mut buffer = BytesMut::with_capacity(READ_SIZE);
        let mut deadline = self.first_deadline();
        loop {
            buffer.clear();
            let read = timeout_at(deadline, stream.read_buf(&mut buffer)).await;
            if read.map_err(|_| Loss::Idle)?? == 0 {
                return Ok(());
            }
            framer.push(&buffer);
            loop {
                let frame = match framer.next() {
                    Ok(Some(frame)) => frame,
                    Ok(None) => break,
                    Err(error) => return self.give_up(framer.take_refused(), error).await,
                };
                deadline = self.next_deadline();
                if !self.take(frame).await {
                    return Ok(());
                }
            }
        }
    }

    /// Nothing more can be read. If the message can be answered, the driver does so and closes the
    /// connection: the writer sees to its end.
    async fn give_up(&self, head: Option<Bytes>, error: ParseError) -> Result<(), Loss> {
        let Some(head) = head else { return Err(error.into()) };
        Loss::Malformed(error.clone()).tell(self.flow, self.shared);
        let unframed = Arrival::Unframed { flow: self.flow, head, error };
        if self.shared.arrivals.send(unframed).await.is_ok() {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn read_messages(
        &self,
        mut stream: impl StreamExt<Item = Result<tungstenite::Message, tungstenite::Error>> + Unpin,
    ) -> Result<(), Loss> {
        let mut deadline = self.first_deadline();
        loop {
            let message = timeout_at(deadline, stream.next()).await.map_err(|_| Loss::Idle)?;
            let Some(message) = message else { return Ok(()) };
            if let Some(bytes) = websocket::payload(message?) {
                // One bad message costs itself alone (RFC 7118 §5).
                match Frame::of_websocket(bytes, &self.shared.limits) {
                    Err(error) => debug!(flow = %self.flow, %error, "message dropped"),
                    Ok(frame) => {
                        if !self.take(frame).await {
                            return Ok(());
                        }
                    }
                }
            }
            deadline = self.next_deadline();
        }
    }

    /// Hands a message to the driver, or waits until it has room; false if it is gone.
    async fn take(&self, frame: Frame) -> bool {
        match frame {
            Frame::Message(bytes) => self.hand_over(&bytes).await,
            // Who sends keep-alives gets pongs, and two of them look like a ping.
            Frame::Ping if self.side == Side::Connected => true,
            Frame::Ping => {
                // A peer that does not take its pongs gets no more of them.
                let _ = self.pongs.try_send(());
                true
            }
            // A registration may wait for it (RFC 5626 §4.4.1).
            Frame::Pong => self.hand_over(PONG).await,
        }
    }

    async fn hand_over(&self, bytes: &[u8]) -> bool {
        let datagram = Datagram { flow: self.flow, payload: BytesMut::from(bytes) };
        self.shared.arrivals.send(Arrival::Datagram(datagram)).await.is_ok()
    }

    /// Who connects has something to say.
    fn first_deadline(&self) -> Instant {
        match self.side {
            Side::Accepted => Instant::now() + self.shared.settings.connect_time,
            Side::Connected => self.next_deadline(),
        }
    }

    fn next_deadline(&self) -> Instant {
        Instant::now() + self.shared.settings.idle_time
    }
}

/// The half that writes.
struct Writer<'a> {
    queued: mpsc::UnboundedReceiver<Queued>,
    /// Pings of the peer that are to be answered.
    pings: mpsc::Receiver<()>,
    side: Side,
    shared: &'a Shared,
}

/// What is to be written next.
enum Next {
    Message(Queued),
    Pong,
    KeepAlive,
    End,
}

impl Writer<'_> {
    async fn write(mut self, mut stream: WriteHalf<Box<dyn Stream>>) -> Result<(), Loss> {
        let mut ticks = self.ticks();
        loop {
            let bytes: &[u8] = match self.next(&mut ticks).await {
                Next::Message(queued) => {
                    self.in_time(write_all(&mut stream, &queued.bytes)).await?;
                    continue;
                }
                Next::Pong => PONG,
                Next::KeepAlive => b"\r\n\r\n",
                // Tells a TLS peer that this is the end (RFC 8446 §6.1).
                Next::End => return self.in_time(stream.shutdown()).await,
            };
            self.in_time(write_all(&mut stream, bytes)).await?;
        }
    }

    async fn write_messages(mut self, mut sink: websocket::Sink) -> Result<(), Loss> {
        let mut ticks = self.ticks();
        loop {
            let message = match self.next(&mut ticks).await {
                Next::Message(queued) => websocket::message(queued.bytes),
                // RFC 7118 §6: a CRLF in a message of its own.
                Next::Pong => websocket::message(Bytes::from_static(PONG)),
                Next::KeepAlive => tungstenite::Message::Ping(Bytes::new()),
                Next::End => tungstenite::Message::Close(None),
            };
            let is_end = message.is_close();
            self.in_time(websocket::send(&mut sink, message)).await?;
            if is_end {
                return Ok(());
            }
        }
    }

    async fn next(&mut self, ticks: &mut Option<tokio::time::Interval>) -> Next {
        let tick = async {
            match ticks {
                Some(ticks) => ticks.tick().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            queued = self.queued.recv() => queued.map_or(Next::End, Next::Message),
            Some(()) = self.pings.recv() => Next::Pong,
            _ = tick => Next::KeepAlive,
        }
    }

    fn ticks(&self) -> Option<tokio::time::Interval> {
        let period = self.shared.settings.keep_alive.filter(|_| self.side == Side::Connected)?;
        Some(interval_at(Instant::now() + period, period))
    }

    async fn in_time<T, E>(&self, write: impl Future<Output = Result<T, E>>) -> Result<T, Loss>
    where
        Loss: From<E>,
    {
        let written = timeout(self.shared.settings.write_time, write).await;
        Ok(written.map_err(|_| Loss::Stuck)??)
    }
}

/// TLS holds bytes back until it is flushed.
async fn write_all(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The answer to a ping (RFC 5626 §3.5.1).
const PONG: &[u8] = b"\r\n";
/// How much is read at a time.
const READ_SIZE: usize = 8 * 1024;
/// How many pings may wait for their answer: one answer tells as much as many.
const PONGS: usize = 4;
