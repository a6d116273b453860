//! What is said in a chat: checked, stored, and then told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use collab_protocol::{
    CHAT_MENTIONS_MAX, CHAT_TEXT_CHARS_MAX, ChannelId, ChatAck, ChatCode, ChatDelete, ChatEdit,
    ChatMention, ChatReference, ChatSend, DocumentId, MessageId, Role, ServerMessage,
};

use super::room::{ChatNews, Room};
use super::{code, named, unavailable};
use crate::app::App;
use crate::metrics::Limit;
use crate::notifications;
use crate::people::Profile;
use crate::rights::{Action, allows};
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
    pub(crate) fn document(&self) -> DocumentId {
        self.room.document
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
    let said = tasks.spawn(async move { say_now(&app, &asked, &place, &profile).await });
    said.await.unwrap_or(Err(ChatCode::StorageUnavailable))
}

async fn say_now(
    app: &App,
    asked: &Asked,
    place: &Place,
    profile: &Profile,
) -> Result<String, ChatCode> {
    asked.check()?;
    let document = place.document();
    if let Asked::Send(ChatSend { reference: Some(reference), .. }) = asked {
        let record = app.store.document(document).await.map_err(unavailable)?;
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
        let written = write(app, asked, document, under, profile).await;
        let outcome = written.map_err(|error| {
            place.room.doubt();
            unavailable(error)
        })?;
        match outcome {
            // Who asks again may do so because those whom it names were not told.
            ChatOutcome::Before(entry) => {
                notify(app, &entry, place).await?;
                return Ok(ack(place.ch, &entry));
            }
            _ if !is_allowed => return Err(ChatCode::Forbidden),
            ChatOutcome::OtherRights => {
                let permitted = app.permit(document, &profile.identity, asked.action()).await;
                let (record, now) = permitted.map_err(code)?;
                (role, version) = (now, record.rights_version);
            }
            ChatOutcome::Done(entry) => {
                if matches!(asked, Asked::Send(_)) {
                    app.metrics.chat_messages.inc();
                }
                app.metrics.chat_time.observe(began.elapsed().as_secs_f64());
                let (answer, told) = (tell(app, entry.clone(), place, profile), &entry);
                let answer = answer.await;
                notify(app, told, place).await?;
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
    app: &App,
    asked: &Asked,
    document: DocumentId,
    (role, rights_version): (Role, u64),
    profile: &Profile,
) -> Result<ChatOutcome, StoreError> {
    let (author, time_ms) = (profile.identity.user.clone(), app.clock.now_ms());
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
            app.store.send_chat(new).await
        }
        Asked::Edit(ChatEdit { text, mentions, .. }) => {
            let (text, mentions) = (text.clone(), mentions.clone());
            let becomes = ChatBecomes::Edited { text, mentions };
            app.store.change_chat(change(Some(author), becomes)).await
        }
        Asked::Delete(_) => {
            let author = (role != Role::Owner).then_some(author);
            app.store.change_chat(change(author, ChatBecomes::Deleted)).await
        }
    }
}

/// What is durable is told to everybody who has the chat open; the frame that answers.
async fn tell(app: &App, entry: ChatEntry, place: &Place, profile: &Profile) -> String {
    let answer = ack(place.ch, &entry);
    let change = entry.change;
    if entry.message.user == profile.identity.user {
        place.room.committed(entry, named(profile));
    } else {
        // An owner took somebody's message back. Their name is looked up with it.
        place.room.heard_of(change);
    }
    app.chats.publish(place.document(), ChatNews::Changed { change });
    answer
}

/// Tells those whom a message names. Without an answer its author sends it again.
async fn notify(app: &App, entry: &ChatEntry, place: &Place) -> Result<(), ChatCode> {
    notifications::mentioned(app, place.document(), &entry.message).await.map_err(unavailable)
}

fn ack(ch: ChannelId, entry: &ChatEntry) -> String {
    let (id, number) = (entry.message.id, entry.message.number);
    ServerMessage::ChatAck(ChatAck { ch, id, number, change: entry.change }).to_json()
}

/// Notes how far a person has read, and tells all their devices.
pub(crate) async fn mark_read(
    app: Arc<App>,
    number: u64,
    place: Place,
    profile: Profile,
) -> Result<(), ChatCode> {
    let (document, user) = (place.document(), profile.identity.user);
    let progress = app.store.mark_chat_read(document, user.clone(), number).await;
    let progress = progress.map_err(unavailable)?;
    place.room.read(&user, progress);
    let ChatProgress { number, unread } = progress;
    app.chats.publish(document, ChatNews::Read { user, number, unread });
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
