//! Bytes taken for stored rows: what a fuzzer does to the functions that read them.

use collab_protocol::{ClientId, DocumentId, UserId};
use ot_core::testing::{Choices, EditPlan};
use ot_core::{ClientSeq, Revision};

use super::record::{ClientProgress, LoggedOperation, Snapshot};
use super::row::{self, Columns};
use super::{ChainHash, TextKey};
use crate::document::SubmissionHash;

const DOCUMENT: DocumentId = DocumentId::new(7);
const CLIENT: ClientId = ClientId::new(9);
const KEY: TextKey = TextKey::from_bytes([5; 32]);

/// A value as databases hold it.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row with these columns.
#[derive(Clone, Debug, PartialEq)]
struct Row(Vec<(&'static str, Value)>);

impl Row {
    fn value(&self, column: &str) -> Result<&Value, String> {
        let found = self.0.iter().find(|(name, _)| *name == column);
        found.map(|(_, value)| value).ok_or_else(|| format!("no column {column}"))
    }
}

impl Columns for Row {
    fn integer(&self, column: &str) -> Result<i64, String> {
        self.optional_integer(column)?.ok_or_else(|| format!("{column} is null"))
    }

    fn optional_integer(&self, column: &str) -> Result<Option<i64>, String> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Integer(value) => Ok(Some(*value)),
            other => Err(format!("{column} is {other:?}")),
        }
    }

    fn text(&self, column: &str) -> Result<&str, String> {
        match self.value(column)? {
            Value::Text(text) => Ok(text),
            other => Err(format!("{column} is {other:?}")),
        }
    }

    fn optional_text(&self, column: &str) -> Result<Option<&str>, String> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            other => Err(format!("{column} is {other:?}")),
        }
    }

    fn bytes(&self, column: &str) -> Result<&[u8], String> {
        self.optional_bytes(column)?.ok_or_else(|| format!("{column} is null"))
    }

    fn optional_bytes(&self, column: &str) -> Result<Option<&[u8]>, String> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes)),
            other => Err(format!("{column} is {other:?}")),
        }
    }
}

/// Reads rows that these bytes make up, and rows as written of which they change a part.
///
/// # Panics
/// When reading panics; when a row does not read back as it was written; when one that was changed
/// is taken for what it is not.
pub fn stored_rows(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    match choices.below(4) {
        0 => read_anything(&mut choices),
        1 => change_operation(&mut choices),
        2 => change_snapshot(&mut choices),
        _ => change_progress(&mut choices),
    }
}

// --- rows out of nothing ---

fn read_anything(choices: &mut Choices<'_>) {
    const NAMES: [&str; 28] = [
        "document_id",
        "title",
        "owner_id",
        "epoch",
        "text_key",
        "revision",
        "chain",
        "len_chars",
        "created_ms",
        "updated_ms",
        "deleted_ms",
        "client_id",
        "client_seq",
        "author_id",
        "time_ms",
        "body",
        "body_hash",
        "row_hash",
        "last_seq",
        "last_revision",
        "submission_hash",
        "person_id",
        "name",
        "color",
        "tenant_id",
        "link",
        "rights_version",
        "role",
    ];
    let row = Row(NAMES.iter().map(|name| (*name, any_value(name, choices))).collect());
    let _ = row::document(&row);
    let _ = row::person(&row);
    let _ = row::snapshot(DOCUMENT, &row);
    let _ = row::progress(DOCUMENT, CLIENT, &row);
    if let Ok(logged) = row::operation(DOCUMENT, &row) {
        logged.operation.check_invariants();
        let read = row::operation(DOCUMENT, &operation_row(&logged));
        assert_eq!(read.ok(), Some(logged), "it reads back as written");
    }
}

/// Mostly what a column of that name could hold.
fn any_value(name: &str, choices: &mut Choices<'_>) -> Value {
    let kind = match name {
        _ if choices.one_in(16) => choices.below(4),
        "link" | "role" => 4,
        "title" | "tenant_id" | "owner_id" | "author_id" | "person_id" | "name" => 2,
        "document_id" | "epoch" | "text_key" | "chain" | "client_id" | "body" | "body_hash" => 3,
        "row_hash" if choices.one_in(2) => 3,
        "row_hash" => 0,
        _ => 1,
    };
    let len = match name {
        "document_id" | "epoch" | "client_id" => 16,
        "text_key" | "chain" | "body_hash" | "row_hash" => 32,
        _ => choices.below(24),
    };
    let len = if choices.one_in(32) { choices.below(40) } else { len };
    match kind {
        0 => Value::Null,
        1 => Value::Integer(any_integer(choices)),
        4 => Value::Text(["off", "view", "edit", "editor", "all"][choices.below(5)].to_owned()),
        2 => Value::Text(String::from_utf8_lossy(&any_bytes(len, choices)).into_owned()),
        _ => Value::Bytes(any_bytes(len, choices)),
    }
}

fn any_integer(choices: &mut Choices<'_>) -> i64 {
    match choices.below(4) {
        0 => i64::from_le_bytes(std::array::from_fn(|_| choices.below(256) as u8)),
        1 => [i64::MIN, -1, i64::MAX, 1 << 53, (1 << 53) + 1][choices.below(5)],
        _ => choices.below(300) as i64,
    }
}

fn any_bytes(len: usize, choices: &mut Choices<'_>) -> Vec<u8> {
    (0..len).map(|_| choices.below(256) as u8).collect()
}

// --- rows as they are written, with a change ---

fn author(choices: &mut Choices<'_>) -> UserId {
    format!("g_{}", choices.below(50)).parse().expect("an id")
}

