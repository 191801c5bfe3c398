//! What the owner of an endpoint may choose about its connections.

use std::time::Duration;

/// Bounds and times of the connections of an endpoint. All times are taken as at least 1 ms and at
/// most a day.
#[derive(Clone, Debug)]
pub struct StreamSettings {
    /// How many connections of peers may be open or in their handshake at a time. One more is
    /// closed at once. Default: 1000.
    pub max_accepted: usize,
    /// How many connections may be open to peers. For one more, the one that has carried no message
    /// for longest is closed, if that is at least 32 s ago (64*T1); else it fails. Default: 1000.
    pub max_connected: usize,
    /// How many bytes may wait to be written to one connection. What does not fit is not sent, and
    /// its request fails at once. Default: 256 KiB.
    pub write_queue: usize,
    /// How long it may take to connect, with the handshakes of TLS and WebSocket. A peer that has
    /// connected and says nothing in this time is let go as well. Default: 10 s.
    pub connect_time: Duration,
    /// How long a write may make no progress before the connection counts as lost. Default: 20 s.
    pub write_time: Duration,
    /// After how long without a message or a keep-alive of the peer a connection is closed.
    /// Default: 10 min.
    pub idle_time: Duration,
    /// How often a keep-alive goes out on connections to peers: a double CRLF (RFC 5626 §3.5.1),
    /// or a WebSocket ping. `None`: never. Default: every 100 s, within the 95 to 120 s of
    /// RFC 5626 §4.4.1.
    pub keep_alive: Option<Duration>,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self {
            max_accepted: 1_000,
            max_connected: 1_000,
            write_queue: 256 * 1024,
            connect_time: Duration::from_secs(10),
            write_time: Duration::from_secs(20),
            idle_time: Duration::from_secs(600),
            keep_alive: Some(Duration::from_secs(100)),
        }
    }
}

impl StreamSettings {
    /// The settings with all times within their bounds.
    pub(crate) fn bounded(self) -> Self {
        let bound = |time: Duration| time.clamp(SHORTEST, LONGEST);
        Self {
            connect_time: bound(self.connect_time),
            write_time: bound(self.write_time),
            idle_time: bound(self.idle_time),
            keep_alive: self.keep_alive.map(bound),
            ..self
        }
    }
}

/// What is shorter is over before it starts.
const SHORTEST: Duration = Duration::from_millis(1);
/// What is longer cannot be added to every point in time.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
