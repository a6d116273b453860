//! The database server behind a connection: whether it keeps what it commits, and the settings that
//! each session gets.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection, Row};

use super::PostgresConfig;
use crate::store::{OpenError, StoreError};

/// The oldest server whose SQL has what the append needs (`materialized`).
const VERSION_MIN: i32 = 120_000;

/// What each connection is set to before it is used.
#[derive(Clone, Debug)]
pub(super) struct Session {
    statement_timeout_ms: String,
    lock_timeout_ms: String,
}

impl Session {
    pub(super) fn new(config: &PostgresConfig) -> Self {
        Session {
            statement_timeout_ms: config.timeout.as_millis().to_string(),
            lock_timeout_ms: config.lock_timeout.as_millis().to_string(),
        }
    }

    /// A connection to a server that was found fit, ready for use.
    pub(super) async fn connect(
        &self,
        options: &PgConnectOptions,
    ) -> Result<PgConnection, OpenError> {
        let mut connection = options.connect().await?;
        self.prepare(&mut connection).await?;
        check_server(&mut connection).await?;
        Ok(connection)
    }

    /// A commit is on the disk before it is answered, whatever the server's default; and a stalled
    /// database says so. Stronger settings than `on`, for replicas, stay.
    pub(super) async fn prepare(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "select set_config('synchronous_commit',
                        case current_setting('synchronous_commit')
                            when 'off' then 'on'
                            else current_setting('synchronous_commit')
                        end, false),
                    set_config('statement_timeout', $1, false),
                    set_config('idle_in_transaction_session_timeout', $1, false),
                    set_config('lock_timeout', $2, false)",
        )
        .bind(&self.statement_timeout_ms)
        .bind(&self.lock_timeout_ms)
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// What a server says about itself.
#[derive(Clone, Debug)]
struct Settings {
    version_number: i32,
    version: String,
    encoding: String,
    fsync: String,
    full_page_writes: String,
    is_standby: bool,
    read_only: String,
    schema: Option<String>,
}

async fn settings(connection: &mut PgConnection) -> Result<Settings, sqlx::Error> {
    let row = sqlx::query(
        "select current_setting('server_version_num')::int, current_setting('server_version'),
                current_setting('server_encoding'), current_setting('fsync'),
                current_setting('full_page_writes'), pg_is_in_recovery(),
                current_setting('transaction_read_only'), current_schema()::text",
    )
    .fetch_one(connection)
    .await?;
    Ok(Settings {
        version_number: row.try_get(0)?,
        version: row.try_get(1)?,
        encoding: row.try_get(2)?,
        fsync: row.try_get(3)?,
        full_page_writes: row.try_get(4)?,
        is_standby: row.try_get(5)?,
        read_only: row.try_get(6)?,
        schema: row.try_get(7)?,
    })
}

/// Refuses a server that would lose or refuse what it is given.
async fn check_server(connection: &mut PgConnection) -> Result<(), OpenError> {
    let settings = settings(connection).await?;
    if settings.full_page_writes == "off" {
        tracing::warn!(
            "PostgreSQL's full_page_writes is off: after a power loss pages may be torn, and \
             acknowledged edits with them, unless the file system writes whole pages (ZFS, Btrfs)"
        );
    }
    settings.check()
}

impl Settings {
    fn check(self) -> Result<(), OpenError> {
        let unfit = |setting, found, remedy| Err(OpenError::Unfit { setting, found, remedy });
        if self.version_number < VERSION_MIN {
            return unfit("server_version", self.version, "version 12 or later is needed");
        }
        if self.encoding != "UTF8" {
            let remedy = "texts are Unicode; create the database with encoding 'UTF8'";
            return unfit("server_encoding", self.encoding, remedy);
        }
        if self.fsync != "on" {
            let remedy = "an acknowledged edit would not survive a power loss; run `alter system \
                          set fsync = on` and `select pg_reload_conf()`";
            return unfit("fsync", self.fsync, remedy);
        }
        if self.is_standby {
            let remedy = "a standby takes no writes; name the primary in the database's address";
            return unfit("in_recovery", "on".to_owned(), remedy);
        }
        if self.read_only != "off" {
            let remedy = "the server must write; run `alter database … set \
                          default_transaction_read_only = off`, or name the primary";
            return unfit("default_transaction_read_only", self.read_only, remedy);
        }
        if self.schema.is_none() {
            let remedy = "no schema of it exists; create one, or name one by \
                          ?options=-csearch_path%3Dname in the database's address";
            return unfit("search_path", "without a schema".to_owned(), remedy);
        }
        Ok(())
    }
}

/// Whether the server takes writes at this moment.
pub(super) async fn check_writable(connection: &mut PgConnection) -> Result<(), StoreError> {
    let settings = settings(connection).await?;
    match settings.is_standby || settings.read_only != "off" {
        true => Err(StoreError::unavailable("the database takes no writes")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit() -> Settings {
        Settings {
            version_number: 150_004,
            version: "15.4".to_owned(),
            encoding: "UTF8".to_owned(),
            fsync: "on".to_owned(),
            full_page_writes: "on".to_owned(),
            is_standby: false,
            read_only: "off".to_owned(),
            schema: Some("public".to_owned()),
        }
    }

    #[track_caller]
    fn refused(settings: Settings, parts: &[&str]) {
        let message = settings.check().expect_err("a refusal").to_string();
        for part in parts {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_server_that_would_lose_or_refuse_edits_is_refused_with_a_remedy() {
        fit().check().expect("fit");
        let old = Settings { version_number: 110_022, version: "11.22".to_owned(), ..fit() };
        refused(old, &["11.22", "version 12"]);
        let latin = Settings { encoding: "LATIN1".to_owned(), ..fit() };
        refused(latin, &["server_encoding is LATIN1", "encoding 'UTF8'"]);
        let fast = Settings { fsync: "off".to_owned(), ..fit() };
        refused(fast, &["fsync is off", "alter system set fsync = on"]);
        refused(Settings { is_standby: true, ..fit() }, &["name the primary"]);
        let read_only = Settings { read_only: "on".to_owned(), ..fit() };
        refused(read_only, &["default_transaction_read_only is on"]);
        refused(Settings { schema: None, ..fit() }, &["search_path"]);
    }
}
