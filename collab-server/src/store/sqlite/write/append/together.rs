//! Appends of many documents, in one command to the database for all of them.
//!
//! The library runs SQLite in a thread of its own, and every command is two changes of threads: more work than the
//! insertion itself. So a whole transaction goes as one command: its beginning, all heads, rows and clients' progress, and
//! its commit. It counts on nobody losing. Where somebody does, fewer rows change than should; a guard behind each
//! statement then breaks a constraint on purpose, so that the commit is never reached, and the caller begins anew, one
//! append after the other.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use futures_util::TryStreamExt;
use ot_core::Revision;
use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Either, Executor, SqliteConnection};

use super::super::super::id_bytes;
use crate::revision::later;
use crate::store::error::is_constraint;
use crate::store::record::{Append, ClientProgress, NewOperation};
use crate::store::row::integer;

/// Operations in one command, at most. Texts are made for powers of two and prepared once: what a command lacks is
/// null, and no row.
const ROWS_MAX: usize = 256;

/// Appends to different documents, few enough for one command.
struct Round<'a> {
    appends: Vec<&'a Append>,
    rows: usize,
}

/// What stopped a command that is no constraint's doing.
pub(in crate::store::sqlite) struct Stopped {
    pub(in crate::store::sqlite) error: sqlx::Error,
    pub(in crate::store::sqlite) at: Stage,
}

/// How far a transaction came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store::sqlite) enum Stage {
    /// It could not be begun.
    Beginning,
    /// It was not asked to commit.
    Within,
    /// It was asked to commit: nobody knows whether it is.
    Commit,
}

/// Begins a transaction, carries all appends out in it, in order, and commits it. `false` when one of them lost, or
/// cannot go this way: the transaction, if there is one, is to be rolled back.
///
/// # Errors
/// [`Stopped`]. The transaction is to be rolled back too.
pub(in crate::store::sqlite) async fn append_together(
    connection: &mut SqliteConnection,
    appends: &[&Append],
) -> Result<bool, Stopped> {
    let Some(rounds) = rounds(appends) else { return Ok(false) };
    let last = rounds.len() - 1;
    for (index, round) in rounds.iter().enumerate() {
        let size = Size { begins: index == 0, commits: index == last, ..round.size() };
        let encode = |error| Stopped { error: sqlx::Error::Encode(error), at: size.stage(0) };
        let query = sqlx::query_with(AssertSqlSafe(text(size)), round.values().map_err(encode)?);
        let mut done = 0;
        let mut results = (&mut *connection).fetch_many(query);
        loop {
            match results.try_next().await {
                Ok(Some(Either::Left(_))) => done += 1,
                Ok(Some(Either::Right(_))) => {}
                Ok(None) => break,
                Err(error) => {
                    let at = size.stage(done);
                    let has_lost = at != Stage::Commit && is_constraint(&error);
                    return if has_lost { Ok(false) } else { Err(Stopped { error, at }) };
                }
            }
        }
    }
    Ok(true)
}

/// The appends in order, no document twice in a round: the second one's head is the first one's doing. `None` when one
/// does not fit any, or is empty.
fn rounds<'a>(appends: &[&'a Append]) -> Option<Vec<Round<'a>>> {
    let mut rounds: Vec<Round<'a>> = Vec::new();
    let mut documents = HashSet::new();
    for append in appends {
        let len = append.operations.len();
        if len == 0 || len > ROWS_MAX {
            return None;
        }
        let is_new = documents.insert(append.document);
        match rounds.last_mut() {
            Some(round) if is_new && round.rows + len <= ROWS_MAX => {
                round.appends.push(append);
                round.rows += len;
            }
            _ => {
                documents = HashSet::from([append.document]);
                rounds.push(Round { appends: vec![append], rows: len });
            }
        }
    }
    Some(rounds)
}

