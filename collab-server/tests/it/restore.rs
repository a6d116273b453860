//! A database is backed up while people write, and put back: the commands of docs/operations.md,
//! with everything that was in the backup there again, and nobody going on from revisions that are
//! not.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::choices::{Characters, Choices};
use crate::support::native::NativeClient;
use crate::support::person::{Person, Temper};
use crate::support::postgres::Cluster;
use crate::support::process::{Process, sqlite_in};
use crate::support::socket::RawSocket;
use crate::support::until;

const TEMPER: Temper =
    Temper { pace: Duration::from_millis(10), patience: Duration::from_secs(5), haste: 20 };

const FLAGS: [&str; 4] = ["--submissions-per-s", "100000", "--connections-per-user-max", "1000"];

/// Runs a command that must succeed.
#[track_caller]
fn run(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> String {
    let program = program.as_ref();
    let Output { status, stdout, stderr } =
        Command::new(program).args(arguments).output().expect("the program runs");
    let said = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{program:?} {arguments:?}: {said}");
    String::from_utf8(stdout).expect("UTF-8")
}

fn collab_server(arguments: &[&str]) -> String {
    run(env!("CARGO_BIN_EXE_collab-server"), arguments)
}

/// A server with a document that four people write, and what somebody knows of it at the end.
struct Written {
    cookie: String,
    document: String,
    /// Of when the backup was begun.
    least: u64,
    /// What the browsers know: text and revision.
    head: (String, u64),
    epoch: Value,
}

/// Backs up while people write, and lets them write on.
async fn write_and_back_up(server: &Process, back_up: impl FnOnce() + Send + 'static) -> Written {
    let cookie = server.new_guest().await;
    let document = server.create_document(&cookie, "").await;
    let characters = Characters::default();
    let mut choices = Choices::new(161);
    let mut people = Vec::new();
    for _ in 0..4 {
        let client = NativeClient::join(server.address(), &cookie, &document).await;
        people.push(Person::new(client, choices.fork(), TEMPER));
    }
    let writing = people.iter_mut().map(|person| person.write(120, &characters));
    let backing_up = async {
        until("there is something", async || server.head(&cookie, &document).await.1 > 40).await;
        let least = server.head(&cookie, &document).await.1;
        tokio::task::spawn_blocking(back_up).await.expect("the backup is made");
        least
    };
    let (least, _) = tokio::join!(backing_up, join_all(writing));
    // What is certainly not in it.
    join_all(people.iter_mut().map(|person| person.write(5, &characters))).await;
    let head = server.head(&cookie, &document).await;
    let epoch = join(server, &cookie, &document, json!({})).await["epoch"].clone();
    Written { cookie, document, least, head, epoch }
}

/// Joins as a new replica; the answer.
async fn join(server: &Process, cookie: &str, document: &str, known: Value) -> Value {
    let origin = format!("http://{}", server.address());
    let headers =
        [("sec-websocket-protocol", "concord.v1"), ("cookie", cookie), ("origin", &origin)];
    let mut socket = RawSocket::open(server.address(), &headers).await.expect("an upgrade");
    let mut message = json!({"type": "join", "doc": document, "client": uuid::Uuid::new_v4().simple().to_string()});
    for (name, value) in known.as_object().expect("fields") {
        message[name] = value.clone();
    }
    socket.say(message).await;
    socket.next_of("joined").await
}

/// The restored database has what the backup had, and takes who knows more by the hand.
async fn go_on(server: &Process, written: &Written) {
    let Written { cookie, document, least, head, epoch } = written;
    let (text, revision) = server.head(cookie, document).await;
    assert!((*least..head.1).contains(&revision), "{revision}: {least} to {}", head.1);
    // A browser that knows revisions beyond the backup is given the text, not operations.
    let known = json!({ "since": head.1, "epoch": epoch });
    let joined = join(server, cookie, document, known).await;
    assert_eq!(
        (joined["text"].as_str(), joined["rev"].as_u64()),
        (Some(text.as_str()), Some(revision))
    );
    assert_ne!(&joined["epoch"], epoch);
    // So is one whose revision the backup has: what it knows under it may have come after.
    let joined = join(server, cookie, document, json!({ "since": 1, "epoch": epoch })).await;
    assert!(joined["text"].is_string(), "{joined}");
    let mut client = NativeClient::join(server.address(), cookie, document).await;
    client.edit(0, 0, "é");
    assert!(client.submit_and_wait_until_committed().await);
    assert_eq!(server.head(cookie, document).await.1, revision + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_database_is_backed_up_under_load_and_restored() {
    let [folder, elsewhere] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let database = sqlite_in(folder.path());
    let backup = folder.path().join("backup.db").display().to_string();
    let server = Process::start(&database, &FLAGS).await;
    let (from, to) = (database.clone(), backup.clone());
    let written = write_and_back_up(&server, move || {
        collab_server(&["backup", &to, "--database", &from]);
    });
    let written = written.await;
    server.stop().await;
    let again = Command::new(env!("CARGO_BIN_EXE_collab-server"))
        .args(["backup", &backup, "--database", &database])
        .output();
    assert!(!again.expect("it runs").status.success(), "a backup is not overwritten");

    std::fs::copy(&backup, elsewhere.path().join("concord.db")).expect("copied");
    let restored = sqlite_in(elsewhere.path());
    assert_eq!(
        collab_server(&["renew-epochs", "--database", &restored]).trim(),
        r#"{"documents":1}"#
    );
    let verified = collab_server(&["verify", "--database", &restored]);
    assert!(verified.contains("0 damaged"), "{verified}");
    let server = Process::start(&restored, &FLAGS).await;
    go_on(&server, &written).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_database_is_backed_up_under_load_and_restored() {
    let cluster = Cluster::start(&[]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let dump = folder.path().join("concord.dump").display().to_string();
    let program = |name: &str| cluster.program(name);
    let database = cluster.url();
    let server = Process::start(&database, &FLAGS).await;
    let (pg_dump, from, to) = (program("pg_dump"), database.clone(), format!("--file={dump}"));
    let written = write_and_back_up(&server, move || {
        run(pg_dump, &["--format=custom", &to, &from]);
    });
    let written = written.await;
    server.stop().await;

    run(program("createdb"), &[&format!("--maintenance-db={database}"), "restored"]);
    let restored = database.replace("/postgres", "/restored");
    assert_ne!(database, restored);
    let into = format!("--dbname={restored}");
    run(program("pg_restore"), &["--no-owner", "--exit-on-error", &into, &dump]);
    assert_eq!(
        collab_server(&["renew-epochs", "--database", &restored]).trim(),
        r#"{"documents":1}"#
    );
    let verified = collab_server(&["verify", "--database", &restored]);
    assert!(verified.contains("0 damaged"), "{verified}");
    let server = Process::start(&restored, &FLAGS).await;
    go_on(&server, &written).await;
    server.stop().await;
}

#[test]
fn a_backup_of_nothing_makes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("backup.db");
    let missing = sqlite_in(&folder.path().join("none"));
    for database in [missing.as_str(), "memory:", "postgres://nobody@localhost/nothing"] {
        let ran = Command::new(env!("CARGO_BIN_EXE_collab-server"))
            .args(["backup", &output.display().to_string(), "--database", database])
            .output()
            .expect("it runs");
        assert_eq!(ran.status.code(), Some(1), "{database}");
        assert!(!output.exists() && !Path::new(&missing).exists());
    }
}
