//! The call flows of RFC 3665 and RFC 5359 under the auditor.
#![cfg(test)]

mod flows;
mod rfc3665;
mod rfc5359;