impl Round<'_> {
    fn size(&self) -> Size {
        Size {
            begins: false,
            commits: false,
            documents: self.appends.len().next_power_of_two(),
            rows: self.rows.next_power_of_two(),
        }
    }

    /// The operations with their documents' ids and revisions.
    fn operations(&self) -> impl Iterator<Item = (Vec<u8>, Revision, i64, &NewOperation)> {
        self.appends.iter().flat_map(|append| {
            append.operations.iter().zip(1..).map(|(new, count)| {
                let document = id_bytes(append.document.get());
                (document, later(append.base, count), append.time_ms, new)
            })
        })
    }

    /// What the statements take, in their order.
    fn values(&self) -> Result<SqliteArguments, BoxDynError> {
        let Size { documents, rows, .. } = self.size();
        let mut values = SqliteArguments::default();
        let of_rows = rows * (ROW.len() + PROGRESS.len());
        values.reserve(documents * HEAD.len() + of_rows + GUARDS, 0);
        for append in &self.appends {
            let last = append.operations.last().expect("an append that goes this way is not empty");
            values.add(id_bytes(append.document.get()))?;
            values.add(integer(later(append.base, append.operations.len()).get()))?;
            values.add(last.chain.as_bytes().to_vec())?;
            values.add(integer(append.len_chars))?;
            values.add(append.time_ms)?;
            values.add(integer(append.base.get()))?;
            values.add(append.base_chain.as_bytes().to_vec())?;
            values.add(integer(append.rights_version))?;
        }
        add_nulls(&mut values, (documents - self.appends.len()) * HEAD.len())?;
        values.add(self.appends.len() as i64)?;
        for (document, revision, time_ms, new) in self.operations() {
            values.add(document)?;
            values.add(integer(revision.get()))?;
            values.add(id_bytes(new.client.get()))?;
            values.add(integer(new.seq.get()))?;
            values.add(new.author.as_str().to_owned())?;
            values.add(time_ms)?;
            values.add(new.operation.to_bytes())?;
            values.add(new.chain.as_bytes().to_vec())?;
        }
        add_nulls(&mut values, (rows - self.rows) * ROW.len())?;
        for (document, revision, _, new) in self.operations() {
            let (author, seq, submission) = (new.author.clone(), new.seq, new.submission);
            let progress = ClientProgress { author, seq, revision, submission };
            let row_hash = progress.row_hash(&document, new.client).to_vec();
            values.add(document)?;
            values.add(id_bytes(new.client.get()))?;
            values.add(new.author.as_str().to_owned())?;
            values.add(integer(new.seq.get()))?;
            values.add(integer(revision.get()))?;
            values.add(new.submission.get().cast_signed())?;
            values.add(row_hash)?;
        }
        add_nulls(&mut values, (rows - self.rows) * PROGRESS.len())?;
        values.add(self.rows as i64)?;
        Ok(values)
    }
}

fn add_nulls(values: &mut SqliteArguments, count: usize) -> Result<(), BoxDynError> {
    (0..count).try_for_each(|_| values.add(None::<i64>))
}

/// What a text is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Size {
    begins: bool,
    commits: bool,
    documents: usize,
    rows: usize,
}

/// How often a command holds [`GUARD`]: behind the heads, and behind the clients' progress.
const GUARDS: usize = 2;

/// Statements between the beginning and the commit: heads, operations, progress, and the guards.
const STATEMENTS: usize = 3 + GUARDS;

impl Size {
    /// Where a command of this size is when so many of its statements are done.
    fn stage(self, done: usize) -> Stage {
        match done {
            0 if self.begins => Stage::Beginning,
            done if self.commits && done == STATEMENTS + usize::from(self.begins) => Stage::Commit,
            _ => Stage::Within,
        }
    }
}

/// The text for a size, made when it is first asked for.
fn text(size: Size) -> Arc<str> {
    static TEXTS: LazyLock<Mutex<HashMap<Size, Arc<str>>>> = LazyLock::new(Mutex::default);
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(texts.entry(size).or_insert_with(|| statements(size).into()))
}

/// The values of a document, of a row of the log and of a client's progress.
const HEAD: [&str; 8] = [
    "document_id",
    "revision",
    "chain",
    "len_chars",
    "updated_ms",
    "base",
    "base_chain",
    "rights_version",
];
const ROW: [&str; 8] =
    ["document_id", "revision", "client_id", "client_seq", "author_id", "time_ms", "body", "chain"];
const PROGRESS: [&str; 7] = [
    "document_id",
    "client_id",
    "author_id",
    "last_seq",
    "last_revision",
    "submission_hash",
    "row_hash",
];

