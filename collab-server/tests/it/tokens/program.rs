//! `collab-server token`, and what the log does not hold.

use std::process::Command;

use serde_json::json;

use super::PROTOCOL;
use crate::support::http::Request;
use crate::support::process::{Process, sqlite_in};
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;
use crate::support::token::{
    AUDIENCE, ISSUER, SECRET, SECRET_FLAGS, bearer, claims, claims_with, key_file, now_s, token,
};

/// Runs `collab-server token`; what it prints, and what it complains of.
fn minted(flags: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collab-server"));
    let output = command.env_clear().arg("token").args(flags).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    match output.status.success() {
        true => Ok(text(output.stdout)),
        false => Err(text(output.stderr)),
    }
}

#[tokio::test]
async fn the_program_makes_a_token_that_its_server_takes() {
    let ed25519 = key_file("ed25519.pub.pem");
    let own = ["--token-issuer", ISSUER, "--token-audience", AUDIENCE];
    let public = [&["--token-public-key-file", &ed25519][..], &own].concat();
    let private = key_file("ed25519.pem");
    for (settings, signing) in
        [(&SECRET_FLAGS[..], &[][..]), (&public, &["--private-key-file", &private][..])]
    {
        let whom = ["--user", "ada", "--name", "Ada Lovelace", "--color", "4", "--ttl", "15m"];
        let printed = minted(&[settings, signing, &whom].concat()).expect("a token");
        let token = printed.strip_suffix('\n').expect("one line");
        assert!(!token.contains(char::is_whitespace), "just the token");
        let server = TestServer::start_with(settings).await;
        let me = Request::get("/api/me").header("authorization", &bearer(token));
        let expected = json!({"id": "ada", "name": "Ada Lovelace", "color": 4, "guest": false});
        assert_eq!(me.send(server.address()).await.json(), expected);
        server.stop().await;
    }
}

#[test]
fn the_program_makes_no_token_that_would_be_refused() {
    let ed25519 = key_file("ed25519.pub.pem");
    let own = ["--token-issuer", ISSUER, "--token-audience", AUDIENCE, "--user", "ada"];
    let public = [&["--token-public-key-file", &ed25519][..], &own].concat();
    let other = key_file("ed25519_other.pem");
    let secret = [&SECRET_FLAGS[..], &["--user", "ada"]].concat();
    for (flags, told) in [
        (vec!["--user", "ada"], "no key is configured"),
        (public.clone(), "--private-key-file"),
        ([&public[..], &["--private-key-file", &other]].concat(), "belongs to none of its keys"),
        ([&public[..], &["--private-key-file", &ed25519]].concat(), "private key must be in PEM"),
        ([&public[..], &["--private-key-file", "/nowhere"]].concat(), "cannot read /nowhere"),
        ([&secret[..], &["--private-key-file", &other]].concat(), "signed by it"),
        ([&SECRET_FLAGS[..], &["--user", "g_1"]].concat(), "guests'"),
        ([&secret[..], &["--ttl", "2y"]].concat(), "a time such as"),
        ([&secret[..], &["--color", "12"]].concat(), "12"),
        ([&SECRET_FLAGS[..], &["--user", "a b"]].concat(), "printable ASCII"),
        (SECRET_FLAGS.to_vec(), "--user"),
    ] {
        let error = minted(&flags).expect_err("a refusal");
        assert!(error.contains(told), "{flags:?}: {error}");
    }
    let help = minted(&["--help"]).expect("help");
    for part in ["--user", "--tenant", "--service", "--ttl", "curl -H", "docs/auth.md"] {
        assert!(help.contains(part), "{part}");
    }
}

#[tokio::test]
async fn the_log_holds_no_token_and_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let flags = [&SECRET_FLAGS[..], &["--log", "trace"]].concat();
    let process = Process::start(&sqlite_in(folder.path()), &flags).await;
    let good = token(&claims("ada"));
    let ended = token(&claims_with("ada", json!({"exp": now_s() - 99})));
    let forged = format!("{}x", good);
    for token in [&good, &ended, &forged] {
        let cookie = format!("concord_token={token}");
        let line = bearer(token);
        for header in [("authorization", &*line), ("cookie", &*cookie)] {
            let me = Request::get("/api/me").header(header.0, header.1);
            me.send(process.address()).await;
            let _ = RawSocket::open(process.address(), &[PROTOCOL, header]).await;
        }
        let mut socket = RawSocket::open(process.address(), &[PROTOCOL]).await.expect("an upgrade");
        // The second renews the session of the first, where that was good.
        socket.say(json!({"type": "auth", "token": token})).await;
        let greeting = socket.next().await;
        if greeting["type"] == "welcome" {
            socket.say(json!({"type": "auth", "token": token})).await;
            socket.say(json!({"type": "ping", "t": 1})).await;
            assert_eq!(socket.next().await["type"], "pong");
        }
    }
    let log = process.log();
    let is_told = |reason: &str| {
        log.iter().any(|line| line.contains("a token was refused") && line.contains(reason))
    };
    assert!(is_told("expired") && is_told("signature"), "why is told to the operator: {log:?}");
    for line in &log {
        for token in [&good, &ended, &forged] {
            let signature = token.rsplit('.').next().expect("a signature");
            let payload = token.split('.').nth(1).expect("a payload");
            assert!(!line.contains(signature) && !line.contains(payload), "{line}");
        }
        assert!(!line.contains(SECRET), "{line}");
    }
    process.stop().await;
}
