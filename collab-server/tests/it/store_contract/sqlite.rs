//! What is SQLite's own: the file over restarts, damage, migrations, a full disk.

mod groups;

use collab_protocol::DocumentId;
use collab_server::{AppendOutcome, OpenError, SqliteConfig, SqliteStore, Store, StoreError};
use futures_util::future::join_all;
use ot_core::Revision;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};

use super::support::{
    DOCUMENT, Database, Pen, Sqlite, client, finds_exactly, is_conflict, is_done, text_of,
};

impl Sqlite {
    fn config(&self) -> SqliteConfig {
        SqliteConfig::new(self.folder.path().join("test.db"))
    }

    /// A connection beside the store's, as an operator or a damaged disk would have.
    async fn beside(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("test.db"));
        options.connect().await.expect("connects")
    }

    async fn execute(&self, sql: &'static str) {
        let mut connection = self.beside().await;
        sqlx::raw_sql(sql).execute(&mut connection).await.expect("executes");
    }

    async fn reopen(self) -> Result<Sqlite, OpenError> {
        self.store.close().await;
        let store = SqliteStore::open(self.config(), 1).await?;
        Ok(Sqlite { store, ..self })
    }
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let database = Sqlite::create().await;
    let mut pen = Pen::create(&database.store, DOCUMENT).await;
    pen.commit(&database.store, client(1), 1, "kept").await;
    let database = database.reopen().await.expect("opens again");
    let loaded = database.store.load(DOCUMENT).await.expect("loads");
    assert_eq!(text_of(&loaded), "kept");
    pen.commit(&database.store, client(1), 2, " on").await;
    database.remove().await;
}

#[tokio::test]
async fn a_database_from_before_migration_10_loses_its_index_and_finds_every_submission() {
    let database = Sqlite::create().await;
    let mut pen = Pen::create(&database.store, DOCUMENT).await;
    for seq in [1, 2, 4] {
        pen.commit(&database.store, client(1), seq, "x").await;
    }
    database
        .execute(
            "create unique index operation_client_seq
                 on operation (document_id, client_id, client_seq);
             delete from schema_migration where number = 10",
        )
        .await;
    let database = database.reopen().await.expect("opens again");
    let mut beside = database.beside().await;
    let sql = "select count(*) from sqlite_schema where name = 'operation_client_seq'";
    let left: i64 = sqlx::query_scalar(sql).fetch_one(&mut beside).await.expect("reads");
    assert_eq!(left, 0, "the index is gone");
    finds_exactly(&database.store, client(1), &[(1, 1), (2, 2), (4, 3)]).await;
    pen.commit(&database.store, client(1), 5, "x").await;
    database.remove().await;
}

#[tokio::test]
async fn damaged_rows_are_refused_and_other_documents_served() {
    for damage in [
        "delete from operation where revision = 2",
        "delete from operation where revision = 3",
        "update operation set body = x'00' where revision = 2",
        "update operation set author_id = 'g_9' where revision = 2",
        "update operation set time_ms = 1 where revision = 3",
        "update operation set body = (select body from operation where revision = 3) \
         where revision = 2",
        "update document set revision = 2 where document_id = (select document_id from operation)",
        "update document set revision = 4 where document_id = (select document_id from operation)",
        "update document set chain = zeroblob(32) \
         where document_id = (select document_id from operation)",
        "insert into snapshot values ((select document_id from operation), 9, 'abc', \
         zeroblob(32), zeroblob(32), 1, null)",
        "insert into snapshot select document_id, 3, 'abX', zeroblob(32), chain, 1, null \
         from operation where revision = 3",
    ] {
        let database = Sqlite::create().await;
        let mut pen = Pen::create(&database.store, DOCUMENT).await;
        for (seq, text) in [(1, "a"), (2, "b"), (3, "c")] {
            pen.commit(&database.store, client(1), seq, text).await;
        }
        Pen::create(&database.store, DocumentId::new(2)).await;
        database.execute(damage).await;
        let loaded = database.store.load(DOCUMENT).await;
        assert!(matches!(loaded, Err(StoreError::Corrupt { .. })), "{damage}: {loaded:?}");
        database.store.load(DocumentId::new(2)).await.expect("the other document is whole");
        database.remove().await;
    }
}

