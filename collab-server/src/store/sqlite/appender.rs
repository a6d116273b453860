//! The connection that appends, used by the writer's own thread: between an append and its rows lies no other thread.
//!
//! The appends of a group go in one transaction. `begin immediate` takes the write lock first, so that no statement finds
//! it taken halfway. An append that lost at its document's head has written nothing. One that loses later has, which is
//! rare: then all is rolled back, and the group goes once more with a savepoint for each. Any error but a constraint's may
//! have ended the transaction behind our back, so all of it is rolled back, and each append is tried by itself; then a bad
//! one fails alone.

mod statements;

use rusqlite::{Connection, Error};
use tokio::sync::oneshot;

use self::statements::{Came, Statements};
use super::config::SqliteConfig;
use crate::store::record::{Append, AppendOutcome};
use crate::store::{OpenError, StoreError};

/// An append, with the way to answer it.
pub(super) type Asked = (Append, oneshot::Sender<AppendOutcome>);

pub(super) struct Appender {
    connection: Connection,
    config: SqliteConfig,
}

/// How an append that lost halfway is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Undo {
    /// With all of the transaction.
    All,
    /// By itself: it has a savepoint.
    One,
}

/// Why nothing of a transaction is known to be in the database.
enum Stopped {
    /// An append lost that cannot be undone by itself.
    Lost,
    /// It could not be begun.
    Beginning(Error),
    /// It was not asked to commit.
    Within(Error),
    /// It was asked to commit: it may be there or not.
    Commit(Error),
}

impl Appender {
    /// Connects to a database that is there and has this server's schema.
    pub(super) fn open(config: SqliteConfig) -> Result<Self, OpenError> {
        let connection = config.connect()?;
        Ok(Appender { connection, config })
    }

    /// Commits as many of the appends as can be, in order, and answers each.
    pub(super) fn commit(&mut self, group: Vec<Asked>) {
        if group.is_empty() {
            return;
        }
        match self.transaction(&group) {
            Err(Stopped::Within(_)) if group.len() > 1 => {
                for asked in group {
                    let came = self.transaction(std::slice::from_ref(&asked));
                    answer(vec![asked], &came);
                }
            }
            came => answer(group, &came),
        }
    }

    /// Which of them are committed; the others lost.
    fn transaction(&mut self, group: &[Asked]) -> Result<Vec<bool>, Stopped> {
        match self.attempt(group, Undo::All) {
            Err(Stopped::Lost) => self.attempt(group, Undo::One),
            came => came,
        }
    }

    /// Leaves no transaction behind.
    fn attempt(&mut self, group: &[Asked], undo: Undo) -> Result<Vec<bool>, Stopped> {
        let came = append_all(&self.connection, group, undo);
        if let Err(stopped) = &came {
            stopped.log(group.len());
            self.roll_back();
        }
        came
    }

    /// Ends what is left of a transaction. A connection that cannot even do that is replaced.
    fn roll_back(&mut self) {
        // Mostly it has ended by itself when it was a disk's doing.
        if self.connection.is_autocommit() {
            return;
        }
        let rolled_back = self.connection.execute_batch("rollback");
        if rolled_back.is_err() && !self.connection.is_autocommit() {
            match self.config.connect() {
                Ok(fresh) => self.connection = fresh,
                Err(error) => tracing::error!(%error, "the database cannot be opened again"),
            }
        }
    }

    pub(super) fn close(self) {
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the database did not close cleanly");
        }
    }
}

/// Begins, appends, commits.
fn append_all(connection: &Connection, group: &[Asked], undo: Undo) -> Result<Vec<bool>, Stopped> {
    run(connection, "begin immediate").map_err(Stopped::Beginning)?;
    let mut statements = Statements::prepare(connection).map_err(Stopped::Within)?;
    let mut committed = Vec::with_capacity(group.len());
    for (append, _) in group {
        let came = match undo {
            Undo::All => statements.append(append),
            Undo::One => append_alone(connection, &mut statements, append),
        };
        match came.map_err(Stopped::Within)? {
            Came::Done => committed.push(true),
            Came::Lost => committed.push(false),
            Came::LostHalfway => return Err(Stopped::Lost),
        }
    }
    run(connection, "commit").map_err(Stopped::Commit)?;
    Ok(committed)
}

/// Leaves nothing of an append that lost.
fn append_alone(
    connection: &Connection,
    statements: &mut Statements<'_>,
    append: &Append,
) -> Result<Came, Error> {
    run(connection, "savepoint one")?;
    let mut came = statements.append(append)?;
    if came != Came::Done {
        run(connection, "rollback to one")?;
        came = Came::Lost;
    }
    run(connection, "release one")?;
    Ok(came)
}

fn run(connection: &Connection, sql: &str) -> Result<(), Error> {
    connection.prepare_cached(sql)?.raw_execute()?;
    Ok(())
}

fn answer(group: Vec<Asked>, came: &Result<Vec<bool>, Stopped>) {
    for (index, (_, reply)) in group.into_iter().enumerate() {
        let outcome = match came {
            Ok(committed) if committed[index] => AppendOutcome::Done,
            Ok(_) => AppendOutcome::Conflict,
            Err(stopped) => stopped.outcome(),
        };
        // Who asked may have gone; then nobody is to be told.
        drop(reply.send(outcome));
    }
}

impl Stopped {
    /// What it is for each append of the transaction.
    fn outcome(&self) -> AppendOutcome {
        match self {
            Stopped::Lost => AppendOutcome::Conflict,
            Stopped::Beginning(error) | Stopped::Within(error) => {
                AppendOutcome::Failed(StoreError::unavailable(error))
            }
            Stopped::Commit(error) => AppendOutcome::Unknown(StoreError::unavailable(error)),
        }
    }

    fn log(&self, appends: usize) {
        match self {
            Stopped::Lost => {}
            Stopped::Beginning(error) | Stopped::Within(error) => {
                tracing::warn!(%error, appends, "a transaction was given up");
            }
            Stopped::Commit(error) => {
                tracing::error!(%error, appends, "outcome of a commit is unknown");
            }
        }
    }
}
