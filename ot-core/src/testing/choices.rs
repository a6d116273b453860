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

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let Some((&first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        if bound <= 256 {
            return usize::from(first) % bound;
        }
        let Some((&second, rest)) = rest.split_first() else {
            return usize::from(first) % bound;
        };
        self.bytes = rest;
        (usize::from(first) << 8 | usize::from(second)) % bound
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
