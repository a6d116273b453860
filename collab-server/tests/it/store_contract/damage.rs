//! Damage in a database file: bits flipped in stored rows, rows cut short, exchanged and lost.
//! Every one must be seen by `verify`, a load or a list, and no wrong text may come out.

use std::collections::BTreeMap;

use collab_protocol::{DocumentId, VersionId};
use collab_server::{
    DocumentReport, PageLimit, Store, StoreError, VersionRecord, Walk, all_documents,
    pack_document, verify_document,
};
use ot_core::{Revision, Text};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};

use super::packed::{Numbers, Writers};
use super::support::{Database, Sqlite, text_of};

const PLAIN: DocumentId = DocumentId::new(0xaa);
const PACKED: DocumentId = DocumentId::new(0xbb);

/// What is flipped: a table, its key, and the columns that the promise covers.
///
/// Not covered, since no text, no order and no answer to a client depends on them in a way that
/// another row could tell: of a document its title (and its form for searching), owner, epoch and
/// the times at which it was created, changed and deleted. People, lists of opened documents and
/// settings are no part of a history.
const KINDS: [(&str, &str, &[&str]); 6] = [
    (
        "operation",
        "document_id, revision",
        &[
            "document_id",
            "revision",
            "client_id",
            "client_seq",
            "author_id",
            "time_ms",
            "body",
            "chain",
        ],
    ),
    (
        "packed_page",
        "document_id, last_revision",
        &["document_id", "first_revision", "last_revision", "chain", "last_ms", "body", "row_hash"],
    ),
    (
        "packed_client",
        "document_id, client_id, last_revision",
        &["document_id", "client_id", "last_revision", "first_seq", "last_seq"],
    ),
    (
        "snapshot",
        "document_id, revision",
        &["document_id", "revision", "body", "body_hash", "chain", "time_ms", "row_hash"],
    ),
    ("document", "document_id", &["document_id", "revision", "chain", "len_chars", "text_key"]),
    (
        "client_progress",
        "document_id, client_id",
        &[
            "document_id",
            "client_id",
            "author_id",
            "last_seq",
            "last_revision",
            "submission_hash",
            "row_hash",
        ],
    ),
];

/// A database with a plain and a packed document, and a copy to put damaged tables right.
struct Damaged {
    database: Sqlite,
    beside: SqliteConnection,
    /// The text of each document at each revision.
    texts: BTreeMap<(DocumentId, Revision), String>,
}

impl Damaged {
    async fn create() -> Self {
        let database = Sqlite::create().await;
        let mut texts = BTreeMap::new();
        for (document, is_packed) in [(PLAIN, false), (PACKED, true)] {
            let store = &database.store;
            let mut writers = Writers::begin_in(store, document, document.get() as u64).await;
            for (round, count) in [14, 9, 5, 12].into_iter().enumerate() {
                writers.write(store, count).await;
                writers.snapshot(store).await;
                if is_packed && round < 3 {
                    pack_document(store, document, 1).await.expect("packs");
                }
            }
            writers.write(store, 6).await;
            let all = PageLimit { operations_max: 1_000, bytes_max: usize::MAX };
            let log = store.since(document, Revision::ZERO, all).await.expect("reads");
            let mut text = Text::new();
            texts.insert((document, Revision::ZERO), String::new());
            for logged in log.operations {
                text.apply(&logged.operation).expect("follows");
                texts.insert((document, logged.revision), text.contents());
            }
        }
        let path = database.folder.path();
        let options = SqliteConnectOptions::new().filename(path.join("test.db"));
        let mut beside = options.foreign_keys(false).connect().await.expect("connects");
        let whole = path.join("whole.db");
        for sql in [
            format!("vacuum into '{}'", whole.display()),
            format!("attach '{}' as whole", whole.display()),
            // As a disk would: no constraint asks first.
            "pragma ignore_check_constraints = on".to_owned(),
        ] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut beside).await.expect("executes");
        }
        Damaged { database, beside, texts }
    }

    async fn execute(&mut self, sql: String) -> Result<u64, sqlx::Error> {
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut self.beside).await?;
        Ok(done.rows_affected())
    }

    async fn put_right(&mut self, table: &str) {
        let sql = format!("delete from {table}; insert into {table} select * from whole.{table}");
        self.execute(sql).await.expect("put right");
    }

    async fn remove(self) {
        self.beside.close().await.expect("closes");
        Database::remove(self.database).await;
    }

    /// Whether anything says that the database is damaged. Panics when a wrong text comes out.
    async fn is_seen(&self) -> bool {
        let store = &self.database.store;
        let mut is_seen = false;
        let mut note = |failed: bool| is_seen |= failed;
        match all_documents(store).await {
            Ok(found) => {
                note(found != [PLAIN, PACKED]);
                for document in found {
                    let report = verify_document(store, document, |_| ()).await;
                    note(report.is_err() || report.is_ok_and(|report| !report.damage.is_empty()));
                }
            }
            Err(_) => note(true),
        }
        note(store.orphans(9).await.map_or(true, |orphans| !orphans.is_empty()));
        for document in [PLAIN, PACKED] {
            let loaded = store.load(document).await;
            note(loaded.is_err());
            if let Ok(loaded) = loaded {
                let expected = &self.texts[&(document, loaded.record.revision)];
                assert_eq!(&text_of(&loaded), expected, "a wrong text was served");
                assert_eq!(
                    loaded.record.revision.get(),
                    46,
                    "an old text was served as the newest"
                );
            }
            self.check_history(document).await;
        }
        is_seen
    }

    /// What time travel reads is right, or refused.
    async fn check_history(&self, document: DocumentId) {
        let store = &self.database.store;
        for revision in (0..=46).map(Revision::new) {
            let Ok(found) = store.snapshot_at_or_before(document, revision).await else { continue };
            if let Some(found) = found {
                let expected = self.texts.get(&(document, found.revision));
                assert_eq!(Some(&*found.text), expected.map(|text| &**text), "a wrong snapshot");
            }
        }
        let all = PageLimit { operations_max: 1_000, bytes_max: usize::MAX };
        let Ok(pages) = store.packed_pages(document, Revision::ZERO, all).await else { return };
        let mut at = Revision::ZERO;
        let mut text = Text::new();
        for row in pages {
            if row.first.get() != at.get() + 1 {
                return;
            }
            let page = row.page(document).expect("a row that has its hash");
            page.replay(&mut text, Revision::MAX).expect("a row that has its hash");
            at = row.last;
            assert_eq!(text.contents(), self.texts[&(document, at)], "a wrong page");
        }
    }
}

