//! What a store keeps of the chats beside documents.
//!
//! A chat has two counts: *numbers*, the order of its messages, and *changes*, which grow with each
//! message that is sent, edited or deleted. Both are without gaps, whoever adds from whichever
//! server; a message carries its last change, so that what has changed behind one can be asked for.

use collab_protocol::{ChatMention, ChatMessage, ChatReference, DocumentId, MessageId, UserId};

/// A message, with the last change of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatEntry {
    /// The message as everybody sees it.
    pub message: ChatMessage,
    /// Its last change; changes of a chat are counted 1, 2, 3…
    pub change: u64,
}

/// A message to be added to a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChatMessage {
    /// The document whose chat it is.
    pub document: DocumentId,
    /// The id that its author's client gave it.
    pub id: MessageId,
    /// Whose it is.
    pub author: UserId,
    /// The version of the document's rights that it was accepted under.
    pub rights_version: u64,
    /// When it is sent.
    pub time_ms: i64,
    /// What it says.
    pub text: String,
    /// Whom it names.
    pub mentions: Vec<ChatMention>,
    /// What it is about.
    pub reference: Option<ChatReference>,
}

/// A change of a message that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatChange {
    /// The document whose chat it is.
    pub document: DocumentId,
    /// Which message.
    pub id: MessageId,
    /// Whose message it has to be; `None` for anybody's.
    pub author: Option<UserId>,
    /// The version of the document's rights that it was accepted under.
    pub rights_version: u64,
    /// When it is made.
    pub time_ms: i64,
    /// What becomes of the message.
    pub becomes: ChatBecomes,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatBecomes {
    /// It says this from now on. One that says so already stays as it is.
    Edited {
        /// What it says.
        text: String,
        /// Whom it names.
        mentions: Vec<ChatMention>,
    },
    /// It says nothing any more, and keeps its place. One that is deleted stays as it is.
    Deleted,
}

/// What came of adding or changing a message. Nothing was written unless it is done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatOutcome {
    /// It is durable now: the message as it is.
    Done(ChatEntry),
    /// It was done before: the message as it is.
    Before(ChatEntry),
    /// The rights are of another version.
    OtherRights,
    /// The document is deleted.
    DocumentDeleted,
    /// The id is that of another message.
    IdReuse,
    /// There is no such message.
    NoMessage,
    /// The message is somebody else's.
    NotYours,
    /// The message was deleted and takes no text.
    MessageDeleted,
}

/// Where a chat ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatHead {
    /// Its last message; 0 for none.
    pub number: u64,
    /// Its last change; 0 for none.
    pub change: u64,
}

/// Messages of a chat at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatExtract {
    /// Where the chat ends.
    pub head: ChatHead,
    /// The messages.
    pub entries: Vec<ChatEntry>,
}

/// Which messages of a chat are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatRange {
    /// The latest; given by number.
    Latest,
    /// The latest with lower numbers than this; given by number.
    Before(u64),
    /// Those that changed behind this change, earliest change first; given by change.
    Since(u64),
}

/// How far a person has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatProgress {
    /// The last message that they have read; 0 for none.
    pub number: u64,
    /// How many of others' messages that are not deleted lie behind it, at most
    /// [`ChatProgress::UNREAD_MAX`].
    pub unread: u32,
}

impl ChatProgress {
    /// Where counting what is unread ends.
    pub const UNREAD_MAX: u32 = 1_000;
}

impl NewChatMessage {
    /// What tells a message that is sent again from another one under its id.
    pub(super) fn hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        };
        part(self.author.as_str().as_bytes());
        part(self.text.as_bytes());
        part(mentions_json(&self.mentions).as_bytes());
        if let Some(ChatReference { rev, start, end }) = self.reference {
            part(format!("{rev} {start} {end}").as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    /// The entry that it becomes behind `head`.
    pub(super) fn entry(self, head: ChatHead) -> ChatEntry {
        let message = ChatMessage {
            number: head.number + 1,
            id: self.id,
            user: self.author,
            time_ms: self.time_ms,
            text: self.text,
            mentions: self.mentions,
            reference: self.reference,
            edited_ms: None,
            deleted_ms: None,
        };
        ChatEntry { message, change: head.change + 1 }
    }

    /// What comes of sending it where a message with its id is there, with `sent_hash`.
    pub(super) fn met(&self, entry: ChatEntry, sent_hash: &[u8]) -> ChatOutcome {
        let is_same = sent_hash == self.hash()
            || entry.message.deleted_ms.is_some() && entry.message.user == self.author;
        if is_same { ChatOutcome::Before(entry) } else { ChatOutcome::IdReuse }
    }
}

impl ChatChange {
    /// The entry that a message becomes as change `change`, or why it does not.
    pub(super) fn applied(
        &self,
        entry: ChatEntry,
        change: u64,
    ) -> Result<ChatEntry, Box<ChatOutcome>> {
        if self.author.as_ref().is_some_and(|author| *author != entry.message.user) {
            return Err(ChatOutcome::NotYours.into());
        }
        let is_deleted = entry.message.deleted_ms.is_some();
        let mut next = entry.message.clone();
        match &self.becomes {
            ChatBecomes::Deleted if is_deleted => return Err(ChatOutcome::Before(entry).into()),
            ChatBecomes::Deleted => {
                (next.text, next.mentions, next.reference) = (String::new(), Vec::new(), None);
                (next.edited_ms, next.deleted_ms) = (None, Some(self.time_ms));
            }
            ChatBecomes::Edited { .. } if is_deleted => {
                return Err(ChatOutcome::MessageDeleted.into());
            }
            ChatBecomes::Edited { text, mentions } => {
                if next.text == *text && next.mentions == *mentions {
                    return Err(ChatOutcome::Before(entry).into());
                }
                (next.text, next.mentions) = (text.clone(), mentions.clone());
                next.edited_ms = Some(self.time_ms);
            }
        }
        Ok(ChatEntry { message: next, change })
    }

    /// The text that would be stored.
    pub(super) fn text(&self) -> &str {
        match &self.becomes {
            ChatBecomes::Edited { text, .. } => text,
            ChatBecomes::Deleted => "",
        }
    }
}

/// Mentions as they are stored.
pub(super) fn mentions_json(mentions: &[ChatMention]) -> String {
    serde_json::to_string(mentions).expect("ids and numbers are JSON")
}
