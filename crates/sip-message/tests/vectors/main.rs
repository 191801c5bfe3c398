//! The messages of RFC 3261 §24, RFC 3665, RFC 5359, RFC 4475 and RFC 5118, and the digest vectors,
//! through every parser.
#![cfg(test)]

mod flows;
mod framing;
mod hostile;
mod load;
mod meaning;
mod torture;
mod typed;
