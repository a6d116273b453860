//! The chat beside a document, over real sockets: one order for all, each message once, and who may.

mod finding;
mod load;
mod reach;

use serde_json::{Value, json};

use crate::support::http::Request;
use crate::support::server::TestServer;
use crate::support::socket::{RawSocket, client_id};

/// Somebody with a document's chat open over a connection of their own.
struct Talker {
    socket: RawSocket,
    opened: Value,
}

impl Talker {
    /// Opens the chat as the guest with this cookie.
    async fn open(server: &TestServer, cookie: &str, document: &str) -> Talker {
        Talker::open_since(server, cookie, document, None).await
    }

    /// The same, with everything up to a change at hand.
    async fn open_since(
        server: &TestServer,
        cookie: &str,
        document: &str,
        since: Option<u64>,
    ) -> Talker {
        let mut socket = RawSocket::connect(server, cookie).await;
        let mut open = json!({"type": "chat_open", "doc": document});
        if let Some(since) = since {
            open["since"] = since.into();
        }
        socket.say(open).await;
        let opened = socket.next_of("chat_opened").await;
        Talker { socket, opened }
    }

    /// Says something to the chat, which is this connection's first channel.
    async fn say(&mut self, kind: &str, rest: Value) {
        let mut message = rest;
        (message["type"], message["ch"]) = (kind.into(), 1.into());
        self.socket.say(message).await;
    }

    async fn send(&mut self, id: u32, text: &str) {
        self.say("chat_send", json!({"id": client_id(id), "text": text})).await;
    }

    /// Says so many things, each once the one before has its answer.
    async fn send_all(&mut self, ids: std::ops::RangeInclusive<u32>) {
        for id in ids {
            self.send(id, &id.to_string()).await;
            assert_eq!(self.answer().await["type"], "chat_ack");
        }
    }

    /// The next answer to something that was to be stored.
    async fn answer(&mut self) -> Value {
        loop {
            let message = self.socket.next().await;
            if message["type"] == "chat_ack" || message["type"] == "chat_reject" {
                return message;
            }
        }
    }

    /// The texts of the next messages that are heard, so many of them.
    async fn hear(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < count {
            let news = self.socket.next_of("chat").await;
            texts.extend(texts_of(&news["messages"]));
        }
        texts
    }
}

fn texts_of(messages: &Value) -> Vec<String> {
    let text = |message: &Value| message["text"].as_str().expect("a text").to_owned();
    messages.as_array().expect("messages").iter().map(text).collect()
}

fn numbers_of(messages: &Value) -> Vec<u64> {
    let number = |message: &Value| message["number"].as_u64().expect("a number");
    messages.as_array().expect("messages").iter().map(number).collect()
}

#[tokio::test]
async fn what_is_said_is_heard_by_everybody_in_one_order() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let mut ada = Talker::open(&server, server.cookie(), &document).await;
    let mut ben = Talker::open(&server, &server.new_guest().await, &document).await;
    assert_eq!((&ada.opened["role"], &ben.opened["role"]), (&json!("owner"), &json!("editor")));
    assert_eq!(ada.opened["messages"], json!([]));
    for number in 1..=10 {
        ada.send(number, &format!("a{number}")).await;
        ben.send(100 + number, &format!("b{number}")).await;
    }
    let (by_ada, by_ben) = (ada.hear(20).await, ben.hear(20).await);
    assert_eq!(by_ada, by_ben);
    for who in ["a", "b"] {
        let own: Vec<_> = by_ada.iter().filter(|text| text.starts_with(who)).cloned().collect();
        let sent: Vec<_> = (1..=10).map(|number| format!("{who}{number}")).collect();
        assert_eq!(own, sent, "one's own stay in the order in which they were sent");
    }
    let late = Talker::open(&server, server.cookie(), &document).await.opened;
    assert_eq!(texts_of(&late["messages"]), by_ada);
    assert_eq!(numbers_of(&late["messages"]), (1..=20).collect::<Vec<_>>());
    assert_eq!((&late["last"], &late["change"]), (&json!(20), &json!(20)));
    assert_eq!(late["people"].as_array().expect("people").len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn a_message_sent_again_over_another_connection_is_there_once() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    for round in 1..=5 {
        // The connection is lost before the answer, at whatever moment.
        let mut first = Talker::open(&server, server.cookie(), &document).await;
        first.send(round, "once").await;
        drop(first);
        let mut again = Talker::open(&server, server.cookie(), &document).await;
        again.send(round, "once").await;
        let answer = again.answer().await;
        assert_eq!((&answer["type"], &answer["number"]), (&json!("chat_ack"), &json!(round)));
        again.send(round, "other").await;
        assert_eq!(again.answer().await["code"], "id_reuse");
    }
    let late = Talker::open(&server, server.cookie(), &document).await.opened;
    assert_eq!(texts_of(&late["messages"]), vec!["once"; 5]);
    server.stop().await;
}

