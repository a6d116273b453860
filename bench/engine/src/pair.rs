//! Section B: two operations meet or follow one another; many become one.

use std::hint::black_box;
use std::path::Path;

use ot_core::{Operation, Text, compose_all, transform};

use crate::histories::{histories, text_of};
use crate::measure::{Contender, Taken};
use crate::report::{Report, Target, Unit};

const ROUNDS: usize = 15;

/// Length of the document of small operations, in characters.
const LEN: usize = 100_000;

/// What is reached in the same run: of the peer's time, at most.
mod ratio {
    pub(crate) const SMALL_TRANSFORM: f64 = 30.0 / 117.0;
    pub(crate) const SMALL_COMPOSE: f64 = 30.0 / 148.0;
    pub(crate) const APPLY: f64 = 150.0 / 153_000.0;
    pub(crate) const COMPOSE_ALL: f64 = 10.0 / 295.0;

    /// Of transform and of compose, by the components of each side.
    pub(crate) fn large(components: usize) -> (f64, f64) {
        if components < 10_000 { (5.0 / 18.5, 5.0 / 18.4) } else { (5.0 / 23.0, 5.0 / 21.0) }
    }
}

pub(crate) fn section(report: &mut Report, traces: Option<&Path>) {
    small(report);
    for components in [1_000, 100_000] {
        large(report, components);
    }
    for history in histories(traces) {
        let operations = history.operations();
        let ours = Contender::new(
            "Concord, `compose_all`",
            || operations.clone(),
            |operations| compose_all(operations.drain(..)).expect("each follows the last"),
            |_, composed| {
                let composed = composed.expect("there are operations");
                assert_eq!(composed.apply(&history.start).expect("spans it"), history.end);
            },
        )
        .of(operations.len());
        let title = format!("{}: compose {} operations", history.name, operations.len());
        let contenders = vec![ours];
        #[cfg(feature = "peers")]
        let contenders = {
            let mut contenders = contenders;
            contenders.push(crate::peers::compose_all(&history));
            contenders
        };
        let taken = report.compare(&title, Unit::Milliseconds, ROUNDS, contenders);
        target(report, &title, &taken, Unit::Milliseconds, ratio::COMPOSE_ALL);
    }
}

/// The peer comes second, where there is one.
fn target(report: &mut Report, what: &str, taken: &[Taken], unit: Unit, ratio_max: f64) {
    if let [ours, theirs] = taken {
        let figure = |taken: &Taken| match unit {
            Unit::Nanoseconds => taken.each,
            _ => taken.median,
        };
        report.target(Target {
            what: what.to_owned(),
            peer: "operational-transform".to_owned(),
            theirs: figure(theirs),
            ours: figure(ours),
            unit,
            ratio_max,
        });
    }
}

fn compare(
    report: &mut Report,
    title: &str,
    ratio_max: f64,
    ours: Contender<'_>,
    #[cfg(feature = "peers")] theirs: Contender<'_>,
) {
    #[cfg(feature = "peers")]
    let contenders = vec![ours, theirs];
    #[cfg(not(feature = "peers"))]
    let contenders = vec![ours];
    let taken = report.compare(title, Unit::Nanoseconds, ROUNDS, contenders);
    target(report, title, &taken, Unit::Nanoseconds, ratio_max);
}

fn insert_at(len: usize, at: usize) -> Operation {
    Operation::splice(len, at, 0, "x").expect("fits")
}

fn small(report: &mut Report) {
    const CALLS: u32 = 20_000;
    let (ours, theirs) = (insert_at(LEN, 60_000), insert_at(LEN, 40_000));
    let next = insert_at(LEN + 1, 40_001);
    compare(
        report,
        "transform: two single-character inserts in 100k",
        ratio::SMALL_TRANSFORM,
        Contender::repeated("Concord", CALLS, || transform(black_box(&ours), black_box(&theirs))),
        #[cfg(feature = "peers")]
        crate::peers::pair::transform(&ours, &theirs, CALLS),
    );
    for (what, first) in [("apart", &ours), ("a run", &theirs)] {
        compare(
            report,
            &format!("compose: two single-character inserts in 100k, {what}"),
            ratio::SMALL_COMPOSE,
            Contender::repeated("Concord", CALLS, || black_box(first).compose(black_box(&next))),
            #[cfg(feature = "peers")]
            crate::peers::pair::compose(first, &next, CALLS),
        );
    }
    let text = text_of(LEN);
    let mut rope = Text::from(text.as_str());
    let mut offsets = (0..).map(|index: usize| index.wrapping_mul(48_271) % LEN);
    compare(
        report,
        "apply: a single-character insert or delete at random in 100k",
        ratio::APPLY,
        Contender::repeated("Concord, `Text`", CALLS, || {
            let at = offsets.next().expect("no end");
            let there = Operation::splice(LEN, at, 0, "x").expect("fits");
            // Elsewhere, so that one does not take the other back before it has reached the rope.
            let back = Operation::splice(LEN + 1, (at + LEN / 2) % LEN, 1, "").expect("fits");
            rope.apply(&there).expect("spans it");
            rope.apply(&back).expect("spans it");
        })
        .of(2),
        #[cfg(feature = "peers")]
        crate::peers::pair::apply(&ours, &text, 50),
    );
}

/// `components` components over a document, those of another `phase` elsewhere.
fn scattered(components: usize, base_len: usize, phase: usize) -> Operation {
    let stride = base_len / components * 2;
    let mut builder = Operation::builder().retain(phase);
    let mut left = base_len - phase;
    let mut index = 0;
    while left > stride {
        builder = if index % 3 == 2 {
            left -= 1;
            builder.delete(1)
        } else {
            builder.insert("x")
        };
        builder = builder.retain(stride - 1);
        left -= stride - 1;
        index += 1;
    }
    builder.retain(left).build().expect("fits")
}

fn large(report: &mut Report, components: usize) {
    let base_len = components * 20;
    let (ours, theirs) = (scattered(components, base_len, 3), scattered(components, base_len, 11));
    let next = scattered(components, ours.target_len(), 7);
    let walked = ours.component_count() + theirs.component_count();
    let calls = u32::try_from((200_000 / components).max(1)).expect("small");
    let (transform_max, compose_max) = ratio::large(components);
    compare(
        report,
        &format!("transform: {components} by {components} components"),
        transform_max,
        Contender::repeated("Concord", calls, || transform(black_box(&ours), black_box(&theirs)))
            .of(walked),
        #[cfg(feature = "peers")]
        crate::peers::pair::transform(&ours, &theirs, calls).of(walked),
    );
    compare(
        report,
        &format!("compose: {components} by {components} components"),
        compose_max,
        Contender::repeated("Concord", calls, || black_box(&ours).compose(black_box(&next)))
            .of(walked),
        #[cfg(feature = "peers")]
        crate::peers::pair::compose(&ours, &next, calls).of(walked),
    );
}
