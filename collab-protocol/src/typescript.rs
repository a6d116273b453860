//! Writes the messages as TypeScript, and fails when the written file differs from the Rust types.
//! `CONCORD_BLESS=1 cargo test -p collab-protocol` writes the file anew.

use std::fmt::Write;
use std::path::Path;

use ts_rs::{Config, TS};

use crate::code::Retry;
use crate::*;

const HEAD: &str = "\
// The messages of Concord's protocol. Generated from collab-protocol/src by its tests; do not edit:
// change the Rust types and run `CONCORD_BLESS=1 cargo test -p collab-protocol`.
// docs/protocol.md shows each message by example.

/** An operation over a whole document: n > 0 keeps n characters, n < 0 deletes -n, a text inserts. */
export type OperationJson = (number | string)[];
";

fn declare<T: TS>(out: &mut String) {
    let cfg = Config::default().with_large_int("number");
    out.push('\n');
    let docs = T::docs().unwrap_or_default();
    let declaration = format!("{}\nexport {}", docs.trim_end(), T::decl(&cfg));
    write_tidy(out, &declaration);
}

/// Lays a declaration out as a person would: fields indented, short comments on one line.
fn write_tidy(out: &mut String, declaration: &str) {
    let mut indent = "";
    let mut lines = declaration.lines().map(str::trim_end).peekable();
    while let Some(line) = lines.next() {
        if line == "/**" {
            let text = lines.next().unwrap_or_default().trim_start_matches(" *");
            if lines.next_if_eq(&" */").is_some() {
                out.push_str(&format!("{indent}/**{text} */\n"));
            } else {
                out.push_str(&format!("{indent}/**\n{indent} *{text}\n"));
            }
        } else if let Some(field) = line.strip_suffix(", };") {
            out.push_str(&format!("{indent}{field};\n}};\n"));
        } else if let Some(field) = line.strip_suffix(',') {
            out.push_str(&format!("{indent}{field};\n"));
        } else {
            out.push_str(&format!("{indent}{line}\n"));
            if line.ends_with('{') {
                indent = "  ";
            }
        }
    }
}

fn aliases(out: &mut String) {
    for (name, of, what) in [
        ("DocumentId", "string", "A document: 32 lower-case hexadecimal digits."),
        ("ClientId", "string", "One editing replica: 32 lower-case hexadecimal digits."),
        ("Epoch", "string", "A line of history: 32 lower-case hexadecimal digits."),
        (
            "TextHash",
            "string",
            "xxh64 (seed 0) of a text's UTF-8: 16 lower-case hexadecimal digits.",
        ),
        ("MessageId", "string", "A message of a chat: 32 lower-case hexadecimal digits."),
        ("NotificationId", "string", "A notification: 32 lower-case hexadecimal digits."),
        ("VersionId", "string", "A named version: 32 lower-case hexadecimal digits."),
        ("UserId", "string", "A person: an opaque text of at most 64 characters."),
        ("TopicName", "string", "A topic: 1 to 128 of letters, digits, and `._:-`."),
        ("EventName", "string", "A kind of event: 1 to 64 of letters, digits, and `._:-`."),
        ("EventId", "string", "What tells an event from others."),
        ("ChannelId", "number", "A joined document within one connection."),
        ("AuthorNumber", "number", "A person within one document."),
        ("SessionNumber", "number", "One live session within one document."),
        (
            "SelectionRange",
            "[anchor: number, head: number]",
            "A selection or caret, in scalar values.",
        ),
        (
            "Entry",
            "{ op: OperationJson; by: AuthorNumber } | { op: OperationJson; to: number } | { ack: number } | { check: TextHash }",
            "One entry of an `ops` frame.",
        ),
    ] {
        write!(out, "\n/** {what} */\nexport type {name} = {of};\n")
            .expect("writing to a string does not fail");
    }
}

