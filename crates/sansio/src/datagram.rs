//! Bytes on their way in and out.

use bytes::{Bytes, BytesMut};

use crate::Flow;

/// Bytes that came from the network.
///
/// The buffer is owned and unique, so that a machine may decrypt in place, or freeze it and keep
/// slices of it without a copy. Dropping it gives the memory back to the buffer it was split from.
#[derive(Debug, PartialEq, Eq)]
pub struct Datagram {
    /// The path the bytes came on. `local` is the socket they arrived at.
    pub flow: Flow,
    /// The bytes: one whole datagram, or the next piece of a stream.
    pub payload: BytesMut,
}

/// Bytes that a machine wants sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The path to send on. `local` names the socket to send from.
    pub flow: Flow,
    /// The bytes to send, as one datagram or as the next piece of a stream.
    pub payload: Bytes,
}
