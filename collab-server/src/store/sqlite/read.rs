//! What SQLite is asked in its own words.

use collab_protocol::UserId;
use sqlx::{QueryBuilder, SqliteConnection};

use crate::store::StoreError;
use crate::store::record::PersonRecord;
use crate::store::row;

pub(in crate::store) async fn people(
    connection: &mut SqliteConnection,
    ids: &[UserId],
) -> Result<Vec<PersonRecord>, StoreError> {
    let mut people = Vec::new();
    // Far below the number of values that a statement may have.
    for ids in ids.chunks(500) {
        let mut query = QueryBuilder::new(
            "select person_id, name, color, created_ms from person where person_id in (",
        );
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id.as_str().to_owned());
        }
        query.push(")");
        for row in query.build().fetch_all(&mut *connection).await? {
            people.push(row::person(&row)?);
        }
    }
    Ok(people)
}

pub(super) async fn setting(
    connection: &mut SqliteConnection,
    name: &'static str,
) -> Result<Vec<u8>, StoreError> {
    let value = sqlx::query_scalar("select value from setting where name = ?").bind(name);
    Ok(value.fetch_one(connection).await?)
}

pub(super) async fn check(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("select 1").execute(connection).await?;
    Ok(())
}
