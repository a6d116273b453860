//! The one task that writes: it puts what waits into one transaction and answers once that is
//! committed.
//!
//! `begin immediate` takes the write lock first, so that no statement finds it taken halfway. Each
//! write has a savepoint: one that loses or breaks a constraint is rolled back alone. Any other
//! error may have ended the transaction behind our back, so all of it is rolled back, and each
//! write is tried once more by itself; then a bad one fails alone.
//!
//! A group of nothing but appends, as most are, first goes in one command for all documents, without
//! savepoints; only when one of them loses does it go as the others.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::mpsc;

use super::write::append::{Stage, Stopped, append_together};
use super::write::{Write, Written};
use crate::store::StoreError;

/// Runs until the store is closed or dropped.
pub(super) async fn run(
    mut connection: SqliteConnection,
    options: SqliteConnectOptions,
    mut waiting: mpsc::Receiver<Write>,
    group_max: usize,
) {
    let mut group = Vec::new();
    let mut closing = Vec::new();
    while waiting.recv_many(&mut group, group_max).await > 0 {
        closing.extend(group.extract_if(.., |write| matches!(write, Write::Close(_))));
        if !closing.is_empty() {
            waiting.close();
        }
        commit(&mut connection, &options, std::mem::take(&mut group)).await;
    }
    if let Err(error) = sqlx::Connection::close(connection).await {
        tracing::warn!(%error, "the database did not close cleanly");
    }
    for write in closing {
        write.committed(Written::Yes);
    }
}

async fn commit(
    connection: &mut SqliteConnection,
    options: &SqliteConnectOptions,
    group: Vec<Write>,
) {
    if group.is_empty() {
        return;
    }
    let Some(group) = try_appends(connection, options, group).await else { return };
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

/// One transaction of appends alone, in few commands. `None` when all were answered; else nothing of
/// them is in the database.
async fn try_appends(
    connection: &mut SqliteConnection,
    options: &SqliteConnectOptions,
    writes: Vec<Write>,
) -> Option<Vec<Write>> {
    let appends = writes.iter().map(|write| match write {
        Write::Append(append, _) => Some(append),
        _ => None,
    });
    let Some(appends) = appends.collect::<Option<Vec<_>>>() else { return Some(writes) };
    let stopped = match append_together(connection, &appends).await {
        Ok(true) => {
            writes.into_iter().for_each(|write| write.committed(Written::Yes));
            return None;
        }
        Ok(false) => None,
        Err(stopped) => Some(stopped),
    };
    roll_back(connection, options).await;
    let Some(Stopped { error, at }) = stopped else { return Some(writes) };
    if at == Stage::Commit {
        unknown(writes, error);
        return None;
    }
    tracing::warn!(%error, writes = writes.len(), "a transaction was given up");
    if at == Stage::Beginning {
        // Somebody else holds the lock for longer than anybody waits.
        let error = StoreError::from(error);
        writes.into_iter().for_each(|write| write.failed(error.clone()));
        return None;
    }
    Some(writes)
}

/// The commit has failed, and what it left behind may be all of it or nothing.
fn unknown(writes: Vec<Write>, error: sqlx::Error) {
    tracing::error!(%error, writes = writes.len(), "outcome of a commit is unknown");
    let error = StoreError::from(error);
    writes.into_iter().for_each(|write| write.unknown(error.clone()));
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
            unknown(writes, error);
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
