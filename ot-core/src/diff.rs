//! Finding the operation that leads from one text to another.
//!
//! Works in bytes between character boundaries and counts Unicode scalar values at the end.

use crate::apply::split_chars;
use crate::operation::{Operation, TextWriter};

/// Most characters that may differ before the search by characters gives up; bounds its work to
/// length × this and its memory to this squared.
const CHAR_CHANGES_MAX: usize = 256;

/// Most lines that may differ before the search by lines gives up.
const LINE_CHANGES_MAX: usize = 1_024;

/// Fewest characters worth keeping between two changes. Shorter ones are chance: keeping the `o`
/// of `world` in `moon` would only scatter the edit for whoever types beside it.
const KEPT_MIN: usize = 4;

/// The operation that makes `new` of `old`.
///
/// One change, found from both ends, whenever the texts differ in one place; where they differ in
/// several with enough in common between them, one change for each. Where the same result could
/// come about in several places (an `a` typed inside `aaa`), `caret_chars` decides: the caret in
/// `new`, in characters, behind what was typed or where something was deleted. Without it the last
/// possible place is taken. Changes never split a character.
///
/// # Panics
/// When a text is longer than [`MAX_LEN`](crate::MAX_LEN) characters; no document is.
#[must_use]
pub fn diff(old: &str, new: &str, caret_chars: Option<usize>) -> Operation {
    assert!(
        old.len() <= crate::MAX_LEN && new.len() <= crate::MAX_LEN,
        "texts of at most {} bytes can be compared",
        crate::MAX_LEN
    );
    let mut out = TextWriter::default();
    write_hunk(old, new, caret_chars, Search::CharsThenLines, &mut out);
    out.finish()
}

fn count(text: &str) -> usize {
    text.chars().count()
}

/// Bytes in common at the start and at the end, not overlapping in either text.
fn common_ends(old: &str, new: &str, caret_chars: Option<usize>) -> (usize, usize) {
    let shorter = old.len().min(new.len());
    let prefix = common_prefix(old, new);
    let suffix = common_suffix(old, new);
    if prefix + suffix <= shorter {
        return (prefix, suffix);
    }
    // A pure insertion or deletion that fits at every place from here to the prefix's end. All
    // these places lie between characters: old and new agree on both sides of each.
    let (first, last) = (shorter - suffix, prefix);
    let wanted = caret_chars.map_or(last, |caret| {
        let caret_bytes = split_chars(new, caret).0.len();
        caret_bytes.saturating_sub(new.len().saturating_sub(old.len()))
    });
    let start = wanted.clamp(first, last);
    (start, shorter - start)
}

fn common_prefix(old: &str, new: &str) -> usize {
    let mut at = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    while !old.is_char_boundary(at) || !new.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn common_suffix(old: &str, new: &str) -> usize {
    let mut len = old.bytes().rev().zip(new.bytes().rev()).take_while(|(a, b)| a == b).count();
    while !old.is_char_boundary(old.len() - len) || !new.is_char_boundary(new.len() - len) {
        len -= 1;
    }
    len
}

/// How several changes of one hunk are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Search {
    Chars,
    CharsThenLines,
}

/// Writes what both texts have at their ends, and between that several changes if the texts have
/// enough in common, else one.
fn write_hunk(old: &str, new: &str, caret: Option<usize>, search: Search, out: &mut TextWriter) {
    let (prefix, suffix) = common_ends(old, new, caret);
    let (front, old_mid) = old.split_at(prefix);
    let (old_mid, back) = old_mid.split_at(old_mid.len() - suffix);
    let new_mid = &new[prefix..new.len() - suffix];
    out.retain(count(front));
    let several = !old_mid.is_empty()
        && !new_mid.is_empty()
        && (write_by_chars(old_mid, new_mid, out)
            || search == Search::CharsThenLines && write_by_lines(old_mid, new_mid, out));
    if !several {
        out.insert(new_mid, count(new_mid));
        out.delete(count(old_mid));
    }
    out.retain(count(back));
}

