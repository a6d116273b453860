//! The lines of an exported log: one JSON value each. docs/tools.md describes them.
//!
//! A document is a `document` line, its `op` lines in revision order, what is known beside them in
//! any order, and an `end` line, without which it is not whole. Several documents follow each other.

use std::borrow::Cow;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use collab_protocol::{ClientId, DocumentId, UserId};
use ot_core::{ClientSeq, Limits, Operation, Revision};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::tool::ToolError;
use crate::document::SubmissionHash;
use crate::store::{
    ChainHash, ClientProgress, DocumentRecord, LoggedOperation, PersonRecord, TextKey,
    VersionRecord,
};

/// The form of the lines that this program writes and reads.
const FORMAT: u32 = 1;

/// The longest line, in bytes: a document's whole text, escaped, has place many times over.
const LINE_BYTES_MAX: usize = 256 << 20;

/// A document's first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) id: DocumentId,
    pub(super) title: String,
    pub(super) owner: UserId,
    pub(super) text_key: TextKey,
    pub(super) created_ms: i64,
    pub(super) deleted_ms: Option<i64>,
    pub(super) revision: Revision,
    pub(super) chain: ChainHash,
}

/// A line, understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line {
    Document(Box<Head>),
    /// Its chain is not in the file, but follows from it.
    Op(LoggedOperation),
    Client(ClientId, ClientProgress),
    Person(PersonRecord),
    Version(VersionRecord),
    End {
        revision: Revision,
        chain: ChainHash,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Document,
    Op,
    Client,
    Person,
    Version,
    End,
}

/// A line as it stands, with every field that some line has.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw<'a> {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_key: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    submission: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    op: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<Cow<'a, str>>,
}

impl Raw<'_> {
    fn new(kind: Kind) -> Self {
        Raw {
            kind,
            format: None,
            id: None,
            title: None,
            owner: None,
            text_key: None,
            created_ms: None,
            deleted_ms: None,
            revision: None,
            client: None,
            seq: None,
            author: None,
            name: None,
            color: None,
            time_ms: None,
            submission: None,
            op: None,
            chain: None,
        }
    }

    fn write(&self, out: &mut String) {
        out.push_str(&serde_json::to_string(self).expect("texts and numbers are JSON"));
        out.push('\n');
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*bytes).to_hex().to_string()
}

fn read_hex(text: &str, what: &str) -> Result<[u8; 32], String> {
    let hash = blake3::Hash::from_hex(text);
    hash.map(|hash| *hash.as_bytes()).map_err(|_| format!("{what} must be 64 hexadecimal digits"))
}

pub(super) fn write_document(out: &mut String, record: &DocumentRecord) {
    let raw = Raw {
        format: Some(FORMAT),
        id: Some(record.id.to_string().into()),
        title: Some(record.title.as_str().into()),
        owner: Some(record.owner.clone()),
        text_key: Some(hex(record.text_key.as_bytes()).into()),
        created_ms: Some(record.created_ms),
        deleted_ms: record.deleted_ms,
        revision: Some(record.revision.get()),
        chain: Some(hex(record.chain.as_bytes()).into()),
        ..Raw::new(Kind::Document)
    };
    raw.write(out);
}

pub(super) fn write_op(out: &mut String, logged: &LoggedOperation) {
    let op = RawValue::from_string(logged.operation.to_json()).expect("an operation's JSON");
    let raw = Raw {
        revision: Some(logged.revision.get()),
        client: Some(logged.client),
        seq: Some(logged.seq.get()),
        author: Some(logged.author.clone()),
        time_ms: Some(logged.time_ms),
        op: Some(&op),
        ..Raw::new(Kind::Op)
    };
    raw.write(out);
}

pub(super) fn write_client(out: &mut String, client: ClientId, progress: &ClientProgress) {
    let raw = Raw {
        revision: Some(progress.revision.get()),
        client: Some(client),
        seq: Some(progress.seq.get()),
        author: Some(progress.author.clone()),
        submission: Some(format!("{:016x}", progress.submission.get()).into()),
        ..Raw::new(Kind::Client)
    };
    raw.write(out);
}

