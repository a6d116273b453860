//! Every kind of message and every REST call, asked by everybody.
//!
//! The rows come from the table of docs/rights.md, which a test inside the server holds against the
//! program's: a new message or call is a new row here, and one that this file does not know how to
//! ask fails by its name.

mod actors;
mod calls;
mod messages;

use std::fmt::Write;

use self::actors::{Actor, CAST, Stage};

const PAGE: &str = include_str!("../../../docs/rights.md");

/// A row of the table: what is asked, and what owner, editor, commenter and viewer may.
struct Row {
    what: String,
    allowed: [bool; 4],
}

fn rows() -> Vec<Row> {
    let (_, table) = PAGE.split_once("|---|---|---|---|---|\n").expect("a table");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [what, roles @ ..] = &cells[..] else { panic!("{line}") };
        let roles: [&str; 4] = roles.try_into().expect("four roles");
        Row { what: what.replace('`', ""), allowed: roles.map(|cell| cell == "yes") }
    })
    .collect()
}

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Done,
    Forbidden,
    NotFound,
    Unauthenticated,
    /// A message about a channel that this connection never had.
    NoChannel,
}

impl Fate {
    fn sign(self) -> &'static str {
        match self {
            Fate::Done => "done",
            Fate::Forbidden => "forbidden",
            Fate::NotFound => "not found",
            Fate::Unauthenticated => "no auth",
            Fate::NoChannel => "no channel",
        }
    }
}

/// What the table says of who has a role in the document.
fn by_role(row: &Row, actor: Actor) -> Option<Fate> {
    let index = match actor {
        Actor::Owner | Actor::Service => 0,
        Actor::Editor => 1,
        Actor::Commenter => 2,
        Actor::Viewer => 3,
        _ => return None,
    };
    Some(if row.allowed[index] { Fate::Done } else { Fate::Forbidden })
}

fn expected(row: &Row, actor: Actor) -> Fate {
    let message = row.what.strip_prefix("message ");
    match (message, actor) {
        (_, Actor::Nobody) => Fate::Unauthenticated,
        // Events are a back end's.
        (None, Actor::Service) if row.allowed == [false; 4] => Fate::Done,
        (None, _) if row.allowed == [false; 4] => Fate::Forbidden,
        // What it opens it opens as an editor.
        (Some(_), Actor::Service) => by_role(row, Actor::Editor).expect("a role"),
        (_, actor) if by_role(row, actor).is_some() => by_role(row, actor).expect("a role"),
        (
            Some("auth" | "ping" | "watch" | "unwatch" | "tell" | "figures_open" | "figures_close"),
            _,
        ) => Fate::Done,
        (Some("join" | "chat_open"), _) => Fate::NotFound,
        (Some(_), _) => Fate::NoChannel,
        (None, _) if row.what.contains("{id}") => Fate::NotFound,
        (None, _) => Fate::Done,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_and_every_message_answers_everybody_as_the_table_says() {
    let stage = Stage::set().await;
    let mut table = format!("{:<58}", "");
    CAST.iter().for_each(|actor| write!(table, "{:<17}", actor.name()).expect("a string"));
    let mut wrong = Vec::new();
    for row in rows() {
        write!(table, "\n{:<58}", row.what).expect("a string");
        for actor in CAST {
            let found = match row.what.strip_prefix("message ") {
                Some(kind) => messages::ask(&stage, kind, actor).await,
                None => calls::ask(&stage, &row.what, actor).await,
            };
            let expected = expected(&row, actor);
            if found != expected {
                wrong.push(format!("{}, {}: {found:?}, not {expected:?}", row.what, actor.name()));
            }
            write!(table, "{:<17}", found.sign()).expect("a string");
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    stage.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_and_forbidden_are_answered_with_the_same_bytes() {
    let stage = Stage::set().await;
    let calls: Vec<Row> = rows().into_iter().filter(|row| row.what.contains("{id}")).collect();
    assert!(calls.len() > 15, "{}", calls.len());
    let document = stage.document().await;
    let missing = "0".repeat(31) + "f";
    for row in &calls {
        for actor in [Actor::ShutOut, Actor::OtherOwner, Actor::OtherTenant] {
            for is_well_formed in [true, false] {
                let request = |id: &str| calls::request(&row.what, id, "0", "ben", is_well_formed);
                let [forbidden, missing] =
                    [&document, &missing].map(|id| stage.send(actor, request(id)));
                let (forbidden, missing) = (forbidden.await, missing.await);
                let bytes = |answer: &crate::support::http::Answer| {
                    (answer.status, answer.stable_headers(), answer.body.clone())
                };
                assert_eq!(bytes(&forbidden), bytes(&missing), "{} {}", row.what, actor.name());
                assert_eq!(forbidden.status, 404);
            }
        }
    }
    stage.server.stop().await;
}

#[tokio::test]
async fn people_lists_and_rooms_stay_within_their_tenant() {
    let stage = Stage::set().await;
    let document = stage.document().await;
    stage.set_link(&document, "edit").await;
    let mut inside = stage.connect(Actor::Owner).await;
    inside.enter(&document, 1).await;
    // The link is on, the id is known, and it is still another tenant's.
    let mut outside = stage.connect(Actor::OtherTenant).await;
    outside.say(messages::join(&document, 2)).await;
    assert_eq!(outside.next().await["code"], "not_found");
    let mut service = stage.connect(Actor::OtherService).await;
    service.say(messages::join(&document, 3)).await;
    assert_eq!(service.next().await["code"], "not_found");

    // One and the same id in two tenants is two people for every document.
    let twin = stage.ask(Actor::OwnersTwin, "GET", &format!("/api/documents/{document}")).await;
    assert_eq!(twin.code(), "not_found");
    let listed = stage.ask(Actor::OwnersTwin, "GET", "/api/documents").await.json();
    assert_eq!(listed["documents"], serde_json::json!([]));
    let listed = stage.ask(Actor::Owner, "GET", "/api/documents").await.json();
    assert_eq!(listed["documents"][0]["here"], 1, "nobody else came in");
    stage.server.stop().await;
}
