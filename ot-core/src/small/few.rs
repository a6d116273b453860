//! A list that holds its first items in place.
//!
//! A small list is an array of fixed size and is copied as that: a few moves of registers, where a list of as many
//! items as it has takes a loop or a call.

use std::ops::{Deref, DerefMut};

use super::INLINE_PARTS;

/// Items of one kind, in place up to [`INLINE_PARTS`] of them.
#[derive(Debug)]
pub(crate) enum Few<T> {
    Inline(Inline<T>),
    Heap(Vec<T>),
}

/// Items in place; what lies behind the first `count` is of no meaning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inline<T> {
    items: [T; INLINE_PARTS],
    count: Count,
}

/// How many. Not a number, so that the compiler sees that they are in the array, and that other bits can say that
/// the items are on the heap. As wide as a register, so that no copy has an odd end.
#[derive(Debug, Clone, Copy)]
#[repr(usize)]
enum Count {
    Zero,
    One,
    Two,
    Three,
    Four,
    Five,
}

impl Count {
    #[inline]
    fn of(count: usize) -> Count {
        match count {
            0 => Count::Zero,
            1 => Count::One,
            2 => Count::Two,
            3 => Count::Three,
            4 => Count::Four,
            _ => Count::Five,
        }
    }
}

impl<T: Copy> Inline<T> {
    /// Of all places, how many hold something.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.count as usize
    }

    /// All places.
    #[inline]
    pub(crate) fn places(&self) -> &[T; INLINE_PARTS] {
        &self.items
    }

    #[inline]
    pub(crate) fn place_mut(&mut self, at: usize) -> Option<&mut T> {
        self.items.get_mut(at)
    }

    #[inline]
    fn as_slice(&self) -> &[T] {
        &self.items[..self.count as usize]
    }

    #[inline]
    fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.items[..self.count as usize]
    }
}

impl<T: Copy + Default> Few<T> {
    #[inline]
    pub(crate) fn new() -> Few<T> {
        Few::Inline(Inline { items: [T::default(); INLINE_PARTS], count: Count::Zero })
    }

    /// The first `count` of `items`.
    #[inline]
    pub(crate) fn of(items: [T; INLINE_PARTS], count: usize) -> Few<T> {
        Few::Inline(Inline { items, count: Count::of(count) })
    }

    #[inline]
    pub(crate) fn from_vec(items: Vec<T>) -> Few<T> {
        Few::Heap(items)
    }

    /// What is in place, `None` where it is on the heap.
    #[inline]
    pub(crate) fn in_place(&self) -> Option<&Inline<T>> {
        match self {
            Few::Inline(own) => Some(own),
            Few::Heap(_) => None,
        }
    }

    #[inline]
    pub(crate) fn in_place_mut(&mut self) -> Option<&mut Inline<T>> {
        match self {
            Few::Inline(own) => Some(own),
            Few::Heap(_) => None,
        }
    }

    /// Room for `capacity` items.
    #[inline]
    pub(crate) fn with_capacity(capacity: usize) -> Few<T> {
        if capacity <= INLINE_PARTS { Few::new() } else { Few::Heap(Vec::with_capacity(capacity)) }
    }

    #[inline]
    pub(crate) fn push(&mut self, item: T) {
        match self {
            Few::Inline(own) => {
                let count = own.count as usize;
                match own.items.get_mut(count) {
                    Some(place) => {
                        *place = item;
                        own.count = Count::of(count + 1);
                    }
                    None => self.spill(&[item]),
                }
            }
            Few::Heap(items) => items.push(item),
        }
    }

    #[inline]
    pub(crate) fn extend_from_slice(&mut self, more: &[T]) {
        match self {
            Few::Inline(own) => {
                let (from, to) = (own.count as usize, own.count as usize + more.len());
                match own.items.get_mut(from..to) {
                    Some(places) => {
                        places.copy_from_slice(more);
                        own.count = Count::of(to);
                    }
                    None => self.spill(more),
                }
            }
            Few::Heap(items) => items.extend_from_slice(more),
        }
    }

    /// Moves all items to the heap, and `more` behind them.
    #[cold]
    #[inline(never)]
    fn spill(&mut self, more: &[T]) {
        let mut items = Vec::with_capacity((self.len() + more.len()).max(2 * INLINE_PARTS));
        items.extend_from_slice(self);
        items.extend_from_slice(more);
        *self = Few::Heap(items);
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Few::Inline(own) => own.as_slice(),
            Few::Heap(items) => items,
        }
    }
}

impl<T: Copy + Default> Clone for Few<T> {
    #[inline]
    fn clone(&self) -> Few<T> {
        match self {
            Few::Inline(own) => Few::Inline(*own),
            Few::Heap(items) => {
                let mut copy = Few::with_capacity(items.len());
                copy.extend_from_slice(items);
                copy
            }
        }
    }
}

impl<T: Copy + Default> Default for Few<T> {
    #[inline]
    fn default() -> Few<T> {
        Few::new()
    }
}

impl<T: Copy + Default + PartialEq> PartialEq for Few<T> {
    #[inline]
    fn eq(&self, other: &Few<T>) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<T: Copy + Default + Eq> Eq for Few<T> {}

impl<T: Copy + Default> Deref for Few<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T: Copy + Default> DerefMut for Few<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Few::Inline(own) => own.as_mut_slice(),
            Few::Heap(items) => items,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_the_same_in_place_and_on_the_heap() {
        let mut pushed = Few::new();
        for item in 0..2 * INLINE_PARTS {
            let items: Vec<usize> = (0..item).collect();
            let mut extended = Few::with_capacity(4 * INLINE_PARTS);
            extended.extend_from_slice(&items);
            let mut at_once = Few::new();
            at_once.extend_from_slice(&items);
            assert_eq!(pushed.as_slice(), items);
            assert!(pushed == extended && pushed == at_once && extended.clone() == pushed);
            assert_eq!(extended.clone().in_place().is_some(), item <= INLINE_PARTS);
            pushed.push(item);
            assert_eq!(pushed.last(), Some(&item));
        }
    }
}
