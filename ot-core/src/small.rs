//! The containers of small operations.
//!
//! Natively they hold a few items in place, so that typing allocates nothing but text. In a
//! browser, where an allocation is little beside what JavaScript does for one key and every
//! kilobyte is downloaded, they are the standard library's, which the engine contains anyway.

#[cfg(not(target_family = "wasm"))]
mod few;

#[cfg(not(target_family = "wasm"))]
mod containers {
    pub(crate) use super::few::{Few, Inline};
    pub(crate) type Chars = compact_str::CompactString;
    /// A length of a text: half as wide as elsewhere, so that an operation is shorter to copy.
    pub(crate) type Len = u32;
    pub(crate) type One<T> = smallvec::SmallVec<[T; 1]>;
    /// What grows and shrinks at its end.
    pub(crate) type Stack<T> = smallvec::SmallVec<[T; super::INLINE_PARTS]>;

    /// In place: an operation is one piece of memory.
    #[derive(Clone, PartialEq, Eq, Default)]
    pub(crate) struct Held<T>(T);

    impl<T> Held<T> {
        #[inline]
        pub(crate) fn new(value: T) -> Held<T> {
            Held(value)
        }
    }

    impl<T> std::ops::Deref for Held<T> {
        type Target = T;

        #[inline]
        fn deref(&self) -> &T {
            &self.0
        }
    }

    impl<T> std::ops::DerefMut for Held<T> {
        #[inline]
        fn deref_mut(&mut self) -> &mut T {
            &mut self.0
        }
    }
}

#[cfg(target_family = "wasm")]
mod containers {
    pub(crate) type Chars = String;
    pub(crate) type Len = usize;
    pub(crate) type Few<T> = Vec<T>;
    pub(crate) type One<T> = Vec<T>;
    pub(crate) type Stack<T> = Vec<T>;
    /// Behind a pointer: every move of an operation is code.
    pub(crate) type Held<T> = Box<T>;
}

#[cfg(not(target_family = "wasm"))]
pub(crate) use containers::Inline;
pub(crate) use containers::{Chars, Few, Held, Len, One, Stack};

/// Components that need no allocation: two inserts, and what is kept around them.
pub(crate) const INLINE_PARTS: usize = 5;

/// Text that needs no allocation, in bytes.
pub(crate) const INLINE_TEXT_BYTES: usize = size_of::<Chars>();