#[tokio::test]
async fn who_was_away_is_given_what_has_changed() {
    let server = TestServer::start_with(&["--chat-messages-burst", "1000"]).await;
    let document = server.create_with_text("ab").await;
    let mut ada = Talker::open(&server, server.cookie(), &document).await;
    for number in 1..=3 {
        ada.send(number, "x").await;
        ada.answer().await;
    }
    ada.say("chat_edit", json!({"id": client_id(1), "text": "y"})).await;
    ada.say("chat_delete", json!({"id": client_id(2)})).await;
    assert_eq!(ada.answer().await["change"], 4);
    assert_eq!(ada.answer().await["change"], 5);
    let back = Talker::open_since(&server, server.cookie(), &document, Some(2)).await.opened;
    assert_eq!((&back["since"], &back["change"]), (&json!(2), &json!(5)));
    assert_eq!(texts_of(&back["messages"]), ["y", "", "x"], "those that have changed, by number");
    assert!(back["messages"][1]["deleted_ms"].is_number(), "{back}");
    assert!(back["messages"][0]["edited_ms"].is_number(), "{back}");

    ada.send_all(10..=259).await;
    let back = Talker::open_since(&server, server.cookie(), &document, Some(5)).await.opened;
    assert!(back.get("since").is_none(), "too much has changed: begin anew");
    assert_eq!(numbers_of(&back["messages"]), (204..=253).collect::<Vec<_>>());
    let ahead = Talker::open_since(&server, server.cookie(), &document, Some(999)).await.opened;
    assert!(ahead.get("since").is_none(), "a change that is not there is no beginning");
    server.stop().await;
}

#[tokio::test]
async fn pages_lead_back_to_the_beginning() {
    let server = TestServer::start_with(&["--chat-messages-burst", "1000"]).await;
    let document = server.create_with_text("ab").await;
    let mut ada = Talker::open(&server, server.cookie(), &document).await;
    ada.send_all(1..=120).await;
    let mut late = Talker::open(&server, server.cookie(), &document).await;
    let mut numbers = numbers_of(&late.opened["messages"]);
    assert_eq!(numbers.len(), 50);
    while numbers[0] > 1 {
        late.say("chat_before", json!({"number": numbers[0]})).await;
        let page = late.socket.next_of("chat_page").await;
        assert_eq!(page["before"], numbers[0]);
        numbers.splice(0..0, numbers_of(&page["messages"]));
    }
    assert_eq!(numbers, (1..=120).collect::<Vec<_>>());
    server.stop().await;
}

#[tokio::test]
async fn edits_and_deletions_are_heard_and_are_ones_own_or_the_owners() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let mut owner = Talker::open(&server, server.cookie(), &document).await;
    let mut ben = Talker::open(&server, &server.new_guest().await, &document).await;
    owner.send(1, "mine").await;
    owner.answer().await;
    ben.send(2, "theirs").await;
    assert_eq!(ben.answer().await["number"], 2);
    ben.say("chat_edit", json!({"id": client_id(1), "text": "x"})).await;
    assert_eq!(ben.answer().await["code"], "not_yours");
    ben.say("chat_delete", json!({"id": client_id(1)})).await;
    assert_eq!(ben.answer().await["code"], "not_yours");
    ben.say("chat_delete", json!({"id": client_id(9)})).await;
    assert_eq!(ben.answer().await["code"], "no_message");
    owner.say("chat_edit", json!({"id": client_id(2), "text": "x"})).await;
    assert_eq!(owner.answer().await["code"], "not_yours", "words are nobody else's to change");
    owner.say("chat_delete", json!({"id": client_id(2)})).await;
    assert_eq!(owner.answer().await["change"], 3);
    let late = Talker::open(&server, server.cookie(), &document).await.opened;
    assert_eq!(texts_of(&late["messages"]), ["mine", ""]);
    while ben.hear(1).await != [""] {}
    ben.say("chat_edit", json!({"id": client_id(2), "text": "back"})).await;
    assert_eq!(ben.answer().await["code"], "message_deleted");
    server.stop().await;
}

