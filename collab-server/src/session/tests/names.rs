//! A person's latest name is seen in every document that they are in or enter.

use super::*;
use crate::auth::Identity;

/// What the others in document `number` see the person of connection 1 as.
async fn name_in(server: &Server, number: u128) -> String {
    let mut bob = server.connect(2).await;
    let joined = bob.join(number, 2, None).await;
    joined["people"][0]["name"].as_str().expect("a name").to_owned()
}

async fn take_name(server: &Server, name: &str) {
    let user = Identity::guest("g_1".parse().expect("an id"));
    server.app.people.change(&user, Some(name), None).await.expect("a good name");
}

#[tokio::test(start_paused = true)]
async fn a_name_taken_after_connecting_is_the_one_to_enter_with() {
    let server = Server::start(&[]).await;
    server.create(1, "ab").await;
    server.create(2, "cd").await;
    let mut ada = server.connect(1).await;
    ada.join(1, 1, None).await;
    take_name(&server, "Ada").await;
    ada.join(2, 1, None).await;
    assert_eq!(name_in(&server, 1).await, "Ada");
    assert_eq!(name_in(&server, 2).await, "Ada");
}

#[tokio::test(start_paused = true)]
async fn a_name_taken_while_a_document_is_being_loaded_is_seen_in_it() {
    let server = Server::start(&[]).await;
    server.create(1, "ab").await;
    let mut ada = server.connect(1).await;
    server.store.stall([Stalled::Loads]);
    let (doc, client) = (DocumentId::new(1), ClientId::new(1));
    ada.say(json!({"type": "join", "doc": doc, "client": client})).await;
    ada.is_served().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    take_name(&server, "Ada").await;
    server.store.stall([]);
    assert_eq!(ada.next().await["type"], "joined");
    assert_eq!(name_in(&server, 1).await, "Ada");
}
