//! `diamond-types`, as the registry has it: version 1.0 of 2022.

use diamond_types::list::encoding::ENCODE_FULL;
use diamond_types::list::{Branch, ListCRDT, OpLog};

use crate::histories::{Edit, History};
use crate::measure::Contender;
use crate::merge::Apart;

const NAME: &str = "diamond-types 1.0";

pub(super) fn apply(history: &History) -> Contender<'_> {
    Contender::new(
        format!("{NAME}, log and text"),
        || document(history),
        |document| write(document, history),
        |document, ()| assert_eq!(document.branch.content().to_string(), history.end),
    )
    .of(history.edits.len())
}

fn document(history: &History) -> ListCRDT {
    let mut document = ListCRDT::new();
    if !history.start.is_empty() {
        let agent = document.get_or_create_agent_id("base");
        document.insert(agent, 0, &history.start);
    }
    document
}

fn write(document: &mut ListCRDT, history: &History) {
    let agent = document.get_or_create_agent_id("one");
    for edit in &history.edits {
        if edit.deleted > 0 {
            document.delete_without_content(agent, edit.at..edit.at + edit.deleted);
        }
        if !edit.inserted.is_empty() {
            document.insert(agent, edit.at, &edit.inserted);
        }
    }
}

/// The bytes of a whole history.
pub(super) fn saved(history: &History) -> Vec<u8> {
    let mut document = document(history);
    write(&mut document, history);
    document.oplog.encode(ENCODE_FULL)
}

/// From those bytes to the text.
pub(super) fn loaded(bytes: &[u8]) -> String {
    ListCRDT::load_from(bytes).expect("its own bytes").branch.content().to_string()
}

/// Both sides in one log, and what each ends with.
struct Logs {
    log: OpLog,
    base: usize,
    other: usize,
}

fn logs(apart: &Apart) -> Logs {
    let mut log = OpLog::new();
    let base = log.get_or_create_agent_id("base");
    let base = log.add_insert_at(base, &[], 0, &apart.base);
    let mut side = |name: &str, edits: &[Edit]| {
        let agent = log.get_or_create_agent_id(name);
        let mut at = base;
        for edit in edits {
            if edit.deleted > 0 {
                at = log.add_delete_at(agent, &[at], edit.at..edit.at + edit.deleted);
            }
            if !edit.inserted.is_empty() {
                at = log.add_insert_at(agent, &[at], edit.at, &edit.inserted);
            }
        }
        at
    };
    side("one", &apart.one.edits);
    let other = side("other", &apart.other.edits);
    Logs { log, base, other }
}

pub(super) fn known(apart: &Apart) -> Contender<'_> {
    let Logs { log, base, .. } = logs(apart);
    let begun = Branch::new_at_local_version(&log, &[base]);
    merged(apart, log, begun)
}

pub(super) fn live(apart: &Apart) -> Contender<'_> {
    let Logs { log, other, .. } = logs(apart);
    let begun = Branch::new_at_local_version(&log, &[other]);
    merged(apart, log, begun)
}

fn merged<'a>(apart: &'a Apart, log: OpLog, begun: Branch) -> Contender<'a> {
    let tip = log.local_version();
    Contender::new(
        NAME,
        move || begun.clone(),
        move |branch| branch.merge(&log, &tip),
        |branch, ()| assert_eq!(branch.len(), apart.merged.chars().count()),
    )
}
