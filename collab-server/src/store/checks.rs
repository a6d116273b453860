//! What every store refuses, whatever the database: texts it could not hold everywhere, and logs
//! that contradict themselves.

use collab_protocol::DocumentId;
use ot_core::Revision;

use super::StoreError;
use super::chain::ChainHash;
use super::record::{DocumentRecord, LoggedOperation, Snapshot};
use crate::revision::later;

/// Refuses a NUL, which PostgreSQL cannot hold in text.
pub(super) fn check_text(text: &str) -> Result<(), StoreError> {
    if text.contains('\0') {
        return Err(StoreError::Invalid { reason: "it has a NUL" });
    }
    Ok(())
}

/// Checks that a snapshot and the operations behind it lead to the head without a gap, and that
/// the chain holds along them.
pub(crate) fn check_loaded(
    record: &DocumentRecord,
    snapshot: Option<&Snapshot>,
    tail: &[LoggedOperation],
) -> Result<(), StoreError> {
    let corrupt = |reason| StoreError::Corrupt { document: record.id, reason };
    let (start, mut chain) = snapshot
        .map_or((Revision::ZERO, ChainHash::START), |snapshot| (snapshot.revision, snapshot.chain));
    if start > record.revision {
        let head = record.revision;
        return Err(corrupt(format!("snapshot at revision {start} is ahead of the log at {head}")));
    }
    check_dense(record.id, start, tail)?;
    let end = later(start, tail.len());
    if end != record.revision {
        return Err(corrupt(format!("log ends at {end}, the head is {}", record.revision)));
    }
    for logged in tail {
        chain = logged.check_chain(record.id, &record.text_key, chain).map_err(corrupt)?;
    }
    if chain != record.chain {
        return Err(corrupt(format!("chain at the head {} is another one", record.revision)));
    }
    Ok(())
}

/// Checks that operations lead away from `after` without a gap.
pub(super) fn check_dense(
    document: DocumentId,
    after: Revision,
    operations: &[LoggedOperation],
) -> Result<(), StoreError> {
    for (index, logged) in operations.iter().enumerate() {
        let expected = later(after, index + 1);
        if logged.revision != expected {
            let reason = format!("log has revision {} in place of {expected}", logged.revision);
            return Err(StoreError::Corrupt { document, reason });
        }
    }
    Ok(())
}
