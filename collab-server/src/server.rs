//! A running server: put together from its settings, and ended in order.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::address::Addresses;
use crate::app::{App, UserConnections};
use crate::auth::{Auth, AuthError, KeyError, OriginPolicy};
use crate::chat::{self, Chats};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Database};
use crate::dashboard::{self, Dashboard};
use crate::document::DocumentConfig;
use crate::fanout::{Fanout, LocalFanout, RedisFanout};
use crate::history::{Histories, HistoryConfig};
use crate::http;
use crate::listener::Listener;
use crate::metrics::{MeasuredStore, Metrics};
use crate::notifications::{DigestingStore, Digests, finish_digests, write_digests};
use crate::packing::PackingStore;
use crate::people::People;
use crate::rate::{Rates, SubmissionRates};
use crate::registry::{Registry, Watch};
use crate::rooms::Rooms;
use crate::session::Pipes;
use crate::shutdown::Shutdown;
use crate::store::{
    MemoryStore, PostgresConfig, PostgresStore, SqliteConfig, SqliteStore, Store, StoreError,
};
use crate::tls::{Tls, TlsError};
use crate::uploads::Uploads;
use crate::usage::Usage;
use crate::web::{WebApp, WebSource};

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be opened.
    #[error("cannot open the database {place}")]
    Database {
        /// Its file, or its address without the password.
        place: String,
        /// What the database said.
        #[source]
        source: StoreError,
    },
    /// There is no such database, and nothing was asked that would make one.
    #[error("there is no database {place}")]
    NoDatabase {
        /// Its file.
        place: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Certificate and key cannot be used.
    #[error("cannot serve https")]
    Tls(#[from] TlsError),
    /// Tokens cannot be checked with what is configured.
    #[error("cannot check tokens")]
    Keys(#[source] KeyError),
    /// The web app cannot be read.
    #[error("cannot read the web app")]
    Web(#[source] io::Error),
}

/// What the last session to be sent away gets for its answers and its close.
const MOVE_GRACE: Duration = Duration::from_secs(2);

/// What connections get once the time for a graceful end is over.
const LAST_WORDS: Duration = Duration::from_millis(2_500);

/// What the database gets to close. Everything acknowledged is on disk before.
const CLOSE_STORE: Duration = Duration::from_secs(1);

/// A server that runs until [`Server::stop`] has ended it.
pub struct Server {
    address: SocketAddr,
    app: Arc<App>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Opens the database, and serves.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let store = open_store(&config).await?;
        Self::start_with(config, store, Arc::new(SystemClock)).await
    }

    /// Serves what `store` keeps. For tests, and for programs that bring their own store.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_with(
        config: Config,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        Self::listen(assemble(config, store, clock).await?).await
    }

    async fn listen(app: Arc<App>) -> Result<Self, StartError> {
        let address = app.config.listen;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| StartError::Listen { address, source })?;
        let address =
            listener.local_addr().map_err(|source| StartError::Listen { address, source })?;
        match &app.web.source {
            WebSource::Folder(folder) => tracing::info!(folder = %folder.display(), "web app"),
            WebSource::Embedded => tracing::info!("web app built in"),
            WebSource::None => tracing::warn!("no web app: only the API is served"),
        }
        let accepting = Listener {
            app: http::router(&app),
            tls: app.tls.clone(),
            addresses: Arc::clone(&app.addresses),
            metrics: Arc::clone(&app.metrics),
            shutdown: app.shutdown.clone(),
            connections_max: app.config.connections_max as usize,
            header_timeout: Duration::from_millis(app.config.header_timeout_ms.into()),
            stall_max: Duration::from_millis(app.config.slow_after_ms.into()),
        };
        if let Some(tls) = &app.tls {
            let watching = tls.clone().watch(app.shutdown.stopping.clone());
            app.shutdown.tasks.spawn(watching);
        }
        app.shutdown.tasks.spawn(crate::statistics::run(Arc::clone(&app)));
        app.shutdown.tasks.spawn(dashboard::run(Arc::clone(&app)));
        app.shutdown.tasks.spawn(chat::watch(Arc::clone(&app)));
        app.shutdown.tasks.spawn(write_digests(Arc::clone(&app)));
        let accepting = tokio::spawn(accepting.run(listener));
        let scheme = if app.tls.is_some() { "https" } else { "http" };
        tracing::info!(%address, "serving on {scheme}://{address}");
        Ok(Server { address, app, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends in order: says that it is not ready, sends sessions to other servers if there may be
    /// any, takes no connection, lets documents finish what they have begun and their people hear
    /// of it, closes every socket with 1012, and closes the database.
    ///
    /// Takes the time that `drain_ms`, `move_ms` and `shutdown_ms` give, and at most 6 s more.
    pub async fn stop(self) {
        let Server { app, accepting, .. } = self;
        drain(&app).await;
        send_away(&app).await;
        finish_digests(&app).await;
        app.shutdown.stop();
        let Shutdown { overdue, tasks, .. } = app.shutdown.clone();
        tasks.close();
        let limit = Duration::from_millis(app.config.shutdown_ms.into());
        let graceful = async {
            if let Err(error) = accepting.await {
                tracing::error!(%error, "the listener failed");
            }
            app.registry.shutdown().await;
            app.fanout.end();
            tasks.wait().await;
        };
        if tokio::time::timeout(limit, graceful).await.is_err() {
            tracing::warn!("ending with connections still open");
            overdue.cancel();
            // Each of them ends within the time that its last words and its close may take.
            if tokio::time::timeout(LAST_WORDS, tasks.wait()).await.is_err() {
                tracing::error!(tasks = tasks.len(), "tasks did not end");
            }
        }
        if tokio::time::timeout(CLOSE_STORE, app.store.close()).await.is_err() {
            tracing::warn!("the database did not close in time");
        }
        tracing::info!("stopped");
    }
}

/// Lets those who ask notice that the server is about to end.
async fn drain(app: &App) {
    app.shutdown.draining.cancel();
    let pause = Duration::from_millis(app.config.drain_ms.into());
    if !pause.is_zero() {
        tracing::info!(pause_ms = app.config.drain_ms, "not ready any more");
        tokio::time::sleep(pause).await;
    }
}

/// Has every session end at a moment of its own, so that its client goes to another server. Where
/// there is no other, waiting would only keep people from coming back.
async fn send_away(app: &App) {
    let window = Duration::from_millis(app.config.move_ms.into());
    if window.is_zero() || !app.config.database.is_shared() {
        return;
    }
    app.shutdown.move_sessions();
    let places = u32::try_from(app.config.sockets_max()).unwrap_or(u32::MAX);
    let limit = window + MOVE_GRACE;
    // All places are free when all sessions are gone.
    let are_gone = tokio::time::timeout(limit, app.sockets.acquire_many(places)).await.is_ok();
    tracing::info!(are_gone, "sessions were sent to other servers");
}

/// Everything that requests and sessions share, around a store.
pub(crate) async fn assemble(
    config: Config,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<App>, StartError> {
    let (tls, web) = load_files(&config)?;
    let metrics = Metrics::new();
    let shutdown = Shutdown::default();
    let auth =
        Auth::load(&config, store.as_ref(), Arc::clone(&clock), Arc::clone(&metrics), &shutdown)
            .await?;
    let mut store: Arc<dyn Store> = Arc::new(MeasuredStore::new(store, Arc::clone(&metrics)));
    if config.packing.is_on() {
        let least = config.pack_revisions_min.into();
        store = Arc::new(PackingStore::start(store, least, Arc::clone(&metrics), &shutdown));
    }
    let digests = Arc::new(Digests::default());
    store = Arc::new(DigestingStore::new(store, Arc::clone(&digests)));
    let documents = document_config(&config);
    let redis = match &config.redis_url {
        Some(url) => {
            let database = database_id(store.as_ref()).await?;
            Some(RedisFanout::start(url, database, &metrics, &shutdown))
        }
        None => None,
    };
    let redis = redis.map(|redis| redis as Arc<dyn Fanout>);
    let is_shared = matches!(config.database, Database::Postgres(_));
    let registry = match config.database {
        // Others may use it too. Where nothing carries their commits here the log is looked at.
        Database::Postgres(_) => {
            Registry::shared(Arc::clone(&store), documents, Arc::clone(&clock), redis.clone())
        }
        Database::Sqlite(_) | Database::Memory => {
            Registry::new(Arc::clone(&store), documents, Arc::clone(&clock))
        }
    };
    let ms = |value: u32| Duration::from_millis(value.into());
    let watch =
        Watch { interval: ms(config.rights_interval_ms), grace: ms(config.rights_grace_ms) };
    let watched = Arc::clone(&registry).watch_rights(watch, shutdown.stopping.clone());
    shutdown.tasks.spawn(watched);
    let census = Arc::clone(&registry).take_census(shutdown.stopping.clone());
    shutdown.tasks.spawn(census);
    Ok(Arc::new(App {
        origins: OriginPolicy::new(&config),
        usage: Usage::new(&config),
        uploads: Uploads::new(&config, http::document_bytes_max(&config)),
        addresses: Addresses::new(&config),
        tls,
        people: People::new(Arc::clone(&store), Arc::clone(&registry), Arc::clone(&clock)),
        rates: SubmissionRates::new(config.submissions_per_s, config.submissions_burst),
        tells: Rates::new(config.tells_per_s, config.tells_burst),
        rooms: Rooms::new(redis.clone(), Arc::clone(&metrics), &shutdown),
        pipes: Pipes::default(),
        sockets: Arc::new(Semaphore::new(config.sockets_max())),
        user_connections: UserConnections::new(config.connections_per_user_max),
        metrics,
        dashboard: Dashboard::new(),
        shutdown,
        digests,
        chats: Chats::new(&config, is_shared, redis.clone()),
        histories: Histories::new(Arc::clone(&store), HistoryConfig::default()),
        registry,
        fanout: redis.unwrap_or_else(|| Arc::new(LocalFanout::default())),
        store,
        clock,
        auth,
        web,
        config,
    }))
}

/// Tries what a server of these settings would read at its start, but for the database: keys,
/// certificate and app.
///
/// # Errors
/// [`StartError`].
pub fn check_config(config: &Config) -> Result<(), StartError> {
    load_files(config)?;
    Auth::check(config).map_err(StartError::Keys)
}

fn load_files(config: &Config) -> Result<(Option<Tls>, WebApp), StartError> {
    let tls = match (&config.tls_cert, &config.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::load(certificate, key)?),
        _ => None,
    };
    let web = WebApp::load(config.web_dir.as_deref()).map_err(StartError::Web)?;
    Ok((tls, web))
}

/// What tells this database from every other; drawn by the first server that asks.
async fn database_id(store: &dyn Store) -> Result<u128, StartError> {
    let drawn = uuid::Uuid::new_v4().into_bytes().to_vec();
    let stored = store.setting_or_insert("database_id", drawn).await;
    let of_ours = |source| StartError::Database { place: "as opened".to_owned(), source };
    let bytes: [u8; 16] = stored.map_err(of_ours)?.try_into().map_err(|_| {
        of_ours(StoreError::Unavailable { reason: "its id is not of 16 bytes".to_owned() })
    })?;
    Ok(u128::from_be_bytes(bytes))
}

/// Opens a database, which is made where there is none.
pub(crate) async fn open_store(config: &Config) -> Result<Arc<dyn Store>, StartError> {
    let now_ms = SystemClock.now_ms();
    match &config.database {
        Database::Memory => Ok(Arc::new(MemoryStore::default())),
        Database::Sqlite(path) => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).map_err(|error| refused(path.display(), error))?;
            }
            let opened = SqliteStore::open(SqliteConfig::new(path), now_ms).await;
            Ok(Arc::new(opened.map_err(|error| refused(path.display(), error))?))
        }
        Database::Postgres(url) => {
            let settings = PostgresConfig {
                connections: config.database_connections,
                timeout: Duration::from_millis(config.database_timeout_ms.into()),
                ..PostgresConfig::new(url.secret())
            };
            let opened = PostgresStore::open(settings, now_ms).await;
            Ok(Arc::new(opened.map_err(|error| refused(url, error))?))
        }
    }
}

