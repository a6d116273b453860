//! The limits of a document, each with its unit.

use std::time::Duration;

/// What a document allows and when it acts. The defaults are those of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentConfig {
    /// Text inserted by one operation, in UTF-8 bytes.
    pub text_bytes_max: usize,
    /// Components of one operation.
    pub components_max: usize,
    /// A document's text, in UTF-8 bytes. A full document still takes what does not make it larger.
    pub document_bytes_max: usize,
    /// Selected ranges of one session.
    pub ranges_max: usize,
    /// Messages waiting in a document's mailbox; a full one answers `overloaded`.
    pub mailbox_len: usize,
    /// Live sessions of one document; one more is refused as `overloaded`.
    pub sessions_max: usize,
    /// Submissions committed by one append; the rest go with the next.
    pub batch_len_max: usize,
    /// Submissions a document holds that are not yet durable; one more is answered `overloaded`.
    pub pending_max: usize,
    /// Committed operations kept encoded for the sessions' writers.
    pub ring_len: usize,
    /// The size of those, in bytes of JSON; beyond it the oldest go early.
    pub ring_bytes_max: usize,
    /// Rejects and late acks that a session has not yet pulled; a session with more is ended.
    pub answers_max: usize,
    /// Revisions from one snapshot to the next.
    pub snapshot_every: u64,
    /// How long a document without sessions stays loaded.
    pub idle_timeout: Duration,
    /// The text's hash is sent when nothing was committed for this long,
    pub check_quiet: Duration,
    /// and while edits keep coming, not more often than this.
    pub check_interval: Duration,
    /// Presence is sent at once, then not more often than this.
    pub presence_interval: Duration,
    /// How long the people of another server are shown after it was last heard of. It tells a sign of
    /// life three times as often.
    pub presence_lease: Duration,
    /// Frames a second (wakes times receivers) past which the writers are woken with pauses, so
    /// that one frame carries several operations.
    pub deliveries_per_s_unpaced: u32,
    /// The longest such pause.
    pub pace_max: Duration,
    /// How soon a client is told to send again what could not be stored.
    pub retry: Duration,
    /// How often a document looks where it stands, while other servers say what they commit to it.
    /// That may get lost; this bounds how long it goes unnoticed.
    pub poll_interval: Duration,
    /// How often while they do not, or cannot be heard.
    pub poll_interval_alone: Duration,
    /// Catch-ups from the store that run at the same time, over all documents.
    pub catch_ups_max: usize,
}

impl Default for DocumentConfig {
    fn default() -> Self {
        DocumentConfig {
            text_bytes_max: 32 << 10,
            components_max: 1_000,
            document_bytes_max: 4 << 20,
            ranges_max: 16,
            mailbox_len: 1_024,
            sessions_max: 2_000,
            batch_len_max: 256,
            pending_max: 2_048,
            ring_len: 1_024,
            ring_bytes_max: 8 << 20,
            answers_max: 256,
            snapshot_every: 1_000,
            idle_timeout: Duration::from_secs(60),
            check_quiet: Duration::from_millis(500),
            check_interval: Duration::from_secs(1),
            presence_interval: Duration::from_millis(50),
            presence_lease: Duration::from_secs(12),
            deliveries_per_s_unpaced: 20_000,
            pace_max: Duration::from_millis(30),
            retry: Duration::from_millis(500),
            poll_interval: Duration::from_secs(1),
            poll_interval_alone: Duration::from_millis(250),
            catch_ups_max: 8,
        }
    }
}
