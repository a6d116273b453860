//! The planted bugs, by name: each must be found.

use crate::sabotage::{Bug, plant};

/// A bug that can be planted.
#[derive(Clone, Copy, Debug)]
pub struct Planted {
    /// What is wrong.
    pub name: &'static str,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Server(Bug),
    Client(ot_core::testing::Bug),
}

impl Planted {
    /// Plants it in this thread, in place of any other.
    pub fn plant(self) {
        match self.place {
            Place::Server(bug) => plant(Some(bug)),
            Place::Client(bug) => ot_core::testing::plant(Some(bug)),
        }
    }

    /// Takes every bug out of this thread.
    pub fn clear() {
        plant(None);
        ot_core::testing::plant(None);
    }
}

const fn server(name: &'static str, bug: Bug) -> Planted {
    Planted { name, place: Place::Server(bug) }
}

const fn client(name: &'static str, bug: ot_core::testing::Bug) -> Planted {
    Planted { name, place: Place::Client(bug) }
}

/// All of them.
pub const PLANTED: [Planted; 36] = [
    server("ack before it is durable", Bug::AckBeforePersist),
    server("shown before it is durable", Bug::PublishBeforePersist),
    server("resends are not recognised", Bug::NoDedupe),
    server("an unknown outcome is taken as done", Bug::NoReadAfterUnknown),
    server("a lost race is taken as done", Bug::ConflictTakenAsDone),
    server("the fence knows only the log's length", Bug::FenceByLength),
    server("what follows a failed append is kept", Bug::SecondBatchKept),
    server("what was rebased is rebased again", Bug::RebasedAgain),
    server("what cannot be loaded is empty", Bug::LoadFaultIsEmpty),
    server("the second to join gets an empty text", Bug::SecondJoinerEmpty),
    server("a late unload takes the successor out", Bug::LateUnload),
    server("other servers are heard after loading only", Bug::SubscribeAfterLoad),
    server("gaps in what others say stay", Bug::NoGapFetch),
    server("the log is never looked at unasked", Bug::NoHeadPoll),
    server("who heard more gets an older text", Bug::AheadGetsOldText),
    server("a snapshot is off by one", Bug::SnapshotOffByOne),
    server("UTF-16 is taken for characters", Bug::Utf16AsChars),
    server("acks are sent ahead of the stream", Bug::AckAheadOfStream),
    server("history is composed over one's own", Bug::ComposeOverOwn),
    server("composed history has inserts first", Bug::InsertBeforeDelete),
    server("text is sent to who has pending edits", Bug::TextToPending),
    server("who is behind the ring misses a part", Bug::RingGap),
    server("a wake is lost", Bug::LostWake),
    server("a wake is lost behind an unknown outcome", Bug::LostWakeAfterUnknown),
    server("who was refused is never forgotten", Bug::RefusedStays),
    server("what does not fit gets no answer", Bug::SilentRefusal),
    server("selections do not move", Bug::StaleSelections),
    server("a lookalike is told as one's own", Bug::PublishesLookalike),
    server("the right is checked when the session joined only", Bug::RightsOfTheJoin),
    server("the fence knows no rights", Bug::FenceWithoutRights),
    client("what is in flight grows", ot_core::testing::Bug::ComposeIntoInFlight),
    client("a resend is rebased", ot_core::testing::Bug::ResendRebased),
    client("ties go to who arrives first", ot_core::testing::Bug::TiesByArrival),
    client("history is dropped while edits pend", ot_core::testing::Bug::DropWhileCatchingUp),
    client("a refusal takes later edits along", ot_core::testing::Bug::ForgetBufferOnReject),
    client("undo does not follow others", ot_core::testing::Bug::StaleUndo),
];

/// Those of chats and notifications, for their own worlds.
pub const PLANTED_IN_TALK: [Planted; 10] = [
    server("a message sent again is another one", Bug::ChatNoDedupe),
    server("a message is acknowledged whatever became of it", Bug::ChatAckBeforePersist),
    server("what is missing of a chat is skipped", Bug::ChatGapSkipped),
    server("who missed much of a chat gets the beginning", Bug::ChatMissedCut),
    server("what may have been stored is not looked for", Bug::ChatDoubtForgotten),
    server("a read mark is shown to one device", Bug::ChatMarkToOne),
    server("read marks of other servers are not looked for", Bug::ChatMarksNotRead),
    server("a mention is told with each resend", Bug::MentionToldAgain),
    server("a mention is told with the first attempt only", Bug::MentionToldOnce),
    server("who sees their message does not ask on", Bug::ChatSeenIsAcked),
];
