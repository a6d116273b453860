//! `/api/documents/{id}/sharing` and `…/people`: with whom a document is shared.

use std::collections::{BTreeMap, BTreeSet};
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
use crate::notifications::{self, SharedBy};
use crate::people::stranger;
use crate::rights::{Rights, RightsChange, Visitor};

/// People with a role of their own in one document, at most.
const MEMBERS_MAX: usize = 500;

/// Of those who opened a document's link, the latest so many are shown.
const VISITORS_SHOWN_MAX: usize = 200;

/// Of those who opened a document, the latest so many are looked at: all who were given a role and
/// came, but in the most crowded ones.
const VISITORS_READ_MAX: u32 = 1_000;

/// Where somebody's role in a document comes from, and what it is.
type Place = (AccessBy, GivenRole);

/// The people of a document. Who is kept out is shown where `all` are.
fn people_of(rights: &Rights, visitors: &[UserId], all: bool) -> BTreeMap<UserId, Place> {
    let mut people = BTreeMap::new();
    let shown = |given: GivenRole| given != GivenRole::None || all;
    for (person, given) in rights.members.iter().filter(|(_, given)| shown(**given)) {
        people.insert(person.clone(), (AccessBy::Member, *given));
    }
    people.insert(rights.owner.clone(), (AccessBy::Owner, GivenRole::Owner));
    let visitors = visitors.iter().take(VISITORS_SHOWN_MAX);
    for user in visitors.filter(|user| !rights.members.contains_key(*user)) {
        let (user, tenant) = (user.clone(), rights.tenant.clone());
        let visitor = Visitor { user, tenant, is_service: false };
        if let Some(role) = rights.role_of(&visitor) {
            people.entry(visitor.user).or_insert((AccessBy::Link, role.into()));
        }
    }
    people
}

/// A document's sharing as somebody with this role in it sees it. Who came by the link alone sees
/// whose it is, and themself: a link that is passed on is no list of its people.
///
/// People are shown by name once they have come. Until then they are an id: it may be nobody's, or
/// one of another tenant, whose name is not for here.
async fn sharing(
    app: &App,
    id: DocumentId,
    me: &UserId,
    role: Role,
) -> Result<Json<Sharing>, ApiError> {
    let rights = app.store.rights(id).await?;
    let visitors = app.store.visitors(id, VISITORS_READ_MAX).await?;
    let mut places = people_of(&rights, &visitors, role == Role::Owner);
    if role != Role::Owner && !rights.members.contains_key(me) {
        places.retain(|user, _| user == me || *user == rights.owner);
    }
    let visitors: BTreeSet<UserId> = visitors.into_iter().collect();
    let (known, strangers): (Vec<UserId>, Vec<UserId>) =
        places.keys().cloned().partition(|user| user == me || visitors.contains(user));
    let mut participants = app.people.participants(known).await?;
    participants.extend(strangers.into_iter().map(stranger));
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
    Asking(identity): Asking,
    permitted: Permitted,
) -> Result<Json<Sharing>, ApiError> {
    sharing(&app, permitted.record.id, &identity.user, permitted.role).await
}

/// `PUT /api/documents/{id}/sharing`: what the link gives, by the owner.
pub(super) async fn set_link(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    permitted: Permitted,
    Body(change): Body<UpdateSharing>,
) -> Result<Json<Sharing>, ApiError> {
    let Permitted { record, role } = permitted;
    app.registry.change_rights(record.id, RightsChange::Link(change.link)).await?;
    sharing(&app, record.id, &identity.user, role).await
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
    let before = app.store.access(record.id, person.clone()).await?.1;
    let told = given.role().map(|role| {
        let by = (identity.kind != Kind::Service).then(|| identity.user.clone());
        (person.clone(), role, SharedBy { by, is_new: before != Some(given) })
    });
    let change = match given {
        GivenRole::Owner if person == record.owner => {
            return sharing(&app, record.id, &identity.user, permitted.role).await;
        }
        GivenRole::Owner if identity.kind != Kind::Service => {
            // Nobody could take back what a slip of the pen gave away. Back ends know their people.
            let rights = app.store.rights(record.id).await?;
            let visitors = app.store.visitors(record.id, VISITORS_READ_MAX).await?;
            match people_of(&rights, &visitors, true).get(&person) {
                Some((_, given)) if *given != GivenRole::None => {}
                _ => return Err(ApiError::bad_request("the new owner has no role here yet")),
            }
            RightsChange::HandOver { from: record.owner.clone(), to: person }
        }
        GivenRole::Owner => RightsChange::HandOver { from: record.owner.clone(), to: person },
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
    if let Some((person, role, shared_by)) = told {
        notifications::shared(&*app, &record, person, role, shared_by).await?;
    }
    // Who has handed the document over is not its owner any more.
    let (record, role) = app.access(record.id, &identity).await?;
    sharing(&app, record.id, &identity.user, role).await
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
