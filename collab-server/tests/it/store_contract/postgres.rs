//! What is PostgreSQL's own: several servers on one database, lost connections, damage, settings.

use std::time::Duration;

use collab_protocol::DocumentId;
use collab_server::{
    Append, AppendOutcome, OpenError, PostgresConfig, PostgresStore, Store, StoreError,
};
use futures_util::future::join_all;
use ot_core::Revision;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::support::{
    DOCUMENT, Database, Pen, Postgres, client, finds_exactly, is_conflict, is_done, text_of,
};
use crate::support::postgres::{Cluster, Schema};
use crate::support::proxy::{Flow, Network, Proxy};
use crate::support::until;

impl Postgres {
    async fn open(&self, change: impl FnOnce(&mut PostgresConfig)) -> PostgresStore {
        let mut config = PostgresConfig::new(self.schema.url());
        change(&mut config);
        PostgresStore::open(config, 1).await.expect("opens")
    }

    async fn refusal(&self) -> OpenError {
        let opened = PostgresStore::open(PostgresConfig::new(self.schema.url()), 1).await;
        opened.expect_err("it must not open")
    }
}

/// What appends "x" on the pen's head, which stays where it is.
fn one_more(pen: &Pen, number: u128) -> Append {
    let mut pen = pen.clone();
    let base = pen.head;
    let operation = pen.write(client(number), 1, 1, "x");
    pen.append(base, vec![operation])
}

#[tokio::test]
async fn everything_is_there_for_the_next_server() {
    let database = Postgres::create().await;
    let mut pen = Pen::create(&database.store, DOCUMENT).await;
    pen.commit(&database.store, client(1), 1, "kept").await;
    database.store.close().await;
    let store = database.open(|_| {}).await;
    let loaded = store.load(DOCUMENT).await.expect("loads");
    assert_eq!(text_of(&loaded), "kept");
    pen.commit(&store, client(1), 2, " on").await;
    store.close().await;
    database.schema.remove().await;
}

