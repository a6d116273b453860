//! Short ways: operations that change one place, and operations that change different places. Of those nothing of
//! one meets anything of the other, so neither is walked through, and what one does to the other is a length.
//!
//! Natively only; in a browser, where every kilobyte is downloaded, the general algorithms do.

use super::{Body, Kind, MAX_LEN, Operation, Part};
use crate::small::{Chars, Few, Held, INLINE_PARTS, INLINE_TEXT_BYTES, Inline};

/// What of the base an operation changes: from the first gap or character to the last, in characters.
///
/// Only operations that keep something at the respective end lie in front of or behind another.
struct Changed {
    front: u32,
    end: u32,
    /// The same end in the target.
    target_end: u32,
}

/// An operation of which nothing is on the heap: a copy is a few moves of registers.
#[derive(Clone, Copy)]
pub(crate) struct Light<'a> {
    parts: &'a Inline<Part>,
    body: &'a Body,
}

/// How two small operations become one.
pub(crate) enum Join<'a> {
    /// One in front of the other, and what is kept between.
    Apart(Light<'a>, Part, Light<'a>),
    /// The component at this place of the first becomes that, by the insert of the second.
    TypedOn(Light<'a>, usize, Part, Light<'a>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Front,
    Back,
}

impl Operation {
    /// The operation of [`splice`](Self::splice), checked and not without effect: its components are known, so
    /// none has to be compared with the one before it.
    #[inline]
    pub(super) fn one_edit(
        base_len: usize,
        offset: usize,
        delete_len: usize,
        text: &str,
        chars: usize,
    ) -> Operation {
        let tail_len = base_len - offset - delete_len;
        let (front, tail) =
            (Part::of(Kind::Retain, offset, 0), Part::of(Kind::Retain, tail_len, 0));
        let insert = Part::of(Kind::Insert, chars, text.len());
        let delete = Part::of(Kind::Delete, delete_len, 0);
        let none = Part::default();
        // A tail of nothing is not counted.
        let (parts, count) = match (offset > 0, chars > 0, delete_len > 0) {
            (true, true, false) => ([front, insert, tail, none, none], 2),
            (true, false, _) => ([front, delete, tail, none, none], 2),
            (true, true, true) => ([front, insert, delete, tail, none], 3),
            (false, true, false) => ([insert, tail, none, none, none], 1),
            (false, false, _) => ([delete, tail, none, none, none], 1),
            (false, true, true) => ([insert, delete, tail, none, none], 2),
        };
        let parts = Few::of(parts, count + usize::from(tail_len > 0));
        let (text, target_len) = (Chars::from(text), base_len - delete_len + chars);
        Body::operation(parts, text, base_len, target_len)
    }