/// A value that can be written back: SQL for it, with one bit flipped.
fn flipped(row: &SqliteRow, numbers: &mut Numbers) -> Option<String> {
    let kind: String = row.get(1);
    match kind.as_str() {
        "integer" => {
            let value: i64 = row.get(2);
            // What a count or a time in milliseconds has.
            Some((value ^ (1 << numbers.below(48))).to_string())
        }
        "text" | "blob" => {
            let mut bytes: Vec<u8> = row.get(0);
            if bytes.is_empty() {
                return None;
            }
            let at = numbers.below(bytes.len());
            bytes[at] ^= 1 << numbers.below(8);
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Some(if kind == "text" {
                format!("cast(x'{hex}' as text)")
            } else {
                format!("x'{hex}'")
            })
        }
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flipped_bits_are_all_seen_and_serve_no_wrong_text() {
    // `cargo xtask soak damage` flips more.
    let wanted = std::env::var("CONCORD_TEST_FLIPS")
        .map_or(150, |count| count.parse().expect("CONCORD_TEST_FLIPS is a number"));
    let mut damaged = Damaged::create().await;
    assert!(!damaged.is_seen().await, "whole before it is damaged");
    let mut numbers = Numbers(0x0f11_9bed);
    let mut tally: BTreeMap<(&str, &str), (u32, u32)> = BTreeMap::new();
    let mut flips = 0;
    while flips < wanted {
        let (table, key, columns) = KINDS[numbers.below(KINDS.len())];
        let column = columns[numbers.below(columns.len())];
        let count = format!("select count(*) from {table}");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .fetch_one(&mut damaged.beside)
            .await
            .expect("counts");
        let at = numbers.below(count as usize);
        let place = format!("select {key} from {table} order by {key} limit 1 offset {at}");
        let value = format!(
            "select cast({column} as blob), typeof({column}), iif(typeof({column}) = 'integer', {column}, 0)
             from {table} where ({key}) = ({place})"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(value))
            .fetch_one(&mut damaged.beside)
            .await
            .expect("reads");
        let Some(value) = flipped(&row, &mut numbers) else { continue };
        let update = format!("update {table} set {column} = {value} where ({key}) = ({place})");
        // A key that another row has: no flip of a bit in a file leads there through SQL.
        let Ok(touched) = damaged.execute(update).await else { continue };
        assert_eq!(touched, 1, "{table}.{column}");
        flips += 1;
        let counts = tally.entry((table, column)).or_default();
        counts.0 += 1;
        counts.1 += u32::from(damaged.is_seen().await);
        damaged.put_right(table).await;
    }
    println!("{:<16} {:<16} {:>7} {:>9}", "table", "column", "flipped", "detected");
    for ((table, column), (flipped, seen)) in &tally {
        println!("{table:<16} {column:<16} {flipped:>7} {seen:>9}");
    }
    let unseen: Vec<_> = tally.iter().filter(|(_, (flipped, seen))| flipped != seen).collect();
    assert!(unseen.is_empty(), "not seen: {unseen:?}");
    assert!(!damaged.is_seen().await, "whole again");
    damaged.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_cut_short_exchanged_or_lost_are_all_seen() {
    let mut damaged = Damaged::create().await;
    let cases = [
        ("operation", "delete from operation where revision = 45"),
        ("operation", "delete from operation where revision = 46"),
        ("operation", "update operation set body = substr(body, 1, length(body) - 1) where revision = 44"),
        ("operation", "update operation set revision = revision + 1000 where revision = 43;
            update operation set revision = 43 where revision = 44;
            update operation set revision = 44 where revision = 1043"),
        ("operation", "update operation set document_id = zeroblob(16) where revision = 20"),
        ("operation", "insert into operation select document_id, 47, client_id, client_seq + 99, author_id,
            time_ms, body, chain from operation where revision = 46"),
        ("operation", "insert into operation select (select document_id from packed_page limit 1), revision,
            client_id, client_seq + 99, author_id, time_ms, body, chain from operation where revision = 3"),
        ("packed_page", "delete from packed_page"),
        ("packed_page", "update packed_page set body = substr(body, 1, length(body) / 2)"),
        ("packed_page", "update packed_page set body = (select body from packed_page as other
            where other.last_revision != packed_page.last_revision limit 1)"),
        ("packed_page", "update packed_page set document_id = (select document_id from document
            where document_id != packed_page.document_id)"),
        ("packed_client", "delete from packed_client"),
        ("snapshot", "update snapshot set body = substr(body, 2)"),
        ("snapshot", "update snapshot set revision = revision + 1"),
        ("snapshot", "update snapshot set document_id = zeroblob(16) \
             where document_id = (select min(document_id) from document)"),
        ("document", "update document set revision = revision - 1"),
        ("document", "update document set len_chars = len_chars + 1"),
        ("document", "update document set chain = (select chain from document as other
            where other.document_id != document.document_id)"),
        ("document", "delete from document"),
        ("client_progress", "delete from client_progress"),
        ("client_progress", "update client_progress set last_seq = last_seq + 1"),
    ];
    for (table, sql) in cases {
        damaged.execute(sql.to_owned()).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert!(damaged.is_seen().await, "not seen: {sql}");
        damaged.put_right(table).await;
        assert!(!damaged.is_seen().await, "whole again after {sql}");
    }
    damaged.remove().await;
}

#[tokio::test]
async fn verify_names_the_first_bad_revision() {
    let mut damaged = Damaged::create().await;
    let first_bad = |report: Result<DocumentReport, StoreError>| {
        let report = report.expect("checked");
        report.damage.first().and_then(|damage| damage.revision).map(Revision::get)
    };
    let verify = async |damaged: &Damaged, document| {
        first_bad(verify_document(&damaged.database.store, document, |_| ()).await)
    };
    assert_eq!(verify(&damaged, PLAIN).await, None);
    let sql = "update operation set time_ms = time_ms + 1 where revision = 29
        and document_id = (select min(document_id) from document)";
    damaged.execute(sql.to_owned()).await.expect("executes");
    assert_eq!(verify(&damaged, PLAIN).await, Some(29));
    assert_eq!(verify(&damaged, PACKED).await, None, "the other document is whole");
    damaged.put_right("operation").await;

    let spans = damaged.database.store.packed_log(PACKED).await.expect("reads");
    let last = spans.last().expect("a page");
    let sql = format!("update packed_page set last_ms = 0 where last_revision = {}", last.last);
    damaged.execute(sql).await.expect("executes");
    assert_eq!(verify(&damaged, PACKED).await, Some(last.first.get()));
    damaged.remove().await;
}

#[tokio::test]
async fn a_version_of_a_revision_that_the_log_does_not_have_is_seen() {
    let mut damaged = Damaged::create().await;
    let store = &damaged.database.store;
    let version = VersionRecord {
        id: VersionId::new(1),
        document: PLAIN,
        revision: Revision::new(46),
        name: "The last".to_owned(),
        author: "g_1".parse().expect("an id"),
        time_ms: 1,
    };
    store.put_version(version).await.expect("named");
    assert!(!damaged.is_seen().await);
    for wrong in ["revision = 47", "revision = 1 << 40", "author_id = ''"] {
        damaged.execute(format!("update version set {wrong}")).await.expect("executes");
        assert!(damaged.is_seen().await, "not seen: {wrong}");
        let right = "update version set revision = 46, author_id = 'g_1'";
        damaged.execute(right.to_owned()).await.expect("executes");
        assert!(!damaged.is_seen().await);
    }
    damaged.remove().await;
}

#[tokio::test]
async fn a_page_with_another_history_under_a_right_hash_breaks_the_chain() {
    let damaged = Damaged::create().await;
    let all = PageLimit { operations_max: 1_000, bytes_max: usize::MAX };
    let pages = damaged.database.store.packed_pages(PACKED, Revision::ZERO, all).await;
    let row = pages.expect("reads").remove(0);
    let mut logged = row.page(PACKED).expect("opens").decode().expect("decodes");
    logged[3].time_ms += 1;
    let forged = collab_server::PackedRow {
        body: collab_server::PackedPage::encode(&logged).expect("packs").into(),
        ..row
    };
    let key = super::support::key();
    let walked = forged.walk(PACKED, &key, collab_server::ChainHash::START, |_| Ok(Walk::On));
    assert!(matches!(walked, Err(StoreError::Corrupt { .. })), "{walked:?}");
    damaged.remove().await;
}
