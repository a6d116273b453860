//! The lines of an exported log: one JSON value each. docs/tools.md describes them.
//!
//! A document is a `document` line, its `op` lines in revision order, what is known beside them in
//! any order, and an `end` line, without which it is not whole. Several documents follow each other.

mod read;

use std::borrow::Cow;

use collab_protocol::{ClientId, DocumentId, GivenRole, LinkAccess, TenantId, UserId};
use ot_core::Revision;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(super) use self::read::Lines;
use crate::store::{
    ChainHash, ClientProgress, DocumentRecord, LoggedOperation, PersonRecord, TextKey,
    VersionRecord,
};

/// The form of the lines that this program writes and reads.
const FORMAT: u32 = 1;

/// A document's first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) id: DocumentId,
    pub(super) title: String,
    pub(super) tenant: TenantId,
    pub(super) owner: UserId,
    pub(super) link: LinkAccess,
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
    /// Who has a role by name.
    Member(UserId, GivenRole),
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
    Member,
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
    tenant: Option<TenantId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<LinkAccess>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<GivenRole>,
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
            tenant: None,
            owner: None,
            link: None,
            role: None,
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

pub(super) fn write_document(out: &mut String, record: &DocumentRecord) {
    let raw = Raw {
        format: Some(FORMAT),
        id: Some(record.id.to_string().into()),
        title: Some(record.title.as_str().into()),
        tenant: Some(record.tenant.clone()).filter(|tenant| *tenant != TenantId::default()),
        owner: Some(record.owner.clone()),
        link: Some(record.link),
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

pub(super) fn write_member(out: &mut String, person: &UserId, role: GivenRole) {
    let raw = Raw { id: Some(person.as_str().into()), role: Some(role), ..Raw::new(Kind::Member) };
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

#[cfg(test)]
mod tests {
    use std::path::Path;

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
                Line::Member(person, role) => write_member(&mut written, &person, role),
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
            tenant: head.tenant.clone(),
            owner: head.owner.clone(),
            link: head.link,
            rights_version: 0,
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
