//! Connections for calls other than appends: a few, opened when needed and kept for the next call.
//!
//! Not sqlx's own pool, because that asks a connection for a sign of life when it is given back,
//! and waits for it without a limit: a database that falls silent would keep every place for as long
//! as TCP believes in it. Here all of a call, from the connecting to the giving back, has one limit.
//! A connection on which a call was cut off or failed is dropped.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::server::Session;
use crate::store::{StoreError, Work};

/// Behind this much silence a connection is asked for a sign of life before it is used.
const UNASKED_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Pool {
    options: PgConnectOptions,
    session: Session,
    /// What one call may take.
    limit: Duration,
    /// One for each call that may run.
    places: Arc<Semaphore>,
    places_max: u32,
    /// The last used on top.
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: PgConnection,
    since: Instant,
}

impl Pool {
    pub(super) fn new(
        options: PgConnectOptions,
        session: Session,
        limit: Duration,
        connections: u32,
    ) -> Self {
        let places_max = connections.max(1);
        Pool {
            options,
            session,
            limit,
            places: Arc::new(Semaphore::new(places_max as usize)),
            places_max,
            idle: Mutex::default(),
        }
    }

    /// Calls the database, within the limit.
    pub(super) async fn call<T>(
        &self,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T>,
    ) -> Result<T, StoreError> {
        let place = match timeout(self.limit, self.places.acquire()).await {
            Ok(place) => place.map_err(|_| StoreError::unavailable("the store is closed"))?,
            Err(_) => return Err(StoreError::unavailable("the database is too slow")),
        };
        let called = timeout(self.limit, self.call_now(work)).await;
        drop(place);
        called.unwrap_or_else(|_| {
            self.forget_idle();
            Err(StoreError::unavailable("the database does not answer"))
        })
    }

    async fn call_now<T>(
        &self,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection().await?;
        let result = work(&mut connection).await;
        match &result {
            Ok(_) => self.keep(connection),
            Err(StoreError::Unavailable { .. }) => {}
            // It may be in a transaction that was left, whose end goes out with the next message.
            Err(_) if connection.ping().await.is_ok() => self.keep(connection),
            Err(_) => {}
        }
        result
    }

    async fn connection(&self) -> Result<PgConnection, StoreError> {
        while let Some(Idle { mut connection, since }) = self.take_idle() {
            if since.elapsed() < UNASKED_MAX || connection.ping().await.is_ok() {
                return Ok(connection);
            }
            // The others have been idle for longer, and the server has most likely restarted.
            self.forget_idle();
        }
        let mut connection = self.options.connect().await?;
        self.session.prepare(&mut connection).await?;
        Ok(connection)
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_idle(&self) -> Option<Idle> {
        self.locked().pop()
    }

    fn keep(&self, connection: PgConnection) {
        self.locked().push(Idle { connection, since: Instant::now() });
    }

    fn forget_idle(&self) {
        self.locked().clear();
    }

    /// Waits for the calls that run, and takes no more.
    pub(super) async fn close(&self) {
        let _ = timeout(self.limit, self.places.acquire_many(self.places_max)).await;
        self.places.close();
        let idle: Vec<Idle> = std::iter::from_fn(|| self.take_idle()).collect();
        let goodbyes = idle.into_iter().map(|idle| idle.connection.close());
        // Whether the server hears it or not.
        let _ = timeout(self.limit, futures_util::future::join_all(goodbyes)).await;
    }
}
