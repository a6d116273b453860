//! Planted bugs, for the simulation to find: a test of the test.
//!
//! Only programs built with the feature `simulation` know them, and even there none is planted
//! until a test asks. In every other program [`is_planted`] is the constant `false`.

/// A bug that can be planted in the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "simulation"), allow(dead_code, reason = "planted by the simulation"))]
pub(crate) enum Bug {
    /// A submission is acknowledged when it is decided.
    AckBeforePersist,
    /// An operation is shown to everybody when it is decided.
    PublishBeforePersist,
    /// Nobody looks whether a submission was committed before.
    NoDedupe,
    /// An append whose outcome is unknown is taken as done.
    NoReadAfterUnknown,
    /// An append that lost the race for the head is taken as done.
    ConflictTakenAsDone,
    /// The fence looks at how long the log is, and not at what it holds.
    FenceByLength,
    /// What is in flight behind a failed append is taken at its word.
    SecondBatchKept,
    /// After a lost race what was rebased once is rebased again, in place of the original.
    RebasedAgain,
    /// A document that cannot be loaded is opened empty.
    LoadFaultIsEmpty,
    /// Who comes second is given an empty text.
    SecondJoinerEmpty,
    /// A document that ends late takes its successor out of the registry.
    LateUnload,
    /// Other servers are listened to only once the document is loaded.
    SubscribeAfterLoad,
    /// A gap in what other servers say is not filled.
    NoGapFetch,
    /// The log is never looked at unasked.
    NoHeadPoll,
    /// A client that heard more than this server is given its older text.
    AheadGetsOldText,
    /// A snapshot names the revision before its text's.
    SnapshotOffByOne,
    /// Lengths are counted in UTF-16.
    Utf16AsChars,
    /// An acknowledgement is sent at once, ahead of the stream.
    AckAheadOfStream,
    /// Composed history covers the receiver's own operations too.
    ComposeOverOwn,
    /// Composed history has inserts in front of the deletes that they touch.
    InsertBeforeDelete,
    /// A client that goes on from what it holds is given the text.
    TextToPending,
    /// A reader that fell behind the ring goes on where the ring begins.
    RingGap,
    /// Now and then nobody is told that there is something to read.
    LostWake,
    /// After an append of unknown outcome nobody is told of what is committed next.
    LostWakeAfterUnknown,
    /// Selections stay where they were when the text before them changes.
    StaleSelections,
    /// A client that was refused is never forgotten.
    RefusedStays,
    /// Who sends what does not fit gets no answer.
    SilentRefusal,
    /// Whether somebody may write is asked when they join, and not when they write.
    RightsOfTheJoin,
    /// The fence does not look at the rights under which an edit was accepted.
    FenceWithoutRights,
    /// What another server committed in place of an own operation is published as the own one.
    PublishesLookalike,
    /// A message that is sent again is added again.
    ChatNoDedupe,
    /// A message is acknowledged whatever has become of it.
    ChatAckBeforePersist,
    /// What another server has said is shown though something before it is missing.
    ChatGapSkipped,
    /// Who was away for long is given only the first of what changed.
    ChatMissedCut,
    /// What may have been stored for all that the store says is not looked for.
    ChatDoubtForgotten,
    /// A person's read mark is shown to one of their devices.
    ChatMarkToOne,
    /// What other servers were told of who has read what is never looked for.
    ChatMarksNotRead,
    /// A mention is told anew with each resend.
    MentionToldAgain,
    /// A mention is not told when a message is sent again.
    MentionToldOnce,
    /// A client that sees its message in the chat does not wait for the ack.
    ChatSeenIsAcked,
}

#[cfg(feature = "simulation")]
mod switch {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
        static IS_ARMED: Cell<bool> = const { Cell::new(false) };
    }

    pub(crate) fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
        disarm();
    }

    pub(crate) fn is_planted(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    pub(crate) fn arm(bug: Bug) {
        if is_planted(bug) {
            IS_ARMED.set(true);
        }
    }

    pub(crate) fn disarm() {
        IS_ARMED.set(false);
    }

    pub(crate) fn strikes(bug: Bug) -> bool {
        is_planted(bug) && IS_ARMED.take()
    }
}

#[cfg(feature = "simulation")]
pub(crate) use switch::{arm, disarm, is_planted, plant, strikes};

/// What the bug waits for has happened: it strikes once, the next time that it may.
#[cfg(not(feature = "simulation"))]
pub(crate) const fn arm(_: Bug) {}

/// Whether the bug is there, was armed, and strikes now.
#[cfg(not(feature = "simulation"))]
pub(crate) const fn strikes(_: Bug) -> bool {
    false
}

/// Whether the bug is there.
#[cfg(not(feature = "simulation"))]
pub(crate) const fn is_planted(_: Bug) -> bool {
    false
}
