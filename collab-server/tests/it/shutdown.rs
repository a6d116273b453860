//! The end: nothing acknowledged is lost, everyone is told, and it is over in time.

use std::time::{Duration, Instant};

use crate::support::http::Request;
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;

#[tokio::test]
async fn everyone_is_told_to_come_back_and_nothing_acknowledged_is_lost() {
    let server = TestServer::start().await;
    let document = server.create_document("x").await;
    let (mut writer, _) = RawSocket::join(&server, &document, 1).await;
    let (mut reader, _) = RawSocket::join(&server, &document, 2).await;
    let mut idle = RawSocket::connect(&server, server.cookie()).await;
    for seq in 1..=20 {
        let op = if seq == 1 { r#"["é"]"#.to_owned() } else { format!(r#"["é",{}]"#, seq - 1) };
        assert_eq!(writer.submit(seq, seq - 1, &op).await["ack"], seq);
    }
    // On its way when the end comes: it is committed and acknowledged, or neither.
    writer.text(r#"{"type":"submit","ch":1,"seq":21,"rev":20,"op":["é",20]}"#).await;
    let cookie = server.cookie().to_owned();
    let began = Instant::now();
    let folder = server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());

    let mut acknowledged = 20;
    let code = loop {
        match writer.any().await {
            Ok(message) if message["ops"][0]["ack"] == 21 => acknowledged = 21,
            Ok(_) => {}
            Err(code) => break code,
        }
    };
    assert_eq!([code, reader.closed().await, idle.closed().await], [1012, 1012, 1012]);

    let server = TestServer::start_in(folder, &[]).await;
    let path = format!("/api/documents/{document}/text");
    let answer = Request::get(&path).header("cookie", &cookie).send(server.address()).await;
    let len = answer.text().chars().count();
    assert!(len >= acknowledged && len <= 21, "{len} of {acknowledged}");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_does_not_hold_up_the_end() {
    let server = TestServer::start_with(&["--shutdown-ms", "300"]).await;
    let document = server.create_with_text(&"x".repeat(3_000_000)).await;
    let mut socket = RawSocket::connect(&server, server.cookie()).await;
    for client in 1..=8 {
        let id = crate::support::socket::client_id(client);
        socket.say(serde_json::json!({"type": "join", "doc": document, "client": id})).await;
    }
    let began = Instant::now();
    server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    drop(socket);
}
