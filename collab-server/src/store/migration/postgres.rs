//! Migrations of a PostgreSQL schema: the first of the connection's search path.

use sqlx::{Connection, PgConnection};

use super::{Applied, POSTGRES, missing, note};
use crate::store::OpenError;

/// Applies what is missing. Servers that start at once take turns by an advisory lock, and all but
/// the first find it done.
pub(in crate::store) async fn migrate(
    connection: &mut PgConnection,
    now_ms: i64,
) -> Result<(), OpenError> {
    let mut transaction = connection.begin().await?;
    // Building an index over a long log takes its time, and whoever comes second waits for it.
    sqlx::raw_sql("set local statement_timeout = 0; set local lock_timeout = 0")
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "select pg_advisory_xact_lock(hashtextextended('concord ' || current_schema(), 0))",
    )
    .execute(&mut *transaction)
    .await?;
    for migration in missing(POSTGRES, &applied(&mut transaction).await?)? {
        sqlx::raw_sql(migration.sql).execute(&mut *transaction).await?;
        note(&mut *transaction, migration, now_ms).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn applied(connection: &mut PgConnection) -> Result<Vec<Applied>, OpenError> {
    // Asked first, because `if not exists` needs the right to create even when it does.
    let exists: bool = sqlx::query_scalar(
        "select to_regclass(quote_ident(current_schema()) || '.schema_migration') is not null",
    )
    .fetch_one(&mut *connection)
    .await?;
    if !exists {
        sqlx::raw_sql(
            "create table schema_migration (
                number     bigint not null,
                name       text   not null,
                checksum   bytea  not null,
                applied_ms bigint not null,
                constraint schema_migration_pk primary key (number)
            )",
        )
        .execute(&mut *connection)
        .await?;
    }
    super::applied(connection).await
}
