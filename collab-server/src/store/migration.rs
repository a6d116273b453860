//! Brings a database to this server's schema: numbered files, each applied once and kept as it is.
//!
//! The files are in the binary, under the same numbers for every database. A file that was changed
//! after it was applied, and a database newer than the server, are refused. All that is missing is
//! applied in one transaction, and of several servers that start at once one applies it.

pub(super) mod postgres;
pub(super) mod sqlite;

use super::OpenError;

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
const SQLITE: &[Migration] = migrations!("sqlite": 1 "0001_documents", 2 "0002_history", 3 "0003_packed_log", 4 "0004_row_hash");

/// PostgreSQL's, in order.
const POSTGRES: &[Migration] = migrations!("postgres": 1 "0001_documents", 2 "0002_history", 3 "0003_packed_log", 4 "0004_row_hash");

impl Migration {
    fn checksum(&self) -> Vec<u8> {
        blake3::hash(self.sql.as_bytes()).as_bytes().to_vec()
    }
}

/// A migration that a database has: its number, and the checksum of its file.
type Applied = (i64, Vec<u8>);

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
