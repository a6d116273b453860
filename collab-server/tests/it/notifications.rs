//! Notifications over real sockets and REST: each told once, to all devices, until it is read.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::http::{Answer, Request};
use crate::support::postgres::Schema;
use crate::support::redis::Redis;
use crate::support::server::TestServer;
use crate::support::socket::{RawSocket, client_id};
use crate::support::token::{SECRET_FLAGS, bearer, claims_with, token};

const PAGE: &str = include_str!("../../../docs/build-notifications.md");

/// What is waited for comes far sooner.
const PATIENCE: Duration = Duration::from_secs(60);

fn token_of(user: &str, is_service: bool) -> String {
    token(&claims_with(user, json!({"tenant": "acme", "service": is_service})))
}

/// Somebody with a token, and a way to ask.
struct Someone<'s> {
    server: &'s TestServer,
    token: String,
}

impl<'s> Someone<'s> {
    fn new(server: &'s TestServer, user: &str) -> Self {
        Someone { server, token: token_of(user, false) }
    }

    fn service(server: &'s TestServer) -> Self {
        Someone { server, token: token_of("backend", true) }
    }

    async fn ask(&self, request: Request) -> Answer {
        request.header("authorization", &bearer(&self.token)).send(self.server.address()).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(Request::post(path).json(body)).await
    }

    async fn connect(&self) -> RawSocket {
        let token = bearer(&self.token);
        let headers = [("sec-websocket-protocol", "concord.v1"), ("authorization", &token as &str)];
        let mut socket =
            RawSocket::open(self.server.address(), &headers).await.expect("an upgrade");
        assert_eq!(socket.next().await["type"], "welcome");
        socket
    }