/// Fails when the statement before it changed another number of rows than this: no operation is of no document.
const GUARD: &str = "insert into operation (document_id) select null where changes() <> ?";

/// Placeholders stand without numbers: SQLite looks for named ones in a list, from its beginning, each time.
fn statements(size: Size) -> String {
    let begin = if size.begins { "begin immediate;" } else { "" };
    let commit = if size.commits { "; commit" } else { "" };
    let (head, row, progress) = (HEAD.join(", "), ROW.join(", "), PROGRESS.join(", "));
    let heads = placeholders(size.documents, HEAD.len());
    let rows = placeholders(size.rows, ROW.len());
    let progresses = placeholders(size.rows, PROGRESS.len());
    format!(
        "{begin}
         with new ({head}) as (values {heads})
         update document
         set revision = new.revision, chain = new.chain, len_chars = new.len_chars,
             updated_ms = new.updated_ms
         from new
         where document.document_id = new.document_id and document.revision = new.base
           and document.chain = new.base_chain and document.rights_version = new.rights_version
           and document.deleted_ms is null;
         {GUARD};
         with new ({row}) as (values {rows})
         insert into operation ({row}) select * from new where document_id is not null;
         with new ({progress}) as (values {progresses})
         insert into client_progress ({progress})
         select * from new where document_id is not null
         on conflict (document_id, client_id) do update set
             last_seq = excluded.last_seq,
             last_revision = excluded.last_revision,
             submission_hash = excluded.submission_hash,
             row_hash = excluded.row_hash
         where excluded.last_seq > client_progress.last_seq
           and excluded.author_id = client_progress.author_id;
         {GUARD}{commit}"
    )
}

/// `(?, ?), (?, ?)`
fn placeholders(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

#[cfg(test)]
mod tests {
    use collab_protocol::{ClientId, DocumentId};
    use ot_core::{ClientSeq, Operation};

    use super::*;
    use crate::document::SubmissionHash;
    use crate::store::ChainHash;

    fn append(document: u128, operations: usize) -> Append {
        let new = |index| NewOperation {
            client: ClientId::new(index as u128),
            seq: ClientSeq::new(1),
            author: "g_1".parse().expect("an id"),
            operation: Arc::new(Operation::splice(0, 0, 0, "x").expect("fits")),
            submission: SubmissionHash::new(0),
            chain: ChainHash::START,
        };
        Append {
            document: DocumentId::new(document),
            base: Revision::ZERO,
            base_chain: ChainHash::START,
            rights_version: 0,
            operations: (0..operations).map(new).collect(),
            time_ms: 0,
            len_chars: 1,
        }
    }

    /// How many appends are in each round of these documents' appends, each with so many operations.
    fn lens(appends: &[(u128, usize)]) -> Option<Vec<usize>> {
        let appends: Vec<Append> = appends.iter().map(|(id, len)| append(*id, *len)).collect();
        let appends: Vec<&Append> = appends.iter().collect();
        Some(rounds(&appends)?.iter().map(|round| round.appends.len()).collect())
    }

    #[test]
    fn a_round_holds_each_document_once_and_no_more_rows_than_a_command() {
        assert_eq!(lens(&[(1, 1), (2, 3), (3, 1)]), Some(vec![3]));
        assert_eq!(lens(&[(1, 1), (2, 1), (1, 1), (2, 1)]), Some(vec![2, 2]));
        assert_eq!(lens(&[(1, 1), (1, 1), (1, 1)]), Some(vec![1, 1, 1]));
        assert_eq!(lens(&[(1, 200), (2, 56), (3, 1)]), Some(vec![2, 1]));
        assert_eq!(lens(&[(1, 257)]), None);
        assert_eq!(lens(&[(1, 0)]), None);
    }

    #[test]
    fn a_command_has_a_value_for_each_placeholder() {
        for (documents, operations) in [(1, 1), (1, 5), (3, 2), (64, 4)] {
            let appends: Vec<Append> = (0..documents).map(|id| append(id, operations)).collect();
            let appends: Vec<&Append> = appends.iter().collect();
            let rounds = rounds(&appends).expect("they fit");
            let placeholders = text(rounds[0].size()).matches('?').count();
            assert_eq!(rounds[0].values().expect("values").len(), placeholders);
        }
    }
}
