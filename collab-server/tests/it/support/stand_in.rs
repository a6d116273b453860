//! A server with a defect, for controls: the running test's own program serves in the place of
//! `collab-server`, with a layer around a sound store. So no build of the product has the defect.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use collab_server::{Database, Invocation, Server, SqliteConfig, SqliteStore, Store, SystemClock};

use super::process::STAND_IN;

/// Whether this process is to serve; if so it does, on what `layer` makes of the store and its
/// file, until it is killed.
pub(crate) async fn serve_if_asked<S: Store>(
    layer: impl AsyncFnOnce(SqliteStore, &Path) -> S,
) -> bool {
    let Ok(arguments) = std::env::var(STAND_IN) else { return false };
    let arguments = ["collab-server"].into_iter().chain(arguments.split('\n')).map(OsString::from);
    let Ok(Invocation::Serve(config)) = collab_server::parse_command_line(arguments, |_| None)
    else {
        panic!("arguments of the program")
    };
    let Database::Sqlite(path) = &config.database else { panic!("a file") };
    let store = SqliteStore::open(SqliteConfig::new(path), 0).await.expect("the file opens");
    let store = Arc::new(layer(store, path).await);
    let server = Server::start_with(*config, store, Arc::new(SystemClock)).await.expect("serves");
    eprintln!("{{\"address\":\"{}\"}}", server.address());
    std::future::pending().await
}
