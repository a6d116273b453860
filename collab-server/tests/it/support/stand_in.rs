//! A server with a defect, for controls: the running test's own program serves in the place of
//! `collab-server`, with a layer around a sound store. So no build of the product has the defect.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use collab_server::{
    Config, Database, Invocation, PostgresConfig, PostgresStore, Server, Signals, SqliteConfig,
    SqliteStore, Store, SystemClock,
};

use super::process::STAND_IN;

/// What this process is to serve, if it is to.
fn asked() -> Option<Config> {
    let arguments = std::env::var(STAND_IN).ok()?;
    let arguments = ["collab-server"].into_iter().chain(arguments.split('\n')).map(OsString::from);
    match collab_server::parse_command_line(arguments, |_| None) {
        Ok(Invocation::Serve(config)) => Some(*config),
        _ => panic!("arguments of the program"),
    }
}

/// Serves until it is told to end, as the program does.
async fn serve(config: Config, store: impl Store) {
    let clock = Arc::new(SystemClock);
    let mut signals = Signals::listen().expect("signals");
    let server = Server::start_with(config, Arc::new(store), clock).await.expect("serves");
    eprintln!("{{\"address\":\"{}\"}}", server.address());
    signals.next().await;
    server.stop().await;
}

/// Whether this process is to serve; if so it does, on what `layer` makes of the store and its
/// file, until it ends.
pub(crate) async fn serve_if_asked<S: Store>(
    layer: impl AsyncFnOnce(SqliteStore, &Path) -> S,
) -> bool {
    let Some(config) = asked() else { return false };
    let Database::Sqlite(path) = config.database.clone() else { panic!("a file") };
    let store = SqliteStore::open(SqliteConfig::new(&path), 0).await.expect("the file opens");
    let store = layer(store, &path).await;
    serve(config, store).await;
    true
}

/// The same on PostgreSQL.
pub(crate) async fn serve_on_postgres_if_asked<S: Store>(
    layer: impl FnOnce(PostgresStore) -> S,
) -> bool {
    let Some(config) = asked() else { return false };
    // The address with its password, which settings do not give away.
    let arguments = std::env::var(STAND_IN).expect("it is asked");
    let url = arguments.lines().skip_while(|line| *line != "--database").nth(1);
    let url = url.expect("the address of a server");
    let store = PostgresStore::open(PostgresConfig::new(url), 0).await.expect("it opens");
    serve(config, layer(store)).await;
    true
}
