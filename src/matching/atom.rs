//! An atom: the number a stem goes by, so that comparing words is comparing numbers.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// The 64-bit FNV-1a hash of a folded stem. Two stems that share one are taken for the same word;
/// among a million words the odds of that are below one in ten million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Atom(u64);

impl Atom {
    pub fn from_number(number: u64) -> Atom {
        Atom(number)
    }

    pub fn number(self) -> u64 {
        self.0
    }

    pub fn of(stem: &str) -> Atom {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in stem.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Atom(hash)
    }
}

/// A hasher for numbers that are spread already, or small and dense.
#[derive(Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut eight = [0; 8];
            for (place, byte) in eight.iter_mut().zip(chunk) {
                *place = *byte;
            }
            self.write_u64(u64::from_le_bytes(eight));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}

pub type Table<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;
pub type Group<K> = HashSet<K, BuildHasherDefault<Spread>>;
