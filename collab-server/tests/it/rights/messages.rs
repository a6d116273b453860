//! Each kind of message, said so that it succeeds where it may.

use serde_json::{Value, json};

use super::Fate;
use super::actors::{Actor, Stage};
use crate::support::fallback::FallbackSession;
use crate::support::socket::{RawSocket, client_id};

pub(super) fn join(document: &str, client: u32) -> Value {
    json!({"type": "join", "doc": document, "client": client_id(client)})
}

fn message(kind: &str, document: &str, actor: Actor) -> Value {
    match kind {
        "auth" => json!({"type": "auth", "token": actor.token().unwrap_or_default()}),
        "join" => join(document, 1),
        "submit" => json!({"type": "submit", "ch": 1, "seq": 1, "rev": 1, "op": [2, "c"]}),
        "select" => json!({"type": "select", "ch": 1, "rev": 1, "ranges": [[0, 1]]}),
        "leave" => json!({"type": "leave", "ch": 1}),
        "ping" => json!({"type": "ping", "t": 1}),
        "chat_open" => json!({"type": "chat_open", "doc": document}),
        "chat_send" => json!({"type": "chat_send", "ch": 1, "id": client_id(7), "text": "x"}),
        "chat_edit" => json!({"type": "chat_edit", "ch": 1, "id": client_id(8), "text": "y"}),
        "chat_delete" => json!({"type": "chat_delete", "ch": 1, "id": client_id(8)}),
        "chat_before" => json!({"type": "chat_before", "ch": 1, "number": 1}),
        "chat_typing" => json!({"type": "chat_typing", "ch": 1, "on": true}),
        "chat_read" => json!({"type": "chat_read", "ch": 1, "number": 1}),
        "chat_locate" => {
            json!({"type": "chat_locate", "ch": 1, "ref": {"rev": 1, "start": 0, "end": 1}})
        }
        "figures_open" | "figures_close" => json!({"type": kind}),
        "watch" | "unwatch" => json!({"type": kind, "topic": "board"}),
        "tell" => json!({"type": "tell", "topic": "board", "n": 1, "data": {}}),
        _ => panic!("{kind} is a message that nobody says here yet"),
    }
}

/// A connection, whatever carries it.
enum Connection {
    Socket(RawSocket),
    Session(FallbackSession),
}

impl Connection {
    async fn say(&mut self, message: Value) {
        match self {
            Connection::Socket(socket) => socket.say(message).await,
            Connection::Session(session) => session.say(message).await,
        }
    }

    async fn next(&mut self) -> Value {
        match self {
            Connection::Socket(socket) => socket.next().await,
            Connection::Session(session) => session.next().await,
        }
    }

    async fn enter(&mut self, document: &str) {
        match self {
            Connection::Socket(socket) => socket.enter(document, 1).await,
            Connection::Session(session) => session.enter(document, 1).await,
        };
    }

    async fn closed(&mut self) -> u16 {
        match self {
            Connection::Socket(socket) => socket.closed().await,
            Connection::Session(session) => session.closed().await,
        }
    }
}

/// Says it over a WebSocket and over HTTP, to which the answer is the same.
pub(super) async fn ask(stage: &Stage, kind: &str, actor: Actor) -> Fate {
    let socket = Connection::Socket(stage.dial(actor).await);
    let over_socket = ask_over(stage, socket, kind, actor).await;
    let session = Connection::Session(stage.open_session(actor).await);
    let over_http = ask_over(stage, session, kind, actor).await;
    assert_eq!(over_socket, over_http, "{kind} of {}", actor.name());
    over_socket
}

/// Says it where the document is open, if the actor may open it; else on a connection without.
async fn ask_over(stage: &Stage, mut connection: Connection, kind: &str, actor: Actor) -> Fate {
    let document = stage.document().await;
    if actor == Actor::Nobody {
        return ask_unknown(connection, kind, &document).await;
    }
    assert_eq!(connection.next().await["user"]["id"], actor.user());
    let has_role = !matches!(actor, Actor::ShutOut | Actor::OtherOwner | Actor::OtherTenant);
    if has_role && kind.starts_with("chat_") && kind != "chat_open" {
        connection.say(json!({"type": "chat_open", "doc": document})).await;
        while connection.next().await["type"] != "chat_opened" {}
    } else if has_role && kind != "join" {
        connection.enter(&document).await;
    }
    connection.say(message(kind, &document, actor)).await;
    connection.say(json!({"type": "ping", "t": 99})).await;
    outcome(&mut connection, kind).await
}

/// The answer, or none before the answer to the ping behind it. A submission is answered in its own
/// time, and so is a join.
async fn outcome(connection: &mut Connection, kind: &str) -> Fate {
    loop {
        let said = connection.next().await;
        match said["type"].as_str().expect("a type") {
            "pong" if said["t"] == 99.0 && !has_own_time(kind) => return Fate::Done,
            "pong" | "chat" | "watching" | "told" | "notified" | "figures" => {}
            "chat_opened" | "chat_ack" | "chat_page" | "chat_located" | "chat_read" => {
                return Fate::Done;
            }
            // The message is one that nobody sent; whoever may ask learns that.
            "chat_reject" if said["code"] == "no_message" => return Fate::Done,
            "chat_reject" => return refused(&said),
            "joined" if kind == "join" => return Fate::Done,
            "left" if kind == "leave" => return Fate::Done,
            "ops" if said["ops"][0].get("ack").is_some() => return Fate::Done,
            "reject" | "error" => return refused(&said),
            _ => panic!("{kind}: {said}"),
        }
    }
}

/// Whether it is answered behind what was asked later.
fn has_own_time(kind: &str) -> bool {
    matches!(kind, "submit" | "join") || kind.starts_with("chat_") && kind != "chat_typing"
}

fn refused(said: &Value) -> Fate {
    match said["code"].as_str().expect("a code") {
        "forbidden" => Fate::Forbidden,
        "not_found" => Fate::NotFound,
        "bad_channel" => Fate::NoChannel,
        "unauthenticated" => Fate::Unauthenticated,
        _ => panic!("{said}"),
    }
}

/// The first message of who has not said who they are.
async fn ask_unknown(mut connection: Connection, kind: &str, document: &str) -> Fate {
    connection.say(message(kind, document, Actor::Nobody)).await;
    let fate = refused(&connection.next().await);
    assert_eq!(connection.closed().await, 4401);
    fate
}
