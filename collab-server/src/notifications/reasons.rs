//! Why a person is told something: they were named, something was shared with them, or a back end
//! says so. Each is told once, however often it is asked for.

use std::collections::BTreeSet;

use collab_protocol::{ChatMessage, DocumentId, Role, TenantId, UserId};

use super::{Telling, tell};
use crate::desk::Desk;
use crate::rights::Visitor;
use crate::sabotage::{self, Bug};
use crate::store::{DocumentRecord, NotificationContent, Recipient, Repeated, StoreError};

/// Tells those whom a message of a document's chat names, as far as they may open the document and
/// are known here. A person hears of one message once, also where it was edited.
pub(crate) async fn mentioned(
    desk: &dyn Desk,
    document: DocumentId,
    message: &ChatMessage,
) -> Result<(), StoreError> {
    let named: BTreeSet<&UserId> = message.mentions.iter().map(|mention| &mention.user).collect();
    let named: Vec<UserId> =
        named.into_iter().filter(|user| **user != message.user).cloned().collect();
    if named.is_empty() {
        return Ok(());
    }
    let (record, rights) =
        (desk.store().document(document).await?, desk.store().rights(document).await?);
    for person in desk.store().people(named).await? {
        let (user, tenant) = (person.id, record.tenant.clone());
        let visitor = Visitor { user, tenant, is_service: false };
        if rights.role_of(&visitor).is_none() {
            continue;
        }
        let content = NotificationContent::Mentioned {
            doc: document,
            title: record.title.clone(),
            by: message.user.clone(),
            message: message.id,
        };
        let to = Recipient { tenant: visitor.tenant, person: visitor.user };
        let mut key = format!("mentioned {}", message.id);
        if sabotage::is_planted(Bug::MentionToldAgain) {
            key.push_str(&desk.now_ms().to_string());
        }
        tell(desk, Telling { to, key, content, repeated: Repeated::Stays }).await?;
    }
    Ok(())
}

/// Who shares a document, and whether that changes anything.
pub(crate) struct SharedBy {
    /// The person; `None` for a back end.
    pub(crate) by: Option<UserId>,
    /// Whether the role was another before. Where it was not, the person is told unless they were:
    /// who shared it may not have heard that it is done.
    pub(crate) is_new: bool,
}

/// Tells somebody that they were given a role in a document by name.
pub(crate) async fn shared(
    desk: &dyn Desk,
    record: &DocumentRecord,
    person: UserId,
    role: Role,
    SharedBy { by, is_new }: SharedBy,
) -> Result<(), StoreError> {
    let (doc, title) = (record.id, record.title.clone());
    let content = NotificationContent::Shared { doc, title, by, role };
    let to = Recipient { tenant: record.tenant.clone(), person };
    let key = format!("shared {doc}");
    let repeated = if is_new { Repeated::ToldAnew } else { Repeated::Stays };
    tell(desk, Telling { to, key, content, repeated }).await
}

/// Tells people of a tenant what its back end says, each once under its key.
pub(crate) async fn told_by_app(
    desk: &dyn Desk,
    tenant: &TenantId,
    people: BTreeSet<UserId>,
    key: &str,
    content: NotificationContent,
) -> Result<(), StoreError> {
    let key = format!("app {key}");
    for person in people {
        let to = Recipient { tenant: tenant.clone(), person };
        let (key, content) = (key.clone(), content.clone());
        tell(desk, Telling { to, key, content, repeated: Repeated::Stays }).await?;
    }
    Ok(())
}
