//! Locating SIP servers over a zone written as text (RFC 3263).
#![cfg(test)]

mod addresses;
mod bounds;
mod failover;
mod orders;
mod responses;
mod time;
mod transports;
mod zone;