pub(super) fn write_person(out: &mut String, person: &PersonRecord) {
    let raw = Raw {
        id: Some(person.id.as_str().into()),
        name: Some(person.name.as_str().into()),
        color: Some(person.color),
        created_ms: Some(person.created_ms),
        ..Raw::new(Kind::Person)
    };
    raw.write(out);
}

pub(super) fn write_version(out: &mut String, version: &VersionRecord) {
    let raw = Raw {
        id: Some(version.id.to_string().into()),
        revision: Some(version.revision.get()),
        name: Some(version.name.as_str().into()),
        author: Some(version.author.clone()),
        time_ms: Some(version.time_ms),
        ..Raw::new(Kind::Version)
    };
    raw.write(out);
}

pub(super) fn write_end(out: &mut String, revision: Revision, chain: ChainHash) {
    let raw = Raw {
        revision: Some(revision.get()),
        chain: Some(hex(chain.as_bytes()).into()),
        ..Raw::new(Kind::End)
    };
    raw.write(out);
}

/// The field, which this line must have.
fn needed<T>(field: Option<T>, name: &str) -> Result<T, String> {
    field.ok_or_else(|| format!("{name} is missing"))
}

fn revision(number: Option<u64>) -> Result<Revision, String> {
    let revision = Revision::new(needed(number, "revision")?);
    if revision > Revision::MAX {
        return Err("revision is above 2^53 - 1".to_owned());
    }
    Ok(revision)
}

fn seq(number: Option<u64>) -> Result<ClientSeq, String> {
    let seq = ClientSeq::new(needed(number, "seq")?);
    if !(ClientSeq::new(1)..=ClientSeq::MAX).contains(&seq) {
        return Err("seq must be from 1 to 2^53 - 1".to_owned());
    }
    Ok(seq)
}

fn id<T: std::str::FromStr<Err: ToString>>(text: Option<Cow<'_, str>>) -> Result<T, String> {
    needed(text, "id")?.parse().map_err(|error: T::Err| error.to_string())
}

impl Raw<'_> {
    /// `document` is the one that the line belongs to.
    fn understand(self, document: DocumentId) -> Result<Line, String> {
        let chain = |text: Option<Cow<'_, str>>| {
            read_hex(&needed(text, "chain")?, "chain").map(ChainHash::from_bytes)
        };
        Ok(match self.kind {
            Kind::Document => {
                let format = needed(self.format, "format")?;
                if format != FORMAT {
                    return Err(format!("format is {format}, this program reads {FORMAT}"));
                }
                let text_key = read_hex(&needed(self.text_key, "text_key")?, "text_key")?;
                Line::Document(Box::new(Head {
                    id: id(self.id)?,
                    title: needed(self.title, "title")?.into_owned(),
                    owner: needed(self.owner, "owner")?,
                    text_key: TextKey::from_bytes(text_key),
                    created_ms: needed(self.created_ms, "created_ms")?,
                    deleted_ms: self.deleted_ms,
                    revision: revision(self.revision)?,
                    chain: chain(self.chain)?,
                }))
            }
            Kind::Op => {
                let op = needed(self.op, "op")?.get();
                let operation = Operation::from_json(op, &Limits::NONE)
                    .map_err(|error| format!("op: {error}"))?;
                operation.check_text().map_err(|error| format!("op: {error}"))?;
                Line::Op(LoggedOperation {
                    revision: revision(self.revision)?,
                    client: needed(self.client, "client")?,
                    seq: seq(self.seq)?,
                    author: needed(self.author, "author")?,
                    time_ms: needed(self.time_ms, "time_ms")?,
                    operation,
                    chain: ChainHash::START,
                })
            }
            Kind::Client => {
                let submission = needed(self.submission, "submission")?;
                let submission = u64::from_str_radix(&submission, 16)
                    .map_err(|_| "submission must be 16 hexadecimal digits".to_owned())?;
                let progress = ClientProgress {
                    author: needed(self.author, "author")?,
                    seq: seq(self.seq)?,
                    revision: revision(self.revision)?,
                    submission: SubmissionHash::new(submission),
                };
                Line::Client(needed(self.client, "client")?, progress)
            }
            Kind::Person => Line::Person(PersonRecord {
                id: id(self.id)?,
                name: needed(self.name, "name")?.into_owned(),
                color: needed(self.color, "color")? % collab_protocol::COLOR_COUNT,
                created_ms: needed(self.created_ms, "created_ms")?,
            }),
            Kind::Version => Line::Version(VersionRecord {
                id: id(self.id)?,
                document,
                revision: revision(self.revision)?,
                name: needed(self.name, "name")?.into_owned(),
                author: needed(self.author, "author")?,
                time_ms: needed(self.time_ms, "time_ms")?,
            }),
            Kind::End => {
                Line::End { revision: revision(self.revision)?, chain: chain(self.chain)? }
            }
        })
    }
}

