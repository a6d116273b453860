//! Settings of the SQLite store, and whether a database keeps what is written by them.

use std::path::PathBuf;
use std::time::Duration;

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
    if journal != "wal" || synchronous < 2 {
        return Err(OpenError::NotDurable { journal, synchronous });
    }
    Ok(())
}