/// Writes the changes between lines, unless there are too many; tells whether it did.
fn write_by_lines(old: &str, new: &str, out: &mut TextWriter) -> bool {
    let (old_ends, new_ends) = (line_ends(old), line_ends(new));
    let same = |in_old: usize, in_new: usize| {
        old[old_ends[in_old]..old_ends[in_old + 1]] == new[new_ends[in_new]..new_ends[in_new + 1]]
    };
    let (old_len, new_len) = (old_ends.len() - 1, new_ends.len() - 1);
    let Some(mut kept) = longest_common(&same, old_len, new_len, LINE_CHANGES_MAX) else {
        return false;
    };
    kept.push(Run { old: old_len, new: new_len, len: 0 });
    let (mut old_from, mut new_from) = (0, 0);
    for run in kept {
        let (old_hunk, new_hunk) = (old_ends[run.old], new_ends[run.new]);
        let old_kept = old_ends[run.old + run.len];
        write_hunk(&old[old_from..old_hunk], &new[new_from..new_hunk], None, Search::Chars, out);
        out.retain(count(&old[old_hunk..old_kept]));
        (old_from, new_from) = (old_kept, new_ends[run.new + run.len]);
    }
    true
}

/// Where lines end, their line ends included, behind a 0 where the first one begins.
fn line_ends(text: &str) -> Vec<usize> {
    let mut ends = vec![0];
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'\n' || at + 1 == text.len() {
            ends.push(at + 1);
        }
    }
    ends
}

/// Writes the changes between characters, unless there are too many; tells whether it did.
fn write_by_chars(old: &str, new: &str, out: &mut TextWriter) -> bool {
    let (old, new) = (chars(old), chars(new));
    let same = |in_old: usize, in_new: usize| old[in_old] == new[in_new];
    let Some(mut kept) = longest_common(&same, old.len(), new.len(), CHAR_CHANGES_MAX) else {
        return false;
    };
    kept.push(Run { old: old.len(), new: new.len(), len: 0 });
    let (mut in_old, mut in_new) = (0, 0);
    for run in kept {
        if (1..KEPT_MIN).contains(&run.len) {
            continue;
        }
        let mut inserted = String::new();
        for character in &new[in_new..run.new] {
            inserted.push(*character);
        }
        out.insert(&inserted, run.new - in_new);
        out.delete(run.old - in_old);
        out.retain(run.len);
        (in_old, in_new) = (run.old + run.len, run.new + run.len);
    }
    true
}

fn chars(text: &str) -> Vec<char> {
    let mut chars = Vec::new();
    for character in text.chars() {
        chars.push(character);
    }
    chars
}

/// Units that both sides have, as runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    old: usize,
    new: usize,
    len: usize,
}

/// Longest common subsequence by the greedy search of Myers (1986): for each number of changes,
/// how far each diagonal reaches. `None` when more than `changes_max` units differ.
/// `same` compares a unit of one side with one of the other; both sides' lengths are in units.
fn longest_common(
    same: &dyn Fn(usize, usize) -> bool,
    old_len: usize,
    new_len: usize,
    changes_max: usize,
) -> Option<Vec<Run>> {
    if old_len.abs_diff(new_len) > changes_max {
        return None;
    }
    let changes_max = changes_max.min(old_len + new_len);
    // `reach[center + k]` is the furthest offset in `old` on the diagonal k = old - new.
    let center = changes_max + 1;
    let mut reach = vec![0; 2 * changes_max + 3];
    let mut trace: Vec<Vec<usize>> = Vec::new();
    for changes in 0..=changes_max {
        trace.push(reach[center - changes - 1..=center + changes + 1].to_vec());
        for step in 0..=changes {
            let at = center + 2 * step - changes;
            let down = goes_down(&reach, at, step, changes);
            let mut in_old = if down { reach[at + 1] } else { reach[at - 1] + 1 };
            let mut in_new = in_old + center - at;
            while in_old < old_len && in_new < new_len && same(in_old, in_new) {
                in_old += 1;
                in_new += 1;
            }
            reach[at] = in_old;
            if in_old == old_len && in_new == new_len {
                return Some(runs_back(&trace, old_len, new_len));
            }
        }
    }
    None
}

/// Whether the furthest path to a diagonal inserts (comes from the diagonal above) or deletes.
fn goes_down(reach: &[usize], at: usize, step: usize, changes: usize) -> bool {
    step == 0 || (step != changes && reach[at - 1] < reach[at + 1])
}

