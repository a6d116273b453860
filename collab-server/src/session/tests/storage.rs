//! A database that is slow, or gone, or damaged, costs the one document that needs it, and nothing
//! else of the connection.

use super::*;
use crate::store::ListQuery;

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

#[tokio::test(start_paused = true)]
async fn a_join_that_waits_for_a_stalled_database_is_answered_in_time() {
    let server = Server::start(&["--join-deadline-ms", "2000"]).await;
    for (document, stalled) in [(1, Stalled::Documents), (2, Stalled::Loads)] {
        server.create(document, "ab").await;
        server.store.stall([stalled]);
        let mut ada = server.connect(1).await;
        let began = tokio::time::Instant::now();
        let answer = ada.join(document, 1, None).await;
        assert_eq!(answer["code"], "storage_unavailable", "{stalled:?}: {answer}");
        assert_eq!(began.elapsed().as_secs(), 2, "{stalled:?}");
        ada.is_served().await;
        server.store.stall([]);
        assert_eq!(ada.join(document, 1, None).await["text"], "ab", "{stalled:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_looked_up_in_time_is_told_and_comes_back() {
    let server = Server::start(&["--join-deadline-ms", "2000"]).await;
    server.store.stall([Stalled::People]);
    let mut ada = server.dial(1);
    let last = ada.next().await;
    assert_eq!((&last["code"], &last["fatal"]), (&json!("storage_unavailable"), &json!(true)));
    assert_eq!(ada.any().await, Err(1011));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_until_their_visit_is_noted() {
    let server = Server::start(&[]).await;
    server.create(1, "ab").await;
    server.store.stall([Stalled::Visits]);
    for _ in 0..3 {
        let mut ada = server.connect(2).await;
        assert_eq!(ada.join(1, 2, None).await["text"], "ab");
    }
    let noted = async || {
        let everything = ListQuery {
            person: "g_2".parse().expect("an id"),
            tenant: collab_protocol::TenantId::default(),
            search: String::new(),
            deleted: false,
            limit: 10,
            after: None,
        };
        server.store.list_documents(everything).await.expect("a list").documents.len()
    };
    assert_eq!(noted().await, 0);
    server.store.stall([]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(noted().await, 1);
}

/// Channel 2 was ended with this code; channel 1 takes edits.
async fn loses_one_document_alone(ada: &mut Peer, code: &str) {
    let error = json!({"type": "error", "code": code, "fatal": false, "ch": 2});
    assert_eq!(ada.next().await, error);
    assert_eq!(ada.next().await, json!({"type": "left", "ch": 2}));
    let ack = ada.submit(1, 1, 1, json!(["an", 5])).await;
    assert_eq!((&ack["ch"], &ack["ops"][0]["ack"]), (&json!(1), &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn a_bug_in_one_document_ends_its_channel_and_not_the_connection() {
    let server = Server::start(&[]).await;
    server.create(1, "other").await;
    server.create(2, "ab").await;
    let mut ada = server.connect(1).await;
    ada.join(1, 1, None).await;
    ada.join(2, 1, None).await;
    server.clock.break_once();
    ada.say(json!({"type": "submit", "ch": 2, "seq": 1, "rev": 1, "op": ["x", 2]})).await;
    loses_one_document_alone(&mut ada, "internal").await;
    // It is loaded anew for who joins again, and takes what was not answered.
    assert_eq!(ada.join(2, 1, Some(1)).await["ch"], 3);
    assert_eq!(ada.submit(3, 1, 1, json!(["x", 2])).await["ops"][0]["ack"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_catch_up_ends_its_channel_and_not_the_connection() {
    let server = Server::start(&["--ring-len", "2"]).await;
    server.create(1, "other").await;
    server.create(2, "ab").await;
    fill(&server, 2, 9).await;
    server.store.fail_pages(1);
    let mut ada = server.connect(1).await;
    ada.join(1, 1, None).await;
    assert_eq!(ada.join(2, 1, Some(1)).await["rev"], 1);
    loses_one_document_alone(&mut ada, "storage_unavailable").await;
    assert_eq!(ada.join(2, 1, Some(1)).await["ch"], 3);
    assert_eq!(ada.next().await["ops"][0]["to"], 10);
}
