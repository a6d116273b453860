//! A server on a free port, with a database in a folder of its own.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;

use collab_protocol::DocumentId;
use collab_server::{
    Clock, Config, Invocation, MemoryStore, PageLimit, Server, SqliteConfig, SqliteStore, Store,
};
use ot_core::{Revision, Text};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::{Answer, Request};

pub(crate) struct TestServer {
    server: Server,
    folder: TempDir,
    address: SocketAddr,
    cookie: String,
}

/// The server's own flags, and these.
fn settings(database: &str, flags: &[&str]) -> Config {
    let own = ["collab-server", "--listen", "127.0.0.1:0", "--database", database];
    let arguments = own.iter().chain(flags).map(OsString::from);
    match collab_server::parse_command_line(arguments, |_| None) {
        Ok(Invocation::Serve(config)) => *config,
        other => panic!("{other:?}"),
    }
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts with these flags of `collab-server` besides its own.
    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::start_in(folder, flags).await
    }

    /// Starts on what an earlier server left behind.
    pub(crate) async fn start_in(folder: TempDir, flags: &[&str]) -> Self {
        let database = format!("sqlite:{}", folder.path().join("concord.db").display());
        Self::start_on(&database, folder, flags).await
    }

    /// Starts on a database that other servers may use as well.
    pub(crate) async fn start_on(database: &str, folder: TempDir, flags: &[&str]) -> Self {
        let server = Server::start(settings(database, flags)).await.expect("the server starts");
        Self::of(server, folder).await
    }

    /// Starts by a clock of the test's, and keeps nothing.
    pub(crate) async fn start_at(clock: Arc<dyn Clock>, flags: &[&str]) -> Self {
        let config = settings("memory:", flags);
        let server = Server::start_with(config, Arc::new(MemoryStore::default()), clock).await;
        let folder = tempfile::tempdir().expect("a folder");
        Self::of(server.expect("the server starts"), folder).await
    }

    async fn of(server: Server, folder: TempDir) -> Self {
        let address = server.address();
        let mut test_server = TestServer { server, folder, address, cookie: String::new() };
        test_server.cookie = test_server.new_guest().await;
        test_server
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The cookie of the guest that owns what these helpers create; empty where guests are off.
    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// The cookie of a new guest.
    pub(crate) async fn new_guest(&self) -> String {
        Request::get("/api/me").send(self.address).await.cookie().unwrap_or_default()
    }

    /// Asks as the server's own guest.
    pub(crate) async fn ask(&self, request: Request) -> Answer {
        request.header("cookie", &self.cookie).send(self.address).await
    }

    pub(crate) async fn create_document(&self, title: &str) -> String {
        self.create(json!({ "title": title })).await
    }

    pub(crate) async fn create_with_text(&self, text: &str) -> String {
        self.create(json!({ "text": text })).await
    }

    async fn create(&self, body: Value) -> String {
        let answer = self.ask(Request::post("/api/documents").json(&body)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    /// A document's text at its head.
    pub(crate) async fn text(&self, document: &str) -> String {
        self.head(document).await.0
    }

    /// A document's text and revision.
    pub(crate) async fn head(&self, document: &str) -> (String, u64) {
        let path = format!("/api/documents/{document}/text");
        let answer = self.ask(Request::get(&path)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let revision = answer.header("concord-revision").expect("a revision");
        (answer.text(), revision.parse().expect("a number"))
    }

    /// The server's database as a program beside it opens it.
    pub(crate) async fn second_store(&self) -> SqliteStore {
        let config = SqliteConfig::new(self.folder.path().join("concord.db"));
        SqliteStore::open(config, 0).await.expect("the database opens")
    }

    /// Ends the server in order; what it left behind is in the folder.
    pub(crate) async fn stop(self) -> TempDir {
        self.server.stop().await;
        self.folder
    }

    /// Ends the server and rebuilds a document's text from nothing but its stored log.
    pub(crate) async fn stop_and_replay(self, document: &str) -> String {
        let folder = self.stop().await;
        let config = SqliteConfig::new(folder.path().join("concord.db"));
        let store = SqliteStore::open(config, 0).await.expect("the database opens");
        let document: DocumentId = document.parse().expect("an id");
        let page = PageLimit { operations_max: 1_000, bytes_max: 1 << 20 };
        let mut text = Text::new();
        let mut revision = Revision::ZERO;
        loop {
            let read = store.since(document, revision, page).await.expect("the log reads");
            for logged in &read.operations {
                text.apply(&logged.operation).expect("each operation fits the text before it");
                revision = logged.revision;
            }
            if revision == read.head {
                return text.to_string();
            }
        }
    }
}