    #[inline]
    fn light(&self) -> Option<Light<'_>> {
        let parts = self.body.parts.in_place()?;
        (!self.body.text.is_heap_allocated()).then_some(Light { parts, body: &self.body })
    }

    #[inline]
    fn changed(&self) -> Changed {
        self.body.changed(self.parts().first(), self.parts().last())
    }

    /// Both sides of a transformation of small operations, `None` where the two touch, or are not small, or must be
    /// refused.
    #[inline]
    pub(crate) fn past_each_other(&self, other: &Operation) -> Option<(Operation, Operation)> {
        let (own, theirs) = (self.light()?, other.light()?);
        let end = own.body.way_past(&own.changed(), theirs.body, &theirs.changed())?;
        let (growth, others_growth) = (own.body.growth(), theirs.body.growth());
        Some(match end {
            End::Front => (own.with_longer_front(others_growth), theirs.with_longer_back(growth)),
            End::Back => (own.with_longer_back(others_growth), theirs.with_longer_front(growth)),
        })
    }

    /// The one side of it that is made of `self`, which is small.
    #[inline]
    pub(crate) fn past(&self, other: &Operation) -> Option<Operation> {
        let own = self.light()?;
        let growth = other.body.growth();
        Some(match own.body.way_past(&own.changed(), &other.body, &other.changed())? {
            End::Front => own.with_longer_front(growth),
            End::Back => own.with_longer_back(growth),
        })
    }

    /// As [`past_each_other`](Self::past_each_other) for operations of any size, whose lengths are checked.
    pub(crate) fn far_past_each_other(&self, other: &Operation) -> Option<(Operation, Operation)> {
        let end = self.changed().way_past(&other.changed())?;
        let own_next = self.with_longer(end, other.body.growth());
        Some((own_next, other.with_longer(end.opposite(), self.body.growth())))
    }

    /// The one side of it that is made of `self`.
    pub(crate) fn far_past(&self, other: &Operation) -> Option<Operation> {
        let end = self.changed().way_past(&other.changed())?;
        Some(self.with_longer(end, other.body.growth()))
    }

    /// The composition of small operations that change different places, or of which the second types on where the
    /// first has typed; `None` where they do something else, or the result is not small, or `next` must be refused.
    #[inline(always)]
    pub(crate) fn small_join<'a>(&'a self, next: &'a Operation) -> Option<Join<'a>> {
        let (own, theirs) = (self.light()?, next.light()?);
        let text_bytes = own.body.text.len() + theirs.body.text.len();
        if own.body.target_len != theirs.body.base_len || text_bytes > INLINE_TEXT_BYTES {
            return None;
        }
        // Two that are kept become one.
        let is_few = own.parts.count() + theirs.parts.count() <= INLINE_PARTS + 1;
        let (changed, next_changed) = (own.changed(), theirs.changed());
        match changed.gap_to(&next_changed) {
            Some((true, gap)) if is_few => Some(Join::Apart(own, gap, theirs)),
            Some((false, gap)) if is_few => Some(Join::Apart(theirs, gap, own)),
            Some(_) => None,
            None => own.typed_on(&changed, theirs, &next_changed),
        }
    }

    /// The composition where `next` changes another place, for operations of any size, whose lengths are checked.
    pub(crate) fn beside(&self, next: &Operation) -> Option<Operation> {
        let (is_next_behind, between) = self.changed().gap_to(&next.changed())?;
        let (first, second) = if is_next_behind { (self, next) } else { (next, self) };
        // The one in front ends with what it keeps, and the other begins with it: one piece of text.
        let (front, back) = (first.parts(), second.parts());
        let (front, back) = (&front[..front.len() - 1], &back[1..]);
        let mut parts = Few::with_capacity(front.len() + 1 + back.len());
        parts.extend_from_slice(front);
        parts.push(between);
        parts.extend_from_slice(back);
        let mut text = Chars::with_capacity(first.inserted_bytes() + second.inserted_bytes());
        text.push_str(first.inserted_text());
        text.push_str(second.inserted_text());
        let (base_len, target_len) = (self.base_len(), next.target_len());
        Some(Body::operation(parts, text, base_len, target_len))
    }

    /// This operation where what it keeps at one end is `growth` longer.
    fn with_longer(&self, end: End, growth: u32) -> Operation {
        let mut made = self.clone();
        let kept = match end {
            End::Front => made.body.parts.first_mut(),
            End::Back => made.body.parts.last_mut(),
        };
        if let Some(kept) = kept {
            *kept = kept.grown(growth);
        }
        made.body.base_len = made.body.base_len.wrapping_add(growth);
        made.body.target_len = made.body.target_len.wrapping_add(growth);
        made
    }
}

// Compositions are changed where they are returned, not before: a copy that is written to in part and then moved as a
// whole waits until what was written is in the cache.

impl Join<'_> {
    /// The composition, which leads from a text of `base_len` characters to one of `target_len`.
    #[inline(always)]
    pub(crate) fn composed<E>(&self, base_len: usize, target_len: usize) -> Result<Operation, E> {
        let (base_len, target_len) = (base_len as u32, target_len as u32);
        match *self {
            Join::Apart(front, between, behind) => {
                let parts = front.parts_with(between, behind);
                let mut composed = Ok(front.composition(parts, base_len, target_len));
                if let Ok(composed) = &mut composed {
                    composed.body.text.push_str(&behind.body.text);
                }
                composed
            }
            Join::TypedOn(first, at, typed, next) => {
                let parts = Few::Inline(*first.parts);
                let mut composed = Ok(first.composition(parts, base_len, target_len));
                if let Ok(composed) = &mut composed {
                    let places = composed.body.parts.in_place_mut();
                    if let Some(place) = places.and_then(|places| places.place_mut(at)) {
                        *place = typed;
                    }
                    composed.body.text.push_str(&next.body.text);
                }
                composed
            }
        }
    }
}

impl<'a> Light<'a> {
    #[inline]
    fn changed(self) -> Changed {
        let (places, count) = (self.parts.places(), self.parts.count());
        self.body.changed(Some(&places[0]), places.get(count.wrapping_sub(1)))
    }

    /// The components of both, which are few; `between` is kept between them, where one ends and the other begins with
    /// what it keeps.
    #[inline(always)]
    fn parts_with(self, between: Part, behind: Light<'_>) -> Few<Part> {
        let (front, back) = (self.parts.places(), behind.parts.places());
        let parts = match self.parts.count() {
            1 => [between, back[1], back[2], back[3], back[4]],
            2 => [front[0], between, back[1], back[2], back[3]],
            3 => [front[0], front[1], between, back[1], back[2]],
            4 => [front[0], front[1], front[2], between, back[1]],
            _ => [front[0], front[1], front[2], front[3], between],
        };
        Few::of(parts, self.parts.count() + behind.parts.count() - 1)
    }

