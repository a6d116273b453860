//! The append: one statement for all documents of a round. The heads' compare-and-set decides, and
//! everything else follows it.

use std::collections::HashSet;

use collab_protocol::DocumentId;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::uuid;
use crate::revision::later;
use crate::store::record::{Append, ClientProgress};
use crate::store::row::integer;

/// Locks the heads in the order of their ids, so that servers never wait for each other in a
/// circle, and takes a document only where its head is the expected one and each client's number
/// is above its last. Both are read at the statement's beginning and the head again under its lock;
/// as a client's progress moves only with the head, what holds for the one holds for the other.
///
/// What is left is for the constraints, which undo the whole statement: the primary key of
/// `operation`, and a progress that would not move forward (set to null, which it cannot be).
const APPEND: &str = "
with batch as materialized (
    select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[],
                         $6::bigint[], $16::bytea[], $17::bigint[])
        as batch (document_id, base, head, chain, len_chars, time_ms, base_chain, rights_version)
),
new as materialized (
    select * from unnest($7::uuid[], $8::bigint[], $9::uuid[], $10::bigint[], $11::text[],
                         $12::bytea[], $13::bytea[], $14::bigint[], $15::bytea[])
        as new (document_id, revision, client_id, client_seq, author_id, body, chain,
                submission_hash, row_hash)
),
expected as materialized (
    select document.document_id
    from document join batch using (document_id)
    where document.revision = batch.base and document.chain = batch.base_chain
      and document.rights_version = batch.rights_version
      and document.deleted_ms is null
    order by document.document_id
    for no key update of document
),
accepted as materialized (
    select batch.*
    from batch join expected using (document_id)
    where not exists (
        select from new join client_progress as progress using (document_id, client_id)
        where document_id = batch.document_id
          and (progress.last_seq >= new.client_seq or progress.author_id <> new.author_id)
    )
),
moved as (
    update document
    set revision = accepted.head, chain = accepted.chain, len_chars = accepted.len_chars,
        updated_ms = accepted.time_ms
    from accepted
    where document.document_id = accepted.document_id
    returning document.document_id
),
logged as (
    insert into operation (document_id, revision, client_id, client_seq, author_id, time_ms, body,
                           chain)
    select document_id, new.revision, new.client_id, new.client_seq, new.author_id,
           accepted.time_ms, new.body, new.chain
    from new join accepted using (document_id)
),
progressed as (
    insert into client_progress as progress (document_id, client_id, author_id, last_seq,
                                             last_revision, submission_hash, row_hash)
    select document_id, new.client_id, new.author_id, new.client_seq, new.revision,
           new.submission_hash, new.row_hash
    from new join accepted using (document_id)
    on conflict (document_id, client_id) do update set
        last_seq = case
            when excluded.last_seq > progress.last_seq
             and excluded.author_id = progress.author_id
            then excluded.last_seq
        end,
        last_revision = excluded.last_revision,
        submission_hash = excluded.submission_hash,
        row_hash = excluded.row_hash
)
select document_id from moved";

/// The columns of `batch` and `new`.
#[derive(Default)]
struct Columns {
    document: Vec<Uuid>,
    base: Vec<i64>,
    base_chain: Vec<Vec<u8>>,
    rights_version: Vec<i64>,
    head: Vec<i64>,
    head_chain: Vec<Vec<u8>>,
    len_chars: Vec<i64>,
    time_ms: Vec<i64>,
    new_document: Vec<Uuid>,
    revision: Vec<i64>,
    client: Vec<Uuid>,
    seq: Vec<i64>,
    author: Vec<String>,
    body: Vec<Vec<u8>>,
    chain: Vec<Vec<u8>>,
    submission: Vec<i64>,
    row_hash: Vec<Vec<u8>>,
}

impl Columns {
    fn push(&mut self, append: &Append) {
        let Some(last) = append.operations.last() else { return };
        let document = uuid(append.document.get());
        self.document.push(document);
        self.base.push(integer(append.base.get()));
        self.base_chain.push(append.base_chain.as_bytes().to_vec());
        self.rights_version.push(integer(append.rights_version));
        self.head.push(integer(later(append.base, append.operations.len()).get()));
        self.head_chain.push(last.chain.as_bytes().to_vec());
        self.len_chars.push(integer(append.len_chars));
        self.time_ms.push(append.time_ms);
        for (index, new) in append.operations.iter().enumerate() {
            self.new_document.push(document);
            self.revision.push(integer(later(append.base, index + 1).get()));
            self.client.push(uuid(new.client.get()));
            self.seq.push(integer(new.seq.get()));
            self.author.push(new.author.as_str().to_owned());
            self.body.push(new.operation.to_bytes());
            self.chain.push(new.chain.as_bytes().to_vec());
            self.submission.push(new.submission.get().cast_signed());
            let progress = ClientProgress {
                author: new.author.clone(),
                seq: new.seq,
                revision: later(append.base, index + 1),
                submission: new.submission,
            };
            let hash = progress.row_hash(&append.document.get().to_be_bytes(), new.client);
            self.row_hash.push(hash.to_vec());
        }
    }
}

/// Appends for different documents, each all or nothing and one's loss nobody else's. The documents
/// whose heads moved.
///
/// An error that the database answered with means that nothing at all was written.
pub(super) async fn append<'a>(
    connection: &mut PgConnection,
    round: impl Iterator<Item = &'a Append>,
) -> Result<HashSet<DocumentId>, sqlx::Error> {
    let mut columns = Columns::default();
    round.for_each(|append| columns.push(append));
    let moved = sqlx::query(APPEND)
        .bind(columns.document)
        .bind(columns.base)
        .bind(columns.head)
        .bind(columns.head_chain)
        .bind(columns.len_chars)
        .bind(columns.time_ms)
        .bind(columns.new_document)
        .bind(columns.revision)
        .bind(columns.client)
        .bind(columns.seq)
        .bind(columns.author)
        .bind(columns.body)
        .bind(columns.chain)
        .bind(columns.submission)
        .bind(columns.row_hash)
        .bind(columns.base_chain)
        .bind(columns.rights_version)
        // To the end of the answer: the commit comes behind the last row.
        .fetch_all(connection)
        .await?;
    moved.iter().map(|row| Ok(DocumentId::new(row.try_get::<Uuid, _>(0)?.as_u128()))).collect()
}
