//! One edit as a client offered it, kept as it came until it is durable.

use std::fmt;
use std::sync::Arc;

use ot_core::{ClientSeq, Operation, Ranges, Revision};

/// What a submission said, as a hash: a resend has the same one, another edit under the same
/// number has another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SubmissionHash(u64);

impl SubmissionHash {
    /// The hash with this value.
    #[must_use]
    pub const fn new(value: u64) -> Self {
        SubmissionHash(value)
    }

    /// The hash's value.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    fn of(base: Revision, operation: &Operation) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&base.get().to_le_bytes());
        hasher.update(&operation.to_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        SubmissionHash(u64::from_le_bytes(first))
    }
}

impl fmt::Debug for SubmissionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubmissionHash({:016x})", self.0)
    }
}

/// One edit as a client offered it. It is never changed: each time it is rebased, the original is.
#[derive(Clone, Debug)]
pub struct Submission {
    seq: ClientSeq,
    base: Revision,
    operation: Arc<Operation>,
    ranges: Option<Ranges>,
    hash: SubmissionHash,
    origin: SubmissionOrigin,
}

/// Who made a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubmissionOrigin {
    /// A session: the limits on one operation bind it.
    Session,
    /// The server, from what is in the log already: only the document's limits bind it.
    Server,
}

impl Submission {
    /// The submission numbered `seq`, made on revision `base`, that leaves the selection `ranges`
    /// (offsets in the text behind the operation).
    #[must_use]
    pub fn new(
        seq: ClientSeq,
        base: Revision,
        operation: Operation,
        ranges: Option<Ranges>,
    ) -> Self {
        let hash = SubmissionHash::of(base, &operation);
        let origin = SubmissionOrigin::Session;
        Submission { seq, base, operation: Arc::new(operation), ranges, hash, origin }
    }

    /// The same, made by the server.
    #[must_use]
    pub(crate) fn by_server(mut self) -> Self {
        self.origin = SubmissionOrigin::Server;
        self
    }

    /// Who made it.
    pub(crate) fn origin(&self) -> SubmissionOrigin {
        self.origin
    }

    /// The client's number for it.
    #[must_use]
    pub fn seq(&self) -> ClientSeq {
        self.seq
    }

    /// The revision it was made on.
    #[must_use]
    pub fn base(&self) -> Revision {
        self.base
    }

    /// The operation as it came.
    #[must_use]
    pub fn operation(&self) -> &Arc<Operation> {
        &self.operation
    }

    /// The selection behind it, in the text that the operation leaves.
    #[must_use]
    pub fn ranges(&self) -> Option<&Ranges> {
        self.ranges.as_ref()
    }

    /// What it says, as a hash.
    #[must_use]
    pub fn hash(&self) -> SubmissionHash {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use ot_core::Selection;

    use super::*;

    #[test]
    fn only_base_and_operation_make_the_hash() {
        let submission = |base, text: &str, ranges| {
            let operation = Operation::splice(3, 1, 0, text).expect("fits");
            Submission::new(ClientSeq::new(1), Revision::new(base), operation, ranges).hash()
        };
        let caret = Some(Ranges::one(Selection::caret(1)));
        assert_eq!(submission(1, "a", None), submission(1, "a", caret));
        assert_ne!(submission(1, "a", None), submission(2, "a", None));
        assert_ne!(submission(1, "a", None), submission(1, "b", None));
    }
}
