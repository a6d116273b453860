//! Everybody who asks, and a server whose people come with tokens.

use serde_json::{Value, json};

use crate::support::fallback::{FallbackSession, Form};
use crate::support::http::{Answer, Request};
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;
use crate::support::token::{SECRET_FLAGS, bearer, claims_with, token};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Actor {
    Nobody,
    Viewer,
    Commenter,
    Editor,
    Owner,
    ShutOut,
    OtherOwner,
    OtherTenant,
    Service,
    /// A back end of another tenant.
    OtherService,
    /// Another tenant's person with the owner's id.
    OwnersTwin,
}

/// The columns of the table.
pub(super) const CAST: [Actor; 9] = [
    Actor::Nobody,
    Actor::Viewer,
    Actor::Commenter,
    Actor::Editor,
    Actor::Owner,
    Actor::ShutOut,
    Actor::OtherOwner,
    Actor::OtherTenant,
    Actor::Service,
];

impl Actor {
    pub(super) fn name(self) -> &'static str {
        match self {
            Actor::Nobody => "no auth",
            Actor::Viewer => "viewer",
            Actor::Commenter => "commenter",
            Actor::Editor => "editor",
            Actor::Owner => "owner",
            Actor::ShutOut => "shut out",
            Actor::OtherOwner => "another's owner",
            Actor::OtherTenant => "another tenant",
            Actor::Service => "service",
            Actor::OtherService => "another's service",
            Actor::OwnersTwin => "the owner's twin",
        }
    }

    /// The id in the token.
    pub(super) fn user(self) -> &'static str {
        match self {
            Actor::Nobody => "nobody",
            Actor::Viewer => "vera",
            Actor::Commenter => "carl",
            Actor::Editor => "edda",
            Actor::Owner | Actor::OwnersTwin => "ada",
            Actor::ShutOut => "otto",
            Actor::OtherOwner => "olga",
            Actor::OtherTenant => "tina",
            Actor::Service | Actor::OtherService => "backend",
        }
    }

    fn tenant(self) -> &'static str {
        match self {
            Actor::OtherTenant | Actor::OtherService | Actor::OwnersTwin => "globex",
            _ => "acme",
        }
    }

    /// A token, from now for an hour.
    pub(super) fn token(self) -> Option<String> {
        if self == Actor::Nobody {
            return None;
        }
        let is_service = matches!(self, Actor::Service | Actor::OtherService);
        let says = json!({"tenant": self.tenant(), "service": is_service});
        Some(token(&claims_with(self.user(), says)))
    }

    /// The role that the stage's documents give by name.
    fn given(self) -> Option<&'static str> {
        match self {
            Actor::Viewer => Some("viewer"),
            Actor::Commenter => Some("commenter"),
            Actor::Editor => Some("editor"),
            Actor::ShutOut => Some("none"),
            _ => None,
        }
    }
}

/// A server, and documents of the owner on it.
pub(super) struct Stage {
    pub(super) server: TestServer,
}

impl Stage {
    pub(super) async fn set() -> Stage {
        // Everything is asked at once, which the limits are not for.
        let own = ["--connections-per-user-max", "1000", "--creates-burst", "100000"];
        let more = ["--history-burst", "100000", "--writes-burst", "100000"];
        let flags = [&SECRET_FLAGS[..], &own, &more].concat();
        let folder = tempfile::tempdir().expect("a folder");
        let stage = Stage { server: TestServer::start_on("memory:", folder, &flags).await };
        // Somebody who owns a document, and has nothing to do with the others.
        let created = stage.ask(Actor::OtherOwner, "POST", "/api/documents").await;
        assert_eq!(created.status, 201, "{created:?}");
        stage
    }

    /// A document of the owner with a text and a history, in which everybody has their role; its
    /// link gives nothing.
    pub(super) async fn document(&self) -> String {
        let create = Request::post("/api/documents").json(&json!({"text": "ab"}));
        let created = self.send(Actor::Owner, create).await;
        assert_eq!(created.status, 201, "{created:?}");
        let id = created.json()["id"].as_str().expect("an id").to_owned();
        for actor in CAST {
            let Some(role) = actor.given() else { continue };
            let path = format!("/api/documents/{id}/people/{}", actor.user());
            let give = Request::new("PUT", &path).json(&json!({ "role": role }));
            assert_eq!(self.send(Actor::Owner, give).await.status, 200);
        }
        let shared = self.ask(Actor::Owner, "GET", &format!("/api/documents/{id}/sharing")).await;
        assert_eq!(shared.json()["link"], "off", "people with tokens share by name");
        id
    }

    pub(super) async fn set_link(&self, document: &str, link: &str) {
        let path = format!("/api/documents/{document}/sharing");
        let request = Request::new("PUT", &path).json(&json!({ "link": link }));
        assert_eq!(self.send(Actor::Owner, request).await.status, 200);
    }

    pub(super) async fn send(&self, actor: Actor, request: Request) -> Answer {
        let request = match actor.token() {
            Some(token) => request.header("authorization", &bearer(&token)),
            None => request,
        };
        request.send(self.server.address()).await
    }

    pub(super) async fn ask(&self, actor: Actor, method: &'static str, path: &str) -> Answer {
        self.send(actor, Request::new(method, path)).await
    }

    /// A connection that has said who it is, and was welcomed.
    pub(super) async fn connect(&self, actor: Actor) -> RawSocket {
        let mut socket = self.dial(actor).await;
        let welcome = socket.next().await;
        assert_eq!(welcome["user"]["id"], Value::from(actor.user()), "{welcome}");
        socket
    }

    /// A session over HTTP that has received nothing; its token comes in a cookie.
    pub(super) async fn open_session(&self, actor: Actor) -> FallbackSession {
        let cookie = actor.token().map(|token| format!("concord_token={token}"));
        let cookie = cookie.unwrap_or_default();
        FallbackSession::open(self.server.address(), &cookie, Form::Poll).await
    }

    /// A connection that has read nothing.
    pub(super) async fn dial(&self, actor: Actor) -> RawSocket {
        let origin = format!("http://{}", self.server.address());
        let bearer = actor.token().map(|token| bearer(&token));
        let mut headers = vec![("sec-websocket-protocol", "concord.v1"), ("origin", &*origin)];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        RawSocket::open(self.server.address(), &headers).await.expect("an upgrade")
    }
}
