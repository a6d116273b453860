//! Section C: two people write long apart, from one text of 100,000 characters, and are merged.

use std::path::Path;

use ot_core::{Operation, Text, compose_all, transform};

use crate::histories::{History, made_up, text_of};
use crate::measure::Contender;
use crate::report::{Report, Target, Unit};

const ROUNDS: usize = 15;

/// Length of the text that both begin with, in characters.
const LEN: usize = 100_000;

/// Edits of each, and of the time of yrs in the same run at most: both logs known, and the live side.
const SIZES: [(usize, f64, f64); 3] = [
    (1_000, 0.15 / 1.34, 0.03 / 0.25),
    (10_000, 0.8 / 3.15, 0.25 / 0.82),
    (50_000, 3.5 / 11.2, 0.9 / 3.19),
];

/// Two histories of one text.
pub(crate) struct Apart {
    pub(crate) base: String,
    pub(crate) one: History,
    pub(crate) other: History,
    /// The text that Concord's ends have. Others order differently what comes to one place; they have as many characters.
    pub(crate) merged: String,
}

pub(crate) fn section(report: &mut Report, _: Option<&Path>) {
    for (count, known_max, live_max) in SIZES {
        let base = text_of(LEN);
        let one = made_up("one", base.clone(), 11, count);
        let other = made_up("other", base.clone(), 12, count);
        let merged = merged(&base, &one, &other);
        let apart = Apart { base, one, other, merged };

        let title = format!("both logs known, {count} edits each, to the merged text");
        let mut contenders = vec![known(&apart)];
        #[cfg(feature = "peers")]
        contenders.extend(crate::peers::merge::known(&apart));
        compare(report, &title, contenders, known_max);

        let title = format!("one side live, the other's {count} edits arrive");
        let mut contenders = vec![live(&apart)];
        #[cfg(feature = "peers")]
        contenders.extend(crate::peers::merge::live(&apart));
        compare(report, &title, contenders, live_max);
    }
}

/// Ours comes first; the target is beside yrs, the fastest peer that the registry has for both cases.
fn compare(report: &mut Report, title: &str, contenders: Vec<Contender<'_>>, ratio_max: f64) {
    let yrs = contenders.iter().position(|one| one.name.starts_with("yrs"));
    let taken = report.compare(title, Unit::Milliseconds, ROUNDS, contenders);
    if let Some(at) = yrs {
        report.target(Target {
            what: title.to_owned(),
            peer: "yrs".to_owned(),
            theirs: taken[at].median,
            ours: taken[0].median,
            unit: Unit::Milliseconds,
            ratio_max,
        });
    }
}

fn composed(operations: Vec<Operation>) -> Operation {
    compose_all(operations).expect("each follows the last").expect("there are operations")
}

/// The text that both end with, by the other road: what is committed first goes over what is pending.
fn merged(base: &str, one: &History, other: &History) -> String {
    let (one, other) = (composed(one.operations()), composed(other.operations()));
    let (_, one_next) = transform(&other, &one).expect("one base");
    let both = other.compose(&one_next).expect("follows it");
    both.apply(base).expect("spans it")
}

fn known(apart: &Apart) -> Contender<'_> {
    let (one, other) = (apart.one.operations(), apart.other.operations());
    Contender::new(
        "Concord: compose both, transform, apply",
        move || (one.clone(), other.clone(), Text::from(apart.base.as_str())),
        |(one, other, text)| {
            let one = compose_all(one.drain(..)).expect("follow").expect("some");
            let other = compose_all(other.drain(..)).expect("follow").expect("some");
            let (other, _) = transform(&other, &one).expect("one base");
            text.apply(&one).expect("spans it");
            text.apply(&other).expect("spans it");
        },
        |(_, _, text), ()| assert!(text == *apart.merged.as_str()),
    )
}

fn live(apart: &Apart) -> Contender<'_> {
    let (one, other) = (composed(apart.one.operations()), composed(apart.other.operations()));
    Contender::new(
        "Concord: transform what is composed, apply",
        || Text::from(apart.other.end.as_str()),
        move |text| {
            let (other, one) = transform(&other, &one).expect("one base");
            text.apply(&one).expect("spans it");
            other
        },
        |text, _| assert!(text == *apart.merged.as_str()),
    )
}
