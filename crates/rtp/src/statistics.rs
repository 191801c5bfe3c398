//! The figures of one RTP session, as plain numbers (RFC 3550 §6.4).

use std::time::Duration;

/// What one [`Session`](crate::Session) has sent, received and measured.
///
/// Counts run from the start of the session and over all sources that were heard, unless a line
/// says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Statistics {
    /// How long the session has run.
    pub elapsed: Duration,
    /// RTP packets sent, since the last change of our SSRC.
    pub packets_sent: u64,
    /// Octets of payload sent, since the last change of our SSRC.
    pub octets_sent: u64,
    /// RTP packets received from validated sources, with duplicates and late ones.
    pub packets_received: u64,
    /// RTP packets that the sequence numbers say were sent to us.
    pub packets_expected: u64,
    /// Packets expected less packets received (RFC 3550 §A.3). Duplicates make it smaller, even
    /// negative; packets that came too late to be played are not in it.
    pub lost: i64,
    /// The share of packets lost, 0 to 1, in the interval of our latest report on the playing
    /// source; before the first report, since the start.
    pub fraction_lost: f64,
    /// Packets that came after their time to play.
    pub late: u64,
    /// Packets that had come before.
    pub duplicate: u64,
    /// Packets that came after one with a higher sequence number, duplicates left out.
    pub reordered: u64,
    /// Interarrival jitter of the playing source in milliseconds (RFC 3550 §A.8).
    pub jitter: f64,
    /// The time to the peer and back, from its latest report on us (RFC 3550 §6.4.1).
    pub round_trip: Option<Duration>,
    /// How long packets that took the quickest way wait in the jitter buffer.
    pub jitter_buffer_delay: Duration,
    /// Frames that [`take`](crate::Session::take) reported missing, so that they were concealed:
    /// lost, late, or put in to make the buffer longer.
    pub concealed: u64,
    /// Queued packets that were not played: to make the buffer shorter, or because it started
    /// over.
    pub discarded: u64,
    /// How often the jitter buffer started over: a new source, or a jump of its numbers.
    pub resyncs: u64,
    /// What the peer said about our packets, in its latest report.
    pub remote: Option<RemoteReport>,
    /// Datagrams that were dropped on arrival, by reason.
    pub drops: Drops,
}

/// What a peer reports about the packets we send (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RemoteReport {
    /// The share of our packets that it lost since its report before, 0 to 1.
    pub fraction_lost: f64,
    /// How many of our packets it lost so far.
    pub lost: i32,
    /// The jitter it sees, in milliseconds.
    pub jitter: f64,
}

/// Counts of what was dropped on arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drops {
    /// No RTP packets (RFC 3550 §5.1).
    pub malformed: u64,
    /// No RTCP compound packets (RFC 3550 §6.1, §A.2).
    pub malformed_rtcp: u64,
    /// RTP packets with a payload type that was not negotiated.
    pub payload_type: u64,
    /// RTP packets of a source that is not validated yet (RFC 3550 §A.1).
    pub probation: u64,
    /// RTP packets whose sequence number made a very large jump (RFC 3550 §A.1).
    pub bad_sequence: u64,
    /// RTP packets of a valid source while another one plays.
    pub not_playing: u64,
    /// RTP packets that had come before.
    pub duplicate: u64,
    /// RTP packets that came after their time to play.
    pub late: u64,
    /// RTP payloads that exceed the jitter buffer's slots.
    pub too_large: u64,
    /// RTP or RTCP packets with our own SSRC (RFC 3550 §8.2).
    pub own_ssrc: u64,
}
