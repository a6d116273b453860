//! The REST interface, described for programs: an OpenAPI 3.1 document, made from the table below
//! and the types that the handlers read and write.
//!
//! A route that is not in the table, and an entry without a route, fail
//! `the_document_has_every_route_and_nothing_else`.

mod table;

use axum::Json;
use collab_protocol::{ErrorCode, SESSION_HEADER, SESSION_PATH};
use serde_json::{Map, Value, json};

use self::table::{Body, Operation, Parameter, operations};
use crate::error::status_of;

/// What every request may be answered.
const ALWAYS: [ErrorCode; 3] =
    [ErrorCode::Unauthenticated, ErrorCode::Internal, ErrorCode::StorageUnavailable];

/// `GET /api/openapi.json`
pub(super) async fn serve() -> Json<Value> {
    Json(document())
}

fn document() -> Value {
    let mut paths = Map::new();
    for operation in operations() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = describe(&operation);
    }
    let schemas: Map<String, Value> = collab_protocol::schemas().into_iter().collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Concord",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Documents that many people write at the same time. Times are \
                milliseconds since 1970; offsets and lengths count Unicode scalar values. Edits \
                travel over the WebSocket at /api/socket.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "guest": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A token that proves who is asking, where the server has a key \
                        for tokens.",
                },
                "guest": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": crate::auth::GUEST_COOKIE,
                    "description": "The cookie of a guest, where guests are allowed; its name begins \
                        with __Host- behind https. Whoever comes without one is given one.",
                },
            },
        },
    })
}

fn describe(operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.about,
        "responses": responses(operation),
    });
    if let (_, Body::Any) = operation.gives {
        described["security"] = json!([]);
    }
    if operation.takes_messages {
        let content = json!({ "text/plain": { "schema": { "type": "string" } } });
        described["requestBody"] = json!({ "required": false, "content": content });
    }
    let in_header = is_about_session(operation).then(session_header);
    let in_path = operation.path.split(['{', '}']).skip(1).step_by(2).map(path_parameter);
    let parameters: Vec<Value> =
        in_path.chain(in_header).chain(operation.query.iter().map(query)).collect();
    if !parameters.is_empty() {
        described["parameters"] = json!(parameters);
    }
    if let Some((schema, required)) = operation.takes {
        let content = json!({ "application/json": { "schema": reference(schema) } });
        described["requestBody"] = json!({ "required": required, "content": content });
    }
    described
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn path_parameter(name: &str) -> Value {
    let (schema, about) = match name {
        "id" => (reference("DocumentId"), "The document."),
        "version" => (reference("VersionId"), "The named version."),
        "user" => (reference("UserId"), "The person."),
        "topic" => (reference("TopicName"), "The topic."),
        _ => (json!({ "type": "string" }), "As the answer before gave it."),
    };
    json!({ "name": name, "in": "path", "required": true, "schema": schema, "description": about })
}

/// Whether a session must be named.
fn is_about_session(operation: &Operation) -> bool {
    operation.path.starts_with(SESSION_PATH) && operation.id != "openSession"
}

fn session_header() -> Value {
    json!({
        "name": SESSION_HEADER,
        "in": "header",
        "required": true,
        "schema": { "type": "string" },
        "description": "The session, as opening it told: a secret.",
    })
}

fn query(parameter: &Parameter) -> Value {
    let Parameter { name, kind, required, about } = parameter;
    json!({
        "name": name,
        "in": "query",
        "required": required,
        "schema": { "type": kind },
        "description": about,
    })
}

fn responses(operation: &Operation) -> Value {
    let (status, body) = operation.gives;
    let mut good = json!({ "description": "It is done." });
    match body {
        Body::None => {}
        Body::Json(schema) => {
            good["content"] = json!({ "application/json": { "schema": reference(schema) } });
        }
        Body::Text => {
            good["content"] = json!({ "text/plain": { "schema": { "type": "string" } } });
            let number = |about| json!({ "description": about, "schema": { "type": "integer" } });
            good["headers"] = json!({
                "concord-revision": number("The revision whose text it is."),
                "concord-time-ms": number("When that was committed, for a text of the past."),
            });
        }
        Body::Messages => {
            let text = json!({ "schema": { "type": "string" } });
            good["content"] = json!({ "text/event-stream": text, "text/plain": text });
        }
        Body::Any => good["content"] = json!({ "application/json": { "schema": {} } }),
    }
    let mut responses = Map::new();
    responses.insert(status.to_string(), good);
    if operation.is_cached {
        let unchanged = "What If-None-Match names is still so.";
        responses.insert("304".to_owned(), json!({ "description": unchanged }));
    }
    let mut codes: Vec<ErrorCode> = operation.errors.iter().chain(&ALWAYS).copied().collect();
    codes.sort_unstable_by_key(|code| status_of(*code));
    for alike in codes.chunk_by(|one, other| status_of(*one) == status_of(*other)) {
        let told: Vec<String> =
            alike.iter().map(|code| format!("`{code}`: {}", code.sentence())).collect();
        let content = json!({ "application/json": { "schema": reference("ErrorBody") } });
        let status = status_of(alike[0]).as_u16().to_string();
        responses.insert(status, json!({ "description": told.join(" "), "content": content }));
    }
    Value::Object(responses)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::config::Config;
    use crate::store::MemoryStore;

    /// Every method and path that the router takes, read from how it shows itself: the one place
    /// that knows them all.
    fn routes(router: &axum::Router) -> BTreeSet<(String, String)> {
        let shown = format!("{router:?}");
        let (routers, paths) = shown.split_once("node: Node").expect("the router shows its paths");
        let mut routes = BTreeSet::new();
        for path in paths.split("RouteId(").skip(1) {
            let Some((id, rest)) = path.split_once("): \"") else { continue };
            let path = rest.split('"').next().expect("a quoted path");
            let own = routers.split(&format!("RouteId({id}): ")).nth(1).expect("a route");
            let own = own.split("RouteId(").next().expect("up to the next one");
            for method in ["get", "post", "put", "patch", "delete"] {
                if own.contains(&format!("{method}: Route"))
                    || own.contains(&format!("{method}: BoxedHandler"))
                {
                    routes.insert((method.to_owned(), path.to_owned()));
                }
            }
        }
        routes
    }

    #[tokio::test]
    async fn the_document_has_every_route_and_nothing_else() {
        let config =
            Config { web_dir: Some(env!("CARGO_MANIFEST_DIR").into()), ..Config::default() };
        let store = Arc::new(MemoryStore::default());
        let app = crate::server::assemble(config, store, Arc::new(SystemClock)).await;
        let router = crate::http::router(&app.expect("the parts fit"));
        let found: BTreeSet<(String, String)> = routes(&router)
            .into_iter()
            // The catch-all answers not_found, and the socket speaks no REST.
            .filter(|(_, path)| path.starts_with("/api/") && !path.contains("{*"))
            .filter(|(_, path)| path != collab_protocol::SOCKET_PATH)
            .collect();
        let described: BTreeSet<(String, String)> = operations()
            .iter()
            .map(|operation| (operation.method.to_owned(), operation.path.to_owned()))
            .collect();
        assert!(found.len() > 20, "{found:?}");
        assert_eq!(found, described);
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for referred in text.split("\"#/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(&format!("/{referred}")).is_some(), "{referred}");
        }
        let ids: BTreeSet<&str> = operations().iter().map(|operation| operation.id).collect();
        assert_eq!(ids.len(), operations().len(), "each operation has a name of its own");
    }
}
