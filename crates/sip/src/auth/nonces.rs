//! Nonces that their server knows again without keeping them (RFC 7616 §3.3, §5.4).
//!
//! ```text
//! nonce = hex( time 8 bytes │ serial 8 bytes │ tag 16 bytes )
//! tag   = HMAC-SHA-256( key, time │ serial │ realm ), its left half
//! ```
//!
//! The time is in microseconds since the server's start, so that a nonce can expire; the serial
//! makes each nonce unique and puts them in order. The client's address is left out: it changes on
//! the way through proxies, as RFC 7616 §3.3 warns.

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use offhook_sansio::{Random, Secret};
use sha2::Sha256;

use super::hash::to_hex;

/// Makes nonces and knows them again.
#[derive(Debug)]
pub(super) struct Nonces {
    key: Secret<[u8; 64]>,
    start: Instant,
    next_serial: u64,
}

/// A nonce of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonce {
    /// Grows from each nonce to the next.
    pub(super) serial: u64,
    /// When it was made.
    pub(super) issued: Instant,
}

impl Nonces {
    /// With a key that nobody else has.
    pub(super) fn new(now: Instant, random: &mut Random) -> Self {
        let mut key = [0; 64];
        for part in key.chunks_exact_mut(8) {
            part.copy_from_slice(&random.u64().to_be_bytes());
        }
        Self { key: key.into(), start: now, next_serial: 0 }
    }

    /// A nonce that was never used.
    pub(super) fn issue(&mut self, now: Instant, realm: &str) -> String {
        let age = now.saturating_duration_since(self.start).as_micros();
        let time = u64::try_from(age).unwrap_or(u64::MAX);
        let serial = self.next_serial;
        self.next_serial = serial.wrapping_add(1);
        let mac = self.mac(time, serial, realm).finalize().into_bytes();
        let tag = mac.get(..TAG).unwrap_or_default();
        to_hex(&[&time.to_be_bytes(), &serial.to_be_bytes(), tag].concat())
    }

    /// The nonce `text`, if this server has made it for `realm`.
    pub(super) fn read(&self, text: &str, realm: &str) -> Option<Nonce> {
        let (time, rest) = text.split_at_checked(NUMBER_DIGITS)?;
        let (serial, tag) = rest.split_at_checked(NUMBER_DIGITS)?;
        let (time, serial) = (number(time)?, number(serial)?);
        let tag = u128::from_str_radix(tag, 16).ok().filter(|_| is_hex(tag, TAG * 2))?;
        // Compares in constant time.
        let mac = self.mac(time, serial, realm);
        mac.verify_truncated_left(&tag.to_be_bytes()).ok()?;
        let issued = self.start.checked_add(Duration::from_micros(time))?;
        Some(Nonce { serial, issued })
    }

    fn mac(&self, time: u64, serial: u64, realm: &str) -> Hmac<Sha256> {
        Hmac::<Sha256>::new(self.key.expose().into())
            .chain_update(time.to_be_bytes())
            .chain_update(serial.to_be_bytes())
            .chain_update(realm)
    }
}

fn number(digits: &str) -> Option<u64> {
    u64::from_str_radix(digits, 16).ok().filter(|_| is_hex(digits, NUMBER_DIGITS))
}

/// One nonce has one spelling: no sign, no upper case.
fn is_hex(digits: &str, length: usize) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    digits.len() == length && digits.bytes().all(digit)
}

const NUMBER_DIGITS: usize = 16;
/// 128 bits: nobody guesses them within the lifetime of a nonce.
const TAG: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn nonces(now: Instant) -> Nonces {
        Nonces::new(now, &mut Random::from_seed(1))
    }

    #[test]
    fn a_nonce_is_known_again_with_its_time() {
        let start = Instant::now();
        let mut nonces = nonces(start);
        let later = start + Duration::from_secs(7);
        let (one, two) = (nonces.issue(later, "a"), nonces.issue(later, "a"));
        assert_ne!(one, two);
        assert_eq!(nonces.read(&one, "a"), Some(Nonce { serial: 0, issued: later }));
        assert_eq!(nonces.read(&two, "a"), Some(Nonce { serial: 1, issued: later }));
    }

    #[test]
    fn a_nonce_of_another_realm_or_key_is_foreign() {
        let now = Instant::now();
        let text = nonces(now).issue(now, "a");
        assert_eq!(nonces(now).read(&text, "b"), None);
        assert_eq!(Nonces::new(now, &mut Random::from_seed(2)).read(&text, "a"), None);
    }

    #[test]
    fn no_changed_or_cut_nonce_is_known() {
        let now = Instant::now();
        let mut nonces = nonces(now);
        let text = nonces.issue(now, "a");
        for at in 0..text.len() {
            assert_eq!(nonces.read(&text[..at], "a"), None);
            for other in ["0", "1", "f", "A", "+", "é"] {
                let mut changed = text.clone();
                changed.replace_range(at..=at, other);
                assert!(changed == text || nonces.read(&changed, "a").is_none(), "{changed}");
            }
        }
        assert_eq!(nonces.read(&format!("{text}0"), "a"), None);
        assert_eq!(nonces.read(&text.to_uppercase(), "a"), None);
    }
}
