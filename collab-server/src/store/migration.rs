//! Brings a database to this server's schema: numbered files, each applied once and kept as it is.
//!
//! The files are in the binary, under the same numbers for every database. A file that was changed
//! after it was applied, and a database newer than the server, are refused. All that is missing is
//! applied in one transaction, and of several servers that start at once one applies it.

pub(super) mod postgres;
pub(super) mod sqlite;

use super::OpenError;
use super::row::Columns;
use super::sql::Sql;

/// One numbered file.
#[derive(Debug, Clone, Copy)]
struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
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
const SQLITE: &[Migration] = migrations!("sqlite": 1 "0001_documents", 2 "0002_history", 3 "0003_packed_log", 4 "0004_row_hash", 5 "0005_rights", 6 "0006_chat", 7 "0007_left", 8 "0008_notifications", 9 "0009_client_fence", 10 "0010_resends");

/// PostgreSQL's, in order.
const POSTGRES: &[Migration] = migrations!("postgres": 1 "0001_documents", 2 "0002_history", 3 "0003_packed_log", 4 "0004_row_hash", 5 "0005_rights", 6 "0006_chat", 7 "0007_left", 8 "0008_notifications", 9 "0009_client_fence", 10 "0010_resends");

impl Migration {
    fn checksum(&self) -> Vec<u8> {
        blake3::hash(self.sql.as_bytes()).as_bytes().to_vec()
    }
}

/// A migration that a database has: its number, and the checksum of its file.
type Applied = (i64, Vec<u8>);

/// What a database has, in order.
async fn applied(connection: &mut impl Sql) -> Result<Vec<Applied>, OpenError> {
    let sql = "select number, checksum from schema_migration order by number";
    let rows = connection.rows(sql, []).await?;
    let applied: Result<Vec<Applied>, String> = rows.iter().map(read_applied).collect();
    Ok(applied.map_err(sqlx::Error::Protocol)?)
}

fn read_applied(row: &impl Columns) -> Result<Applied, String> {
    Ok((row.integer("number")?, row.bytes("checksum")?.to_vec()))
}

/// Notes that a migration was applied.
async fn note(
    connection: &mut impl Sql,
    migration: &Migration,
    now_ms: i64,
) -> Result<(), OpenError> {
    let sql = "insert into schema_migration (number, name, checksum, applied_ms)
               values ($1, $2, $3, $4)";
    let values = [
        migration.number.into(),
        migration.name.to_owned().into(),
        migration.checksum().as_slice().into(),
        now_ms.into(),
    ];
    connection.execute(sql, values).await?;
    tracing::info!(migration = migration.name, "database schema extended");
    Ok(())
}

/// What of `known` a database with `applied` lacks, in order.
fn missing(
    known: &'static [Migration],
    applied: &[Applied],
) -> Result<Vec<&'static Migration>, OpenError> {
    for (number, checksum) in applied {
        let Some(known) = known.iter().find(|migration| migration.number == *number) else {
            return Err(OpenError::Newer { number: *number });
        };
        if *checksum != known.checksum() {
            return Err(OpenError::ChangedMigration { name: known.name });
        }
    }
    let is_applied = |number| applied.iter().any(|(applied, _)| *applied == number);
    Ok(known.iter().filter(|migration| !is_applied(migration.number)).collect())
}
