//! Migrations of a SQLite file.

use sqlx::{Row, SqliteConnection};

use super::{Applied, Migration, SQLITE, missing};
use crate::store::OpenError;

/// Applies what is missing. Another process that does the same waits, and then finds it done.
pub(in crate::store) async fn migrate(
    connection: &mut SqliteConnection,
    now_ms: i64,
) -> Result<(), OpenError> {
    sqlx::raw_sql("begin immediate").execute(&mut *connection).await?;
    match apply_missing(connection, now_ms).await {
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

async fn apply_missing(connection: &mut SqliteConnection, now_ms: i64) -> Result<(), OpenError> {
    for migration in missing(SQLITE, &applied(connection).await?)? {
        apply(connection, migration, now_ms).await?;
        tracing::info!(migration = migration.name, "database schema extended");
    }
    Ok(())
}

async fn applied(connection: &mut SqliteConnection) -> Result<Vec<Applied>, OpenError> {
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
    let rows = sqlx::query("select number, checksum from schema_migration order by number")
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn apply(
    connection: &mut SqliteConnection,
    migration: &'static Migration,
    now_ms: i64,
) -> Result<(), OpenError> {
    sqlx::raw_sql(migration.sql).execute(&mut *connection).await?;
    sqlx::query::<sqlx::Sqlite>(
        "insert into schema_migration (number, name, checksum, applied_ms) values (?, ?, ?, ?)",
    )
    .bind(migration.number)
    .bind(migration.name)
    .bind(migration.checksum())
    .bind(now_ms)
    .execute(connection)
    .await?;
    Ok(())
}
