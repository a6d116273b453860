//! What PostgreSQL is asked in its own words.

use collab_protocol::UserId;
use sqlx::PgConnection;

use crate::store::StoreError;
use crate::store::record::PersonRecord;
use crate::store::row;

pub(in crate::store) async fn people(
    connection: &mut PgConnection,
    ids: &[UserId],
) -> Result<Vec<PersonRecord>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = ids.iter().map(UserId::as_str).collect();
    let found = sqlx::query(
        "select person_id, name, color, created_ms from person where person_id = any($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    found.iter().map(row::person).collect()
}
