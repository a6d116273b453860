//! `/api/events` and `/api/topics`: what back ends tell people, tenants and topics.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use collab_protocol::{
    ErrorCode, EventTaken, EventTarget, NewEvent, PublishValue, RawJson, TopicName,
};

use super::extract::{Asking, Body};
use crate::app::App;
use crate::error::ApiError;
use crate::fanout::Address;
use crate::rooms::Told;

type Taken = (StatusCode, Json<EventTaken>);

fn fits(app: &App, data: &RawJson) -> Result<(), ApiError> {
    match data.as_str().len() <= app.config.event_bytes_max as usize {
        true => Ok(()),
        false => Err(ApiError::new(ErrorCode::EventTooLarge)),
    }
}

/// `POST /api/events`
pub(super) async fn tell(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    Body(event): Body<NewEvent>,
) -> Result<Taken, ApiError> {
    fits(&app, &event.data)?;
    let tenant = identity.tenant;
    let to = match event.to {
        EventTarget::User(user) => Address::User(tenant, user),
        EventTarget::Topic(topic) => Address::Topic(tenant, topic),
        EventTarget::Tenant(true) => Address::Tenant(tenant),
        EventTarget::Tenant(false) => {
            return Err(ApiError::bad_request("tenant must be true, if it is given"));
        }
    };
    let NewEvent { name, data, id, .. } = event;
    let id = app.rooms.tell(&to, Told { name, data, id, by: None, time_ms: app.clock.now_ms() });
    Ok((StatusCode::ACCEPTED, Json(EventTaken { id })))
}

/// `POST /api/topics/{topic}`
pub(super) async fn publish(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    Path(topic): Path<String>,
    Body(value): Body<PublishValue>,
) -> Result<Taken, ApiError> {
    fits(&app, &value.data)?;
    let wrong = "a topic is 1 to 128 letters, digits, dots, underscores, colons and hyphens";
    let topic: TopicName = topic.parse().map_err(|_| ApiError::bad_request(wrong))?;
    let name = value.name.unwrap_or_else(|| "value".parse().expect("it is a name"));
    let time_ms = app.clock.now_ms();
    let told = Told { name, data: value.data, id: None, by: None, time_ms };
    let id = app.rooms.publish(&identity.tenant, &topic, told);
    let id = id.ok_or(ApiError::new(ErrorCode::Overloaded))?;
    Ok((StatusCode::ACCEPTED, Json(EventTaken { id })))
}