    /// How `next` joins if it is one insert, right behind an insert that is the last change here.
    #[inline(always)]
    fn typed_on(
        self,
        changed: &Changed,
        next: Light<'a>,
        next_changed: &Changed,
    ) -> Option<Join<'a>> {
        let Changed { front, end, .. } = *next_changed;
        let is_kept = |is_kept: bool| usize::from(is_kept);
        let act = is_kept(front > 0);
        let is_one_insert =
            front == end && next.parts.count() == act + 1 + is_kept(end < next.body.base_len);
        if !is_one_insert || changed.target_end != front {
            return None;
        }
        let last = is_kept(changed.target_end < self.body.target_len) + 1;
        let at = self.parts.count().wrapping_sub(last);
        let typed = self.parts.places().get(at).filter(|part| part.kind() == Kind::Insert)?;
        let act = next.parts.places().get(act)?;
        Some(Join::TypedOn(self, at, typed.and(*act), next))
    }

    /// This operation where what it keeps in front is `growth` longer.
    #[inline(always)]
    fn with_longer_front(self, growth: u32) -> Operation {
        self.longer(self.with_longer_part(0, growth), growth)
    }

    /// This operation where what it keeps at its end is `growth` longer.
    #[inline(always)]
    fn with_longer_back(self, growth: u32) -> Operation {
        // Where the place is known, as in an operation of one insert or delete, it is changed in registers.
        match self.parts.count() {
            3 => self.longer(self.with_longer_part(2, growth), growth),
            count => self.longer(self.with_longer_part(count.wrapping_sub(1), growth), growth),
        }
    }

    #[inline(always)]
    fn with_longer_part(self, at: usize, growth: u32) -> Inline<Part> {
        let mut parts = *self.parts;
        if let Some(kept) = parts.place_mut(at) {
            *kept = kept.grown(growth);
        }
        parts
    }

    #[inline(always)]
    fn longer(self, parts: Inline<Part>, growth: u32) -> Operation {
        let lens = [self.body.base_len, self.body.target_len];
        let [base_len, target_len] = lens.map(|len| len.wrapping_add(growth));
        let (parts, text) = (Few::Inline(parts), self.body.text.clone());
        Operation { body: Held::new(Body { parts, text, base_len, target_len }) }
    }

    /// The beginning of a composition with a text in front of another; that is the caller's to append.
    #[inline(always)]
    fn composition(self, parts: Few<Part>, base_len: u32, target_len: u32) -> Operation {
        let text = self.body.text.clone();
        Operation { body: Held::new(Body { parts, text, base_len, target_len }) }
    }
}

impl Body {
    #[inline]
    pub(super) fn operation(
        parts: Few<Part>,
        text: Chars,
        base_len: usize,
        target_len: usize,
    ) -> Operation {
        debug_assert!(base_len <= MAX_LEN && target_len <= MAX_LEN);
        let (base_len, target_len) = (base_len as u32, target_len as u32);
        Operation { body: Held::new(Body { parts, text, base_len, target_len }) }
    }

    /// How much longer it makes the text; wraps where it makes it shorter.
    #[inline]
    fn growth(&self) -> u32 {
        self.target_len.wrapping_sub(self.base_len)
    }

    /// The end at which `other`, made on the same text, lies and changes another place; `None` where the two touch, or
    /// must be refused.
    #[inline]
    fn way_past(&self, changed: &Changed, other: &Body, others: &Changed) -> Option<End> {
        // As nothing is deleted twice, this is how long the text with both is.
        let joint_len = self.target_len.wrapping_add(other.growth());
        let meets = self.base_len == other.base_len && joint_len as usize <= MAX_LEN;
        if meets { changed.way_past(others) } else { None }
    }

    #[inline]
    fn changed(&self, first: Option<&Part>, last: Option<&Part>) -> Changed {
        let kept = |part: Option<&Part>| part.map_or(0, |part| part.kept());
        let (front, back) = (kept(first), kept(last));
        Changed { front, end: self.base_len - back, target_end: self.target_len - back }
    }
}

impl Changed {
    /// The end at which another operation lies that changes another place, `None` where the two touch.
    #[inline]
    fn way_past(&self, other: &Changed) -> Option<End> {
        if self.end < other.front {
            Some(End::Back)
        } else if other.end < self.front {
            Some(End::Front)
        } else {
            None
        }
    }
}

impl Changed {
    /// Whether what comes next lies behind what is changed already, and what is kept between the two, `None` where
    /// they touch.
    #[inline]
    fn gap_to(&self, next: &Changed) -> Option<(bool, Part)> {
        let gap = |chars: u32| Part::new(Kind::Retain, chars as usize, 0);
        if self.target_end < next.front {
            Some((true, gap(next.front - self.target_end)))
        } else if next.end < self.front {
            Some((false, gap(self.front - next.end)))
        } else {
            None
        }
    }
}

impl End {
    #[inline]
    fn opposite(self) -> End {
        match self {
            End::Front => End::Back,
            End::Back => End::Front,
        }
    }
}
