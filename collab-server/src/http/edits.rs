//! `PUT /api/documents/{id}/text`, `POST /api/documents/{id}/edits`: a text changed without a
//! session, by a back end or anybody else who may edit it.
//!
//! What is asked becomes one operation, which takes the road of every edit: through the document's
//! own task, rebased over what others have committed since, stored, and then shown to everybody. A
//! key of the caller's stands for a client of its own that submits once: so what is asked again is
//! found in the log, on whichever server.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use collab_protocol::{
    ClientId, DocumentId, EditText, ErrorCode, EventId, RejectCode, SetText, TextEdit, TextEdited,
};
use ot_core::{ClientSeq, Operation, Revision, diff};
use uuid::Uuid;

use super::documents::clean_text;
use super::extract::{Asking, DocumentBody, Permitted};
use super::history::reached;
use crate::app::App;
use crate::auth::Identity;
use crate::document::Submission;
use crate::error::ApiError;
use crate::registry::EditError;
use crate::rights::Visitor;
use crate::store::DocumentRecord;

/// Places changed in one request.
const EDITS_MAX: usize = 1_000;

/// The only submission of a client that stands for a key.
const FIRST: ClientSeq = ClientSeq::new(1);

/// `PUT /api/documents/{id}/text`
pub(super) async fn set_text(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    Permitted { record, .. }: Permitted,
    body: Option<DocumentBody<SetText>>,
) -> Result<Json<TextEdited>, ApiError> {
    let Some(DocumentBody(SetText { text, revision, id }, _upload)) = body else {
        return Err(ApiError::bad_request("the body names the text"));
    };
    let text = clean_text(text, app.config.document_bytes_max as usize)?;
    let asking = Asked::new(&app, &identity, &record, id.as_ref())?;
    if let Some(revision) = asking.done().await? {
        return Ok(Json(TextEdited { revision }));
    }
    let (base, old) = match revision {
        Some(number) => asking.text(number).await?,
        None => {
            let head = app.registry.text(record.id).await?;
            (head.revision, head.text)
        }
    };
    let operation = app.histories.work(move || diff(&old, &text, None)).await?;
    asking.commit(base, operation).await
}

/// `POST /api/documents/{id}/edits`
pub(super) async fn edit(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    Permitted { record, .. }: Permitted,
    body: Option<DocumentBody<EditText>>,
) -> Result<Json<TextEdited>, ApiError> {
    let Some(DocumentBody(EditText { revision, edits, id }, _upload)) = body else {
        return Err(ApiError::bad_request("the body names revision and edits"));
    };
    if edits.is_empty() || edits.len() > EDITS_MAX {
        return Err(ApiError::bad_request("edits must be 1 to 1000"));
    }
    let bytes_max = app.config.document_bytes_max as usize;
    let clean =
        |edit: TextEdit| Ok(TextEdit { insert: clean_text(edit.insert, bytes_max)?, ..edit });
    let edits = edits.into_iter().map(clean).collect::<Result<Vec<TextEdit>, ApiError>>()?;
    let asking = Asked::new(&app, &identity, &record, id.as_ref())?;
    if let Some(revision) = asking.done().await? {
        return Ok(Json(TextEdited { revision }));
    }
    let (base, old) = asking.text(revision).await?;
    let operation = operation(&edits, old.chars().count())?;
    asking.commit(base, operation).await
}

/// The edits of a text of so many characters as one operation.
fn operation(edits: &[TextEdit], len: usize) -> Result<Operation, ApiError> {
    let wrong = || ApiError::bad_request("edits lie within the text, each behind the one before");
    let mut builder = Operation::builder();
    let mut place = 0;
    for TextEdit { at, delete, insert } in edits {
        let at = usize::try_from(*at).map_err(|_| wrong())?;
        let delete = usize::try_from(*delete).map_err(|_| wrong())?;
        let end = at.checked_add(delete).filter(|end| place <= at && *end <= len);
        let end = end.ok_or_else(wrong)?;
        builder = builder.retain(at - place).insert(insert).delete(delete);
        place = end;
    }
    let whole = builder.retain(len - place).build();
    whole.map_err(|_| ApiError::new(ErrorCode::DocumentFull))
}