#[tokio::test]
async fn a_database_from_before_migration_10_loses_its_index_and_finds_every_submission() {
    let database = Postgres::create().await;
    let mut pen = Pen::create(&database.store, DOCUMENT).await;
    for seq in [1, 2, 4] {
        pen.commit(&database.store, client(1), seq, "x").await;
    }
    database
        .schema
        .execute(
            "create unique index operation_client_seq
                 on operation (document_id, client_id, client_seq);
             alter table operation add constraint operation_document_fk
                 foreign key (document_id) references document (document_id);
             delete from schema_migration where number = 10",
        )
        .await;
    // A server of before goes on meanwhile.
    let store = database.open(|_| {}).await;
    pen.commit(&database.store, client(1), 5, "x").await;
    let submissions = [(1, 1), (2, 2), (4, 3), (5, 4)];
    finds_exactly(&store, client(1), &submissions).await;
    let sql = "select count(*) from pg_indexes where indexname = 'operation_client_seq'
               and schemaname = current_schema()";
    let mut beside = database.schema.connect().await;
    let left: i64 = sqlx::query_scalar(sql).fetch_one(&mut beside).await.expect("reads");
    assert_eq!(left, 0, "the index is gone");
    store.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_servers_that_append_at_once_one_wins() {
    let database = Postgres::create().await;
    let stores = join_all((0..5).map(|_| database.open(|config| config.connections = 1))).await;
    let mut pen = Pen::create(&database.store, DOCUMENT).await;
    for round in 1..=10 {
        let appends = (0..5)
            .map(|server| stores[server].append(one_more(&pen, 100 * round + server as u128)));
        let outcomes = join_all(appends).await;
        assert_eq!(outcomes.iter().filter(|outcome| is_done(outcome)).count(), 1, "{outcomes:?}");
        let lost = outcomes.iter().filter(|outcome| is_conflict(outcome)).count();
        assert_eq!(lost, 4, "{outcomes:?}");
        let loaded = database.store.load(DOCUMENT).await.expect("the log is whole");
        (pen.head, pen.chain) = (loaded.record.revision, loaded.record.chain);
        pen.chains.push(pen.chain);
        pen.len = text_of(&loaded).len();
        assert_eq!(pen.head, Revision::new(round as u64));
    }
    join_all(stores.iter().map(|store| store.close())).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_start_at_once_set_the_database_up_once() {
    let schema = Schema::create().await;
    let opened =
        join_all((0..5).map(|_| PostgresStore::open(PostgresConfig::new(schema.url()), 1))).await;
    for store in opened {
        store.expect("opens").close().await;
    }
    schema.remove().await;
}

#[tokio::test]
async fn damaged_rows_are_refused_and_other_documents_served() {
    let id = "(select distinct document_id from operation)";
    for damage in [
        "delete from operation where revision = 2".to_owned(),
        "delete from operation where revision = 3".to_owned(),
        "update operation set body = '\\x00' where revision = 2".to_owned(),
        "update operation set author_id = 'g_9' where revision = 2".to_owned(),
        "update operation set time_ms = 1 where revision = 3".to_owned(),
        format!("update document set revision = 2 where document_id = {id}"),
        format!("update document set revision = 4 where document_id = {id}"),
        format!("update document set chain = sha256('') where document_id = {id}"),
        format!("insert into snapshot values ({id}, 9, 'abc', sha256(''), sha256(''), 1)"),
        "insert into snapshot select document_id, 3, 'abX', sha256(''), chain, 1 \
         from operation where revision = 3"
            .to_owned(),
    ] {
        let database = Postgres::create().await;
        let mut pen = Pen::create(&database.store, DOCUMENT).await;
        for (seq, text) in [(1, "a"), (2, "b"), (3, "c")] {
            pen.commit(&database.store, client(1), seq, text).await;
        }
        Pen::create(&database.store, DocumentId::new(2)).await;
        database.schema.execute(&damage).await;
        let loaded = database.store.load(DOCUMENT).await;
        assert!(matches!(loaded, Err(StoreError::Corrupt { .. })), "{damage}: {loaded:?}");
        database.store.load(DocumentId::new(2)).await.expect("the other document is whole");
        database.remove().await;
    }
}

/// Appends to three documents in one statement, the middle one to be stopped by a constraint.
async fn constraint_stops_one_of_three(damage: &str) {
    let database = Postgres::create().await;
    let first = Pen::create(&database.store, DocumentId::new(1)).await;
    let mut stopped = Pen::create(&database.store, DocumentId::new(2)).await;
    let last = Pen::create(&database.store, DocumentId::new(3)).await;
    stopped.commit(&database.store, client(9), 1, "a").await;
    database.schema.execute(damage).await;
    let appends = [&first, &stopped, &last].map(|pen| database.store.append(one_more(pen, 5)));
    let outcomes = join_all(appends).await;
    assert!(is_done(&outcomes[0]) && is_done(&outcomes[2]), "{damage}: {outcomes:?}");
    assert!(is_conflict(&outcomes[1]), "{damage}: {outcomes:?}");
    let record = database.store.document(DocumentId::new(2)).await.expect("reads");
    assert_eq!(record.revision, Revision::new(1), "the head did not move without its row");
    database.remove().await;
}

#[tokio::test]
async fn the_primary_key_is_the_last_fence_and_stops_one_document_alone() {
    // The head says 1 while the log has 2: no writer of ours leaves that behind.
    constraint_stops_one_of_three(
        "insert into operation select document_id, 2, client_id, 2, author_id, time_ms, body, \
         chain from operation",
    )
    .await;
}

#[tokio::test]
async fn error_inside_a_statement_fails_one_append_alone() {
    let database = Postgres::create().await;
    // Stands for what a database refuses for reasons of its own.
    database
        .schema
        .execute(
            "create function refuse() returns trigger language plpgsql as $$
             begin raise exception 'no space'; end $$;
             create trigger refuse before insert on operation for each row
             when (new.client_id = '00000000-0000-0000-0000-000000000005')
             execute function refuse()",
        )
        .await;
    let refused = Pen::create(&database.store, DocumentId::new(1)).await;
    let other = Pen::create(&database.store, DocumentId::new(2)).await;
    let appends = [one_more(&refused, 5), one_more(&other, 6)];
    let outcomes = join_all(appends.map(|append| database.store.append(append))).await;
    assert!(matches!(outcomes[0], AppendOutcome::Failed(_)), "{outcomes:?}");
    assert!(is_done(&outcomes[1]), "{outcomes:?}");
    let record = database.store.document(DocumentId::new(1)).await.expect("reads");
    assert_eq!(record.revision, Revision::ZERO);
    assert!(is_done(&database.store.append(one_more(&refused, 7)).await), "and it goes on");
    database.remove().await;
}

#[tokio::test]
async fn head_locked_by_another_session_fails_its_append_and_no_other() {
    let database = Postgres::create().await;
    let locked = Pen::create(&database.store, DocumentId::new(1)).await;
    let free = Pen::create(&database.store, DocumentId::new(2)).await;
    let store = database.open(|config| config.lock_timeout = Duration::from_millis(50)).await;
    let mut other = database.schema.connect().await;
    let mut transaction = other.begin().await.expect("begins");
    sqlx::raw_sql(
        "select from document where document_id = '00000000-0000-0000-0000-000000000001' \
         for update",
    )
    .execute(&mut *transaction)
    .await
    .expect("locks");
    let appends = [one_more(&locked, 5), one_more(&free, 5)];
    let outcomes = join_all(appends.map(|append| store.append(append))).await;
    assert!(matches!(outcomes[0], AppendOutcome::Failed(_)), "{outcomes:?}");
    assert!(is_done(&outcomes[1]), "{outcomes:?}");
    transaction.rollback().await.expect("unlocks");
    assert!(is_done(&store.append(one_more(&locked, 5)).await));
    store.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_lost_behind_a_sent_append_leaves_it_unknown() {
    let database = Postgres::create().await;
    let pen = Pen::create(&database.store, DOCUMENT).await;
    let mut other = database.schema.connect().await;
    let mut transaction = other.begin().await.expect("begins");
    sqlx::raw_sql("lock table document").execute(&mut *transaction).await.expect("locks");
    let store = database.store.clone();
    let append = one_more(&pen, 5);
    let waiting = tokio::spawn(async move { store.append(append).await });
    let mut beside = database.schema.connect().await;
    until("the append waits in the database", async || {
        let ended: Vec<bool> = sqlx::query_scalar(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where wait_event_type = 'Lock' and pg_blocking_pids(pid) @> array[$1]",
        )
        .bind(backend_of(&mut transaction).await)
        .fetch_all(&mut beside)
        .await
        .expect("reads");
        !ended.is_empty()
    })
    .await;
    let outcome = waiting.await.expect("answers");
    assert!(matches!(outcome, AppendOutcome::Unknown(_)), "{outcome:?}");
    transaction.rollback().await.expect("unlocks");
    let found = database.store.find_submission(DOCUMENT, client(5), ot_core::ClientSeq::new(1));
    assert_eq!(found.await.expect("a look tells"), None);
    assert!(is_done(&database.store.append(one_more(&pen, 5)).await), "over a new connection");
    database.remove().await;
}

async fn backend_of(connection: &mut sqlx::PgConnection) -> i32 {
    sqlx::query_scalar("select pg_backend_pid()").fetch_one(connection).await.expect("reads")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_database_is_unknown_to_appends_and_unavailable_to_reads() {
    let database = Postgres::create().await;
    let pen = Pen::create(&database.store, DOCUMENT).await;
    let options: PgConnectOptions = database.schema.url().parse().expect("an address");
    let address = format!("{}:{}", options.get_host(), options.get_port());
    let network = Proxy::start(address.parse().expect("a server of this machine")).await;
    let port = network.address().port();
    let through = format!("{}&host=127.0.0.1&port={port}", database.schema.url());
    let store = PostgresStore::open(
        PostgresConfig {
            timeout: Duration::from_millis(300),
            silence_timeout: Duration::from_millis(100),
            ..PostgresConfig::new(through)
        },
        1,
    )
    .await
    .expect("opens");
    store.check().await.expect("answers");
    network.set(Network { up: Flow::Dead, down: Flow::Dead });
    let outcome = store.append(one_more(&pen, 5)).await;
    assert!(matches!(outcome, AppendOutcome::Unknown(_)), "{outcome:?}");
    let loaded = store.load(DOCUMENT).await;
    assert!(matches!(loaded, Err(StoreError::Unavailable { .. })), "{loaded:?}");
    let outcome = store.append(one_more(&pen, 5)).await;
    assert!(matches!(outcome, AppendOutcome::Failed(_)), "not even sent: {outcome:?}");
    network.set(Network::GOOD);
    let loaded = store.load(DOCUMENT).await.expect("loads again");
    // What was swallowed is gone for good, since the connection was given up.
    assert_eq!(loaded.record.revision, Revision::ZERO);
    assert!(is_done(&store.append(one_more(&pen, 5)).await));
    store.close().await;
    database.remove().await;
}

#[tokio::test]
async fn database_of_a_newer_server_and_a_changed_migration_are_refused() {
    let database = Postgres::create().await;
    let newer = "insert into schema_migration values (9999, 'later', '', 1)";
    database.schema.execute(newer).await;
    let error = database.refusal().await;
    assert!(matches!(error, OpenError::Newer { number: 9999 }), "{error}");
    database.schema.execute("delete from schema_migration where number = 9999").await;
    database.schema.execute("update schema_migration set checksum = '\\x00'").await;
    let error = database.refusal().await;
    assert!(matches!(error, OpenError::ChangedMigration { .. }), "{error}");
    database.remove().await;
}

#[tokio::test]
async fn commits_are_synced_even_where_the_default_is_not_to() {
    let database = Postgres::create().await;
    database
        .schema
        .execute(
            "create table seen (value text);
             create function look() returns trigger language plpgsql as $$
             begin insert into seen values (current_setting('synchronous_commit')); return new;
             end $$;
             create trigger look before insert on operation for each row execute function look()",
        )
        .await;
    for (number, given) in [(1, "off"), (2, "remote_write")] {
        let url = format!("{}%20-csynchronous_commit%3D{given}", database.schema.url());
        let store = PostgresStore::open(PostgresConfig::new(url), 1).await.expect("opens");
        let mut pen = Pen::create(&store, DocumentId::new(number)).await;
        pen.commit(&store, client(1), 1, "x").await;
        store.close().await;
    }
    let mut connection = database.schema.connect().await;
    let seen: Vec<String> = sqlx::query_scalar("select value from seen")
        .fetch_all(&mut connection)
        .await
        .expect("reads");
    assert_eq!(seen, ["on", "remote_write"]);
    database.remove().await;
}

#[tokio::test]
async fn session_that_may_not_write_is_refused_with_a_remedy() {
    let schema = Schema::create().await;
    let url = format!("{}%20-cdefault_transaction_read_only%3Don", schema.url());
    let opened = PostgresStore::open(PostgresConfig::new(url), 1).await;
    let error = opened.expect_err("it must not open").to_string();
    assert!(error.contains("default_transaction_read_only is on"), "{error}");
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_without_fsync_is_refused_and_one_that_crashed_is_written_to_again() {
    let mut cluster = Cluster::start(&["-c", "fsync=off"]).await;
    let opened = PostgresStore::open(PostgresConfig::new(cluster.url()), 1).await;
    let error = opened.expect_err("it must not open").to_string();
    assert!(error.contains("fsync is off") && error.contains("alter system"), "{error}");

    let options: PgConnectOptions = cluster.url().parse().expect("an address");
    cluster.set_flags(&[]);
    cluster.kill().await;
    cluster.restart().await;
    let store = PostgresStore::open(PostgresConfig::new(cluster.url()), 1).await.expect("opens");
    let mut pen = Pen::create(&store, DOCUMENT).await;
    pen.commit(&store, client(1), 1, "before").await;
    cluster.kill().await;
    assert!(options.connect().await.is_err(), "it is down");
    let outcome = store.append(one_more(&pen, 5)).await;
    assert!(!is_done(&outcome) && !is_conflict(&outcome), "{outcome:?}");
    assert!(matches!(store.load(DOCUMENT).await, Err(StoreError::Unavailable { .. })));
    cluster.restart().await;
    until("the store writes again", async || {
        matches!(
            store.append(one_more(&pen, 5)).await,
            AppendOutcome::Done | AppendOutcome::Conflict
        )
    })
    .await;
    assert_eq!(text_of(&store.load(DOCUMENT).await.expect("loads")), "beforex");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_ahead_wins_against_who_asked_before() {
    let database = Postgres::create().await;
    let [one, other] = [database.open(|_| {}).await, database.open(|_| {}).await];
    let mut pen = Pen::create(&database.store, DOCUMENT).await;
    for round in 1..=5 {
        one.go_ahead(DOCUMENT).await;
        one.go_ahead(DOCUMENT).await;
        let mut rival = other.append(one_more(&pen, 100 + round));
        // It was sent, and waits.
        for _ in 0..20 {
            assert!(futures_util::poll!(&mut rival).is_pending());
            tokio::task::yield_now().await;
        }
        pen.commit(&one, client(round), 1, "x").await;
        let lost = rival.await;
        assert!(is_conflict(&lost), "{lost:?}");
    }
    let loaded = database.store.load(DOCUMENT).await.expect("loads");
    assert_eq!(text_of(&loaded), "xxxxx");
    for store in [one, other] {
        store.close().await;
    }
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_ahead_and_never_comes_keeps_nobody_out() {
    let database = Postgres::create().await;
    let [one, other] = [database.open(|_| {}).await, database.open(|_| {}).await];
    let mut pen = Pen::create(&database.store, DOCUMENT).await;
    one.go_ahead(DocumentId::new(404)).await;
    for round in 1..=5 {
        one.go_ahead(DOCUMENT).await;
        pen.commit(&other, client(round), 1, "x").await;
    }
    let loaded = database.store.load(DOCUMENT).await.expect("loads");
    assert_eq!(text_of(&loaded), "xxxxx");
    for store in [one, other] {
        store.close().await;
    }
    database.remove().await;
}
