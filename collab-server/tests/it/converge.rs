//! Many native clients on real sockets: they type, lose their connections without notice, resume
//! and resend, and all end with the text that the log rebuilds.

use std::time::Duration;

use futures_util::future::join_all;

use crate::support::choices::Choices;
use crate::support::native::NativeClient;
use crate::support::postgres::Schema;
use crate::support::server::TestServer;

const TYPED: [&str; 6] = ["a", "é", "漢", "🦀", "e\u{301}", "line\n"];

/// One person: types a hundred times or so, with the connection cut every now and then.
async fn write(mut client: NativeClient, seed: u64) -> NativeClient {
    let mut choices = Choices::new(seed);
    for _ in 0..100 {
        for _ in 0..choices.below(3) {
            let offset = choices.below(client.len_chars() + 1);
            let deleted = choices.below(3).min(client.len_chars() - offset);
            client.edit(offset, deleted, TYPED[choices.below(TYPED.len())]);
        }
        if !client.awaits_ack() {
            client.submit().await;
        }
        if choices.below(20) == 0 {
            client.cut();
            client.connect().await.expect("the server takes connections");
        }
        for _ in 0..choices.below(4) {
            let arrival = Duration::from_millis(2);
            let _ = tokio::time::timeout(arrival, client.take_entry()).await;
        }
    }
    while client.has_pending() {
        if !client.awaits_ack() {
            client.submit().await;
        }
        client.take_entry().await.expect("the connection holds");
    }
    client
}

/// Six people write into one document of these servers until all have one text. What they end with,
/// and the document.
async fn converge(servers: &[&TestServer]) -> (String, String) {
    let document = servers[0].create_document("converge").await;
    let mut clients = Vec::new();
    for number in 0..6 {
        let address = servers[number % servers.len()].address();
        clients.push(NativeClient::join(address, servers[0].cookie(), &document).await);
    }
    let writers = clients.into_iter().enumerate();
    let mut clients = join_all(writers.map(|(seed, client)| write(client, seed as u64))).await;

    let head = clients.iter().map(NativeClient::revision).max().expect("there are clients");
    for client in &mut clients {
        client.take_to(head).await.expect("the connection holds");
        assert!(client.rejects().is_empty(), "nothing was refused: {:?}", client.rejects());
    }
    let text = servers[0].text(&document).await;
    for client in &clients {
        assert_eq!(client.text(), text, "every client ends with the server's text");
    }
    // How much goes into one submission depends on how fast the machine is.
    assert!(head > 12, "a history worth the name: {head} revisions");
    (document, text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_lose_connections_end_with_one_text() {
    let server = TestServer::start_with(&["--submissions-per-s", "100000"]).await;
    let (document, text) = converge(&[&server]).await;
    let rebuilt = server.stop_and_replay(&document).await;
    assert_eq!(rebuilt, text, "the log rebuilds the text");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_two_servers_on_one_database_end_with_one_text() {
    let schema = Schema::create().await;
    let flags = ["--submissions-per-s", "100000", "--poll-interval-ms", "100"];
    let start = async || {
        let folder = tempfile::tempdir().expect("a folder");
        TestServer::start_on(&schema.url(), folder, &flags).await
    };
    let servers = [start().await, start().await];
    let (document, text) = converge(&[&servers[0], &servers[1]]).await;
    assert_eq!(servers[1].text(&document).await, text, "both servers have the same text");
    for server in servers {
        server.stop().await;
    }
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_reads_sees_what_is_written_on_another_server() {
    let schema = Schema::create().await;
    let start = async || {
        let folder = tempfile::tempdir().expect("a folder");
        TestServer::start_on(&schema.url(), folder, &["--poll-interval-ms", "100"]).await
    };
    let (here, there) = (start().await, start().await);
    let document = here.create_document("read elsewhere").await;
    let mut reader = NativeClient::join(there.address(), here.cookie(), &document).await;
    let mut writer = NativeClient::join(here.address(), here.cookie(), &document).await;
    writer.edit(0, 0, "seen by everybody");
    writer.submit().await;
    while writer.has_pending() {
        writer.take_entry().await.expect("the connection holds");
    }
    reader.take_to(writer.revision()).await.expect("the connection holds");
    assert_eq!(reader.text(), "seen by everybody");
    here.stop().await;
    there.stop().await;
    schema.remove().await;
}
