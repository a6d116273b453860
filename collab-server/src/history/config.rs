//! The limits of history, each with its unit.

/// What looking back may cost.
#[derive(Clone, Debug)]
pub(crate) struct HistoryConfig {
    /// Looks into the past that run at the same time: each may use a processor.
    pub(crate) jobs_max: usize,
    /// Those that wait for one of these; one more is answered `overloaded`.
    pub(crate) waiting_max: usize,
    /// Texts and authorships kept of all documents, in bytes; beyond it those least lately used go.
    pub(crate) kept_bytes_max: usize,
    /// Those kept of one document, texts and authorships each, in bytes; beyond it every second
    /// one goes.
    pub(crate) document_bytes_max: usize,
    /// Revisions from one text that is kept in passing to the next.
    pub(crate) text_every: u64,
    /// Revisions from one authorship that is kept in passing to the next.
    pub(crate) spans_every: u64,
    /// Runs of one answer about authorship.
    pub(crate) runs_max: usize,
}

impl Default for HistoryConfig {
    fn default() -> Self {
        HistoryConfig {
            jobs_max: 2,
            waiting_max: 64,
            kept_bytes_max: 128 << 20,
            document_bytes_max: 16 << 20,
            text_every: 4_096,
            spans_every: 8_192,
            runs_max: 20_000,
        }
    }
}
