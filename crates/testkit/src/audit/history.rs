//! What was said last, for people.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use super::scene::Said;

/// The last messages, for people.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<(Instant, bool, Arc<str>)>);

impl History {
    pub(super) fn note(&mut self, said: &Said, is_sent: bool) {
        if self.0.len() == SHOWN {
            self.0.pop_front();
        }
        self.0.push_back((said.at, is_sent, said.sip.line.clone()));
    }

    /// One line for each, with its time since `start`.
    pub(super) fn lines(&self, start: Instant) -> Vec<String> {
        let line = |(at, is_sent, line): &(Instant, bool, Arc<str>)| {
            let seconds = at.saturating_duration_since(start).as_secs_f64();
            format!("{seconds:>10.3} {} {line}", if *is_sent { "──▶" } else { "◀──" })
        };
        self.0.iter().map(line).collect()
    }
}

/// A call without retransmissions is not longer.
const SHOWN: usize = 12;
