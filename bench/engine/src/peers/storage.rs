//! What a whole history weighs in each engine's own form, and how long the text takes to come out of it.

use std::path::Path;

use collab_server::PackedPage;
use ot_core::{Revision, Text};

use super::{automerge, diamond, loro, yrs};
use crate::histories::{History, histories};
use crate::logged::{Recorded, automerge_paper, typing};
use crate::measure::Contender;
use crate::report::{Report, Target, Unit};

const ROUNDS: usize = 15;

/// Operations in one page, as the server packs old history.
const PAGE_LEN: usize = 1 << 16;

/// Beside diamond-types, the smallest of the peers: of its bytes, and of its time.
const BYTES_MAX: f64 = 85.0 / 106.242;
const TIME_MAX: f64 = 2.0 / 2.4;

pub(crate) fn section(report: &mut Report, traces: Option<&Path>) {
    let history = histories(traces).swap_remove(0);
    let recorded = match traces {
        Some(folder) => automerge_paper(folder),
        None => typing(history.edits.len()),
    };
    assert_eq!(recorded.end, history.end, "{} is the same history", recorded.name);
    let pages = pages(&recorded);
    let forms: [Form; 4] = [
        ("diamond-types 1.0", diamond::saved, diamond::loaded),
        ("automerge", automerge::saved, automerge::loaded),
        ("yrs, format 2", yrs::saved, yrs::loaded),
        ("loro, snapshot", loro::saved, loro::loaded),
    ];
    let saved: Vec<Vec<u8>> = forms.iter().map(|(_, save, _)| save(&history)).collect();
    let mut sizes = vec![("Concord, packed pages", pages.iter().map(Vec::len).sum::<usize>())];
    let mut contenders = vec![Contender::new(
        "Concord, packed pages with who and when of each revision",
        || (),
        |()| replayed(&pages).contents(),
        |(), text| assert_eq!(text, history.end),
    )];
    for ((name, _, load), bytes) in forms.into_iter().zip(&saved) {
        sizes.push((name, bytes.len()));
        let check = |(), text: String| assert_eq!(text, history.end);
        let contender = Contender::new(name, || (), move |()| load(bytes), check);
        contenders.push(if name == "automerge" { contender.rounds(3) } else { contender });
    }
    println!(
        "\n**{}: bytes of {} revisions**\n\n| | bytes | × text |\n|---|---|---|",
        history.name,
        history.edits.len()
    );
    for (name, bytes) in &sizes {
        println!("| {name} | {bytes} | {:.2} |", *bytes as f64 / history.end.len() as f64);
    }
    println!("| the text alone | {} | 1.00 |", history.end.len());
    let title = format!("{}: bytes to text", history.name);
    let taken = report.compare(&title, Unit::Milliseconds, ROUNDS, contenders);
    let mut target = |what: &str, theirs, ours, unit, ratio_max| {
        let (what, peer) = (format!("{}: {what}", history.name), "diamond-types 1.0".to_owned());
        report.target(Target { what, peer, theirs, ours, unit, ratio_max });
    };
    target("stored history", sizes[1].1 as f64, sizes[0].1 as f64, Unit::Bytes, BYTES_MAX);
    target("bytes to text", taken[1].median, taken[0].median, Unit::Milliseconds, TIME_MAX);
}

/// A name, a history to bytes, bytes to the text.
type Form = (&'static str, fn(&History) -> Vec<u8>, fn(&[u8]) -> String);

fn pages(recorded: &Recorded) -> Vec<Vec<u8>> {
    let encode =
        |chunk: &[_]| PackedPage::encode(chunk).expect("operations that follow each other");
    recorded.operations.chunks(PAGE_LEN).map(encode).collect()
}

fn replayed(pages: &[Vec<u8>]) -> Text {
    let mut text = Text::new();
    for page in pages {
        let page = PackedPage::open(page).expect("a page");
        page.replay(&mut text, Revision::MAX).expect("replays");
    }
    text
}
