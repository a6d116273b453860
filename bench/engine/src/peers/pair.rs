//! One transform, one compose, one apply of `operational-transform`.

use std::hint::black_box;

use ot_core::Operation;

use super::sequence::same_as;
use crate::measure::Contender;

const NAME: &str = "operational-transform";

pub(crate) fn transform<'a>(ours: &Operation, theirs: &Operation, calls: u32) -> Contender<'a> {
    let (ours, theirs) = (same_as(ours), same_as(theirs));
    Contender::repeated(NAME, calls, move || black_box(&ours).transform(black_box(&theirs)))
}

pub(crate) fn compose<'a>(first: &Operation, next: &Operation, calls: u32) -> Contender<'a> {
    let (first, next) = (same_as(first), same_as(next));
    Contender::repeated(NAME, calls, move || black_box(&first).compose(black_box(&next)))
}

pub(crate) fn apply<'a>(operation: &Operation, text: &'a str, calls: u32) -> Contender<'a> {
    let operation = same_as(operation);
    Contender::repeated(format!("{NAME}, `String`"), calls, move || {
        operation.apply(black_box(text))
    })
}
