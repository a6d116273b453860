//! Why a store does not do something; what databases say, sorted.

use collab_protocol::DocumentId;
use rusqlite::ffi;
use sqlx::error::ErrorKind;
use thiserror::Error;

/// Why a store did not do what was asked. An absent document is never an empty one.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// There is no such document, person or setting.
    #[error("not found")]
    NotFound,
    /// It exists already.
    #[error("already exists")]
    AlreadyExists,
    /// The database does not answer or refuses; asking again later may succeed.
    #[error("storage is unavailable: {reason}")]
    Unavailable {
        /// What the database said.
        reason: String,
    },
    /// What is stored contradicts itself; it is refused rather than served.
    #[error("the document is damaged: {reason}")]
    Corrupt {
        /// The document.
        document: DocumentId,
        /// What does not fit.
        reason: String,
    },
    /// The caller asked for something that no store may hold, such as a NUL in a title.
    #[error("cannot be stored: {reason}")]
    Invalid {
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl StoreError {
    pub(crate) fn unavailable(reason: impl std::fmt::Display) -> StoreError {
        StoreError::Unavailable { reason: reason.to_string() }
    }
}

/// Why a database was not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file cannot be opened, is no database, or does not answer.
    #[error("cannot open the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The file cannot be opened to append.
    #[error("cannot open the database to append: {0}")]
    Appends(#[from] rusqlite::Error),
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

/// As [`is_constraint`].
pub(super) fn is_sqlite_constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| {
        matches!(
            error.extended_code,
            ffi::SQLITE_CONSTRAINT_UNIQUE
                | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | ffi::SQLITE_CONSTRAINT_FOREIGNKEY
                | ffi::SQLITE_CONSTRAINT_NOTNULL
                | ffi::SQLITE_CONSTRAINT_CHECK
        )
    })
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