    async fn create(&self, title: &str) -> String {
        let answer = self.post("/api/documents", &json!({"title": title, "text": "ab"})).await;
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    async fn share(&self, document: &str, user: &str, role: &str) {
        let path = format!("/api/documents/{document}/people/{user}");
        let answer = self.ask(Request::new("PUT", &path).json(&json!({"role": role}))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn page(&self, query: &str) -> Value {
        let answer = self.ask(Request::get(&format!("/api/notifications{query}"))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// The first page, once it is as `is_so` says.
    async fn page_when(&self, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let page = self.page("").await;
            if is_so(&page) {
                return page;
            }
            assert!(Instant::now() < deadline, "{page}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn read(&self, body: Value) -> Value {
        let answer = self.post("/api/notifications/read", &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

fn titles(page: &Value) -> Vec<&str> {
    let title = |told: &'_ Value| told["about"]["title"].as_str().map(str::len);
    let all = page["notifications"].as_array().expect("notifications");
    assert!(all.iter().all(|told| title(told).is_some()), "{page}");
    all.iter().filter_map(|told| told["about"]["title"].as_str()).collect()
}

fn told(title: &str, id: &str) -> Value {
    json!({"to": ["ada"], "name": "told", "title": title, "id": id})
}

#[tokio::test]
async fn what_a_back_end_tells_comes_to_all_devices_once_whatever_was_asked_again() {
    let server = TestServer::start_with(&SECRET_FLAGS).await;
    let (service, ada, ben) =
        (Someone::service(&server), Someone::new(&server, "ada"), Someone::new(&server, "ben"));
    let (mut desk, mut phone) = (ada.connect().await, ada.connect().await);
    let new = json!({
        "to": ["ada", "ben", "ada"], "name": "export.ready", "title": "Your export is ready",
        "body": "It is kept for a week.", "url": "/exports/81", "data": {"n": [1.5, null]},
        "id": "export-81",
    });
    for _ in 0..3 {
        let answer = service.post("/api/notifications", &new).await;
        assert_eq!((answer.status, answer.json()), (201, json!({"id": "export-81"})));
    }
    let plain = json!({"to": ["ada"], "name": "b", "title": "B"});
    assert_eq!(service.post("/api/notifications", &plain).await.status, 201);
    let page = ada.page("").await;
    assert_eq!(titles(&page), ["B", "Your export is ready"]);
    let about = &page["notifications"][1]["about"];
    let mut expected = new.clone();
    let fields = expected.as_object_mut().expect("an object");
    fields.remove("to");
    fields.remove("id");
    fields.insert("kind".to_owned(), "app".into());
    assert_eq!(*about, expected);
    assert_eq!(
        (&page["unread"], &page["change"], &page["more"]),
        (&2.into(), &2.into(), &false.into())
    );
    assert_eq!(titles(&ben.page("").await), ["Your export is ready"]);
    for socket in [&mut desk, &mut phone] {
        let first = socket.next().await;
        assert_eq!((&first["type"], &first["change"]), (&json!("notified"), &json!(1)));
        assert_eq!(first["notifications"], json!([page["notifications"][1]]));
        // Whoever asks again may do so because nobody heard of it: that is all that is told.
        for _ in 0..2 {
            let missed = json!({"type": "missed", "room": "user", "events": 0});
            assert_eq!(socket.next().await, missed);
        }
        let second = socket.next().await;
        assert_eq!((&second["change"], &second["unread"]), (&json!(2), &json!(2)));
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_read_on_one_device_is_read_on_the_others_at_once() {
    let server = TestServer::start_with(&SECRET_FLAGS).await;
    let (service, ada) = (Someone::service(&server), Someone::new(&server, "ada"));
    for number in 1..=4 {
        let new = told(&number.to_string(), &number.to_string());
        assert_eq!(service.post("/api/notifications", &new).await.status, 201);
    }
    let mut phone = ada.connect().await;
    let id = ada.page("").await["notifications"][1]["id"].clone();
    for _ in 0..2 {
        assert_eq!(ada.read(json!({"ids": [id]})).await, json!({"unread": 3, "change": 5}));
    }
    let news = json!({"type": "notified", "change": 5, "unread": 3, "read": [id]});
    assert_eq!(phone.next().await, news);
    let missed = json!({"type": "missed", "room": "user", "events": 0});
    assert_eq!(phone.next().await, missed, "what was read before changes nothing");
    assert_eq!(ada.read(json!({"to": 2})).await, json!({"unread": 1, "change": 6}));
    let news = json!({"type": "notified", "change": 6, "unread": 1, "read_to": 2});
    assert_eq!(phone.next().await, news);
    assert_eq!(ada.read(json!({})).await, json!({"unread": 0, "change": 7}));
    assert_eq!(phone.next().await["read_to"], 4);
    let page = ada.page("").await;
    assert!(page["notifications"].as_array().expect("all").iter().all(|told| told["read"] == true));
    server.stop().await;
}

#[tokio::test]
async fn pages_lead_back_and_who_was_away_gets_what_changed() {
    let flags = [&SECRET_FLAGS[..], &["--notifications-per-person-max", "120"]].concat();
    let server = TestServer::start_with(&flags).await;
    let (service, ada) = (Someone::service(&server), Someone::new(&server, "ada"));
    for number in 1..=125 {
        service.post("/api/notifications", &told(&number.to_string(), &number.to_string())).await;
    }
    let first = ada.page("").await;
    assert_eq!(
        (titles(&first)[0], titles(&first)[49], &first["more"]),
        ("125", "76", &true.into())
    );
    assert_eq!((&first["unread"], &first["change"]), (&120.into(), &125.into()));
    let second = ada.page("?before=76").await;
    assert_eq!((titles(&second)[0], titles(&second).len()), ("75", 50));
    let third = ada.page("?before=26").await;
    let last = titles(&third);
    assert_eq!((last.len(), last[19], &third["more"]), (20, "6", &false.into()));
    ada.read(json!({"to": 7})).await;
    let since = ada.page("?since=124").await;
    assert_eq!((titles(&since), &since["since"]), (vec!["125", "7", "6"], &124.into()));
    assert_eq!(titles(&ada.page("?since=126").await), [""; 0]);
    for behind in ["?since=60", "?since=900"] {
        let anew = ada.page(behind).await;
        assert_eq!((anew.get("since"), titles(&anew)[0]), (None, "125"), "{behind}");
    }
    server.stop().await;
}

/// Opens a document's chat and says something in it that names people.
async fn say(socket: &mut RawSocket, document: &str, id: u32, users: &[&str]) -> Value {
    let mentions: Vec<Value> = (0..)
        .zip(users)
        .map(|(start, user)| json!({"start": start, "end": start + 1, "user": user}))
        .collect();
    socket.say(json!({"type": "chat_open", "doc": document})).await;
    let ch = socket.next_of("chat_opened").await["ch"].clone();
    let send = json!({
        "type": "chat_send", "ch": ch, "id": client_id(id), "text": "hello there", "mentions": mentions,
    });
    socket.say(send).await;
    socket.next_of("chat_ack").await;
    ch
}

#[tokio::test]
async fn who_is_named_in_a_chat_is_told_once_if_they_may_open_the_document() {
    let server = TestServer::start_with(&SECRET_FLAGS).await;
    let (ada, ben, eve) =
        (Someone::new(&server, "ada"), Someone::new(&server, "ben"), Someone::new(&server, "eve"));
    let document = ada.create("Notes").await;
    // Who has never been here is not known, and nobody's list grows by a guess.
    for person in [&ben, &eve] {
        person.ask(Request::new("PUT", "/api/me").json(&json!({"color": 3}))).await;
    }
    ada.share(&document, "ben", "viewer").await;
    ben.read(json!({})).await;
    let mut phone = ben.connect().await;
    let mut desk = ada.connect().await;
    let ch = say(&mut desk, &document, 1, &["ada", "ben", "eve", "nobody", "ben"]).await;
    let news = phone.next().await;
    let about = &news["notifications"][0]["about"];
    assert_eq!((&about["kind"], &about["title"]), (&json!("mentioned"), &json!("Notes")));
    assert_eq!((&about["by"]["user"], &about["message"]), (&json!("ada"), &json!(client_id(1))));
    // The answer was lost: the same is said again over another connection.
    say(&mut ada.connect().await, &document, 1, &["ada", "ben", "eve", "nobody", "ben"]).await;
    let mention = json!([{"start": 0, "end": 1, "user": "ben"}]);
    let edit = json!({
        "type": "chat_edit", "ch": ch, "id": client_id(1), "text": "again", "mentions": mention,
    });
    desk.say(edit).await;
    desk.next_of("chat_ack").await;
    let page = ben.page("").await;
    assert_eq!((titles(&page).len(), &page["unread"]), (2, &1.into()), "{page}");
    for other in [&ada, &eve, &Someone::new(&server, "nobody")] {
        assert_eq!(titles(&other.page("").await), [""; 0]);
    }
    server.stop().await;
}

#[tokio::test]
async fn who_is_given_a_role_is_told_and_told_anew_of_another() {
    let server = TestServer::start_with(&SECRET_FLAGS).await;
    let (ada, ben) = (Someone::new(&server, "ada"), Someone::new(&server, "ben"));
    let document = ada.create("Notes").await;
    for (role, unread) in [("editor", 1), ("editor", 1), ("none", 1)] {
        ada.share(&document, "ben", role).await;
        assert_eq!(ben.page("").await["unread"], unread, "{role}");
    }
    ben.read(json!({})).await;
    ada.share(&document, "ben", "commenter").await;
    let page = ben.page("").await;
    assert_eq!((titles(&page), &page["unread"]), (vec!["Notes"], &1.into()));
    let about = &page["notifications"][0]["about"];
    assert_eq!((&about["kind"], &about["role"]), (&json!("shared"), &json!("commenter")));
    assert_eq!(about["by"]["user"], "ada");
    Someone::service(&server).share(&document, "ben", "owner").await;
    let about = &ben.page("").await["notifications"][0]["about"];
    assert_eq!((&about["role"], about.get("by")), (&json!("owner"), None));
    server.stop().await;
}

/// Joins a document and types one letter for each time.
async fn type_in(person: &Someone<'_>, document: &str, client: u32, times: u64) -> RawSocket {
    let mut socket = person.connect().await;
    let mut rev = socket.enter(document, client).await["rev"].as_u64().expect("a revision");
    for seq in 1..=times {
        let len = rev + 1;
        socket.submit(seq, rev, &format!("[\"x\",{len}]")).await;
        rev += 1;
    }
    socket
}

#[tokio::test]
async fn edits_while_the_owner_is_away_make_one_notification_that_grows() {
    let flags = [&SECRET_FLAGS[..], &["--digest-interval-ms", "100"]].concat();
    let server = TestServer::start_with(&flags).await;
    let (ada, ben, eve) =
        (Someone::new(&server, "ada"), Someone::new(&server, "ben"), Someone::new(&server, "eve"));
    let (notes, other) = (ada.create("Notes").await, ada.create("Other").await);
    for (document, user) in [(&notes, "ben"), (&notes, "eve"), (&other, "ben")] {
        ada.share(document, user, "editor").await;
    }
    type_in(&ben, &notes, 1, 3).await;
    let edits = |page: &Value, count: u64| page["notifications"][0]["about"]["edits"] == count;
    let page = ada.page_when(|page| edits(page, 3)).await;
    let first = page["notifications"][0].clone();
    assert_eq!((&first["about"]["kind"], &first["about"]["people"]), (&json!("edited"), &json!(1)));
    assert_eq!(
        (&first["about"]["by"][0]["user"], &first["about"]["rev"]),
        (&json!("ben"), &json!(4))
    );
    type_in(&eve, &notes, 2, 2).await;
    let page = ada.page_when(|page| edits(page, 5)).await;
    assert_eq!((titles(&page).len(), &page["unread"]), (1, &1.into()), "it is told in place");
    let grown = &page["notifications"][0];
    assert_eq!((&grown["id"], &grown["about"]["people"]), (&first["id"], &json!(2)));
    assert!(grown["number"].as_u64() > first["number"].as_u64());
    ada.read(json!({})).await;

    // What she has open is nothing to tell, nor what she does herself.
    let _open = type_in(&ada, &notes, 3, 1).await;
    type_in(&ben, &notes, 4, 2).await;
    type_in(&ada, &other, 5, 1).await;
    for count in 1..=2 {
        type_in(&ben, &other, 5 + count, 1).await;
        ada.page_when(|page| edits(page, count.into())).await;
    }
    let page = ada.page("").await;
    assert_eq!((titles(&page), &page["unread"]), (vec!["Other", "Notes"], &1.into()), "{page}");
    server.stop().await;
}

#[tokio::test]
async fn edits_that_wait_to_be_told_are_told_when_the_server_stops() {
    let flags = [&SECRET_FLAGS[..], &["--digest-interval-ms", "86400000"]].concat();
    let server = TestServer::start_with(&flags).await;
    let (ada, ben) = (Someone::new(&server, "ada"), Someone::new(&server, "ben"));
    let document = ada.create("Notes").await;
    ada.share(&document, "ben", "editor").await;
    type_in(&ben, &document, 1, 2).await;
    assert_eq!(titles(&ada.page("").await), [""; 0], "it is not due");
    let folder = server.stop().await;
    let server = TestServer::start_in(folder, &flags).await;
    assert_eq!(titles(&Someone::new(&server, "ada").page("").await), ["Notes"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_at_two_servers_hear_the_same() {
    let (schema, redis) = (Schema::create().await, Redis::start(&[]).await);
    let url = Redis::url_by(redis.address());
    let flags = [&SECRET_FLAGS[..], &["--redis-url", &url]].concat();
    let start = async || {
        let folder = tempfile::tempdir().expect("a folder");
        TestServer::start_on(&schema.url(), folder, &flags).await
    };
    let (one, two) = (start().await, start().await);
    let (desk, phone) = (Someone::new(&one, "ada"), Someone::new(&two, "ada"));
    let (mut at_desk, mut at_phone) = (desk.connect().await, phone.connect().await);
    for (server, id) in [(&one, "1"), (&two, "2"), (&one, "2")] {
        let answer = Someone::service(server).post("/api/notifications", &told(id, id)).await;
        assert_eq!(answer.status, 201);
    }
    phone.read(json!({})).await;
    for socket in [&mut at_desk, &mut at_phone] {
        let mut changes = Vec::new();
        while changes.len() < 3 {
            changes.push(socket.next_of("notified").await["change"].as_u64().expect("a number"));
        }
        // Servers may overtake each other: who hears of a gap reads it.
        changes.sort_unstable();
        assert_eq!(changes, [1, 2, 3]);
    }
    assert_eq!(desk.page("").await, phone.page("").await);
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn each_wrong_request_has_its_answer() {
    let flags = [&SECRET_FLAGS[..], &["--event-bytes-max", "16"]].concat();
    let server = TestServer::start_with(&flags).await;
    let (service, ada) = (Someone::service(&server), Someone::new(&server, "ada"));
    let with = |field: &str, value: Value| {
        let mut new = told("A", "1");
        new[field] = value;
        new
    };
    let many: Vec<String> = (0..101).map(|number| format!("u{number}")).collect();
    for (who, body, expected) in [
        (&ada, told("A", "1"), (403, "forbidden")),
        (&service, with("to", json!([])), (400, "bad_request")),
        (&service, with("to", json!(many)), (400, "bad_request")),
        (&service, with("title", json!("  ")), (400, "bad_request")),
        (&service, with("title", json!("x".repeat(201))), (400, "bad_request")),
        (&service, with("body", json!("x".repeat(1_001))), (400, "bad_request")),
        (&service, with("url", json!("javascript:alert(1)")), (400, "bad_request")),
        (&service, with("id", json!("a b")), (400, "bad_request")),
        (&service, with("data", json!("0123456789abcdef")), (413, "event_too_large")),
    ] {
        let answer = who.post("/api/notifications", &body).await;
        assert_eq!((answer.status, answer.code().as_str()), expected, "{body}");
    }
    let ids: Vec<String> = (0..101).map(client_id).collect();
    for body in [json!({"ids": ids}), json!({"ids": [], "to": 3}), json!({"ids": ["x"]})] {
        let answer = ada.post("/api/notifications/read", &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"), "{body}");
    }
    for query in ["?before=1&since=1", "?before=x"] {
        let answer = ada.ask(Request::get(&format!("/api/notifications{query}"))).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    assert_eq!(titles(&ada.page("").await), [""; 0]);
    server.stop().await;
}

#[tokio::test]
async fn the_request_of_the_page_is_taken() {
    let server = TestServer::start_with(&SECRET_FLAGS).await;
    let (_, command) = PAGE.split_once("curl \"$CONCORD").expect("a command");
    let (path, rest) = command.split_once('"').expect("an address");
    let body = rest.split('\'').nth(3).expect("a body behind the header");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let answer = Someone::service(&server).post(path, &body).await;
    assert_eq!((answer.status, answer.json()), (201, json!({"id": body["id"]})));
    let page = Someone::new(&server, "ada").page("").await;
    assert_eq!(page["notifications"][0]["about"]["url"], body["url"]);
    server.stop().await;
}