/// Walks the rounds backwards from both ends and collects what was kept, in order.
fn runs_back(trace: &[Vec<usize>], old_len: usize, new_len: usize) -> Vec<Run> {
    let (mut in_old, mut in_new) = (old_len, new_len);
    let mut runs = Vec::new();
    for (changes, reach) in trace.iter().enumerate().rev() {
        let at = in_old + changes + 1 - in_new;
        let down = goes_down(reach, at, (at - 1) / 2, changes);
        let start = match (changes, down) {
            (0, _) => 0,
            (_, true) => reach[at + 1],
            (_, false) => reach[at - 1] + 1,
        };
        let len = in_old - start;
        if len > 0 {
            runs.push(Run { old: start, new: in_new - len, len });
        }
        if changes > 0 {
            in_new -= len + usize::from(down);
            in_old = start - usize::from(!down);
        }
    }
    runs.reverse();
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, new: &str, caret_chars: Option<usize>, expected: &str) {
        let operation = diff(old, new, caret_chars);
        operation.check_invariants();
        assert_eq!(operation.apply(old).as_deref(), Ok(new));
        assert_eq!(format!("{operation:?}"), expected, "{old:?} to {new:?} at {caret_chars:?}");
    }

    #[test]
    fn a_repeated_character_is_typed_where_the_caret_is() {
        check("aaa", "aaaa", Some(1), r#"+"a" =3"#);
        check("aaa", "aaaa", Some(3), r#"=2 +"a" =1"#);
        check("aaa", "aaaa", Some(4), r#"=3 +"a""#);
        check("aaa", "aaaa", None, r#"=3 +"a""#);
        check("ééé", "éééé", Some(2), r#"=1 +"é" =2"#);
        check("-abab-", "-ababab-", Some(3), r#"=1 +"ab" =5"#);
        check("-abab-", "-ababab-", Some(4), r#"=2 +"ba" =4"#);
        check("-abab-", "-ababab-", Some(99), r#"=5 +"ab" =1"#);
    }

    #[test]
    fn a_repeated_character_is_deleted_where_the_caret_is() {
        check("aaa", "aa", Some(0), "-1 =2");
        check("aaa", "aa", Some(1), "=1 -1 =1");
        check("aaa", "aa", Some(2), "=2 -1");
        check("x🦀🦀y", "x🦀y", Some(1), "=1 -1 =2");
        check("-abab-", "-ab-", Some(2), "=2 -2 =2");
    }

    #[test]
    fn characters_are_never_split() {
        // One byte differs at the end, then at the start, of characters of several bytes.
        check("😀", "😁", None, r#"+"😁" -1"#);
        check("aé", "aè", None, r#"=1 +"è" -1"#);
        check("éb", "©b", None, r#"+"©" -1 =1"#);
        check("Ā", "Ȁ", None, r#"+"Ȁ" -1"#);
    }

    #[test]
    fn equal_and_empty_texts_have_their_operations() {
        check("", "", None, "");
        check("ab", "ab", Some(1), "=2");
        check("", "ab", None, r#"+"ab""#);
        check("ab", "", None, "-2");
    }

    #[test]
    fn distant_changes_stay_apart_and_close_ones_are_one() {
        check("one two three", "One two Three", None, r#"+"O" -1 =7 +"T" -1 =4"#);
        check("abcd", "xbcy", None, r#"+"xbcy" -4"#);
        check("world", "moon", None, r#"+"moon" -5"#);
    }

    #[test]
    fn long_texts_with_many_changes_are_compared_by_lines() {
        let line = |index: usize| format!("line number {index} has some words in it\n");
        let old: String = (0..2_000).map(line).collect();
        let new: String = (0..2_000)
            .filter(|index| index % 100 != 7)
            .map(|index| if index % 100 == 50 { "quite another\n".to_owned() } else { line(index) })
            .collect();
        let operation = diff(&old, &new, None);
        assert_eq!(operation.apply(&old).as_deref(), Ok(new.as_str()));
        assert!(operation.inserted_bytes() < 20 * 15 && operation.component_count() > 70);
    }
}
