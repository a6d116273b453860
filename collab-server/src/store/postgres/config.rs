//! Settings of the PostgreSQL store.

use std::fmt;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::store::OpenError;

/// Where the database is, and how much it does at once.
#[derive(Clone)]
pub struct PostgresConfig {
    /// `postgres://user:password@host:port/database`, with the parameters that libpq knows behind a
    /// question mark. What it leaves out comes from `PGHOST`, `PGPASSWORD`, … and `~/.pgpass`.
    pub url: String,
    /// Connections besides the one that appends.
    pub connections: u32,
    /// How long one call may take; then the database gives it up by itself.
    pub timeout: Duration,
    /// How much longer an answer may take before the connection counts as lost.
    pub silence_timeout: Duration,
    /// How long an append waits for another server's on the same document.
    pub lock_timeout: Duration,
    /// Appends that wait; one more waits before it is taken.
    pub queue_len: usize,
    /// Appends put into one statement.
    pub group_max: usize,
}

impl PostgresConfig {
    /// The database at `url`, with the usual limits.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        PostgresConfig {
            url: url.into(),
            connections: 10,
            timeout: Duration::from_secs(10),
            silence_timeout: Duration::from_secs(2),
            lock_timeout: Duration::from_secs(2),
            queue_len: 1_024,
            group_max: 256,
        }
    }

    pub(super) fn options(&self) -> Result<PgConnectOptions, OpenError> {
        let mut options: PgConnectOptions = self.url.parse()?;
        if options.get_application_name().is_none() {
            options = options.application_name("concord");
        }
        Ok(options.statement_cache_capacity(512).disable_statement_logging())
    }
}

/// The URL holds a password.
impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig").finish_non_exhaustive()
    }
}
