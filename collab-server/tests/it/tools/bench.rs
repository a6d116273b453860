//! A database in a folder and the program that works on it, with what a test asks of both.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use collab_protocol::DocumentId;
use collab_server::{
    DocumentRecord, LoggedOperation, PageLimit, SqliteConfig, SqliteStore, Store, VersionRecord,
};
use ot_core::{Revision, Text};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with a database, and the program on it.
pub(super) struct Bench(TempDir);

pub(super) struct Ran {
    pub(super) is_success: bool,
    pub(super) out: String,
    pub(super) err: String,
}

impl Ran {
    /// The lines of standard output, each as JSON.
    pub(super) fn reports(&self) -> Vec<Value> {
        assert!(self.is_success, "{}", self.err);
        self.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The document that the only report is about.
    pub(super) fn document(&self) -> DocumentId {
        let reports = self.reports();
        assert_eq!(reports.len(), 1, "{reports:?}");
        reports[0]["document"].as_str().expect("an id").parse().expect("an id")
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        Bench(tempfile::tempdir().expect("a folder"))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a file");
        path
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let database = format!("sqlite:{}", self.path("concord.db").display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_collab-server"));
        command.env_clear().stdin(Stdio::null()).args(arguments).args(["--database", &database]);
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().expect("the program runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let is_success = output.status.success();
        Ran { is_success, out: text(output.stdout), err: text(output.stderr) }
    }

    pub(super) fn import(&self, file: &Path) -> Ran {
        self.run(&["import", file.to_str().expect("UTF-8")])
    }

    pub(super) async fn store(&self) -> SqliteStore {
        let config = SqliteConfig::new(self.path("concord.db"));
        SqliteStore::open(config, 0).await.expect("the database opens")
    }

    pub(super) async fn document(&self, id: DocumentId) -> Stored {
        let store = self.store().await;
        let stored = Stored::read(&store, id).await;
        store.close().await;
        stored
    }
}

/// Everything about a document.
#[derive(Debug, PartialEq)]
pub(super) struct Stored {
    pub(super) record: DocumentRecord,
    pub(super) operations: Vec<LoggedOperation>,
    pub(super) versions: Vec<VersionRecord>,
}

impl Stored {
    pub(super) async fn read(store: &dyn Store, id: DocumentId) -> Stored {
        let record = store.document(id).await.expect("it is there");
        let mut operations: Vec<LoggedOperation> = Vec::new();
        while operations.len() as u64 != record.revision.get() {
            let at = Revision::new(operations.len() as u64);
            let page = store.since(id, at, PageLimit::DEFAULT).await.expect("the log reads");
            operations.extend(page.operations);
        }
        let versions = store.versions(id).await.expect("versions");
        Stored { record, operations, versions }
    }

    pub(super) fn text(&self) -> String {
        let mut text = Text::new();
        for logged in &self.operations {
            text.apply(&logged.operation).expect("each follows the last");
        }
        text.to_string()
    }
}

/// A trace of `count` patches, each in a transaction of its own, and the text that it ends with.
pub(super) fn trace(count: usize) -> (String, String) {
    let mut text: Vec<char> = Vec::new();
    let mut transactions = Vec::new();
    let mut state = 0x5eed_u64;
    for index in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        let offset = (state >> 33) as usize % (text.len() + 1);
        let deleted = ((state >> 20) as usize % 4).min(text.len() - offset);
        let inserted: String = "é😀ab\n".chars().cycle().skip(index).take(1 + index % 3).collect();
        text.splice(offset..offset + deleted, inserted.chars());
        transactions.push(json!({
            "time": format!("2021-04-19T06:{:02}:{:02}.5Z", index / 60 % 60, index % 60),
            "patches": [[offset, deleted, inserted]],
        }));
    }
    let text: String = text.into_iter().collect();
    (json!({"startContent": "", "endContent": text, "txns": transactions}).to_string(), text)
}
