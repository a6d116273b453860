//! What databases say, sorted.

use sqlx::error::ErrorKind;
use thiserror::Error;

use super::StoreError;

/// Why a database was not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file cannot be opened, is no database, or does not answer.
    #[error("cannot open the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The database takes no connection within its time limit.
    #[error("the database does not answer")]
    Silent,
    /// The SQLite library can lose committed writes.
    #[error("SQLite {found} can lose committed writes; 3.51.3 or later is needed")]
    OldLibrary {
        /// Its version.
        found: String,
    },
    /// The database does not sync what it commits.
    #[error(
        "the database would not keep what it commits (journal_mode {journal}, \
         synchronous {synchronous}); wal and 2 are needed"
    )]
    NotDurable {
        /// The journal mode.
        journal: String,
        /// The value of `pragma synchronous`.
        synchronous: i64,
    },
    /// PostgreSQL is set up so that it would lose or refuse what it is given.
    #[error("PostgreSQL's {setting} is {found}: {remedy}")]
    Unfit {
        /// The setting, as PostgreSQL names it.
        setting: &'static str,
        /// Its value.
        found: String,
        /// Why that will not do, and how to change it.
        remedy: &'static str,
    },
    /// The database was written by a later server.
    #[error("the database is newer than this server: it has migration {number}")]
    Newer {
        /// The first migration that this server does not know.
        number: i64,
    },
    /// A migration is not what was applied.
    #[error("migration {name} was changed after it had been applied")]
    ChangedMigration {
        /// Which one.
        name: &'static str,
    },
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => StoreError::NotFound,
            other => StoreError::unavailable(other),
        }
    }
}

/// Whether a constraint refused the statement: the transaction stands and nothing else is wrong.
pub(super) fn is_constraint(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::UniqueViolation
                | ErrorKind::ForeignKeyViolation
                | ErrorKind::NotNullViolation
                | ErrorKind::CheckViolation
        )
    })
}
