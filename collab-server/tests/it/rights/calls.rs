//! Each REST call, asked so that it succeeds where it may.

use serde_json::json;

use super::Fate;
use super::actors::{Actor, Stage};
use crate::support::http::{Answer, Request};

fn method(name: &str) -> &'static str {
    ["GET", "POST", "PUT", "PATCH", "DELETE"]
        .into_iter()
        .find(|method| *method == name)
        .unwrap_or_else(|| panic!("{name} is no method known here"))
}

/// The call as `METHOD /path`, about this document, version and person; with what it needs, or with
/// a body and parameters that make no sense.
pub(super) fn request(
    call: &str,
    document: &str,
    version: &str,
    person: &str,
    is_well_formed: bool,
) -> Request {
    let (name, path) = call.split_once(' ').expect("a method and a path");
    let path = path.replace("{id}", document).replace("{version}", version);
    let path = path.replace("{user}", person).replace("{topic}", "board");
    assert!(!path.contains('{'), "{call} has a parameter that is not known here");
    if !is_well_formed {
        let path = format!("{path}?after=x&revision=x&from=x&to=x&buckets=x");
        return Request::new(method(name), &path).body("application/json", "{");
    }
    let request = |path: &str| Request::new(method(name), path);
    let body = match call.split_once("/api").expect("a path under /api") {
        ("GET ", "/documents/{id}/diff") => return request(&format!("{path}?from=0&to=1")),
        ("GET ", _) | ("DELETE ", _) | ("POST ", "/documents/{id}/restore") => {
            return request(&path);
        }
        ("POST ", "/documents") => json!({"title": "New"}),
        ("PATCH ", "/documents/{id}") => json!({"title": "Renamed"}),
        ("POST ", "/documents/{id}/versions") => json!({"name": "First"}),
        ("PATCH ", "/documents/{id}/versions/{version}") => json!({"name": "Second"}),
        ("POST ", "/documents/{id}/restore-revision") => json!({"revision": 0}),
        ("PUT ", "/documents/{id}/text") => json!({"text": "another"}),
        ("POST ", "/documents/{id}/edits") => json!({"revision": 0, "edits": [{"at": 0}]}),
        ("PUT ", "/documents/{id}/seen") => json!({"revision": 1}),
        ("PUT ", "/documents/{id}/sharing") => json!({"link": "view"}),
        ("PUT ", "/documents/{id}/people/{user}") => json!({"role": "viewer"}),
        ("PUT ", "/me") => json!({"color": 3}),
        ("POST ", "/events") => json!({"to": {"topic": "board"}, "name": "moved", "data": 1}),
        ("POST ", "/topics/{topic}") => json!({"data": 1}),
        ("POST ", "/notifications") => json!({"to": ["nina"], "name": "n", "title": "N"}),
        ("POST ", "/notifications/read") => json!({}),
        _ => panic!("{call} is a call that nobody asks here yet"),
    };
    request(&path).json(&body)
}

fn fate(answer: &Answer) -> Fate {
    match answer.status {
        200..=299 => Fate::Done,
        401 => Fate::Unauthenticated,
        403 => Fate::Forbidden,
        404 => Fate::NotFound,
        _ => panic!("{answer:?}"),
    }
}

/// Asks about a document of its own, so that nothing that was done before is felt.
pub(super) async fn ask(stage: &Stage, call: &str, actor: Actor) -> Fate {
    if !call.contains("{id}") {
        return fate(&stage.send(actor, request(call, "", "", "", true)).await);
    }
    let document = stage.document().await;
    let version = match call.contains("{version}") {
        true => version(stage, &document, actor).await,
        false => String::new(),
    };
    // The owner removes others; everybody else themselves. A role is given to somebody new.
    let person = match (call.split_once(' '), actor) {
        (Some(("PUT", _)), _) => "nina",
        (_, Actor::Owner | Actor::Service) => Actor::Viewer.user(),
        _ => actor.user(),
    };
    fate(&stage.send(actor, request(call, &document, &version, person, true)).await)
}

/// A version that the actor named if they may, else the owner.
async fn version(stage: &Stage, document: &str, actor: Actor) -> String {
    let path = format!("/api/documents/{document}/versions");
    let name = || Request::post(&path).json(&json!({"name": "Zero"}));
    let mut made = stage.send(actor, name()).await;
    if made.status != 201 {
        made = stage.send(Actor::Owner, name()).await;
    }
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["id"].as_str().expect("an id").to_owned()
}
