//! Lines are read and understood.

use std::borrow::Cow;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use collab_protocol::{DocumentId, GivenRole, LinkAccess};
use ot_core::{ClientSeq, Limits, Operation, Revision};

use super::{FORMAT, Head, Kind, Line, Raw};
use crate::cli::tool::ToolError;
use crate::document::SubmissionHash;
use crate::store::{
    ChainHash, ClientProgress, LoggedOperation, PersonRecord, TextKey, VersionRecord,
};

/// The longest line, in bytes: a document's whole text, escaped, has place many times over.
const LINE_BYTES_MAX: usize = 256 << 20;

fn read_hex(text: &str, what: &str) -> Result<[u8; 32], String> {
    let hash = blake3::Hash::from_hex(text);
    hash.map(|hash| *hash.as_bytes()).map_err(|_| format!("{what} must be 64 hexadecimal digits"))
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

/// The role of somebody who is not the owner.
fn member(role: Option<GivenRole>) -> Result<GivenRole, String> {
    match needed(role, "role")? {
        GivenRole::Owner => Err("the owner is no member".to_owned()),
        role => Ok(role),
    }
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
                    tenant: self.tenant.unwrap_or_default(),
                    owner: needed(self.owner, "owner")?,
                    // Where nothing is said, the file is from when a link was there to edit.
                    link: self.link.unwrap_or(LinkAccess::Edit),
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
            Kind::Member => Line::Member(id(self.id)?, member(self.role)?),
            Kind::End => {
                Line::End { revision: revision(self.revision)?, chain: chain(self.chain)? }
            }
        })
    }
}

/// Reads a file line by line.
pub(in crate::cli) struct Lines<R> {
    file: PathBuf,
    input: R,
    line: String,
    /// The number of the line that was read last.
    number: u64,
    document: DocumentId,
}

impl<R: BufRead> Lines<R> {
    pub(in crate::cli) fn new(file: &Path, input: R) -> Self {
        let document = DocumentId::new(0);
        Lines { file: file.to_owned(), input, line: String::new(), number: 0, document }
    }

    /// What is wrong with the line that was read last.
    pub(in crate::cli) fn wrong(&self, reason: impl ToString) -> ToolError {
        let reason = reason.to_string();
        ToolError::Line { file: self.file.clone(), line: self.number, reason }
    }

    /// The next line that is not empty; `None` at the end.
    ///
    /// # Errors
    /// [`ToolError::Line`] naming the line, [`ToolError::File`].
    pub(in crate::cli) fn next(&mut self) -> Result<Option<Line>, ToolError> {
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
