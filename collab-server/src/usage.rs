//! What one person may ask for over REST: so many new documents, so many changes, and so much work
//! on the past at once. It belongs to the person, not to a connection or an address.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use collab_protocol::{TenantId, UserId};

use crate::app::{UserConnection, UserConnections};
use crate::auth::Identity;
use crate::config::Config;
use crate::metrics::Limit;
use crate::rate::Rates;

/// How soon to ask again who has as many questions under way as one may.
const BUSY_RETRY: Duration = Duration::from_secs(1);

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Makes a document or a named version.
    Create,
    /// Changes something else.
    Write,
    /// Looks into a document's past.
    Past,
}

impl Work {
    /// The work of a request, by its method and the pattern of its route; `None` for what is looked
    /// up at once, and for messages, which have limits of their own.
    pub(crate) fn of(method: &Method, route: &str) -> Option<Work> {
        const PAST: [&str; 5] = ["/text", "/history", "/history/summary", "/diff", "/attribution"];
        // A back end's events are its own to bound.
        let is_event = route == "/api/events"
            || route == "/api/notifications"
            || route.starts_with("/api/topics/");
        // So are its notifications: of each person so many are kept.
        if route.starts_with("/api/session") || is_event {
            return None;
        }
        if route == "/api/figures" {
            return Some(Work::Past);
        }
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            let asked = route.strip_prefix("/api/documents/{id}")?;
            return PAST.contains(&asked).then_some(Work::Past);
        }
        let creates = *method == Method::POST
            && (route == "/api/documents" || route == "/api/documents/{id}/versions");
        Some(if creates { Work::Create } else { Work::Write })
    }

    /// The limit that binds it.
    pub(crate) fn limit(self) -> Limit {
        match self {
            Work::Create => Limit::Creates,
            Work::Write => Limit::Writes,
            Work::Past => Limit::Past,
        }
    }
}

type Person = (TenantId, UserId);

/// See the module.
pub(crate) struct Usage {
    creates: Rates<Person>,
    writes: Rates<Person>,
    past: Rates<Person>,
    busy: Arc<UserConnections>,
}

impl Usage {
    pub(crate) fn new(config: &Config) -> Self {
        Usage {
            creates: Rates::new(config.creates_per_s, config.creates_burst),
            writes: Rates::new(config.writes_per_s, config.writes_burst),
            past: Rates::new(config.history_per_s, config.history_burst),
            busy: UserConnections::new(config.history_per_user_max),
        }
    }

    /// Lets a person begin some work; what comes is kept until it is done.
    ///
    /// # Errors
    /// How soon to ask again.
    pub(crate) fn begin(
        &self,
        identity: &Identity,
        work: Work,
    ) -> Result<Option<UserConnection>, Duration> {
        let person = (identity.tenant.clone(), identity.user.clone());
        match work {
            Work::Create => self.creates.take(&person).map(|()| None),
            Work::Write => self.writes.take(&person).map(|()| None),
            Work::Past => {
                let place = self.busy.enter(identity).ok_or(BUSY_RETRY)?;
                self.past.take(&person).map(|()| Some(place))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    #[test]
    fn each_route_counts_as_what_it_costs() {
        for (method, route, expected) in [
            (Method::POST, "/api/documents", Some(Work::Create)),
            (Method::POST, "/api/documents/{id}/versions", Some(Work::Create)),
            (Method::POST, "/api/documents/{id}/restore-revision", Some(Work::Write)),
            (Method::PATCH, "/api/documents/{id}", Some(Work::Write)),
            (Method::PUT, "/api/me", Some(Work::Write)),
            (Method::GET, "/api/documents/{id}/diff", Some(Work::Past)),
            (Method::GET, "/api/documents/{id}/text", Some(Work::Past)),
            (Method::GET, "/api/documents/{id}", None),
            (Method::GET, "/api/documents", None),
            (Method::POST, "/api/session/{id}/messages", None),
            (Method::POST, "/api/events", None),
            (Method::POST, "/api/topics/{topic}", None),
        ] {
            assert_eq!(Work::of(&method, route), expected, "{method} {route}");
        }
    }

    #[test]
    fn a_person_looks_into_the_past_so_many_times_at_once_and_then_again() {
        let mut sources = Sources::default();
        for (name, value) in
            [("history_per_user_max", "2"), ("history_per_s", "1"), ("history_burst", "4")]
        {
            sources.flag(name, value.to_owned());
        }
        let usage = Usage::new(&sources.resolve().expect("settings"));
        let user = |id: &str| Identity::guest(id.parse().expect("a user id"));
        let ask = |id: &str| usage.begin(&user(id), Work::Past);
        let first = ask("g_1").expect("a place").expect("kept");
        let _second = ask("g_1").expect("a place");
        assert_eq!(ask("g_1").err(), Some(BUSY_RETRY));
        assert!(ask("g_2").is_ok(), "another person is not bound");
        drop(first);
        assert!(ask("g_1").is_ok(), "and refused ones cost nothing");
        assert!(ask("g_1").is_ok());
        assert!(ask("g_1").is_err(), "the rate binds as well");
    }
}