#[tokio::test]
async fn row_that_is_there_already_makes_a_conflict_and_leaves_the_head() {
    let database = Sqlite::create().await;
    let mut pen = Pen::create(&database.store, DOCUMENT).await;
    pen.commit(&database.store, client(1), 1, "a").await;
    // The head says 1 while the log has 2: no writer of ours leaves that behind.
    database
        .execute(
            "insert into operation select document_id, 2, client_id, 2, author_id, time_ms, body, \
             chain from operation",
        )
        .await;
    let other = Pen::create(&database.store, DocumentId::new(2)).await;
    let append = |mut pen: Pen| {
        let base = pen.head;
        let operation = pen.write(client(5), 1, 1, "x");
        pen.append(base, vec![operation])
    };
    let appends = [append(pen), append(other)].map(|append| database.store.append(append));
    let outcomes = join_all(appends).await;
    assert!(is_conflict(&outcomes[0]) && is_done(&outcomes[1]), "{outcomes:?}");
    let record = database.store.document(DOCUMENT).await.expect("reads");
    assert_eq!(record.revision, Revision::new(1), "the head did not move without its row");
    database.remove().await;
}

#[tokio::test]
async fn error_inside_a_transaction_fails_the_append_and_recovers() {
    let database = Sqlite::create().await;
    let mut pen = Pen::create(&database.store, DOCUMENT).await;
    // Stands for a full disk, which SQLite reports in the middle of a transaction too.
    database
        .execute(
            "create trigger full before insert on operation when new.client_seq = 2 \
             begin select raise(abort, 'no space'); end",
        )
        .await;
    pen.commit(&database.store, client(1), 1, "a").await;
    let base = pen.head;
    let mut failing = pen.clone();
    let operation = failing.write(client(1), 2, 1, "b");
    let outcome = database.store.append(failing.append(base, vec![operation])).await;
    assert!(!is_done(&outcome), "{outcome:?}");
    let loaded = database.store.load(DOCUMENT).await.expect("loads");
    assert_eq!((loaded.record.revision, text_of(&loaded).as_str()), (base, "a"));
    database.execute("drop trigger full").await;
    pen.commit(&database.store, client(1), 2, "b").await;
    database.remove().await;
}

#[tokio::test]
async fn lock_held_by_another_process_fails_the_append_with_nothing_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut config = SqliteConfig::new(folder.path().join("test.db"));
    config.busy_timeout = std::time::Duration::from_millis(20);
    let store = SqliteStore::open(config, 0).await.expect("opens");
    let database = Sqlite { store, folder };
    let mut pen = Pen::create(&database.store, DOCUMENT).await;
    let mut other = database.beside().await;
    sqlx::raw_sql("begin immediate").execute(&mut other).await.expect("locks");
    let base = pen.head;
    let mut failing = pen.clone();
    let operation = failing.write(client(1), 1, 1, "a");
    let outcome = database.store.append(failing.append(base, vec![operation])).await;
    assert!(matches!(outcome, AppendOutcome::Failed(_)), "{outcome:?}");
    assert!(database.store.check().await.is_err(), "the store says that it takes no writes");
    sqlx::raw_sql("rollback").execute(&mut other).await.expect("unlocks");
    pen.commit(&database.store, client(1), 1, "a").await;
    database.store.check().await.expect("takes writes again");
    database.remove().await;
}

#[tokio::test]
async fn database_of_a_newer_server_is_refused() {
    let database = Sqlite::create().await;
    database.execute("insert into schema_migration values (9999, 'later', x'00', 1)").await;
    let Err(error) = database.reopen().await else { panic!("it must not open") };
    assert!(matches!(error, OpenError::Newer { number: 9999 }), "{error}");
}

#[tokio::test]
async fn changed_migration_is_refused() {
    let database = Sqlite::create().await;
    database.execute("update schema_migration set checksum = x'00'").await;
    let Err(error) = database.reopen().await else { panic!("it must not open") };
    assert!(matches!(error, OpenError::ChangedMigration { .. }), "{error}");
}

#[tokio::test]
async fn file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("test.db");
    std::fs::write(&path, "not a database, but long enough to be read as a header of one")
        .expect("written");
    let opened = SqliteStore::open(SqliteConfig::new(&path), 0).await;
    assert!(matches!(opened, Err(OpenError::Database(_))), "{opened:?}");
}

#[tokio::test]
async fn every_commit_is_synced_in_a_write_ahead_log() {
    let database = Sqlite::create().await;
    Pen::create(&database.store, DOCUMENT).await;
    let mut connection = database.beside().await;
    let journal: String =
        sqlx::query_scalar("pragma journal_mode").fetch_one(&mut connection).await.expect("reads");
    assert_eq!(journal, "wal");
    let version: String = sqlx::query_scalar("select sqlite_version()")
        .fetch_one(&mut connection)
        .await
        .expect("reads");
    let minor: u32 = version.split('.').nth(1).expect("three numbers").parse().expect("a number");
    assert!(version.starts_with("3.") && minor >= 51, "{version}");
    database.remove().await;
}
