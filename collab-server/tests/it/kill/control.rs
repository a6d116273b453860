//! The control: a server that acknowledges before it appends. The same rounds must find it out.
//!
//! The defect is in no build of the product: this very test is started again as the server's
//! process, which puts a layer around a sound store.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use collab_server::{
    Append, AppendOutcome, Database, Invocation, Server, SqliteConfig, SqliteStore, Store,
    StoreFuture, StoreLayer, SystemClock,
};
use tokio::sync::mpsc;

use super::{Ground, Stage};
use crate::support::oracle::Violation;
use crate::support::process::STAND_IN;

/// Says that an append is done, and lets it be done later.
struct AckFirst {
    inner: SqliteStore,
    later: mpsc::UnboundedSender<Append>,
}

impl AckFirst {
    fn around(inner: SqliteStore) -> Self {
        let (later, mut waiting) = mpsc::unbounded_channel();
        let store = inner.clone();
        tokio::spawn(async move {
            while let Some(append) = waiting.recv().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
                store.append(append).await;
            }
        });
        AckFirst { inner, later }
    }
}

impl StoreLayer for AckFirst {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    fn append(&self, append: Append) -> StoreFuture<'_, AppendOutcome> {
        let _ = self.later.send(append);
        Box::pin(async { AppendOutcome::Done })
    }
}

/// Serves as the program does, with these arguments, until it is killed.
async fn serve_ack_first(arguments: &str) {
    let arguments = ["collab-server"].into_iter().chain(arguments.split('\n')).map(OsString::from);
    let Ok(Invocation::Serve(config)) = collab_server::parse_command_line(arguments, |_| None)
    else {
        panic!("arguments of the program")
    };
    let Database::Sqlite(path) = &config.database else { panic!("a file") };
    let store = SqliteStore::open(SqliteConfig::new(path), 0).await.expect("the file opens");
    let store = Arc::new(AckFirst::around(store));
    let server = Server::start_with(*config, store, Arc::new(SystemClock)).await.expect("serves");
    eprintln!("{{\"address\":\"{}\"}}", server.address());
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledging_before_the_append_is_found_out() {
    if let Ok(arguments) = std::env::var(STAND_IN) {
        return serve_ack_first(&arguments).await;
    }
    let ground = Ground::Sqlite(tempfile::tempdir().expect("a folder"));
    let own = "kill::control::acknowledging_before_the_append_is_found_out";
    let mut stage = Stage::new(ground, Some(own), 73).await;
    let found = stage.round().await;
    let lost = found.iter().filter(|found| matches!(found, Violation::Lost { .. })).count();
    assert!(lost > 0, "acknowledged and not appended, and nobody noticed: {found:?}");
    println!("{lost} lost operations were found");
}
