//! Each rule is kept by a good trace, and broken by a change to it.

mod fair;
mod flows;
mod mutations;
mod trace;
