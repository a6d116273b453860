//! `backup`: a copy of a SQLite database, of one moment, while a server goes on writing. And what is
//! to be done when a backup, of whichever kind, has taken the database's place.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use uuid::Uuid;

use super::report::{ReportTo, report};
use super::tool::ToolError;
use crate::config::{Config, Database};
use crate::server::{self, StartError};
use crate::store::StoreError;

/// Copies the database into `output`, which gets its name when all of it is on the disk.
///
/// The database stays as it is, also one of an older version: a backup may come before an upgrade.
pub(super) async fn run(config: &Config, output: &Path) -> Result<(), ToolError> {
    let refused =
        |reason: &str| ToolError::Content { file: output.to_owned(), reason: reason.to_owned() };
    let Database::Sqlite(path) = &config.database else {
        return Err(refused("only a SQLite database is copied so; for PostgreSQL take pg_dump"));
    };
    if !path.is_file() {
        let place = path.display().to_string();
        return Err(StartError::NoDatabase { place }.into());
    }
    if output.exists() {
        return Err(refused("there is a file of this name already"));
    }
    let unnamed = unnamed(output);
    let failed = |source| ToolError::File { file: output.to_owned(), source };
    // What a copy that was cut off has left.
    match std::fs::remove_file(&unnamed) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let copied = copy(path, &unnamed).await;
    if copied.is_err() {
        // The reason for that is told; what is left is removed by the next one.
        let _ = std::fs::remove_file(&unnamed);
    }
    copied?;
    File::open(&unnamed).and_then(|file| file.sync_all()).map_err(failed)?;
    std::fs::rename(&unnamed, output).map_err(failed)?;
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new(".")));
    folder.and_then(|folder| folder.sync_all()).map_err(failed)?;
    let bytes = std::fs::metadata(output).map_err(failed)?.len();
    let sentence = format!("{}: {bytes} bytes", output.display());
    report(ReportTo::Output, &sentence, &json!({ "file": output, "bytes": bytes }));
    Ok(())
}

fn unnamed(output: &Path) -> PathBuf {
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    output.with_file_name(name)
}

async fn copy(path: &Path, to: &Path) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    let mut connection = options.connect().await?;
    let to = to.to_str().ok_or(StoreError::Invalid { reason: "the file's name is not UTF-8" })?;
    sqlx::query("vacuum into ?").bind(to).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Gives every document another epoch, so that whoever knows revisions that the backup does not
/// have gets the text anew, and what they have not sent on top of it.
pub(super) async fn renew_epochs(config: &Config) -> Result<(), ToolError> {
    // Brings it to this program's schema, and says what is wrong with it.
    server::open_store_that_is_there(config).await?.close().await;
    let renewed = match &config.database {
        Database::Sqlite(path) => renew_in_sqlite(path).await?,
        Database::Postgres(url) => renew_in_postgres(url.secret()).await?,
        Database::Memory => 0,
    };
    let sentence = format!("{renewed} documents have another epoch");
    report(ReportTo::Output, &sentence, &json!({ "documents": renewed }));
    Ok(())
}

async fn renew_in_sqlite(path: &Path) -> Result<u64, StoreError> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    let mut connection = options.pragma("synchronous", "full").connect().await?;
    let done = sqlx::query("update document set epoch = randomblob(16)");
    let renewed = done.execute(&mut connection).await?.rows_affected();
    connection.close().await?;
    Ok(renewed)
}

async fn renew_in_postgres(url: &str) -> Result<u64, StoreError> {
    let mut connection = sqlx::PgConnection::connect(url).await?;
    // Version 12 has no function for random ids.
    let done = sqlx::query("update document set epoch = md5($1 || document_id::text)::uuid");
    let done = done.bind(Uuid::new_v4().to_string()).execute(&mut connection).await?;
    connection.close().await?;
    Ok(done.rows_affected())
}