#[tokio::test]
async fn what_is_read_on_one_device_is_read_on_the_other() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let ben = server.new_guest().await;
    let mut ada = Talker::open(&server, server.cookie(), &document).await;
    for number in 1..=3 {
        ada.send(number, "x").await;
        ada.answer().await;
    }
    let mut desk = Talker::open(&server, &ben, &document).await;
    let mut phone = Talker::open(&server, &ben, &document).await;
    assert_eq!((&desk.opened["read"], &desk.opened["unread"]), (&json!(0), &json!(3)));
    desk.say("chat_read", json!({"number": 2})).await;
    for device in [&mut desk, &mut phone] {
        let read = device.socket.next_of("chat_read").await;
        assert_eq!((&read["number"], &read["unread"]), (&json!(2), &json!(1)));
    }
    let later = Talker::open(&server, &ben, &document).await.opened;
    assert_eq!((&later["read"], &later["unread"]), (&json!(2), &json!(1)));
    let own = Talker::open(&server, server.cookie(), &document).await.opened;
    assert_eq!((&own["read"], &own["unread"]), (&json!(0), &json!(0)), "one's own are not unread");
    server.stop().await;
}

#[tokio::test]
async fn who_types_is_told_to_others_until_they_send_or_go() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let mut ada = Talker::open(&server, server.cookie(), &document).await;
    let mut ben = Talker::open(&server, &server.new_guest().await, &document).await;
    let names = |typing: &Value| typing["people"].as_array().expect("people").len();
    ben.say("chat_typing", json!({"on": true})).await;
    assert_eq!(names(&ada.socket.next_of("chat_typing").await), 1);
    ben.send(1, "x").await;
    assert_eq!(names(&ada.socket.next_of("chat_typing").await), 0);
    ben.say("chat_typing", json!({"on": true})).await;
    assert_eq!(names(&ada.socket.next_of("chat_typing").await), 1);
    ben.say("chat_typing", json!({"on": false})).await;
    assert_eq!(names(&ada.socket.next_of("chat_typing").await), 0);
    ben.say("chat_typing", json!({"on": true})).await;
    assert_eq!(names(&ada.socket.next_of("chat_typing").await), 1);
    drop(ben);
    assert_eq!(names(&ada.socket.next_of("chat_typing").await), 0);
    server.stop().await;
}

#[tokio::test]
async fn what_no_chat_takes_is_refused_with_its_code() {
    let server = TestServer::start_with(&["--chat-messages-burst", "4"]).await;
    let document = server.create_with_text("ab").await;
    let mut ada = Talker::open(&server, server.cookie(), &document).await;
    let id = client_id(1);
    for (message, code) in [
        (json!({"id": id, "text": " \n"}), "bad_text"),
        (json!({"id": id, "text": "x".repeat(4_001)}), "text_too_long"),
        (
            json!({"id": id, "text": "x", "mentions": [{"start": 0, "end": 9, "user": "b"}]}),
            "bad_mentions",
        ),
        (json!({"id": id, "text": "x", "ref": {"rev": 99, "start": 0, "end": 1}}), "bad_ref"),
        (json!({"id": id, "text": "x"}), "slow_down"),
    ] {
        ada.say("chat_send", message).await;
        let answer = ada.answer().await;
        assert_eq!((&answer["code"], &answer["id"]), (&json!(code), &json!(id)));
        assert_eq!(answer["retry_ms"].is_number(), code == "slow_down", "{answer}");
    }
    ada.socket.say(json!({"type": "chat_send", "ch": 9, "id": id, "text": "x"})).await;
    assert_eq!(ada.socket.next_of("error").await["code"], "bad_channel");
    ada.socket.say(json!({"type": "chat_open", "doc": client_id(404)})).await;
    let refused = ada.socket.next_of("chat_reject").await;
    assert_eq!((&refused["code"], &refused["doc"]), (&json!("not_found"), &json!(client_id(404))));
    ada.socket.say(json!({"type": "leave", "ch": 1})).await;
    assert_eq!(ada.socket.next_of("left").await["ch"], 1);
    ada.send(2, "x").await;
    assert_eq!(ada.socket.next_of("error").await["code"], "not_joined");
    assert_eq!(server.text(&document).await, "ab", "the text has nothing to do with it");
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_documents_chat_comes_back_with_it() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let mut ada = Talker::open(&server, server.cookie(), &document).await;
    ada.send(1, "before").await;
    ada.answer().await;
    let path = format!("/api/documents/{document}");
    assert_eq!(server.ask(Request::new("DELETE", &path)).await.status, 204);
    ada.send(2, "meanwhile").await;
    assert_eq!(ada.answer().await["code"], "document_deleted");
    let restore = Request::post(&format!("{path}/restore"));
    assert_eq!(server.ask(restore).await.status, 200);
    ada.send(3, "after").await;
    assert_eq!(ada.answer().await["number"], 2);
    let late = Talker::open(&server, server.cookie(), &document).await.opened;
    assert_eq!(texts_of(&late["messages"]), ["before", "after"]);
    server.stop().await;
}
