//! Characters that tell one typed character from another wherever it arrives.
//!
//! What is typed is a Chinese character, one of [`TAGS`], each another. Every protocol carries it as three bytes of
//! UTF-8, so that arrival is measured the same way for all: by looking for those bytes in what came. Who holds a tag's
//! place typed it last.

use std::time::Instant;

/// How many there are; one is used again after so many.
pub(crate) const TAGS: u32 = 0x9FFF - 0x4E00;

const FIRST: u32 = 0x4E00;

/// The character of a tag.
pub(crate) fn character(tag: u32) -> char {
    char::from_u32(FIRST + tag % TAGS).expect("the range holds characters only")
}

/// Calls `found` with every tag in some bytes, in order.
pub(crate) fn scan(bytes: &[u8], mut found: impl FnMut(u32)) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| (0xE4..=0xE9).contains(byte)) {
        rest = &rest[at..];
        let [lead, second, third, ..] = *rest else { return };
        let is_tail = |byte: u8| byte & 0xC0 == 0x80;
        if is_tail(second) && is_tail(third) {
            let code = u32::from(lead & 0x0F) << 12
                | u32::from(second & 0x3F) << 6
                | u32::from(third & 0x3F);
            if (FIRST..FIRST + TAGS).contains(&code) {
                found(code - FIRST);
            }
            rest = &rest[3..];
        } else {
            rest = &rest[1..];
        }
    }
}

/// Who typed a tag, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Typed {
    pub(crate) by: usize,
    pub(crate) at: Instant,
    /// Whether it counts: typed while the scenario was measured.
    pub(crate) counts: bool,
}

/// What was typed last under each tag.
#[derive(Debug)]
pub(crate) struct Typing {
    places: Vec<Option<Typed>>,
    next: u32,
}

impl Typing {
    pub(crate) fn new() -> Self {
        Typing { places: vec![None; TAGS as usize], next: 0 }
    }

    /// Takes the next tag for what is typed now.
    pub(crate) fn take(&mut self, typed: Typed) -> u32 {
        let tag = self.next % TAGS;
        self.next += 1;
        self.places[tag as usize] = Some(typed);
        tag
    }

    pub(crate) fn get(&self, tag: u32) -> Option<Typed> {
        self.places[tag as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_in_json_and_between_other_bytes() {
        let mut bytes = vec![0xE4, 0x00, 0xFF];
        bytes.extend(format!("{{\"op\":[3,\"{}\",4]}}", character(7)).bytes());
        bytes.extend([0x85, 0xE5]);
        bytes.extend(format!("é😀{}{}", character(TAGS - 1), character(0)).bytes());
        let mut found = Vec::new();
        scan(&bytes, |tag| found.push(tag));
        assert_eq!(found, [7, TAGS - 1, 0]);
    }
}
