//! Whole endpoints on a virtual network: thousands of calls over bad links, the offers and answers
//! of hand-written peers, and everything that strangers may throw at a call.
#![cfg(test)]

mod bad_input;
mod early_media;
mod elsewhere;
mod holding;
mod offers;
mod peer;
mod phone;
mod plan;
mod registering;
mod reinvites;
mod subscribing;
mod ten_thousand;
mod updates;
mod verdict;
