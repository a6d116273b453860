//! `/api/documents/{id}/sharing` and `…/people`: with whom a document is shared.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use collab_protocol::{
    AccessBy, DocumentId, ErrorCode, GivenRole, Role, SetPerson, Sharing, SharingPerson,
    UpdateSharing, UserId,
};

use super::extract::{Asking, Body, Permitted, PersonInPath};
use crate::app::App;
use crate::auth::Kind;
use crate::error::ApiError;
use crate::rights::{Rights, RightsChange, Visitor};

/// People with a role of their own in one document, at most.
const MEMBERS_MAX: usize = 500;

/// Of those who opened a document's link, the latest so many are shown.
const VISITORS_SHOWN_MAX: u32 = 200;

/// Where somebody's role in a document comes from, and what it is.
type Place = (AccessBy, GivenRole);

/// The people of a document as who has `role` there may see them.
fn people_of(rights: &Rights, visitors: Vec<UserId>, role: Role) -> BTreeMap<UserId, Place> {
    let mut people = BTreeMap::new();
    let shown = |given: GivenRole| given != GivenRole::None || role == Role::Owner;
    for (person, given) in rights.members.iter().filter(|(_, given)| shown(**given)) {
        people.insert(person.clone(), (AccessBy::Member, *given));
    }
    people.insert(rights.owner.clone(), (AccessBy::Owner, GivenRole::Owner));
    for user in visitors.into_iter().filter(|user| !rights.members.contains_key(user)) {
        let visitor = Visitor { user, tenant: rights.tenant.clone(), is_service: false };
        if let Some(role) = rights.role_of(&visitor) {
            people.entry(visitor.user).or_insert((AccessBy::Link, role.into()));
        }
    }
    people
}

async fn sharing(app: &App, id: DocumentId, role: Role) -> Result<Json<Sharing>, ApiError> {
    let rights = app.store.rights(id).await?;
    let visitors = app.store.visitors(id, VISITORS_SHOWN_MAX).await?;
    let places = people_of(&rights, visitors, role);
    let participants = app.people.participants(places.keys().cloned()).await?;
    let mut people: Vec<SharingPerson> = participants
        .into_iter()
        .map(|one| {
            let (by, role) = places[&one.user];
            SharingPerson { user: one.user, name: one.name, color: one.color, role, by }
        })
        .collect();
    people.sort_by(|a, b| (a.by, &a.name, &a.user).cmp(&(b.by, &b.name, &b.user)));
    Ok(Json(Sharing { link: rights.link, people, role }))
}

/// `GET /api/documents/{id}/sharing`
pub(super) async fn read(
    State(app): State<Arc<App>>,
    permitted: Permitted,
) -> Result<Json<Sharing>, ApiError> {
    sharing(&app, permitted.record.id, permitted.role).await
}

/// `PUT /api/documents/{id}/sharing`: what the link gives, by the owner.
pub(super) async fn set_link(
    State(app): State<Arc<App>>,
    permitted: Permitted,
    Body(change): Body<UpdateSharing>,
) -> Result<Json<Sharing>, ApiError> {
    let Permitted { record, role } = permitted;
    app.registry.change_rights(record.id, RightsChange::Link(change.link)).await?;
    sharing(&app, record.id, role).await
}

/// `PUT /api/documents/{id}/people/{user}`: a role for somebody, by the owner; theirs hands the
/// document over.
pub(super) async fn set_person(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    permitted: Permitted,
    PersonInPath(person): PersonInPath,
    Body(SetPerson { role: given }): Body<SetPerson>,
) -> Result<Json<Sharing>, ApiError> {
    let record = permitted.record;
    let change = match given {
        GivenRole::Owner if person == record.owner => {
            return sharing(&app, record.id, permitted.role).await;
        }
        GivenRole::Owner if identity.kind != Kind::Service => {
            // Nobody could take back what a slip of the pen gave away. Back ends know their people.
            let rights = app.store.rights(record.id).await?;
            let visitors = app.store.visitors(record.id, VISITORS_SHOWN_MAX).await?;
            match people_of(&rights, visitors, permitted.role).get(&person) {
                Some((_, given)) if *given != GivenRole::None => {}
                _ => return Err(ApiError::bad_request("the new owner has no role here yet")),
            }
            RightsChange::HandOver { from: record.owner, to: person }
        }
        GivenRole::Owner => RightsChange::HandOver { from: record.owner, to: person },
        _ if person == record.owner => {
            return Err(ApiError::bad_request("the owner hands the document over first"));
        }
        role => {
            let members = app.store.rights(record.id).await?.members;
            if members.len() >= MEMBERS_MAX && !members.contains_key(&person) {
                return Err(ApiError::new(ErrorCode::TooManyPeople));
            }
            RightsChange::Give { person, role, by: identity.user.clone() }
        }
    };
    app.registry.change_rights(record.id, change).await?;
    // Who has handed the document over is not its owner any more.
    let (record, role) = app.access(record.id, &identity).await?;
    sharing(&app, record.id, role).await
}

/// `DELETE /api/documents/{id}/people/{user}`: by the owner, after which the link decides, or by the
/// person, who leaves and keeps a role that is lower than the link's.
pub(super) async fn remove_person(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    permitted: Permitted,
    PersonInPath(person): PersonInPath,
) -> Result<StatusCode, ApiError> {
    let Permitted { record, role } = permitted;
    if role != Role::Owner && person != identity.user {
        return Err(ApiError::new(ErrorCode::Forbidden));
    }
    if person == record.owner {
        return Err(ApiError::bad_request("the owner hands the document over first"));
    }
    let change = match role {
        Role::Owner => RightsChange::Forget { person },
        _ => RightsChange::Leave { person },
    };
    app.registry.change_rights(record.id, change).await?;
    Ok(StatusCode::NO_CONTENT)
}
