//! The control: servers that commit without the compare-and-set, on a database without the keys.
//! The same load and the same oracle must find it out.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use collab_server::{Append, AppendOutcome, PostgresStore, Store, StoreFuture, StoreLayer};
use futures_util::FutureExt;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, Row};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{Stage, TEMPER, write};
use crate::faults::seed;
use crate::support::process::STAND_IN;
use crate::support::stand_in;

/// Puts the head where the server believes it to be, whoever has moved it, before each append.
struct Blind {
    inner: PostgresStore,
    pool: PgPool,
    /// Whether the keys are gone.
    is_keyless: OnceCell<()>,
}

impl Blind {
    fn around(inner: PostgresStore) -> Self {
        let arguments = std::env::var(STAND_IN).expect("it is asked");
        let url = arguments.lines().skip_while(|line| *line != "--database").nth(1);
        let url = url.expect("the address of a server");
        let pool = PgPoolOptions::new().max_connections(2).connect_lazy(url).expect("an address");
        Blind { inner, pool, is_keyless: OnceCell::new() }
    }

    async fn drop_keys(&self) {
        let key = "alter table operation drop constraint if exists operation_pk";
        sqlx::query(key).execute(&self.pool).await.expect("the key goes");
    }
}

impl StoreLayer for Blind {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    fn append(&self, append: Append) -> StoreFuture<'_, AppendOutcome> {
        Box::pin(async move {
            self.is_keyless.get_or_init(|| self.drop_keys()).await;
            let sql = "update document set revision = $2, chain = $3 where document_id = $1";
            let forged = sqlx::query(sql)
                .bind(Uuid::from_u128(append.document.get()))
                .bind(i64::try_from(append.base.get()).expect("a small number"))
                .bind(append.base_chain.as_bytes().to_vec())
                .execute(&self.pool);
            forged.await.expect("the head is put back");
            self.inner.append(append).await
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_compare_and_set_and_keys_the_fork_is_found() {
    if stand_in::serve_on_postgres_if_asked(Blind::around).await {
        return;
    }
    let own = "cluster::control::without_compare_and_set_and_keys_the_fork_is_found";
    let mut stage = Stage::with(seed(241), 2, 1, &[], Some(own)).await;
    let mut crowds = stage.people(4, TEMPER).await;
    // Whoever notices may give up; nobody is waited for who cannot end.
    let writing = AssertUnwindSafe(write(&mut crowds, 20, &stage.characters)).catch_unwind();
    let written = tokio::time::timeout(Duration::from_secs(10), writing).await;
    // A server whose head was put back may see that its log does not continue, and say so, before
    // two have committed one revision.
    if let Ok(Err(panic)) = &written
        && panic.downcast_ref::<String>().is_some_and(|told| told.contains("doc_corrupt"))
    {
        println!("a server found its log broken, and the harness heard of it");
        return;
    }

    let mut connection = PgPoolOptions::new()
        .max_connections(1)
        .connect(&stage.postgres.url())
        .await
        .expect("connects")
        .acquire()
        .await
        .expect("a connection");
    let sql = "select count(*) from (select 1 from operation group by document_id, revision
               having count(*) > 1) as forked";
    let forked = sqlx::query(sql).fetch_one(&mut *connection).await.expect("reads");
    let forked: i64 = forked.get(0);
    assert!(forked > 0, "the heads were put back, and nothing forked");

    let judging = AssertUnwindSafe(stage.judge(&mut crowds)).catch_unwind();
    let verdict = tokio::time::timeout(Duration::from_secs(10), judging).await;
    assert!(!matches!(verdict, Ok(Ok(_))), "{forked} revisions twice, and nobody noticed");
    println!("{forked} revisions were committed twice, and found");
}