/// Somebody who asks for an edit.
struct Asked<'a> {
    app: &'a App,
    identity: &'a Identity,
    record: &'a DocumentRecord,
    /// What the edit is committed under.
    client: ClientId,
    has_key: bool,
}

impl<'a> Asked<'a> {
    /// Takes a place for one more edit of this person.
    fn new(
        app: &'a App,
        identity: &'a Identity,
        record: &'a DocumentRecord,
        key: Option<&EventId>,
    ) -> Result<Self, ApiError> {
        if app.rates.of(&identity.user, record.id).take().place.is_err() {
            return Err(ApiError::new(ErrorCode::SlowDown));
        }
        let client = match key {
            Some(key) => client_of(record.id, identity, key),
            None => ClientId::new(Uuid::new_v4().as_u128()),
        };
        Ok(Asked { app, identity, record, client, has_key: key.is_some() })
    }

    /// The revision that it became, if it was asked for before.
    async fn done(&self) -> Result<Option<u64>, ApiError> {
        if !self.has_key {
            return Ok(None);
        }
        let found = self.app.store.find_submission(self.record.id, self.client, FIRST).await?;
        Ok(found.map(Revision::get))
    }

    async fn text(&self, number: u64) -> Result<(Revision, Arc<str>), ApiError> {
        let revision = reached(self.record, Some(number))?;
        let past = self.app.histories.text(self.record, revision).await?;
        Ok((revision, past.text))
    }

    async fn commit(
        self,
        base: Revision,
        operation: Operation,
    ) -> Result<Json<TextEdited>, ApiError> {
        if operation.is_identity() {
            return Ok(Json(TextEdited { revision: self.record.revision.max(base).get() }));
        }
        let Asked { app, identity, record, client, .. } = self;
        let mut profile = app.people.profile(identity).await?;
        app.people.keep(&mut profile).await?;
        let submission = Submission::new(FIRST, base, operation, None).by_server();
        let who = (profile.participant, Visitor::from(identity));
        let revision = match app.registry.edit(record.id, who, client, submission).await {
            // The same was asked twice at once, and the text had gone on in between.
            Err(EditError::Rejected(RejectCode::SeqReuse)) => {
                let found = app.store.find_submission(record.id, client, FIRST).await?;
                found.ok_or(ApiError::new(ErrorCode::Internal))?
            }
            edited => edited?,
        };
        Ok(Json(TextEdited { revision: revision.get() }))
    }
}

/// The client that stands for a key of this person's, the same on every server.
fn client_of(document: DocumentId, identity: &Identity, key: &EventId) -> ClientId {
    let mut hasher = blake3::Hasher::new_derive_key("concord edit over REST, client of a key");
    let document = document.to_string();
    for part in [&*document, identity.tenant.as_str(), identity.user.as_str(), key.as_str()] {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let first = *hasher.finalize().as_bytes().first_chunk().expect("it has 32 bytes");
    ClientId::new(u128::from_be_bytes(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(at: u64, delete: u64, insert: &str) -> TextEdit {
        TextEdit { at, delete, insert: insert.to_owned() }
    }

    #[test]
    fn edits_become_one_operation_of_the_whole_text() {
        let made =
            operation(&[edit(1, 1, "é"), edit(2, 0, "😀"), edit(4, 1, "")], 5).expect("fits");
        assert_eq!(made.to_json(), r#"[1,"é",-1,"😀",2,-1]"#);
        assert_eq!(made.base_len(), 5);
    }

    #[test]
    fn edits_that_overlap_go_back_or_lie_outside_are_refused() {
        for edits in [
            vec![edit(6, 0, "x")],
            vec![edit(4, 2, "")],
            vec![edit(2, 2, ""), edit(3, 0, "x")],
            vec![edit(3, 0, "x"), edit(1, 0, "y")],
            vec![edit(u64::MAX, u64::MAX, "")],
        ] {
            assert!(operation(&edits, 5).is_err(), "{edits:?}");
        }
    }
}
