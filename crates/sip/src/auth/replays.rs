//! Which counts of which nonces were used (RFC 7616 §5.5).
//!
//! Only who has proved a password gets a row, and the table is bounded: the oldest nonces are
//! forgotten first, and nothing that is as old as they are is taken again.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{CredentialsError, nonces::Nonce};

/// The nonces in use, by their serials.
#[derive(Debug)]
pub(super) struct Replays {
    used: BTreeMap<u64, Used>,
    /// Serials below this one are forgotten.
    forgotten: u64,
    capacity: usize,
}

#[derive(Debug)]
struct Used {
    issued: Instant,
    highest: u32,
    /// The cnonce of the first request, which is in the key of a session (RFC 7616 §3.4.2).
    first_cnonce: Box<str>,
}

impl Replays {
    pub(super) fn new(capacity: usize) -> Self {
        Self { used: BTreeMap::new(), forgotten: 0, capacity: capacity.max(1) }
    }

    /// The cnonce that came first with the nonce.
    pub(super) fn first_cnonce(&self, nonce: Nonce) -> Option<&str> {
        self.used.get(&nonce.serial).map(|used| &*used.first_cnonce)
    }

    /// Takes `count` of `nonce`, which must be greater than all before.
    pub(super) fn admit(
        &mut self,
        nonce: Nonce,
        count: u32,
        cnonce: &str,
    ) -> Result<(), CredentialsError> {
        if nonce.serial < self.forgotten {
            return Err(CredentialsError::Forgotten);
        }
        let used = self.used.entry(nonce.serial).or_insert_with(|| Used {
            issued: nonce.issued,
            highest: 0,
            first_cnonce: cnonce.into(),
        });
        if count <= used.highest {
            return Err(CredentialsError::Replayed);
        }
        used.highest = count;
        while self.used.len() > self.capacity {
            self.forget_first();
        }
        Ok(())
    }

    /// Forgets the nonces that have expired.
    pub(super) fn expire(&mut self, now: Instant, lifetime: Duration) {
        while let Some((_, first)) = self.used.first_key_value()
            && now.saturating_duration_since(first.issued) > lifetime
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((serial, _)) = self.used.pop_first() {
            self.forgotten = serial.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce(serial: u64) -> Nonce {
        Nonce { serial, issued: Instant::now() }
    }

    #[test]
    fn counts_must_grow_each_for_its_nonce() {
        let mut replays = Replays::new(8);
        for (serial, count, expected) in [
            (1, 1, Ok(())),
            (1, 1, Err(CredentialsError::Replayed)),
            (2, 1, Ok(())),
            (1, 5, Ok(())),
            (1, 4, Err(CredentialsError::Replayed)),
            (1, 6, Ok(())),
            (1, u32::MAX, Ok(())),
            (1, u32::MAX, Err(CredentialsError::Replayed)),
            (3, 0, Err(CredentialsError::Replayed)),
        ] {
            assert_eq!(replays.admit(nonce(serial), count, ""), expected, "{serial} {count}");
        }
    }

    #[test]
    fn what_falls_out_of_the_table_never_comes_back() {
        let mut replays = Replays::new(2);
        for serial in [5, 6, 7] {
            assert_eq!(replays.admit(nonce(serial), 1, ""), Ok(()));
        }
        assert_eq!(replays.used.len(), 2);
        assert_eq!(replays.admit(nonce(5), 1, ""), Err(CredentialsError::Forgotten));
        assert_eq!(replays.admit(nonce(4), 1, ""), Err(CredentialsError::Forgotten));
        assert_eq!(replays.admit(nonce(6), 2, ""), Ok(()));
    }

    #[test]
    fn a_nonce_older_than_a_full_table_is_forgotten_at_once() {
        let mut replays = Replays::new(1);
        assert_eq!(replays.admit(nonce(5), 1, ""), Ok(()));
        assert_eq!(replays.admit(nonce(4), 1, ""), Ok(()));
        assert_eq!(replays.admit(nonce(4), 1, ""), Err(CredentialsError::Forgotten));
        assert_eq!(replays.admit(nonce(5), 2, ""), Ok(()));
    }
}
