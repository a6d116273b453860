//! The program as operators run it: a process, its log, its signals.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::http::Request;
use crate::support::socket::RawSocket;
use crate::support::{DEADLINE, until};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collab-server"));
    command.env_clear().stdin(Stdio::null());
    command
}

/// Ends a process that a failing test leaves.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Ending {
    fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(name).arg(self.0.id().to_string()).status();
        assert!(status.expect("kill runs").success());
    }
}

/// Starts the program in a folder; gives its address and the rest of its log.
async fn start(
    folder: &Path,
    flags: &[&str],
) -> (Ending, std::net::SocketAddr, tokio::io::Lines<BufReader<tokio::process::ChildStderr>>) {
    let mut child = program()
        .current_dir(folder)
        .env("CONCORD_LISTEN", "127.0.0.1:0")
        .args(["--log-format", "json"])
        .args(flags)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let log = child.stderr.take().expect("its log");
    let log = tokio::process::ChildStderr::from_std(log).expect("its log");
    let mut log = BufReader::new(log).lines();
    let ending = Ending(child);
    let serving = async {
        while let Some(line) = log.next_line().await.expect("a line") {
            let line: Value = serde_json::from_str(&line).expect("a line of JSON");
            if let Some(address) = line["address"].as_str() {
                return address.parse().expect("an address");
            }
        }
        panic!("the program ended before it served")
    };
    let address = tokio::time::timeout(DEADLINE, serving).await.expect("served in time");
    (ending, address, log)
}

#[tokio::test]
async fn the_program_serves_from_its_folder_and_ends_on_a_signal() {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut program, address, mut log) = start(folder.path(), &[]).await;
        assert_eq!(Request::get("/health/ready").send(address).await.status, 200);
        assert!(folder.path().join("data/concord.db").is_file());
        program.signal(signal);
        let rest = async {
            let mut rest = Vec::new();
            while let Some(line) = log.next_line().await.expect("a line") {
                rest.push(line);
            }
            rest
        };
        let rest = tokio::time::timeout(DEADLINE, rest).await.expect("ended in time");
        assert!(rest.last().expect("a last line").contains("stopped"), "{rest:?}");
        assert!(program.0.wait().expect("its status").success());
    }
}

