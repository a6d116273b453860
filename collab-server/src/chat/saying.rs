//! What is said in a chat: checked, stored, and then told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use collab_protocol::{
    CHAT_MENTIONS_MAX, CHAT_TEXT_CHARS_MAX, ChannelId, ChatAck, ChatCode, ChatDelete, ChatEdit,
    ChatMention, ChatPerson, ChatReference, ChatSend, DocumentId, MessageId, Role, ServerMessage,
    UserId,
};

use super::room::{ChatNews, Room};
use super::{code, named, unavailable};
use crate::app::{App, permit};
use crate::auth::Identity;
use crate::desk::Desk;
use crate::metrics::Limit;
use crate::notifications;
use crate::people::Profile;
use crate::rights::{Action, allows};
use crate::sabotage::{self, Bug};
use crate::store::{
    ChatBecomes, ChatChange, ChatEntry, ChatOutcome, ChatProgress, NewChatMessage, StoreError,
};

/// How often something is tried under rights that have changed meanwhile.
const RIGHTS_ATTEMPTS_MAX: usize = 4;

/// A version that no rights have: under it nothing new is written, and what was is found.
const NO_RIGHTS: u64 = u64::MAX;

/// Something that is to be stored.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Send(ChatSend),
    Edit(ChatEdit),
    Delete(ChatDelete),
}

impl Asked {
    pub(crate) fn id(&self) -> MessageId {
        match self {
            Asked::Send(send) => send.id,
            Asked::Edit(edit) => edit.id,
            Asked::Delete(delete) => delete.id,
        }
    }

    fn action(&self) -> Action {
        match self {
            Asked::Send(_) => Action::ChatSend,
            Asked::Edit(_) => Action::ChatEdit,
            Asked::Delete(_) => Action::ChatDelete,
        }
    }

    /// Whether it has the form that a message has.
    fn check(&self) -> Result<(), ChatCode> {
        match self {
            Asked::Send(send) => {
                check_text(&send.text, &send.mentions)?;
                send.reference.map_or(Ok(()), check_stretch)
            }
            Asked::Edit(edit) => check_text(&edit.text, &edit.mentions),
            Asked::Delete(_) => Ok(()),
        }
    }
}

fn check_text(text: &str, mentions: &[ChatMention]) -> Result<(), ChatCode> {
    let len = text.chars().count();
    if len > CHAT_TEXT_CHARS_MAX {
        return Err(ChatCode::TextTooLong);
    }
    if text.trim().is_empty() || text.contains(['\0', '\r']) {
        return Err(ChatCode::BadText);
    }
    let ends = mentions.iter().map(|mention| mention.start as usize..mention.end as usize);
    let mut at = 0;
    for span in ends {
        if span.is_empty() || span.start < at || span.end > len {
            return Err(ChatCode::BadMentions);
        }
        at = span.end;
    }
    if mentions.len() > CHAT_MENTIONS_MAX { Err(ChatCode::BadMentions) } else { Ok(()) }
}

fn check_stretch(reference: ChatReference) -> Result<(), ChatCode> {
    if reference.start < reference.end { Ok(()) } else { Err(ChatCode::BadRef) }
}

/// Takes a place for one more message of this person in this chat.
///
/// # Errors
/// How long until there is one.
pub(crate) fn take_place(
    app: &App,
    profile: &Profile,
    document: DocumentId,
) -> Result<(), Duration> {
    let identity = &profile.identity;
    let taken = app.chats.rates.take(&(identity.tenant.clone(), identity.user.clone(), document));
    taken.inspect_err(|_| app.metrics.limited(Limit::Chat))
}

/// From where something is said: a chat that is open, and the role that its person has there.
pub(crate) struct Place {
    pub(super) room: Arc<Room>,
    pub(super) ch: ChannelId,
    pub(super) role: Role,
    pub(super) rights_version: u64,
}

impl Place {
    pub(super) fn new(room: Arc<Room>, ch: ChannelId, role: Role) -> Self {
        let mut state = room.lock();
        state.hold();
        let rights_version = state.rights_version();
        drop(state);
        Place { room, ch, role, rights_version }
    }

    pub(crate) fn document(&self) -> DocumentId {
        self.room.document
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.lock().release();
        self.room.nudge.notify_one();
    }
}

