//! The program as operators run it: a process, its log, its signals.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::DEADLINE;
use crate::support::http::Request;
use crate::support::socket::RawSocket;

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
async fn the_log_holds_no_text_and_no_cookie() {
    let folder = tempfile::tempdir().expect("a folder");
    let (program, address, mut log) = start(folder.path(), &["--log", "trace"]).await;
    // Read all along: a full pipe would stop the program.
    let reading = tokio::spawn(async move {
        let mut lines = Vec::new();
        while let Some(line) = log.next_line().await.expect("a line") {
            lines.push(line);
        }
        lines
    });
    let me = Request::get("/api/me").send(address).await;
    let cookie = me.cookie().expect("a cookie");
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
    program.signal("-TERM");
    assert_eq!(socket.closed().await, 1012);
    let (_, value) = cookie.split_once('=').expect("a pair");
    let lines = reading.await.expect("the log is read");
    for line in &lines {
        for secret in ["a-secret-title", "a-secret-text", "a-secret-insert", value] {
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
