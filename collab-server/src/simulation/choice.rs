//! The one source of choice, and its three feeds.

use ot_core::testing::Choices;

/// Makes every choice of a run.
pub trait Choice {
    /// A number below `bound`, which is not 0.
    fn below(&mut self, bound: u64) -> u64;

    /// How many choices were made, where all are gone through and these were never made before.
    fn fresh_at(&self) -> Option<usize> {
        None
    }
}

/// Choices of a generator (SplitMix64): a run is its seed.
#[derive(Clone, Copy, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// The choices of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Seeded {
        Seeded(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5EED)
    }
}

impl Choice for Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Choices of a fuzzer: a run is its bytes. Behind their end every choice is 0.
#[derive(Clone, Debug)]
pub struct Bytes<'a>(Choices<'a>);

impl<'a> Bytes<'a> {
    /// The choices of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Bytes<'a> {
        Bytes(Choices::new(bytes))
    }
}

impl Choice for Bytes<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.below(usize::try_from(bound).unwrap_or(usize::MAX)) as u64
    }
}

/// Writes down what another source chooses, so that a run can be had again and shortened.
#[derive(Clone, Debug)]
pub struct Recorded<C> {
    choice: C,
    choices: Vec<u64>,
}

impl<C: Choice> Recorded<C> {
    /// The choices of `choice`.
    #[must_use]
    pub fn new(choice: C) -> Recorded<C> {
        Recorded { choice, choices: Vec::new() }
    }

    /// What was chosen until now.
    #[must_use]
    pub fn into_choices(self) -> Vec<u64> {
        self.choices
    }
}

impl<C: Choice> Choice for Recorded<C> {
    fn below(&mut self, bound: u64) -> u64 {
        let chosen = self.choice.below(bound);
        self.choices.push(chosen);
        chosen
    }
}

/// Choices from a list. One that is too large is taken as what remains of it; behind the end every
/// choice is 0.
#[derive(Clone, Debug)]
pub struct Listed<'a>(std::slice::Iter<'a, u64>);

impl<'a> Listed<'a> {
    /// The choices of this list.
    #[must_use]
    pub fn new(choices: &'a [u64]) -> Listed<'a> {
        Listed(choices.iter())
    }
}

impl Choice for Listed<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.next().map_or(0, |choice| choice % bound)
    }
}

/// All choices there are, one run after the other, like the digits of a counter.
#[derive(Clone, Debug, Default)]
pub struct Enumeration {
    /// What was chosen of how many, so far in this run.
    digits: Vec<(u64, u64)>,
    at: usize,
}

impl Enumeration {
    /// Goes on to the next run; `false` when there was none left.
    pub fn advance(&mut self) -> bool {
        self.digits.truncate(self.at);
        self.at = 0;
        while let Some((chosen, bound)) = self.digits.pop() {
            if chosen + 1 < bound {
                self.digits.push((chosen + 1, bound));
                return true;
            }
        }
        false
    }
}

impl Choice for Enumeration {
    fn below(&mut self, bound: u64) -> u64 {
        if bound == 1 {
            return 0;
        }
        if self.at == self.digits.len() {
            self.digits.push((0, bound));
        }
        let (chosen, known) = self.digits[self.at];
        assert_eq!(bound, known, "the same choices lead to the same world");
        self.at += 1;
        chosen
    }

    fn fresh_at(&self) -> Option<usize> {
        (self.at == self.digits.len()).then_some(self.at)
    }
}

/// Choices as the world asks for them.
pub(super) struct Draw<'c> {
    choice: &'c mut dyn Choice,
}

impl<'c> Draw<'c> {
    pub(super) fn new(choice: &'c mut dyn Choice) -> Draw<'c> {
        Draw { choice }
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.choice.below(bound as u64) as usize
    }

    /// See [`Choice::fresh_at`].
    pub(super) fn fresh_at(&self) -> Option<usize> {
        self.choice.fresh_at()
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.choice.below(high - low + 1)
    }

    pub(super) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == bound - 1
    }

    /// True so many times in a thousand; draws nothing where it is never.
    pub(super) fn permille(&mut self, rate: u32) -> bool {
        rate > 0 && self.choice.below(1_000) >= u64::from(1_000 - rate.min(1_000))
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}
