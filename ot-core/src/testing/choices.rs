//! One source of choice for schedules: bytes, from a property test, a fuzzer or a generator.

/// Hands out choices from bytes. At their end every choice is 0, so every schedule ends.
#[derive(Debug, Clone)]
pub struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    /// Choices made by these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Choices<'a> {
        Choices { bytes }
    }

    /// Whether no byte is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A number below `bound`, which must not be 0: of as many bytes as it may need.
    pub fn below(&mut self, bound: usize) -> usize {
        let bytes = (bound - 1).max(1).ilog2() / 8 + 1;
        let mut number = 0;
        for _ in 0..bytes {
            let Some((&next, rest)) = self.bytes.split_first() else { break };
            self.bytes = rest;
            number = number << 8 | usize::from(next);
        }
        number % bound
    }

    /// True once in `bound` times.
    pub fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == bound - 1
    }

    /// The bytes that are left.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_below_a_bound_can_be_chosen() {
        let check = |bytes: &[u8], bound, chosen, left| {
            let mut choices = Choices::new(bytes);
            assert_eq!((choices.below(bound), choices.rest().len()), (chosen, left));
        };
        check(&[], 7, 0, 0);
        check(&[255, 1], 1, 0, 1);
        check(&[255, 1], 256, 255, 1);
        check(&[1, 0, 9], 257, 256, 1);
        check(&[255, 255, 9], 65_536, 65_535, 1);
        check(&[0x6D, 0xDD, 0x00, 9], 7_200_001, 7_200_000, 1);
        check(&[3], 7_200_001, 3, 0);
    }
}
