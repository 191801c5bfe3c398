//! Maps by ids of our own making.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// A map by ids that this side has made, such as [`Key`](crate::Key)s: fast, and without defence
/// against keys that a peer chooses.
pub type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// Spreads ids: a multiplication for each part.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u8(&mut self, part: u8) {
        self.write_u64(u64::from(part));
    }

    fn write_u32(&mut self, part: u32) {
        self.write_u64(u64::from(part));
    }

    fn write_u64(&mut self, part: u64) {
        self.0 = (self.0 ^ part).wrapping_mul(ODD).rotate_left(HALF);
    }

    fn write_usize(&mut self, part: usize) {
        self.write_u64(part as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The golden ratio in 64 bits: its multiples lie far apart.
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
/// Takes the half that all bits have a part in to where a table looks first.
const HALF: u32 = 32;

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, hash::BuildHasher};

    use super::*;
    use crate::Table;

    #[test]
    fn ids_in_a_row_are_spread_over_small_tables_and_over_their_tags() {
        let mut table = Table::new();
        let hasher = BuildHasherDefault::<IdHasher>::default();
        let hashes: Vec<u64> = (0..1024)
            .filter_map(|value| table.insert(value))
            .map(|key| hasher.hash_one(key))
            .collect();
        let places: HashSet<u64> = hashes.iter().map(|hash| hash & 1023).collect();
        let tags: HashSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
        assert!(places.len() > 550, "{} of 1024 places, where chance takes 647", places.len());
        assert!(tags.len() > 100, "{} of 128 tags", tags.len());
    }

    #[test]
    fn a_map_finds_what_it_holds() {
        let map: IdMap<u64, u64> = (0..1000).map(|id| (id, id * id)).collect();
        assert!((0..1000).all(|id| map.get(&id) == Some(&(id * id))));
        assert_eq!(map.get(&1000), None);
    }
}