/// Opens a database that is there already: who reads a mistyped name shall not find it empty.
pub(crate) async fn open_store_that_is_there(
    config: &Config,
) -> Result<Arc<dyn Store>, StartError> {
    if let Database::Sqlite(path) = &config.database
        && !path.is_file()
    {
        return Err(StartError::NoDatabase { place: path.display().to_string() });
    }
    open_store(config).await
}

impl From<AuthError> for StartError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Keys(error) => StartError::Keys(error),
            AuthError::Store(source) => {
                StartError::Database { place: "as opened".to_owned(), source }
            }
        }
    }
}

fn refused(place: impl Display, error: impl Display) -> StartError {
    let source = StoreError::Unavailable { reason: error.to_string() };
    StartError::Database { place: place.to_string(), source }
}

fn document_config(config: &Config) -> DocumentConfig {
    let ms = |value: u32| Duration::from_millis(value.into());
    DocumentConfig {
        text_bytes_max: config.text_bytes_max as usize,
        components_max: config.components_max as usize,
        document_bytes_max: config.document_bytes_max as usize,
        ranges_max: config.ranges_max as usize,
        mailbox_len: config.mailbox_len as usize,
        sessions_max: config.sessions_per_document_max as usize,
        batch_len_max: config.batch_len_max as usize,
        pending_max: config.pending_max as usize,
        ring_len: config.ring_len as usize,
        ring_bytes_max: config.ring_bytes_max as usize,
        answers_max: config.answers_max as usize,
        snapshot_every: config.snapshot_every_revisions.into(),
        idle_timeout: ms(config.unload_after_ms),
        check_quiet: ms(config.check_quiet_ms),
        check_interval: ms(config.check_interval_ms),
        presence_interval: ms(config.presence_interval_ms),
        presence_lease: ms(config.presence_lease_ms),
        deliveries_per_s_unpaced: config.deliveries_per_s_unpaced,
        pace_max: ms(config.pace_max_ms),
        retry: ms(config.retry_ms),
        poll_interval: ms(config.poll_interval_ms),
        poll_interval_alone: ms(config.poll_interval_alone_ms),
        catch_ups_max: config.catch_ups_max as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_a_server_without_settings_have_their_own_defaults() {
        assert_eq!(document_config(&Config::default()), DocumentConfig::default());
    }
}
