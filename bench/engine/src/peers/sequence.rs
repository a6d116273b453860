//! `operational-transform`: the port of ot.js.

use jumprope::JumpRope;
use operational_transform::{Operation, OperationSeq};
use ot_core::Component;

/// One edit as an operation of the crate.
pub(super) fn splice(len: usize, at: usize, deleted: usize, inserted: &str) -> OperationSeq {
    let mut made = OperationSeq::default();
    made.retain(at as u64);
    made.insert(inserted);
    made.delete(deleted as u64);
    made.retain((len - at - deleted) as u64);
    made
}

/// The same operation as ours.
pub(super) fn same_as(operation: &ot_core::Operation) -> OperationSeq {
    let mut made = OperationSeq::with_capacity(operation.component_count());
    for component in operation.components() {
        match component {
            Component::Retain(len) => made.retain(len as u64),
            Component::Insert(text) => made.insert(text),
            Component::Delete(len) => made.delete(len as u64),
        }
    }
    made
}

/// Edits a rope as the operation says.
pub(super) fn apply_to_rope(operation: &OperationSeq, rope: &mut JumpRope) {
    let mut at = 0;
    for step in operation.ops() {
        match step {
            Operation::Retain(len) => at += *len as usize,
            Operation::Delete(len) => rope.remove(at..at + *len as usize),
            Operation::Insert(text) => {
                rope.insert(at, text);
                at += text.chars().count();
            }
        }
    }
}

/// One operation for many.
pub(super) fn composed(operations: &[OperationSeq]) -> OperationSeq {
    match operations {
        [] => OperationSeq::default(),
        [one] => one.clone(),
        many => {
            let (first, second) = many.split_at(many.len() / 2);
            composed(first).compose(&composed(second)).expect("each follows the last")
        }
    }
}
