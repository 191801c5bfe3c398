//! What a user agent does outside of calls: requests, registrations, publications. The peer writes
//! its messages by hand; time is virtual.
#![cfg(test)]

mod flows;
mod incoming;
mod lost_flows;
mod orders;
mod publications;
mod refusals;
mod registrars;
mod registrations;
mod requests;
mod stage;
