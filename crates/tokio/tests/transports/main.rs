//! Calls over each transport, and peers that do what they should not, over real sockets on loopback.
#![cfg(test)]

mod calls;
mod connections;
mod dns;
mod hostile;
mod large;
mod lost;
mod support;
mod tls;
mod websocket;
