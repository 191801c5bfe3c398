//! Randomness as a value.

use rand::{RngExt, SeedableRng, rngs::ChaCha12Rng};

/// A cryptographically strong generator that a machine gets at construction.
///
/// The same seed gives the same stream on every platform, so that a simulation can be repeated.
#[derive(Debug)]
pub struct Random(ChaCha12Rng);

impl Random {
    /// A generator with a known seed: for tests and simulations, never for real calls.
    pub fn from_seed(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    /// A generator seeded by the operating system.
    pub fn from_system() -> Self {
        Self(rand::make_rng())
    }

    /// A generator for a child machine, independent of this one.
    pub fn fork(&mut self) -> Self {
        Self(ChaCha12Rng::from_rng(&mut self.0))
    }

    /// A number from the whole range of `u32`.
    pub fn u32(&mut self) -> u32 {
        self.0.random()
    }

    /// A number from the whole range of `u64`.
    pub fn u64(&mut self) -> u64 {
        self.0.random()
    }

    /// A number from 0 (included) to 1 (excluded).
    pub fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// A token of `length` characters out of `a`–`z` and `2`–`7`: five random bits each.
    ///
    /// It is valid wherever SIP and SDP want a token (RFC 3261 §25.1, RFC 8866 §9).
    pub fn token(&mut self, length: usize) -> String {
        const ALPHABET: [char; 32] = [
            'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q',
            'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7',
        ];
        let (mut token, mut bits) = (String::with_capacity(length), 0_u64);
        for at in 0..length {
            if at % LETTERS_A_DRAW == 0 {
                bits = self.u64();
            }
            token.extend(ALPHABET.get((bits % 32) as usize));
            bits >>= 5;
        }
        token
    }
}

/// How many letters of five bits are in 64 bits.
const LETTERS_A_DRAW: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_stream() {
        let (mut one, mut two) = (Random::from_seed(7), Random::from_seed(7));
        assert_eq!(one.token(20), two.token(20));
        assert_eq!(one.fork().u64(), two.fork().u64());
        assert_ne!(one.u64(), Random::from_seed(8).u64());
    }

    #[test]
    fn a_token_has_the_length_asked_for() {
        let token = Random::from_system().token(32);
        assert_eq!(token.len(), 32);
        assert!(token.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
    }

    #[test]
    fn every_letter_of_a_token_is_drawn_anew() {
        let token = Random::from_seed(1).token(24_000);
        for place in 0..12 {
            let letters: std::collections::HashSet<_> =
                token.bytes().skip(place).step_by(12).collect();
            assert_eq!(letters.len(), 32, "place {place}");
        }
    }
}