#[tokio::test]
async fn the_log_holds_no_text_no_cookie_and_no_document_s_id() {
    let folder = tempfile::tempdir().expect("a folder");
    // So that what is written is soon packed, which has a line that names the document.
    let packing = ["--snapshot-every-revisions", "1", "--pack-revisions-min", "1"];
    let flags = [&["--log", "trace", "--statistics-s", "1"][..], &packing].concat();
    let (program, address, mut log) = start(folder.path(), &flags).await;
    // Read all along: a full pipe would stop the program.
    let read = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&read);
    let reading = tokio::spawn(async move {
        while let Some(line) = log.next_line().await.expect("a line") {
            lines.lock().expect("unpoisoned").push(line);
        }
    });
    let me = Request::get("/api/me").send(address).await;
    let cookie = me.cookie().expect("a cookie");
    // A token is nobody's business either, also one that proves nothing.
    let token = "Bearer a-secret-token";
    Request::get("/api/me").header("authorization", token).send(address).await;
    let asking = [("sec-websocket-protocol", "concord.v1"), ("authorization", token)];
    drop(RawSocket::open(address, &asking).await);
    let body = serde_json::json!({"title": "a-secret-title", "text": "a-secret-text"});
    let made = Request::post("/api/documents").header("cookie", &cookie).json(&body);
    let made = made.send(address).await;
    assert_eq!(made.status, 201);
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let text = Request::get(&format!("/api/documents/{id}/text")).header("cookie", &cookie);
    assert_eq!(text.send(address).await.text(), "a-secret-text");
    let headers = [("sec-websocket-protocol", "concord.v1"), ("cookie", &*cookie)];
    let mut socket = RawSocket::open(address, &headers).await.expect("an upgrade");
    assert_eq!(socket.enter(&id, 1).await["text"], "a-secret-text");
    assert_eq!(socket.submit(1, 1, r#"["a-secret-insert",13]"#).await["ack"], 1);
    assert_eq!(socket.submit(2, 2, r#"[28,"!"]"#).await["ack"], 2);
    let is_logged = |words: [&str; 2]| {
        let lines = read.lock().expect("unpoisoned");
        lines.iter().any(|line| words.iter().all(|word| line.contains(word)))
    };
    until("a line of statistics knows who is there", async || {
        is_logged(["\"statistics\"", "\"people\":1"])
    })
    .await;
    until("a line is about the document", async || is_logged(["history packed", "\"document\""]))
        .await;
    program.signal("-TERM");
    assert_eq!(socket.closed().await, 1012);
    let (_, value) = cookie.split_once('=').expect("a pair");
    reading.await.expect("the log is read");
    let lines = read.lock().expect("unpoisoned");
    for line in lines.iter() {
        for secret in
            ["a-secret-title", "a-secret-text", "a-secret-insert", "a-secret-token", value, &id]
        {
            assert!(!line.contains(secret), "{line}");
        }
    }
    assert!(lines.len() > 5, "{lines:?}");
}

#[test]
fn help_explains_every_setting_and_mistakes_are_told() {
    let help = program().arg("--help").output().expect("it runs");
    let text = String::from_utf8(help.stdout).expect("UTF-8");
    for setting in collab_server::SETTINGS {
        assert!(text.contains(&format!("--{} ", setting.flag())), "{}", setting.name);
        assert!(text.contains(&setting.variable()), "{}", setting.name);
    }
    let sample = program().arg("env-sample").output().expect("it runs");
    assert_eq!(
        String::from_utf8(sample.stdout).expect("UTF-8"),
        collab_server::environment_sample()
    );

    for (arguments, told) in [
        (&["--listen", "nowhere"][..], "--listen: \"nowhere\" is not an address and port"),
        (&["--heartbeat-ms", "60000"], "dead_after_ms is 45000, but must be at least heartbeat_ms"),
        (&["--config", "missing.toml"], "configuration file: missing.toml"),
        (&["check-config", "--guests", "maybe"], "on or off"),
        (&["--database", "sqlite:/proc/none/x.db"], "cannot open the database /proc/none/x.db"),
        (&["--log", "=="], "is not a level"),
    ] {
        let output = program().args(arguments).output().expect("it runs");
        let error = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(!output.status.success(), "{arguments:?}");
        assert!(error.contains(told), "{arguments:?}: {error}");
    }
}

/// `verify` on the database in a folder: its exit code, and its lines.
fn verified(folder: &Path, arguments: &[&str]) -> (i32, Vec<Value>) {
    let output = program().current_dir(folder).args(["verify", "--json"]).args(arguments).output();
    let output = output.expect("it runs");
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    (output.status.code().expect("an exit code"), lines)
}

/// Types into a document until the program is gone or `count` are acknowledged.
async fn type_on(
    address: std::net::SocketAddr,
    cookie: &str,
    id: &str,
    tab: u32,
    count: u64,
) -> u64 {
    let headers = [("sec-websocket-protocol", "concord.v1"), ("cookie", cookie)];
    let mut socket = RawSocket::open(address, &headers).await.expect("an upgrade");
    let joined = socket.enter(id, tab).await;
    let mut revision = joined["rev"].as_u64().expect("a revision");
    let mut len = joined["text"].as_str().expect("a text").len();
    for seq in 1..=count {
        let op = if len == 0 { r#"["x"]"#.to_owned() } else { format!(r#"[{len},"x"]"#) };
        socket.submit(seq, revision, &op).await;
        (revision, len) = (revision + 1, len + 1);
    }
    revision
}

#[tokio::test]
async fn a_server_killed_while_it_packs_leaves_a_database_that_verifies_and_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let flags = ["--snapshot-every-revisions", "7", "--pack-revisions-min", "1", "--log", "info"];
    let (mut id, mut cookie, mut acknowledged, mut pages) = (String::new(), String::new(), 0, 0);
    for round in 1..=6 {
        let (program, address, _log) = start(folder.path(), &flags).await;
        if round == 1 {
            cookie = Request::get("/api/me").send(address).await.cookie().expect("a cookie");
            let made = Request::post("/api/documents").header("cookie", &cookie);
            let made = made.json(&serde_json::json!({"title": "", "text": ""})).send(address).await;
            id = made.json()["id"].as_str().expect("an id").to_owned();
        }
        // Ends right behind a snapshot, a little later each time.
        acknowledged = type_on(address, &cookie, &id, round, 21 + u64::from(round)).await;
        program.signal("-KILL");
        drop(program);
        let (code, lines) = verified(folder.path(), &[]);
        assert_eq!(code, 0, "{lines:?}");
        let revisions = lines[0]["revisions"].as_u64().expect("a number");
        assert!(revisions >= acknowledged, "{revisions} of {acknowledged} acknowledged");
        pages = lines[0]["pages"].as_u64().expect("a number");
    }
    assert!(acknowledged > 100 && pages > 0, "{acknowledged} revisions, {pages} pages");
}

#[tokio::test]
async fn verify_tells_by_its_exit_code_what_it_found() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(verified(folder.path(), &[]).0, 2, "there is no database");
    let (program, address, _log) = start(folder.path(), &[]).await;
    let cookie = Request::get("/api/me").send(address).await.cookie().expect("a cookie");
    let body = serde_json::json!({"title": "T", "text": "abc"});
    let made = Request::post("/api/documents").header("cookie", &cookie).json(&body);
    let id = made.send(address).await.json()["id"].as_str().expect("an id").to_owned();
    let (code, lines) = verified(folder.path(), &[&id]);
    assert_eq!(code, 0, "beside a running server: {lines:?}");
    assert_eq!((&lines[0]["document"], &lines[0]["revisions"]), (&id.clone().into(), &1.into()));
    let (code, lines) = verified(folder.path(), &["00000000000000000000000000000404"]);
    assert_eq!((code, &lines[0]["unchecked"]), (2, &"not found".into()));
    program.signal("-KILL");
    drop(program);

    let store = folder.path().join("data/concord.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(store);
    let mut beside = sqlx::ConnectOptions::connect(&options).await.expect("connects");
    let sql = "update operation set time_ms = time_ms + 1";
    sqlx::raw_sql(sql).execute(&mut beside).await.expect("damages");
    drop(beside);
    let (code, lines) = verified(folder.path(), &[]);
    assert_eq!((code, &lines[0]["damage"][0]["revision"]), (1, &1.into()), "{lines:?}");
    let output = program_in(folder.path()).arg("verify").output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains(&format!("{id} is damaged\n  revision 1: chain breaks")), "{text}");
}

fn program_in(folder: &Path) -> Command {
    let mut command = program();
    command.current_dir(folder);
    command
}
