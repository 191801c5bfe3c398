//! The calls of RFC 3665 §3 and the services of RFC 5359, played by user agents: between each two of
//! them go the messages that the RFC prints, in its order. What a proxy does alone is left out, and
//! so are the 100s, which are hop by hop.
#![cfg(test)]

mod calls;
mod printed;
mod services;
mod stage;
