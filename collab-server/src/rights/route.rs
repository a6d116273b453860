//! Which action each call of the REST interface is. A call that is not listed here is not served.

use axum::http::Method;

use super::Action;

/// A call of the REST interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// `GET` stands for `HEAD` too.
    pub(crate) method: &'static str,
    /// As the router has it. `{id}` is a document.
    pub(crate) path: &'static str,
    pub(crate) action: Action,
}

const fn route(method: &'static str, path: &'static str, action: Action) -> Route {
    Route { method, path, action }
}

/// Every call under `/api` that asks for a person.
pub(crate) const ROUTES: &[Route] = &[
    route("POST", "/api/documents", Action::CreateDocument),
    route("GET", "/api/documents", Action::ListDocuments),
    route("GET", "/api/documents/{id}", Action::ReadDocument),
    route("PATCH", "/api/documents/{id}", Action::RenameDocument),
    route("DELETE", "/api/documents/{id}", Action::DeleteDocument),
    route("POST", "/api/documents/{id}/restore", Action::RestoreDocument),
    route("GET", "/api/documents/{id}/text", Action::ReadText),
    route("PUT", "/api/documents/{id}/text", Action::SetText),
    route("POST", "/api/documents/{id}/edits", Action::EditText),
    route("GET", "/api/documents/{id}/history", Action::ReadHistory),
    route("GET", "/api/documents/{id}/history/summary", Action::ReadSummary),
    route("GET", "/api/documents/{id}/diff", Action::ReadDiff),
    route("GET", "/api/documents/{id}/attribution", Action::ReadAttribution),
    route("GET", "/api/documents/{id}/versions", Action::ListVersions),
    route("POST", "/api/documents/{id}/versions", Action::CreateVersion),
    route("PATCH", "/api/documents/{id}/versions/{version}", Action::RenameVersion),
    route("DELETE", "/api/documents/{id}/versions/{version}", Action::DeleteVersion),
    route("POST", "/api/documents/{id}/restore-revision", Action::RestoreRevision),
    route("GET", "/api/documents/{id}/seen", Action::ReadSeen),
    route("PUT", "/api/documents/{id}/seen", Action::MarkSeen),
    route("GET", "/api/documents/{id}/sharing", Action::ReadSharing),
    route("PUT", "/api/documents/{id}/sharing", Action::SetLink),
    route("PUT", "/api/documents/{id}/people/{user}", Action::SetPerson),
    route("DELETE", "/api/documents/{id}/people/{user}", Action::RemovePerson),
    route("GET", "/api/me", Action::ReadMe),
    route("PUT", "/api/me", Action::UpdateMe),
    route("POST", "/api/events", Action::TellEvent),
    route("POST", "/api/topics/{topic}", Action::PublishValue),
    route("GET", "/api/notifications", Action::ReadNotifications),
    route("POST", "/api/notifications/read", Action::MarkNotificationsRead),
    route("POST", "/api/notifications", Action::Notify),
    route("GET", "/api/figures", Action::ReadFigures),
];

impl Route {
    /// The call that a request to this path of the router makes.
    pub(crate) fn find(method: &Method, path: &str) -> Option<&'static Route> {
        let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
        ROUTES.iter().find(|route| route.method == method && route.path == path)
    }

    /// Whether a path of the router is listed with any method.
    pub(crate) fn is_path(path: &str) -> bool {
        ROUTES.iter().any(|route| route.path == path)
    }
}