/// Stores what is asked and tells everybody; the frame that answers. The work goes on when nobody
/// waits for it any more.
pub(crate) async fn say(
    app: Arc<App>,
    asked: Asked,
    place: Place,
    profile: Profile,
) -> Result<String, ChatCode> {
    let tasks = app.shutdown.tasks.clone();
    let person = named(&profile);
    let speaker = Speaker { identity: profile.identity, person };
    let said = tasks.spawn(async move { say_now(&*app, &asked, &place, &speaker).await });
    said.await.unwrap_or(Err(ChatCode::StorageUnavailable))
}

/// Who says something.
pub(crate) struct Speaker {
    pub(crate) identity: Identity,
    /// As the chat names them.
    pub(crate) person: ChatPerson,
}

/// The same, to its end.
pub(crate) async fn say_now(
    desk: &dyn Desk,
    asked: &Asked,
    place: &Place,
    speaker: &Speaker,
) -> Result<String, ChatCode> {
    asked.check()?;
    let document = place.document();
    if let Asked::Send(ChatSend { reference: Some(reference), .. }) = asked {
        let record = desk.store().document(document).await.map_err(unavailable)?;
        if reference.rev > record.revision.get() {
            return Err(ChatCode::BadRef);
        }
    }
    let began = Instant::now();
    let (mut role, mut version) = (place.role, place.rights_version);
    for _ in 0..RIGHTS_ATTEMPTS_MAX {
        // What is stored already is answered as that, whatever its author may do by now.
        let is_allowed = allows(role, asked.action());
        let under = (role, if is_allowed { version } else { NO_RIGHTS });
        let written = write(desk, asked, document, under, &speaker.identity.user).await;
        if written.is_err() && sabotage::is_planted(Bug::ChatAckBeforePersist) {
            let ack = ChatAck { ch: place.ch, id: asked.id(), number: 1, change: 1 };
            return Ok(ServerMessage::ChatAck(ack).to_json());
        }
        let outcome = written.map_err(|error| {
            if !sabotage::is_planted(Bug::ChatDoubtForgotten) {
                place.room.doubt();
            }
            unavailable(error)
        })?;
        match outcome {
            // Who asks again may do so because nobody was told.
            ChatOutcome::Before(entry) => {
                if !sabotage::is_planted(Bug::ChatDoubtForgotten) {
                    place.room.heard_of(entry.change);
                }
                if !sabotage::is_planted(Bug::MentionToldOnce) {
                    notify(desk, &entry, place).await?;
                }
                return Ok(ack(place.ch, &entry));
            }
            _ if !is_allowed => return Err(ChatCode::Forbidden),
            ChatOutcome::OtherRights => {
                let identity = &speaker.identity;
                let permitted = permit(desk.store(), document, identity, asked.action()).await;
                let (record, now) = permitted.map_err(code)?;
                (role, version) = (now, record.rights_version);
            }
            ChatOutcome::Done(entry) => {
                let is_new = matches!(asked, Asked::Send(_));
                desk.count_said(is_new, began.elapsed().as_secs_f64());
                let answer = tell(desk, entry.clone(), place, &speaker.person);
                notify(desk, &entry, place).await?;
                return Ok(answer);
            }
            ChatOutcome::DocumentDeleted => return Err(ChatCode::DocumentDeleted),
            ChatOutcome::IdReuse => return Err(ChatCode::IdReuse),
            ChatOutcome::NoMessage => return Err(ChatCode::NoMessage),
            ChatOutcome::NotYours => return Err(ChatCode::NotYours),
            ChatOutcome::MessageDeleted => return Err(ChatCode::MessageDeleted),
        }
    }
    Err(ChatCode::Overloaded)
}

