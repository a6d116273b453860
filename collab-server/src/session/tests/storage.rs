//! A database that is slow, or gone, or damaged, costs the one document that needs it, and nothing
//! else of the connection.

use super::*;

/// Types `count` characters in front of the text that document `number` begins with: revision
/// `count + 1` at the end.
async fn fill(server: &Server, document: u128, count: u64) {
    let mut writer = server.connect(9).await;
    assert_eq!(writer.join(document, 9, None).await["rev"], 1);
    for seq in 1..=count {
        let ack = writer.submit(1, seq, seq, json!(["x", seq + 1])).await;
        assert_eq!(ack["ops"][0]["ack"], seq, "{ack}");
    }
    // Stays, so that the document stays loaded.
    std::mem::forget(writer);
}

#[tokio::test(start_paused = true)]
async fn a_catch_up_that_stalls_stalls_nothing_else_of_its_connection() {
    let server = Server::start(&["--ring-len", "2"]).await;
    server.create(1, "ab").await;
    server.create(2, "other").await;
    fill(&server, 1, 9).await;

    server.store.stall([Stalled::Pages]);
    let mut late = server.connect(2).await;
    assert_eq!(late.join(1, 2, Some(1)).await["rev"], 1);
    // Longer than a connection without heartbeats lives.
    for _ in 0..10 {
        late.is_served().await;
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    assert_eq!(late.join(2, 2, None).await["text"], "other");
    let ack = late.submit(2, 1, 1, json!(["an", 5])).await;
    assert_eq!((&ack["ch"], &ack["ops"][0]["ack"]), (&json!(2), &json!(1)));

    server.store.stall([]);
    let caught_up = late.next().await;
    assert_eq!((&caught_up["ch"], &caught_up["ops"][0]["to"]), (&json!(1), &json!(10)));
}