fn change_operation(choices: &mut Choices<'_>) {
    let letter = |choices: &mut Choices<'_>| ['a', '\n', 'é', '中', '😀'][choices.below(5)];
    let len = choices.below(20);
    let before = ChainHash::from_bytes([choices.below(256) as u8; 32]);
    let mut logged = LoggedOperation {
        revision: Revision::new(1 + choices.below(5_000) as u64),
        client: ClientId::new(choices.below(9) as u128),
        seq: ClientSeq::new(choices.below(5_000) as u64),
        author: author(choices),
        time_ms: choices.below(60_000) as i64,
        operation: EditPlan::draw(choices, letter).on(len),
        chain: before,
    };
    logged.chain = logged.expected_chain(DOCUMENT, &KEY, before);
    let row = operation_row(&logged);
    let read = row::operation(DOCUMENT, &row).expect("as written");
    assert_eq!(read, logged, "it reads back as written");
    assert!(read.check_chain(DOCUMENT, &KEY, before).is_ok(), "its chain holds");
    let changed = change(&row, choices);
    if let Ok(read) = row::operation(DOCUMENT, &changed) {
        read.operation.check_invariants();
        let is_taken = read.check_chain(DOCUMENT, &KEY, before).is_ok();
        assert!(!is_taken || read == logged, "a changed row passes for another operation");
    }
}

fn operation_row(logged: &LoggedOperation) -> Row {
    let LoggedOperation { revision, client, seq, author, time_ms, operation, chain } = logged;
    Row(vec![
        ("revision", Value::Integer(revision.get() as i64)),
        ("client_id", Value::Bytes(client.get().to_be_bytes().to_vec())),
        ("client_seq", Value::Integer(seq.get() as i64)),
        ("author_id", Value::Text(author.to_string())),
        ("time_ms", Value::Integer(*time_ms)),
        ("body", Value::Bytes(operation.to_bytes())),
        ("chain", Value::Bytes(chain.as_bytes().to_vec())),
    ])
}

fn change_snapshot(choices: &mut Choices<'_>) {
    let text: String =
        (0..choices.below(20)).map(|_| ['a', '\n', 'é', '中', '😀'][choices.below(5)]).collect();
    let snapshot = Snapshot {
        revision: Revision::new(choices.below(5_000) as u64),
        text: text.as_str().into(),
        chain: ChainHash::from_bytes([choices.below(256) as u8; 32]),
        time_ms: choices.below(60_000) as i64,
    };
    let hash = snapshot.row_hash(&DOCUMENT.get().to_be_bytes());
    let row = Row(vec![
        ("revision", Value::Integer(snapshot.revision.get() as i64)),
        ("body", Value::Text(text.clone())),
        ("body_hash", Value::Bytes(blake3::hash(text.as_bytes()).as_bytes().to_vec())),
        ("chain", Value::Bytes(snapshot.chain.as_bytes().to_vec())),
        ("time_ms", Value::Integer(snapshot.time_ms)),
        ("row_hash", Value::Bytes(hash.to_vec())),
    ]);
    let read = row::snapshot(DOCUMENT, &row).expect("as written");
    assert_eq!(read, snapshot, "it reads back as written");
    let changed = change(&row, choices);
    // A row without its hash is one of old, which had none.
    let is_of_old = changed.value("row_hash") == Ok(&Value::Null);
    if let Ok(read) = row::snapshot(DOCUMENT, &changed)
        && !is_of_old
    {
        assert_eq!(read, snapshot, "a changed row passes for another snapshot");
    }
}

fn change_progress(choices: &mut Choices<'_>) {
    let progress = ClientProgress {
        author: author(choices),
        seq: ClientSeq::new(choices.below(5_000) as u64),
        revision: Revision::new(choices.below(5_000) as u64),
        submission: SubmissionHash::new(any_integer(choices).cast_unsigned()),
    };
    let hash = progress.row_hash(&DOCUMENT.get().to_be_bytes(), CLIENT);
    let row = Row(vec![
        ("author_id", Value::Text(progress.author.to_string())),
        ("last_seq", Value::Integer(progress.seq.get() as i64)),
        ("last_revision", Value::Integer(progress.revision.get() as i64)),
        ("submission_hash", Value::Integer(progress.submission.get().cast_signed())),
        ("row_hash", Value::Bytes(hash.to_vec())),
    ]);
    let read = row::progress(DOCUMENT, CLIENT, &row).expect("as written");
    assert_eq!(read, progress, "it reads back as written");
    let changed = change(&row, choices);
    let is_of_old = changed.value("row_hash") == Ok(&Value::Null);
    if let Ok(read) = row::progress(DOCUMENT, CLIENT, &changed)
        && !is_of_old
    {
        assert_eq!(read, progress, "a changed row passes for another");
    }
}

/// The row with one value changed.
fn change(row: &Row, choices: &mut Choices<'_>) -> Row {
    let mut changed = row.clone();
    let index = choices.below(changed.0.len());
    let value = &mut changed.0[index].1;
    match (choices.below(3), &mut *value) {
        (0, Value::Integer(number)) => *number ^= 1 << choices.below(64),
        (0, Value::Bytes(bytes)) if !bytes.is_empty() => {
            let at = choices.below(bytes.len());
            bytes[at] ^= 1 << choices.below(8);
        }
        (0, Value::Text(text)) => {
            let mut bytes = std::mem::take(text).into_bytes();
            let at = choices.below(bytes.len() + 1);
            bytes.splice(at..at, any_bytes(1, choices));
            *text = String::from_utf8_lossy(&bytes).into_owned();
        }
        (1, Value::Bytes(bytes)) => bytes.truncate(choices.below(bytes.len() + 1)),
        (1, Value::Integer(number)) => *number = any_integer(choices),
        (1, Value::Text(text)) => *text = text.chars().skip(1).collect(),
        _ => *value = any_value("row_hash", choices),
    }
    changed
}
