//! What operators and their machines ask.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::fanout::Way;

/// The process runs and answers.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The server takes work: its database answers and it is not about to end.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.shutdown.draining.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    match app.store.check().await {
        Ok(()) => well(app.fanout.way()).into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "storage unavailable\n").into_response()
        }
    }
}

/// Without a way to other servers this one works as well: they only hear of each other later.
fn well(way: Way) -> &'static str {
    match way {
        Way::Sure => "ok\n",
        Way::Open { .. } => "ok\nredis: there\n",
        Way::Lost => "ok\nredis: away, other servers are heard later\n",
    }
}

/// The figures, for Prometheus.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    if !app.config.metrics.is_on() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    app.metrics.topics(app.rooms.topic_count());
    let text = app.metrics.text(&app.registry.stats(), &app.registry.rooms());
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