/// Stores what is asked, under a role and the version of the rights that gave it.
async fn write(
    desk: &dyn Desk,
    asked: &Asked,
    document: DocumentId,
    (role, rights_version): (Role, u64),
    author: &UserId,
) -> Result<ChatOutcome, StoreError> {
    let (author, time_ms) = (author.clone(), desk.now_ms());
    let change = |author, becomes| {
        let id = asked.id();
        ChatChange { document, id, author, rights_version, time_ms, becomes }
    };
    match asked {
        Asked::Send(send) => {
            let ChatSend { id, text, mentions, reference, .. } = send.clone();
            let new = NewChatMessage {
                document,
                id,
                author,
                rights_version,
                time_ms,
                text,
                mentions,
                reference,
            };
            desk.store().send_chat(new).await
        }
        Asked::Edit(ChatEdit { text, mentions, .. }) => {
            let (text, mentions) = (text.clone(), mentions.clone());
            let becomes = ChatBecomes::Edited { text, mentions };
            desk.store().change_chat(change(Some(author), becomes)).await
        }
        Asked::Delete(_) => {
            let author = (role != Role::Owner).then_some(author);
            desk.store().change_chat(change(author, ChatBecomes::Deleted)).await
        }
    }
}

/// What is durable is told to everybody who has the chat open; the frame that answers.
fn tell(desk: &dyn Desk, entry: ChatEntry, place: &Place, speaker: &ChatPerson) -> String {
    let answer = ack(place.ch, &entry);
    let change = entry.change;
    if entry.message.user == speaker.user {
        place.room.committed(entry, speaker.clone());
    } else {
        // An owner took somebody's message back. Their name is looked up with it.
        place.room.heard_of(change);
    }
    desk.publish(place.document(), ChatNews::Changed { change });
    answer
}

/// Tells those whom a message names. Without an answer its author sends it again.
async fn notify(desk: &dyn Desk, entry: &ChatEntry, place: &Place) -> Result<(), ChatCode> {
    notifications::mentioned(desk, place.document(), &entry.message).await.map_err(unavailable)
}

fn ack(ch: ChannelId, entry: &ChatEntry) -> String {
    let (id, number) = (entry.message.id, entry.message.number);
    ServerMessage::ChatAck(ChatAck { ch, id, number, change: entry.change }).to_json()
}

/// Notes how far a person has read, and tells all their devices.
pub(crate) async fn mark_read(
    desk: &dyn Desk,
    number: u64,
    place: &Place,
    user: UserId,
) -> Result<(), ChatCode> {
    let document = place.document();
    let progress = desk.store().mark_chat_read(document, user.clone(), number).await;
    let progress = progress.map_err(unavailable)?;
    place.room.read(&user, progress);
    let ChatProgress { number, unread } = progress;
    desk.publish(document, ChatNews::Read { user, number, unread });
    Ok(())
}

/// Tells everybody that a person types, or not any more; whether they may.
pub(crate) fn type_on(app: &App, on: bool, place: &Place, profile: &Profile) -> bool {
    if !allows(place.role, Action::ChatTyping) {
        return false;
    }
    let person = named(profile);
    let is_news = place.room.typing(person.clone(), on, tokio::time::Instant::now());
    if on || is_news {
        app.chats.publish(place.document(), ChatNews::Typing { person, on });
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mention(start: u32, end: u32) -> ChatMention {
        ChatMention { start, end, user: "g_1".parse().expect("an id") }
    }

    #[test]
    fn a_text_says_something_and_is_not_too_long() {
        for (text, expected) in [
            ("x", Ok(())),
            (" \n\u{2003}", Err(ChatCode::BadText)),
            ("", Err(ChatCode::BadText)),
            ("a\0", Err(ChatCode::BadText)),
            ("a\rb", Err(ChatCode::BadText)),
            (&"😀".repeat(CHAT_TEXT_CHARS_MAX), Ok(())),
            (&"x".repeat(CHAT_TEXT_CHARS_MAX + 1), Err(ChatCode::TextTooLong)),
        ] {
            assert_eq!(check_text(text, &[]), expected, "{text:?}");
        }
    }

    #[test]
    fn mentions_are_in_order_apart_and_within_the_text() {
        for (mentions, is_fine) in [
            (vec![mention(0, 2), mention(2, 5)], true),
            (vec![mention(0, 3), mention(2, 5)], false),
            (vec![mention(3, 5), mention(0, 2)], false),
            (vec![mention(1, 1)], false),
            (vec![mention(4, 2)], false),
            (vec![mention(0, 6)], false),
            (vec![mention(u32::MAX - 1, u32::MAX)], false),
            ((0..=CHAT_MENTIONS_MAX).map(|_| mention(0, 1)).collect(), false),
        ] {
            assert_eq!(check_text("é@Ben", &mentions).is_ok(), is_fine, "{mentions:?}");
        }
    }
}
