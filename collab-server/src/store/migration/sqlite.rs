//! Migrations of a SQLite file.

use sqlx::SqliteConnection;

use super::{Applied, SQLITE, missing, note};
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
        sqlx::raw_sql(migration.sql).execute(&mut *connection).await?;
        note(connection, migration, now_ms).await?;
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
    super::applied(connection).await
}
