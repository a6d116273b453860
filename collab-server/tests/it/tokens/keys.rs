//! Keys: which are refused at the start, and how they are changed while the server runs.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::http::Request;
use crate::support::process::{Process, sqlite_in};
use crate::support::token::{
    AUDIENCE, ISSUER, Signer, bearer, claims, ed25519_x, key_file, key_set,
};
use crate::support::until;

/// What the program says when it does not start with this key, nor calls it good.
fn refused(flag: &str, value: &str) -> String {
    let told = [None, Some("check-config")].map(|command| {
        let output = Command::new(env!("CARGO_BIN_EXE_collab-server"))
            .env_clear()
            .args(command)
            .args(["--listen", "127.0.0.1:0", "--database", "memory:"])
            .args([flag, value, "--token-issuer", ISSUER, "--token-audience", AUDIENCE])
            .output()
            .expect("it runs");
        assert!(!output.status.success(), "{command:?} {flag} {value}");
        String::from_utf8(output.stderr).expect("UTF-8")
    });
    let [start, check] = told.each_ref().map(|text| text.lines().last());
    assert_eq!(start, check, "{flag} {value}");
    let [start, _] = told;
    start
}

fn in_file(folder: &Path, text: &str) -> String {
    let file = folder.join("key");
    std::fs::write(&file, text).expect("a file");
    file.to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_bad_or_weak_key_is_refused_at_the_start_and_told_plainly() {
    let folder = tempfile::tempdir().expect("a folder");
    let public = |name: &str| refused("--token-public-key-file", &key_file(name));
    let secret = |text: &str| refused("--token-secret-file", &in_file(folder.path(), text));
    let set = |keys: Value| {
        let text = json!({ "keys": keys }).to_string();
        refused("--token-jwks-file", &in_file(folder.path(), &text))
    };
    let ed = |x: &str| json!({"kty": "OKP", "crv": "Ed25519", "x": x});
    let good = ed(&ed25519_x("ed25519.pub.pem"));
    let cases = [
        ("a short secret", refused("--token-secret", "too short"), "has 9 bytes"),
        ("a short secret in a file", secret("too short\n"), "has 9 bytes"),
        ("an empty file", secret("\n"), "has 0 bytes"),
        ("a typed secret", secret(&"abc".repeat(20)), "can be guessed"),
        (
            "a public key for a secret",
            refused("--token-secret-file", &key_file("rsa.pub.pem")),
            "not a secret",
        ),
        (
            "no file",
            refused("--token-secret-file", "/nowhere/key"),
            "cannot read token_secret_file /nowhere/key",
        ),
        ("a folder", refused("--token-jwks-file", "/"), "cannot read"),
        ("1,024 bits", public("rsa_1024.pub.pem"), "has 1024 bits"),
        ("exponent 3", public("rsa_e3.pub.pem"), "exponent must be 65537"),
        ("a private key", public("rsa.pem"), "holds a private key"),
        ("a certificate", public("rsa.crt.pem"), "holds a certificate"),
        ("another curve", public("ec.pub.pem"), "RSA or Ed25519"),
        ("no set", set(json!({})), "JSON Web Key Set"),
        ("an empty set", set(json!([])), "no key"),
        ("a set of secrets", set(json!([{"kty": "oct", "k": "AAAA"}])), "secret or private"),
        (
            "a set with private keys",
            set(json!([{"kty": "OKP", "crv": "Ed25519", "x": "A", "d": "A"}])),
            "secret or private",
        ),
        (
            "keys of other kinds",
            set(json!([{"kty": "EC", "crv": "P-256", "x": "A", "y": "A"}])),
            "no key",
        ),
        ("two keys without ids", set(json!([good, good])), "a kid of its own"),
        ("a key cut short", set(json!([ed("AAAA")])), "has 32 bytes"),
        ("a key that is no point", set(json!([ed(&format!("Ag{}", "A".repeat(41)))])), "malformed"),
        (
            "a key that anybody can sign for",
            set(json!([ed(&format!("AQ{}", "A".repeat(41)))])),
            "anybody can sign",
        ),
        ("another such key", set(json!([ed(&"A".repeat(43))])), "anybody can sign"),
        (
            "an exponent of 1",
            set(json!([{"kty": "RSA", "n": format!("{}w", "_".repeat(341)), "e": "AQ"}])),
            "exponent",
        ),
    ];
    for (name, told, expected) in &cases {
        let line = told.lines().last().unwrap_or_default();
        println!("{name:<32} | {line}");
        assert!(told.contains(expected), "{name}: {told}");
        assert!(!told.contains("panicked"), "{name}: {told}");
    }
}

async fn is_taken(process: &Process, token: &str) -> bool {
    let me = Request::get("/api/me").header("authorization", &bearer(token));
    me.send(process.address()).await.status == 200
}

/// Puts another file in the old one's place, as tools that distribute keys do.
fn replace(file: &Path, text: &str) {
    let beside = file.with_extension("new");
    std::fs::write(&beside, text).expect("a file");
    std::fs::rename(beside, file).expect("replaced");
}

#[tokio::test]
async fn keys_are_changed_without_a_restart_and_a_slip_locks_nobody_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.json");
    let (a, b) = (("a", "ed25519.pub.pem"), ("b", "ed25519_other.pub.pem"));
    std::fs::write(&file, key_set(&[a])).expect("a file");
    let name = file.to_str().expect("UTF-8");
    let flags = ["--token-jwks-file", name, "--token-issuer", ISSUER, "--token-audience", AUDIENCE];
    let process = Process::start(&sqlite_in(folder.path()), &flags).await;
    let by_a = Signer::ed25519("ed25519.pem", Some("a")).token(&claims("ada"));
    let by_b = Signer::ed25519("ed25519_other.pem", Some("b")).token(&claims("ada"));
    assert!(is_taken(&process, &by_a).await && !is_taken(&process, &by_b).await);

    replace(&file, &key_set(&[a, b]));
    process.signal("-HUP");
    until("both keys count", async || is_taken(&process, &by_b).await).await;
    assert!(is_taken(&process, &by_a).await);
    // Not asked for: the file is looked at by itself.
    replace(&file, &key_set(&[b]));
    until("the old key is gone", async || !is_taken(&process, &by_a).await).await;
    assert!(is_taken(&process, &by_b).await);

    replace(&file, "{\"keys\":");
    process.signal("-HUP");
    let is_told = |process: &Process| {
        process.log().iter().any(|line| line.contains("the keys for tokens stay as they are"))
    };
    until("the slip is told", async || is_told(&process)).await;
    assert!(is_taken(&process, &by_b).await);
    process.stop().await;
}
