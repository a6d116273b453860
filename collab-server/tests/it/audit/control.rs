//! The control: a server whose commits are not synced (`synchronous = normal`). A kill would never
//! show it; the audit must.

use std::path::Path;
use std::sync::Arc;

use collab_server::{Append, AppendOutcome, SqliteStore, Store, StoreFuture, StoreLayer};
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::Mutex;

use super::{WRITERS, audit};
use crate::support::stand_in;

/// Appends as the sound store does, but over a connection that does not sync what it commits.
struct Unsynced {
    inner: SqliteStore,
    connection: Arc<Mutex<SqliteConnection>>,
}

impl Unsynced {
    async fn beside(inner: SqliteStore, file: &Path) -> Self {
        let options =
            SqliteConnectOptions::new().filename(file).synchronous(SqliteSynchronous::Normal);
        let connection = options.connect().await.expect("a second connection");
        Unsynced { inner, connection: Arc::new(Mutex::new(connection)) }
    }
}

async fn commit(connection: &mut SqliteConnection, append: &Append) -> Result<(), sqlx::Error> {
    let document = append.document.get().to_be_bytes().to_vec();
    let mut transaction = connection.begin_with("begin immediate").await?;
    let mut revision = append.base.get().cast_signed();
    for new in &append.operations {
        revision += 1;
        sqlx::query("insert into operation values (?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(&document)
            .bind(revision)
            .bind(new.client.get().to_be_bytes().to_vec())
            .bind(new.seq.get().cast_signed())
            .bind(new.author.as_str())
            .bind(append.time_ms)
            .bind(new.operation.to_bytes())
            .bind(new.chain.as_bytes().to_vec())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("update document set revision = ?, chain = ? where document_id = ?")
            .bind(revision)
            .bind(new.chain.as_bytes().to_vec())
            .bind(&document)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

impl StoreLayer for Unsynced {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    fn append(&self, append: Append) -> StoreFuture<'_, AppendOutcome> {
        Box::pin(async move {
            commit(&mut *self.connection.lock().await, &append).await.expect("it commits");
            AppendOutcome::Done
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_without_sync_are_found_out() {
    if stand_in::serve_if_asked(Unsynced::beside).await {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let own = "audit::control::commits_without_sync_are_found_out";
    let findings = audit(folder.path(), Some(own), 10).await;
    let unsynced = findings.iter().filter(|found| !found.is_durable()).count();
    assert!(findings.iter().all(|found| found.written.is_some()), "all was written: {findings:?}");
    assert!(unsynced > 0, "{} acks left without a sync, and nobody noticed", 10 * WRITERS);
    println!("{unsynced} of {} acks left without a sync of their bytes", findings.len());
}
