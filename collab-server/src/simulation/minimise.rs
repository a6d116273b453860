//! A shorter list of choices that goes wrong in the same way.

/// Shortens what fails: leaves chunks out, smaller and smaller ones, and then makes chunks 0, as long
/// as it fails still. `fails` is asked at most `tries_max` times; it is given a list that differs
/// from `choices`.
///
/// What comes back fails, if `choices` did; a choice behind its end counts as 0.
pub fn minimise(
    mut choices: Vec<u64>,
    tries_max: usize,
    mut fails: impl FnMut(&[u64]) -> bool,
) -> Vec<u64> {
    let mut tries = tries_max;
    let mut may_be = |shorter: &[u64]| {
        let is_allowed = tries > 0;
        tries = tries.saturating_sub(1);
        is_allowed && fails(shorter)
    };
    trim(&mut choices);
    let mut chunk = choices.len().div_ceil(2);
    while chunk > 0 {
        for edit in [without, with_zeros] {
            let mut at = 0;
            while at < choices.len() {
                let mut shorter = edit(&choices, at, chunk);
                trim(&mut shorter);
                if shorter != choices && may_be(&shorter) {
                    // What follows a chunk that was left out is at its place now.
                    at += if shorter.len() < choices.len() { 0 } else { chunk };
                    choices = shorter;
                } else {
                    at += chunk;
                }
            }
        }
        chunk /= 2;
    }
    choices
}

/// A choice behind the end is 0 anyway.
fn trim(choices: &mut Vec<u64>) {
    let kept = choices.iter().rposition(|choice| *choice != 0).map_or(0, |last| last + 1);
    choices.truncate(kept);
}

fn without(choices: &[u64], at: usize, len: usize) -> Vec<u64> {
    let behind = choices.get(at + len..).unwrap_or_default();
    [&choices[..at], behind].concat()
}

fn with_zeros(choices: &[u64], at: usize, len: usize) -> Vec<u64> {
    let mut zeroed = choices.to_vec();
    zeroed.iter_mut().skip(at).take(len).for_each(|choice| *choice = 0);
    zeroed
}
