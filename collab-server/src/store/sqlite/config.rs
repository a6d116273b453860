//! Settings of the SQLite store, and whether a database keeps what is written by them.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

use crate::store::OpenError;

/// Where the database is, and how much it does at once.
#[derive(Clone, Debug)]
pub struct SqliteConfig {
    /// The database file; created if it is not there. Its `-wal` and `-shm` lie beside it.
    pub path: PathBuf,
    /// Connections that read.
    pub readers: u32,
    /// Writes that wait; one more waits before it is taken.
    pub queue_len: usize,
    /// Writes put into one transaction.
    pub group_max: usize,
    /// How long to wait for another process that writes.
    pub busy_timeout: Duration,
}

/// Pages of the write-ahead log, of 4 KiB each, before a commit carries them over into the database, which it syncs
/// twice: the fewer times, the more often a page that many commits touch is carried over only once. The log is about
/// as long as this in the end.
const CHECKPOINT_PAGES: &str = "8000";

impl SqliteConfig {
    /// The database at `path`, with the usual limits.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        SqliteConfig {
            path: path.into(),
            readers: 4,
            queue_len: 1_024,
            group_max: 256,
            busy_timeout: Duration::from_secs(5),
        }
    }

    /// How every connection is set up.
    pub(super) fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(self.busy_timeout)
            .statement_cache_capacity(512)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .disable_statement_logging()
    }

    /// A connection set up so, to a database that is there and has a write-ahead log: for the thread that asks, instead
    /// of one of its own.
    pub(super) fn connect(&self) -> Result<Connection, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(self.busy_timeout)?;
        for (name, value) in [
            ("synchronous", "full"),
            ("foreign_keys", "on"),
            ("wal_autocheckpoint", CHECKPOINT_PAGES),
        ] {
            connection.pragma_update(None, name, value)?;
        }
        let journal = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        let synchronous = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        check_durable(journal, synchronous)?;
        Ok(connection)
    }
}

/// The oldest library without the bug by which a checkpoint can drop committed writes.
const LIBRARY_MIN: [u32; 3] = [3, 51, 3];

pub(super) async fn check_library(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let found: String = sqlx::query_scalar("select sqlite_version()").fetch_one(connection).await?;
    let mut numbers = found.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = std::array::from_fn(|_| numbers.next().unwrap_or(0));
    if version < LIBRARY_MIN {
        return Err(OpenError::OldLibrary { found });
    }
    Ok(())
}

pub(super) async fn check_settings(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let journal: String =
        sqlx::query_scalar("pragma journal_mode").fetch_one(&mut *connection).await?;
    let synchronous: i64 = sqlx::query_scalar("pragma synchronous").fetch_one(connection).await?;
    check_durable(journal, synchronous)
}

fn check_durable(journal: String, synchronous: i64) -> Result<(), OpenError> {
    if journal != "wal" || synchronous < 2 {
        return Err(OpenError::NotDurable { journal, synchronous });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Value;
    use sqlx::Row;

    use super::*;

    #[tokio::test]
    async fn both_kinds_of_connections_are_set_up_alike() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = SqliteConfig::new(folder.path().join("test.db"));
        let created = config.options().create_if_missing(true).connect().await;
        let mut theirs = created.expect("created");
        let ours = config.connect().expect("connects");
        for name in [
            "journal_mode",
            "synchronous",
            "foreign_keys",
            "wal_autocheckpoint",
            "busy_timeout",
            "page_size",
            "cache_size",
            "locking_mode",
            "recursive_triggers",
        ] {
            let sql = format!("pragma {name}");
            let found = ours.query_row(&sql, [], |row| row.get(0)).expect("a setting");
            let found = match found {
                Value::Integer(number) => number.to_string(),
                Value::Text(text) => text,
                other => panic!("{name} is {other:?}"),
            };
            let row = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_one(&mut theirs).await;
            let expected: Result<String, _> = row.expect("a setting").try_get_unchecked(0);
            assert_eq!(found, expected.expect("a text"), "{name}");
        }
    }

    #[test]
    fn what_does_not_sync_what_it_commits_is_refused() {
        let check = |journal: &str, synchronous| check_durable(journal.to_owned(), synchronous);
        assert!(check("wal", 2).is_ok() && check("wal", 3).is_ok());
        assert!(check("wal", 1).is_err() && check("delete", 2).is_err());
    }
}
