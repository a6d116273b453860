//! https by the server itself: over real TLS, with certificates made for the test.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rcgen::CertifiedKey;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::http::Request;
use crate::support::process::Process;
use crate::support::socket::client_id;
use crate::support::{DEADLINE, until};

/// A new certificate for localhost, and its key, in a folder's files.
fn certify(folder: &Path) -> CertifiedKey<rcgen::KeyPair> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    // Another name and then over the old one, as tools that renew certificates do it.
    for (name, text) in
        [("key.pem", made.signing_key.serialize_pem()), ("cert.pem", made.cert.pem())]
    {
        let fresh = folder.join("fresh");
        std::fs::write(&fresh, text).expect("a file");
        std::fs::rename(&fresh, folder.join(name)).expect("a file");
    }
    made
}

async fn serve(folder: &Path, more: &[&str]) -> Process {
    let path = |name: &str| folder.join(name).to_str().expect("UTF-8").to_owned();
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    let own = ["--tls-cert", &*certificate, "--tls-key", &*key];
    Process::start("memory:", &[&own, more].concat()).await
}

/// A secure connection of somebody who trusts this certificate alone and speaks these protocols.
async fn connect(
    address: SocketAddr,
    trusted: &CertifiedKey<rcgen::KeyPair>,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.cert.der().clone()).expect("a root");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    let shaking = TlsConnector::from(Arc::new(config)).connect(name, stream);
    tokio::time::timeout(DEADLINE, shaking).await.expect("in time")
}

#[tokio::test]
async fn pages_and_sockets_come_over_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = certify(folder.path());
    let process = serve(folder.path(), &[]).await;
    let address = process.address();
    let stream = connect(address, &made, &["h2", "http/1.1"]).await.expect("a connection");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let me = Request::get("/api/me").send_over(address, stream).await;
    assert_eq!(me.status, 200);
    assert_eq!(me.header("strict-transport-security"), Some("max-age=31536000"));
    assert!(me.header("set-cookie").expect("a cookie").contains("; Secure"), "{me:?}");
    let cookie = me.cookie().expect("a cookie");

    let stream = connect(address, &made, &[]).await.expect("a connection");
    let create = Request::post("/api/documents").header("cookie", &cookie);
    let create = create.json(&json!({"text": "abc"})).send_over(address, stream).await;
    let document = create.json()["id"].as_str().expect("an id").to_owned();

    let mut request = format!("wss://{address}/api/socket").into_client_request().expect("valid");
    let origin = format!("https://{address}");
    let headers =
        [("sec-websocket-protocol", "concord.v1"), ("cookie", &cookie), ("origin", &origin)];
    for (name, value) in headers {
        request.headers_mut().insert(name, value.parse().expect("a header value"));
    }
    let stream = connect(address, &made, &["http/1.1"]).await.expect("a connection");
    let (mut socket, _) =
        tokio_tungstenite::client_async(request, stream).await.expect("an upgrade");
    let join = json!({"type": "join", "doc": document, "client": client_id(1)});
    socket.send(Message::text(join.to_string())).await.expect("sent");
    let mut next = async || -> Value {
        loop {
            let message = tokio::time::timeout(DEADLINE, socket.next()).await.expect("in time");
            if let Message::Text(text) = message.expect("open").expect("a message") {
                return serde_json::from_str(&text).expect("JSON");
            }
        }
    };
    assert_eq!(next().await["type"], "welcome");
    assert_eq!(next().await["text"], "abc");
    // The page of plain http with the same host is another one.
    let stream = connect(address, &made, &[]).await.expect("a connection");
    let plain = Request::post("/api/documents").header("origin", &format!("http://{address}"));
    assert_eq!(plain.send_over(address, stream).await.code(), "foreign_origin");
    process.stop().await;
}

#[tokio::test]
async fn what_speaks_no_tls_is_told_so_and_what_speaks_another_protocol_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = certify(folder.path());
    let process = serve(folder.path(), &["--header-timeout-ms", "300"]).await;
    let address = process.address();
    let plain = Request::get("/").send(address).await;
    assert_eq!((plain.status, plain.text().as_str()), (400, "This address speaks https, not http"));
    connect(address, &made, &["h2"]).await.expect_err("no common protocol");
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("another");
    connect(address, &stranger, &[]).await.expect_err("an unknown certificate");
    // Nothing, or half a handshake, is ended.
    for sent in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(sent).await.expect("taken");
        let mut rest = Vec::new();
        let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut rest)).await;
        let _ended_or_reset = read.expect("ended in time");
    }
    let stream = connect(address, &made, &[]).await.expect("a connection");
    let figures = Request::get("/metrics").send_over(address, stream).await.text();
    for class in ["plain", "refused", "slow"] {
        assert!(
            figures.contains(&format!("concord_tls_failures_total{{class={class:?}}}")),
            "{class}"
        );
    }
    process.stop().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = certify(folder.path());
    let process = serve(folder.path(), &[]).await;
    let address = process.address();
    let works =
        async |made: &CertifiedKey<rcgen::KeyPair>| connect(address, made, &[]).await.is_ok();
    assert!(works(&first).await);
    // By its change alone.
    let second = certify(folder.path());
    until("the second certificate is in use", || async { works(&second).await }).await;
    assert!(!works(&first).await);
    // When asked: the same bytes again, and then others.
    let told = || process.log().iter().filter(|line| line.contains("were read anew")).count();
    let before = told();
    process.signal("-HUP");
    until("the files were read", || async { told() > before }).await;
    assert!(works(&second).await);
    std::fs::write(folder.path().join("cert.pem"), "no certificate").expect("a file");
    process.signal("-HUP");
    until("the mistake is told", || async {
        let stays = "the last good certificate stays in use";
        process.log().iter().any(|line| line.contains(stays) && line.contains("cert.pem"))
    })
    .await;
    assert!(works(&second).await);
    let key = second.signing_key.serialize_pem();
    let secret = key.lines().nth(1).expect("a line of the key");
    assert!(process.log().iter().all(|line| !line.contains(secret)));
    process.stop().await;
}

#[test]
fn a_pair_that_cannot_be_used_is_told_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = tempfile::tempdir().expect("a folder");
    certify(folder.path());
    certify(other.path());
    std::fs::write(folder.path().join("empty.pem"), "").expect("a file");
    let at = |folder: &Path, name: &str| folder.join(name).to_str().expect("UTF-8").to_owned();
    let (certificate, key) = (at(folder.path(), "cert.pem"), at(folder.path(), "key.pem"));
    for (certificate, key, told) in [
        (at(folder.path(), "missing.pem"), key.clone(), "missing.pem cannot be read"),
        (at(folder.path(), "empty.pem"), key.clone(), "empty.pem holds no certificate in PEM form"),
        (certificate.clone(), certificate.clone(), "cert.pem holds no private key in PEM form"),
        (certificate, at(other.path(), "key.pem"), "cannot be used together"),
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_collab-server"))
            .env_clear()
            .args(["--listen", "127.0.0.1:0", "--database", "memory:"])
            .args(["--tls-cert", &certificate, "--tls-key", &key])
            .output()
            .expect("it runs");
        let error = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(!output.status.success() && error.contains(told), "{told}: {error}");
    }
}
