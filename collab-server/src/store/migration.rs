//! Brings a database to this server's schema: numbered files, each applied once and kept as it is.
//!
//! The files are in the binary. A file that was changed after it was applied, and a database newer
//! than the server, are refused.

use sqlx::{Row, SqliteConnection};

use super::sqlite::{Database, OpenError};

/// One numbered file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    pub(super) number: i64,
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

macro_rules! migrations {
    ($folder:literal: $($number:literal $name:literal),* $(,)?) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/../migrations/", $folder, "/", $name, ".sql"
            )),
        }),*]
    };
}

/// SQLite's, in order.
pub(super) const SQLITE: &[Migration] =
    migrations!("sqlite": 1 "0001_documents", 2 "0002_history", 3 "0003_packed_log");

impl Migration {
    fn checksum(&self) -> Vec<u8> {
        blake3::hash(self.sql.as_bytes()).as_bytes().to_vec()
    }
}

/// Applies what is missing, in one transaction.
pub(super) async fn migrate(
    connection: &mut SqliteConnection,
    migrations: &[Migration],
    now_ms: i64,
) -> Result<(), OpenError> {
    sqlx::raw_sql("begin immediate").execute(&mut *connection).await?;
    match apply_missing(connection, migrations, now_ms).await {
        Ok(()) => {
            sqlx::raw_sql("commit").execute(connection).await?;
            Ok(())
        }
        Err(error) => {
            // The connection is closed after an error, which rolls back too.
            let _ = sqlx::raw_sql("rollback").execute(connection).await;
            Err(error)
        }
    }
}

async fn apply_missing(
    connection: &mut SqliteConnection,
    migrations: &[Migration],
    now_ms: i64,
) -> Result<(), OpenError> {
    sqlx::raw_sql(
        "create table if not exists schema_migration (
            number     integer not null,
            name       text    not null,
            checksum   blob    not null,
            applied_ms integer not null,
            constraint schema_migration_pk primary key (number)
        ) strict",
    )
    .execute(&mut *connection)
    .await?;
    let applied = sqlx::query("select number, checksum from schema_migration order by number")
        .fetch_all(&mut *connection)
        .await?;
    for row in &applied {
        let number: i64 = row.try_get(0)?;
        let Some(known) = migrations.iter().find(|migration| migration.number == number) else {
            return Err(OpenError::Newer { number });
        };
        if row.try_get::<Vec<u8>, _>(1)? != known.checksum() {
            return Err(OpenError::ChangedMigration { name: known.name });
        }
    }
    for migration in &migrations[applied.len()..] {
        sqlx::raw_sql(migration.sql).execute(&mut *connection).await?;
        sqlx::query::<Database>(
            "insert into schema_migration (number, name, checksum, applied_ms)
             values (?, ?, ?, ?)",
        )
        .bind(migration.number)
        .bind(migration.name)
        .bind(migration.checksum())
        .bind(now_ms)
        .execute(&mut *connection)
        .await?;
        tracing::info!(migration = migration.name, "database schema extended");
    }
    Ok(())
}
