//! The one thread that writes: it puts what waits into transactions and answers once those are committed.
//!
//! It owns both connections that write, so that neither ever finds the other's lock: that of the [`Appender`], and one for
//! everything else, which is rare. Of what waits, appends go first; then the others, in one transaction of theirs. Whoever
//! needs an order waits for an answer before asking for the next.
//!
//! `begin immediate` takes the write lock first, so that no statement finds it taken halfway. Each
//! write has a savepoint: one that loses or breaks a constraint is rolled back alone. Any other
//! error may have ended the transaction behind our back, so all of it is rolled back, and each
//! write is tried once more by itself; then a bad one fails alone.

use std::thread::{self, JoinHandle};

use futures_executor::block_on;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::{mpsc, oneshot};

use super::appender::{Appender, Asked};
use super::write::{Write, Written};
use crate::store::StoreError;

/// What the thread is asked for.
pub(super) enum Task {
    Append(Asked),
    Write(Write),
    /// To finish what waits, and to say when all is closed.
    Close(oneshot::Sender<()>),
}

/// What writes.
pub(super) struct Writer {
    pub(super) appender: Appender,
    pub(super) connection: SqliteConnection,
    pub(super) options: SqliteConnectOptions,
    /// Writes put into one transaction, at most.
    pub(super) group_max: usize,
}

impl Writer {
    /// Writes in a thread of its own, until the store is closed or dropped.
    pub(super) fn spawn(self, waiting: mpsc::Receiver<Task>) -> std::io::Result<JoinHandle<()>> {
        thread::Builder::new().name("concord-store".to_owned()).spawn(|| self.run(waiting))
    }

    fn run(mut self, mut waiting: mpsc::Receiver<Task>) {
        let mut group = Vec::new();
        let mut closing = Vec::new();
        while waiting.blocking_recv_many(&mut group, self.group_max) > 0 {
            let (mut appends, mut writes) = (Vec::with_capacity(group.len()), Vec::new());
            for task in group.drain(..) {
                match task {
                    Task::Append(asked) => appends.push(asked),
                    Task::Write(write) => writes.push(write),
                    Task::Close(reply) => closing.push(reply),
                }
            }
            if !closing.is_empty() {
                waiting.close();
            }
            self.appender.commit(appends);
            block_on(commit(&mut self.connection, &self.options, writes));
        }
        self.appender.close();
        if let Err(error) = block_on(sqlx::Connection::close(self.connection)) {
            tracing::warn!(%error, "the database did not close cleanly");
        }
        for reply in closing {
            // Who closes it may have gone.
            let _ = reply.send(());
        }
    }
}

async fn commit(
    connection: &mut SqliteConnection,
    options: &SqliteConnectOptions,
    group: Vec<Write>,
) {
    let group = match try_group(connection, group).await {
        Ok(()) => return,
        Err(broken) => broken,
    };
    roll_back(connection, options).await;
    let is_hopeless = !group.has_begun || group.writes.len() == 1;
    for write in group.writes {
        if is_hopeless {
            write.failed(group.error.clone());
        } else if let Err(mut broken) = try_group(connection, vec![write]).await {
            roll_back(connection, options).await;
            let error = broken.error;
            broken.writes.drain(..).for_each(|write| write.failed(error.clone()));
        }
    }
}

/// Writes of which nothing is in the database.
struct BrokenGroup {
    writes: Vec<Write>,
    error: StoreError,
    /// Whether the transaction could be begun at all.
    has_begun: bool,
}

/// One transaction. `Ok` when all were answered.
async fn try_group(
    connection: &mut SqliteConnection,
    writes: Vec<Write>,
) -> Result<(), BrokenGroup> {
    if writes.is_empty() {
        return Ok(());
    }
    let mut results = Vec::with_capacity(writes.len());
    let begun = sqlx::query("begin immediate").execute(&mut *connection).await;
    let has_begun = begun.is_ok();
    let mut broken = begun.err();
    for write in &writes {
        if broken.is_some() {
            break;
        }
        match write.run(connection).await {
            Ok(written) => results.push(written),
            Err(error) => broken = Some(error),
        }
    }
    if let Some(error) = broken {
        tracing::warn!(%error, writes = writes.len(), "a transaction was given up");
        return Err(BrokenGroup { writes, error: error.into(), has_begun });
    }
    end(connection, writes, results).await;
    Ok(())
}

/// Commits, and answers.
async fn end(connection: &mut SqliteConnection, writes: Vec<Write>, results: Vec<Written>) {
    match sqlx::query("commit").execute(&mut *connection).await {
        Ok(_) => {
            for (write, written) in writes.into_iter().zip(results) {
                write.committed(written);
            }
        }
        Err(error) => {
            tracing::error!(%error, writes = writes.len(), "outcome of a commit is unknown");
            let error = StoreError::from(error);
            writes.into_iter().for_each(|write| write.failed(error.clone()));
            // If the transaction still stands, it must not: nobody would know of it.
            let _ = sqlx::query("rollback").execute(connection).await;
        }
    }
}

/// Ends what is left of a transaction. A connection that cannot even do that is replaced.
async fn roll_back(connection: &mut SqliteConnection, options: &SqliteConnectOptions) {
    let rolled_back = sqlx::query("rollback").execute(&mut *connection).await;
    let is_gone = match rolled_back {
        Ok(_) => false,
        // Mostly "no transaction is active": it had ended by itself.
        Err(sqlx::Error::Database(_)) => false,
        Err(_) => true,
    };
    if is_gone {
        match super::reconnect(options).await {
            Ok(fresh) => *connection = fresh,
            Err(error) => tracing::error!(%error, "the database cannot be opened again"),
        }
    }
}
