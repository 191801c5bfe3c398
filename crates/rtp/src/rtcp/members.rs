//! Who takes part in the session, as far as the interval of reports depends on it
//! (RFC 3550 §6.2.1, §6.3.3 to §6.3.5).

use std::time::{Duration, Instant};

use super::Population;
use crate::ntp;

/// The other participants, a bounded table.
#[derive(Debug)]
pub(crate) struct Members {
    members: Vec<Member>,
    limit: usize,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    ssrc: u32,
    heard: Instant,
    sent_data: Option<Instant>,
    /// LSR of its last sender report, and when that came.
    last_sr: Option<(u32, Instant)>,
    left: Option<Instant>,
}

impl Members {
    pub(crate) fn new(limit: usize) -> Self {
        Self { members: Vec::with_capacity(limit.min(8)), limit }
    }

    /// A validated data packet came from `ssrc`.
    pub(crate) fn sent_data(&mut self, now: Instant, ssrc: u32) {
        if let Some(member) = self.heard(now, ssrc) {
            member.sent_data = Some(now);
        }
    }

    /// A report came from `ssrc`; `last_sr` is the middle of its time if it was a sender report.
    pub(crate) fn reported(&mut self, now: Instant, ssrc: u32, last_sr: Option<u32>) {
        if let Some(member) = self.heard(now, ssrc) {
            member.last_sr = last_sr.map(|middle| (middle, now)).or(member.last_sr);
        }
    }

    /// `ssrc` has said BYE. It is remembered for a while, so that a straggler does not bring it
    /// back (RFC 3550 §6.2.1).
    pub(crate) fn leave(&mut self, now: Instant, ssrc: u32) {
        if let Some(member) = self.members.iter_mut().find(|member| member.ssrc == ssrc) {
            member.left.get_or_insert(now);
        }
    }

    /// Drops who was not heard for `timeout`, and those who left some time ago.
    pub(crate) fn time_out(&mut self, now: Instant, timeout: Duration) {
        self.members.retain(|member| {
            let silent = now.saturating_duration_since(member.heard);
            silent < timeout && !member.is_gone(now)
        });
    }

    /// LSR and DLSR for a report block on `ssrc` (RFC 3550 §6.4.1).
    pub(crate) fn last_sr(&self, now: Instant, ssrc: u32) -> (u32, u32) {
        let member = self.members.iter().find(|member| member.ssrc == ssrc);
        let last_sr = member.and_then(|member| member.last_sr);
        last_sr.map_or((0, 0), |(middle, came)| {
            (middle, ntp::units_of(now.saturating_duration_since(came)))
        })
    }

    /// How many members there are with ourselves, and how many of them have sent data since
    /// `since`, the second last report (RFC 3550 §6.3.5).
    pub(crate) fn population(&self, since: Instant, we_sent: bool) -> Population {
        let present = self.members.iter().filter(|member| member.left.is_none());
        let sending = |member: &&Member| member.sent_data.is_some_and(|sent| sent >= since);
        let senders = present.clone().filter(sending).count();
        Population {
            members: present.count().saturating_add(1),
            senders: senders.saturating_add(usize::from(we_sent)),
            we_sent,
        }
    }

    /// The entry of `ssrc`, made if there is room for it.
    fn heard(&mut self, now: Instant, ssrc: u32) -> Option<&mut Member> {
        let index = match self.members.iter().position(|member| member.ssrc == ssrc) {
            Some(index) => index,
            None if self.members.len() < self.limit => {
                let (sent_data, last_sr, left) = (None, None, None);
                self.members.push(Member { ssrc, heard: now, sent_data, last_sr, left });
                self.members.len().saturating_sub(1)
            }
            None => return None,
        };
        let member = self.members.get_mut(index)?;
        member.heard = now;
        if member.is_gone(now) {
            member.left = None;
        }
        Some(member)
    }
}

impl Member {
    fn is_gone(&self, now: Instant) -> bool {
        self.left.is_some_and(|left| now.saturating_duration_since(left) >= STRAGGLERS)
    }
}

/// How long packets may still arrive after a BYE without bringing their source back.
const STRAGGLERS: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn count(members: &Members, now: Instant) -> usize {
        members.population(now, false).members
    }

    #[test]
    fn forged_reports_do_not_make_the_table_grow() {
        let now = Instant::now();
        let mut members = Members::new(4);
        (0..10_000).for_each(|ssrc| members.reported(now, ssrc, None));
        assert_eq!(count(&members, now), 5);
    }

    #[test]
    fn who_said_bye_is_not_brought_back_by_a_straggler_but_by_lasting_packets() {
        let now = Instant::now();
        let mut members = Members::new(4);
        members.sent_data(now, 1);
        members.leave(now, 1);
        members.sent_data(now + Duration::from_millis(100), 1);
        assert_eq!(count(&members, now), 1);
        members.sent_data(now + Duration::from_secs(3), 1);
        assert_eq!(count(&members, now), 2);
    }

    #[test]
    fn a_member_is_a_sender_only_since_the_second_last_report() {
        let now = Instant::now();
        let later = now + Duration::from_secs(5);
        let mut members = Members::new(4);
        members.sent_data(now, 1);
        members.reported(later, 1, None);
        let wanted = Population { members: 2, senders: 1, we_sent: false };
        assert_eq!(members.population(now, false), wanted);
        assert_eq!(members.population(later, false), Population { senders: 0, ..wanted });
    }
}
