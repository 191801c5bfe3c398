//! What holds for any message, URI, header field and stream, tried on generated ones.
#![cfg(test)]

mod envelope;
mod equality;
mod generate;
mod messages;
mod removal;
mod streams;
mod uris;