/// Reads a file line by line.
pub(super) struct Lines<R> {
    file: PathBuf,
    input: R,
    line: String,
    /// The number of the line that was read last.
    number: u64,
    document: DocumentId,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(file: &Path, input: R) -> Self {
        let document = DocumentId::new(0);
        Lines { file: file.to_owned(), input, line: String::new(), number: 0, document }
    }

    /// What is wrong with the line that was read last.
    pub(super) fn wrong(&self, reason: impl ToString) -> ToolError {
        let reason = reason.to_string();
        ToolError::Line { file: self.file.clone(), line: self.number, reason }
    }

    /// The next line that is not empty; `None` at the end.
    ///
    /// # Errors
    /// [`ToolError::Line`] naming the line, [`ToolError::File`].
    pub(super) fn next(&mut self) -> Result<Option<Line>, ToolError> {
        loop {
            self.line.clear();
            self.number += 1;
            let limit = LINE_BYTES_MAX as u64;
            let read = std::io::Read::take(&mut self.input, limit).read_line(&mut self.line);
            let read = read.map_err(|source| match source.kind() {
                std::io::ErrorKind::InvalidData => self.wrong("not UTF-8"),
                _ => ToolError::File { file: self.file.clone(), source },
            })?;
            if read == 0 {
                return Ok(None);
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        let raw: Raw<'_> = serde_json::from_str(&self.line).map_err(|error| self.wrong(error))?;
        let line = raw.understand(self.document).map_err(|reason| self.wrong(reason))?;
        if let Line::Document(head) = &line {
            self.document = head.id;
        }
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/tools.md");

    #[test]
    fn the_lines_of_the_page_are_read_and_written_as_they_stand() {
        let (_, block) = PAGE.split_once("```json line\n").expect("the lines");
        let (block, _) = block.split_once("```").expect("an end");
        let mut lines = Lines::new(Path::new("page"), block.as_bytes());
        let mut written = String::new();
        while let Some(line) = lines.next().expect("a line") {
            match line {
                Line::Document(head) => write_document(&mut written, &record(&head)),
                Line::Op(logged) => write_op(&mut written, &logged),
                Line::Client(client, progress) => write_client(&mut written, client, &progress),
                Line::Person(person) => write_person(&mut written, &person),
                Line::Version(version) => write_version(&mut written, &version),
                Line::End { revision, chain } => write_end(&mut written, revision, chain),
            }
        }
        let values = |text: &str| -> Vec<serde_json::Value> {
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
        };
        assert_eq!(values(&written), values(block));
    }

    fn record(head: &Head) -> DocumentRecord {
        DocumentRecord {
            id: head.id,
            title: head.title.clone(),
            owner: head.owner.clone(),
            epoch: collab_protocol::Epoch::new(0),
            text_key: head.text_key.clone(),
            revision: head.revision,
            chain: head.chain,
            len_chars: 0,
            created_ms: head.created_ms,
            updated_ms: head.created_ms,
            deleted_ms: head.deleted_ms,
        }
    }

    #[test]
    fn a_line_with_a_field_nobody_knows_is_named() {
        let text = "\n{\"type\":\"end\",\"revision\":0,\"chian\":\"\"}\n";
        let mut lines = Lines::new(Path::new("page"), text.as_bytes());
        let error = lines.next().expect_err("an unknown field").to_string();
        assert!(error.starts_with("page: line 2: ") && error.contains("chian"), "{error}");
    }
}
