//! Choices told by a seed, and characters of which no two are the same.

use std::sync::atomic::{AtomicU32, Ordering};

/// A stream of choices (SplitMix64): the same seed tells the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Choices(u64);

impl Choices {
    pub(crate) fn new(seed: u64) -> Self {
        Choices(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// A number in [0, 1).
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Another stream, which does not depend on how much is drawn from this one afterwards.
    pub(crate) fn fork(&mut self) -> Self {
        Choices(self.next())
    }
}

/// Hands out each character once, of two, three and four bytes by turns, so that a text shows
/// whether an insertion is missing or doubled.
#[derive(Debug, Default)]
pub(crate) struct Characters(AtomicU32);

impl Characters {
    pub(crate) fn next(&self) -> char {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let (turn, index) = (number % 4, number / 4);
        let code = match turn {
            0 if index < 0x700 - 0xA1 => 0xA1 + index,
            1 if index < 0xD000 - 0x800 => 0x800 + index,
            // What the other turns leave free above: a plane and a half each.
            turn => 0x1_0000 + turn * 0x3_8000 + index,
        };
        char::from_u32(code).expect("below the last plane")
    }

    pub(crate) fn word(&self, len: usize) -> String {
        (0..len).map(|_| self.next()).collect()
    }
}

#[test]
fn no_character_is_handed_out_twice() {
    let characters = Characters::default();
    let mut seen = std::collections::HashSet::new();
    assert!((0..500_000).all(|_| seen.insert(characters.next())));
}
