//! Sharing over REST, and what sessions that are open feel of it.

use serde_json::{Value, json};

use crate::support::http::{Answer, Request};
use crate::support::server::TestServer;
use crate::support::socket::{RawSocket, client_id};
use crate::support::until;

/// Somebody at a server: a guest with a cookie.
struct Guest<'a> {
    server: &'a TestServer,
    cookie: String,
    id: String,
}

impl<'a> Guest<'a> {
    async fn new(server: &'a TestServer) -> Guest<'a> {
        Guest::with(server, server.new_guest().await).await
    }

    /// Who owns what the server's helpers create.
    async fn owner(server: &'a TestServer) -> Guest<'a> {
        Guest::with(server, server.cookie().to_owned()).await
    }

    async fn with(server: &'a TestServer, cookie: String) -> Guest<'a> {
        let mut guest = Guest { server, cookie, id: String::new() };
        let me = guest.ask(Request::get("/api/me")).await.json();
        guest.id = me["id"].as_str().expect("an id").to_owned();
        guest
    }

    async fn ask(&self, request: Request) -> Answer {
        request.header("cookie", &self.cookie).send(self.server.address()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path)).await
    }

    async fn set_link(&self, document: &str, link: &str) -> Answer {
        let path = format!("/api/documents/{document}/sharing");
        self.ask(Request::new("PUT", &path).json(&json!({ "link": link }))).await
    }

    async fn give(&self, document: &str, person: &str, role: &str) -> Answer {
        let path = format!("/api/documents/{document}/people/{person}");
        self.ask(Request::new("PUT", &path).json(&json!({ "role": role }))).await
    }

    async fn remove(&self, document: &str, person: &str) -> Answer {
        let path = format!("/api/documents/{document}/people/{person}");
        self.ask(Request::new("DELETE", &path)).await
    }

    async fn role(&self, document: &str) -> Value {
        self.get(&format!("/api/documents/{document}")).await.json()["role"].clone()
    }

    async fn connect(&self) -> RawSocket {
        RawSocket::connect(self.server, &self.cookie).await
    }

    async fn join(&self, document: &str, client: u32) -> (RawSocket, Value) {
        let mut socket = self.connect().await;
        let joined = socket.enter(document, client).await;
        (socket, joined)
    }
}

/// The role of a person, and where it comes from, in what `sharing` answered.
fn place(sharing: &Value, person: &str) -> Option<(String, String)> {
    let people = sharing["people"].as_array().expect("people");
    let found = people.iter().find(|one| one["user"] == person)?;
    let text = |field: &str| found[field].as_str().expect("a word").to_owned();
    Some((text("role"), text("by")))
}

fn is(role: &str, by: &str) -> Option<(String, String)> {
    Some((role.to_owned(), by.to_owned()))
}

#[tokio::test]
async fn a_document_is_shared_by_link_and_by_name_and_handed_over() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (ada, ben, cleo) =
        (Guest::owner(&server).await, Guest::new(&server).await, Guest::new(&server).await);
    assert_eq!(ben.role(&document).await, "editor", "a guest's link is there to edit");
    let (_socket, _) = ben.join(&document, 2).await;

    let shared = ada.set_link(&document, "view").await.json();
    assert_eq!((&shared["link"], &shared["role"]), (&json!("view"), &json!("owner")));
    assert_eq!(place(&shared, &ada.id), is("owner", "owner"));
    assert_eq!(ben.role(&document).await, "viewer");

    ada.give(&document, &cleo.id, "commenter").await;
    let shared = ada.give(&document, &ben.id, "none").await.json();
    assert_eq!(place(&shared, &cleo.id), is("commenter", "member"));
    assert_eq!(place(&shared, &ben.id), is("none", "member"));
    let path = format!("/api/documents/{document}/sharing");
    let seen = cleo.get(&path).await.json();
    assert_eq!(seen["role"], "commenter");
    assert_eq!(place(&seen, &ben.id), None, "who is kept out is the owner's to know");
    let dora = Guest::new(&server).await;
    let seen = dora.get(&path).await.json();
    assert_eq!(place(&seen, &ada.id), is("owner", "owner"));
    assert_eq!(place(&seen, &cleo.id), None, "who came by the link is told of the owner only");
    assert_eq!(ben.get(&path).await.code(), "not_found");
    assert_eq!(cleo.set_link(&document, "edit").await.code(), "forbidden");
    assert_eq!(cleo.remove(&document, &ben.id).await.code(), "forbidden");

    let shared = ada.give(&document, &cleo.id, "owner").await.json();
    assert_eq!(shared["role"], "editor", "who hands it over edits it");
    assert_eq!(place(&shared, &cleo.id), is("owner", "owner"));
    assert_eq!(ada.set_link(&document, "edit").await.code(), "forbidden");
    assert_eq!(cleo.remove(&document, &cleo.id).await.code(), "bad_request");
    assert_eq!(cleo.give(&document, &cleo.id, "viewer").await.code(), "bad_request");

    let listed = ada.get("/api/documents").await.json();
    assert_eq!(listed["documents"][0]["role"], "editor");
    assert_eq!(ada.remove(&document, &ada.id).await.status, 204);
    assert_eq!(ada.get("/api/documents").await.json()["documents"], json!([]), "she left");
    assert_eq!(ada.role(&document).await, "viewer", "the link lets her read");
    assert_eq!(cleo.give(&document, "not a name", "viewer").await.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn who_leaves_and_comes_back_may_no_more_than_before() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (ada, ben) = (Guest::owner(&server).await, Guest::new(&server).await);
    assert_eq!(ben.role(&document).await, "editor");
    ada.give(&document, &ben.id, "viewer").await;
    assert_eq!(ben.remove(&document, &ben.id).await.status, 204);
    assert_eq!(ben.get("/api/documents").await.json()["documents"], json!([]), "he left");
    assert_eq!(ben.role(&document).await, "viewer", "the link would let him edit");
    assert_eq!(ada.remove(&document, &ben.id).await.status, 204);
    assert_eq!(ben.role(&document).await, "editor", "the owner lets the link decide");
    server.stop().await;
}

#[tokio::test]
async fn somebody_is_an_id_until_they_come() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (ada, ben) = (Guest::owner(&server).await, Guest::new(&server).await);
    let name = json!({"name": "Benedict"});
    ben.ask(Request::new("PUT", "/api/me").json(&name)).await;
    let name_in = |sharing: Value, person: &str| {
        let people = sharing["people"].as_array().expect("people").clone();
        people.into_iter().find(|one| one["user"] == person).expect("listed")["name"].clone()
    };
    let given = ada.give(&document, "acme.7", "viewer").await.json();
    assert_eq!(name_in(given, "acme.7"), "acme.7");
    let given = ada.give(&document, &ben.id, "editor").await.json();
    assert_ne!(name_in(given, &ben.id), "Benedict", "he may be of another tenant");
    let (_socket, _) = ben.join(&document, 2).await;
    let path = format!("/api/documents/{document}/sharing");
    until("he is known", async || name_in(ada.get(&path).await.json(), &ben.id) == "Benedict")
        .await;
    server.stop().await;
}

#[tokio::test]
async fn a_document_is_handed_over_to_nobody_who_is_not_there() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (ada, ben) = (Guest::owner(&server).await, Guest::new(&server).await);
    let refused = ada.give(&document, "g_nobody-at-all", "owner").await;
    assert_eq!(refused.code(), "bad_request");
    ada.give(&document, &ben.id, "none").await;
    assert_eq!(ada.give(&document, &ben.id, "owner").await.code(), "bad_request", "kept out");
    assert_eq!(ada.role(&document).await, "owner");
    ada.remove(&document, &ben.id).await;
    let (_socket, _) = ben.join(&document, 2).await;
    let path = format!("/api/documents/{document}/sharing");
    until("his visit is known", async || {
        place(&ada.get(&path).await.json(), &ben.id) == is("editor", "link")
    })
    .await;
    assert_eq!(ada.give(&document, &ben.id, "owner").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_list_forgets_what_may_not_be_opened_any_more() {
    let server = TestServer::start().await;
    let document = server.create_document("Plans").await;
    let (ada, ben) = (Guest::owner(&server).await, Guest::new(&server).await);
    let listed = async |guest: &Guest<'_>| {
        guest.get("/api/documents").await.json()["documents"].as_array().expect("a list").len()
    };
    assert_eq!(listed(&ben).await, 0);
    ada.give(&document, &ben.id, "viewer").await;
    assert_eq!(listed(&ben).await, 1, "what was given is there, though never opened");
    ada.give(&document, &ben.id, "none").await;
    assert_eq!(listed(&ben).await, 0);
    ada.remove(&document, &ben.id).await;
    ada.set_link(&document, "off").await;
    assert_eq!(listed(&ben).await, 0);
    assert_eq!(listed(&ada).await, 1);
    server.stop().await;
}

#[tokio::test]
async fn a_role_changes_while_the_document_is_open() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (ada, ben) = (Guest::owner(&server).await, Guest::new(&server).await);
    let (mut socket, joined) = ben.join(&document, 2).await;
    assert_eq!(joined["role"], "editor");
    assert_eq!(socket.submit(1, 1, r#"[2,"c"]"#).await, json!({"ack": 1}));

    ada.set_link(&document, "view").await;
    assert_eq!(socket.next().await, json!({"type": "access", "ch": 1, "role": "viewer"}));
    let refused = socket.submit(2, 2, r#"[3,"d"]"#).await;
    assert_eq!((&refused["type"], &refused["code"]), (&json!("reject"), &json!("forbidden")));
    assert!(refused.get("retry_ms").is_none(), "it is final");
    socket.say(json!({"type": "select", "ch": 1, "rev": 2, "ranges": [[0, 1]]})).await;

    ada.give(&document, &ben.id, "editor").await;
    assert_eq!(socket.next_of("access").await["role"], "editor");
    assert_eq!(socket.submit(3, 2, r#"[3,"e"]"#).await, json!({"ack": 3}));
    assert_eq!(server.head(&document).await, ("abce".to_owned(), 3));
    server.stop().await;
}

#[tokio::test]
async fn who_is_shut_out_hears_nothing_more_and_finds_no_way_back() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (ada, ben) = (Guest::owner(&server).await, Guest::new(&server).await);
    let (mut hers, _) = ada.join(&document, 1).await;
    let (mut his, _) = ben.join(&document, 2).await;
    assert_eq!(his.submit(1, 1, r#"[2,"c"]"#).await, json!({"ack": 1}));

    ada.give(&document, &ben.id, "none").await;
    assert_eq!(hers.submit(1, 2, r#"[3,"secret"]"#).await, json!({"ack": 1}));
    loop {
        let message = his.any().await.expect("the connection stays");
        assert!(!message.to_string().contains("secret"), "{message}");
        if message["type"] == "error" {
            assert_eq!((&message["code"], &message["ch"]), (&json!("access_revoked"), &json!(1)));
            break;
        }
    }
    assert_eq!(his.next().await, json!({"type": "left", "ch": 1}));
    his.say(json!({"type": "submit", "ch": 1, "seq": 2, "rev": 2, "op": [3, "x"]})).await;
    assert_eq!(his.next().await["code"], "not_joined");
    his.say(json!({"type": "join", "doc": document, "client": client_id(2)})).await;
    assert_eq!(his.next().await["code"], "not_found");
    for path in ["", "/text", "/history", "/versions", "/seen", "/sharing"] {
        let answer = ben.get(&format!("/api/documents/{document}{path}")).await;
        assert_eq!(answer.code(), "not_found", "{path}");
    }
    assert_eq!(server.head(&document).await, ("abcsecret".to_owned(), 3));

    ada.give(&document, &ben.id, "viewer").await;
    let joined = his.enter(&document, 3).await;
    assert_eq!((&joined["role"], &joined["text"]), (&json!("viewer"), &json!("abcsecret")));
    server.stop().await;
}

#[tokio::test]
async fn another_server_hears_of_a_change_by_itself() {
    let database = crate::support::postgres::Schema::create().await;
    let start = async || {
        let folder = tempfile::tempdir().expect("a folder");
        let flags = ["--rights-interval-ms", "200"];
        TestServer::start_on(&database.url(), folder, &flags).await
    };
    let (here, there) = (start().await, start().await);
    let document = here.create_with_text("ab").await;
    let (ada, ben) = (Guest::owner(&here).await, Guest::new(&there).await);
    let (mut socket, joined) = ben.join(&document, 2).await;
    assert_eq!(joined["role"], "editor");

    // The database refuses at once, whatever the other server has heard.
    ada.set_link(&document, "view").await;
    let refused = socket.submit(1, 1, r#"[2,"late"]"#).await;
    let refused = if refused["type"] == "access" { socket.answer().await } else { refused };
    assert_eq!(refused["code"], "forbidden", "{refused}");
    assert_eq!(here.head(&document).await, ("ab".to_owned(), 1));

    ada.set_link(&document, "edit").await;
    while socket.next_of("access").await["role"] != "editor" {}
    ada.set_link(&document, "off").await;
    loop {
        let message = socket.next().await;
        if message["type"] == "error" {
            assert_eq!(message["code"], "access_revoked");
            break;
        }
    }
    here.stop().await;
    there.stop().await;
}

#[tokio::test]
async fn rights_changed_by_another_program_on_the_same_file_are_heard_of() {
    let server = TestServer::start_with(&["--rights-interval-ms", "100"]).await;
    let document = server.create_with_text("ab").await;
    let ben = Guest::new(&server).await;
    let (mut socket, _) = ben.join(&document, 2).await;

    let store = server.second_store().await;
    let link = collab_server::RightsChange::Link(collab_protocol::LinkAccess::View);
    let id = document.parse().expect("an id");
    collab_server::Store::change_rights(&store, id, link, 9).await.expect("changed");
    assert_eq!(socket.next_of("access").await["role"], "viewer");
    collab_server::Store::close(&store).await;
    server.stop().await;
}
