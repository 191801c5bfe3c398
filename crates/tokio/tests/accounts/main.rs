//! Accounts and what is done under them, over real sockets on loopback, with a small registrar and
//! peers that write their messages by hand.
//!
//! Time is real here, for the runtime's is; T1 is short, so that nothing waits for half a minute.
#![cfg(test)]

mod calls;
mod early_media;
mod elsewhere;
mod holds;
mod incoming;
mod peer;
mod publications;
mod redirects;
mod registrar;
mod registrations;
mod requests;
mod settings;
mod shutdown;
mod subscribed;
mod subscriptions;
mod support;
mod transfers;