fn codes(out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n/** The reject codes after which the same submission is sent again. */")?;
    writeln!(out, "export const RETRYABLE_REJECTS: ReadonlySet<RejectCode> = new Set([")?;
    for code in RejectCode::ALL.iter().filter(|code| code.retryable()) {
        writeln!(out, "  '{code}',")?;
    }
    writeln!(out, "]);\n\n/** The codes after which the same is asked of a chat again. */")?;
    writeln!(out, "export const RETRYABLE_CHAT: ReadonlySet<ChatCode> = new Set([")?;
    for code in ChatCode::ALL.iter().filter(|code| code.retryable()) {
        writeln!(out, "  '{code}',")?;
    }
    writeln!(out, "]);\n\n/** What each close code asks of the client. */")?;
    writeln!(
        out,
        "export const CLOSE_RETRY: Readonly<Record<number, 'yes' | 'later' | 'with_new_token' | 'no'>> = {{"
    )?;
    for code in CloseCode::ALL {
        let retry = match code.retry() {
            Retry::Yes => "yes",
            Retry::Later => "later",
            Retry::WithNewToken => "with_new_token",
            Retry::No => "no",
        };
        writeln!(out, "  {}: '{retry}', // {}", code.get(), code.reason())?;
    }
    writeln!(out, "}};\n")?;
    writeln!(out, "export const SUBPROTOCOL = '{SUBPROTOCOL}';")?;
    writeln!(out, "export const SOCKET_PATH = '{SOCKET_PATH}';")?;
    writeln!(out, "export const COLOR_COUNT = {COLOR_COUNT};")?;
    writeln!(out, "export const NAME_CHARS_MAX = {NAME_CHARS_MAX};")?;
    writeln!(out, "export const TITLE_CHARS_MAX = {TITLE_CHARS_MAX};")?;
    writeln!(out, "export const CHAT_TEXT_CHARS_MAX = {CHAT_TEXT_CHARS_MAX};")?;
    writeln!(out, "export const CHAT_MENTIONS_MAX = {CHAT_MENTIONS_MAX};")?;
    writeln!(out, "export const CHAT_PAGE_LEN = {CHAT_PAGE_LEN};")?;
    writeln!(out, "export const NOTIFICATION_PAGE_LEN = {NOTIFICATION_PAGE_LEN};")?;
    writeln!(out, "export const VERSION_NAME_CHARS_MAX = {VERSION_NAME_CHARS_MAX};")
}

fn generate() -> String {
    let mut out = HEAD.to_owned();
    aliases(&mut out);
    macro_rules! declare_all {
        ($($name:ident)*) => { $( declare::<$name>(&mut out); )* };
    }
    declare_all! {
        WireLimits RejectCode ErrorCode ChatCode Role
        ClientMessage Auth Join Submit Select Leave Ping Watch Unwatch Tell
        ChatOpen ChatSend ChatEdit ChatDelete ChatBefore ChatTyping ChatRead ChatLocate
        ServerMessage Welcome WelcomeUser Joined Person Author Ops Ack Reject Presence SlowDown
        ErrorMessage Pong Left Renamed Deleted Restored Access
        FiguresOpen FiguresClose FiguresOf Figures FiguresRefused SecondFigures ServerFigures Spread
        DocumentFigures
        Watching Told RoomKind Event Missed EventTarget NewEvent PublishValue EventTaken
        ChatOpened ChatNews ChatPage ChatAck ChatReject ChatTypists ChatSeen ChatLocated
        ChatMessage ChatMention ChatReference ChatPerson
        DocumentInfo DocumentList CreateDocument RenameDocument Me UpdateMe ErrorBody ErrorDetail
        HistoryAuthor HistoryEntry HistoryPage HistoryBucket HistorySummary RevisionDiff
        AttributedRun Attribution Version VersionList CreateVersion RenameVersion RestoreRevision
        RevisionRestored MarkSeen SeenMark SetText TextEdit EditText TextEdited
        Notified Notification NotificationAbout MentionedInChat SharedWithYou EditedWhileAway
        ToldByApp NotificationPage ReadNotifications NotificationsRead NewNotification
        NotificationTaken
        LinkAccess GivenRole AccessBy SharingPerson Sharing UpdateSharing SetPerson
    }
    codes(&mut out).expect("writing to a string does not fail");
    out
}

#[test]
fn the_typescript_types_are_those_of_the_rust_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wasm-client/js/src/protocol.ts");
    let expected = generate();
    if std::env::var_os("CONCORD_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("the path has a folder")).expect("folder");
        std::fs::write(&path, &expected).expect("the file can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "wasm-client/js/src/protocol.ts is stale: run `CONCORD_BLESS=1 cargo test -p collab-protocol`"
    );
}
