//! Exported logs come in.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use collab_protocol::{ClientId, DocumentId, Epoch, GivenRole, UserId};
use ot_core::Revision;
use uuid::Uuid;

use super::incoming::{Begun, Incoming, Refused};
use super::{Outcome, tell};
use crate::cli::log_file::{Head, Line, Lines};
use crate::cli::report::bar;
use crate::cli::tool::ToolError;
use crate::clock::{Clock, SystemClock};
use crate::rights::RightsChange;
use crate::store::{
    ChainHash, ClientProgress, DocumentRecord, NewDocument, PageLimit, PersonRecord, Store,
    VersionRecord,
};

/// What stands beside the operations, put in when all of them are there.
#[derive(Default)]
struct Beside {
    clients: Vec<(ClientId, ClientProgress)>,
    people: Vec<PersonRecord>,
    versions: Vec<VersionRecord>,
    members: Vec<(UserId, GivenRole)>,
}

/// Takes in every document of a file, and names them one by one as they are there.
pub(super) async fn import(
    store: &Arc<dyn Store>,
    file: &Path,
    input: Box<dyn BufRead>,
    there: &mut Vec<DocumentId>,
) -> Result<(), ToolError> {
    let mut lines = Lines::new(file, input);
    while let Some(line) = lines.next()? {
        let Line::Document(head) = line else {
            return Err(lines.wrong("a document line is expected"));
        };
        let id = head.id;
        document(store, &mut lines, *head).await?;
        there.push(id);
    }
    Ok(())
}

async fn document(
    store: &Arc<dyn Store>,
    lines: &mut Lines<Box<dyn BufRead>>,
    head: Head,
) -> Result<(), ToolError> {
    let new = NewDocument {
        id: head.id,
        title: head.title.clone(),
        owner: head.owner.clone(),
        tenant: head.tenant.clone(),
        link: head.link,
        // Revisions known elsewhere mean nothing here: nobody may go on from them.
        epoch: Epoch::new(Uuid::new_v4().as_u128()),
        text_key: head.text_key.clone(),
        created_ms: head.created_ms,
        text: String::new(),
        client: ClientId::new(Uuid::new_v4().as_u128()),
    };
    let mut incoming = match Incoming::begin(store, new, SystemClock.now_ms()).await? {
        Begun::Open(incoming) => incoming,
        Begun::Whole(record) => {
            if !goes_on_from(store, &record, &head).await? {
                let reason = "the database has a document with this id and another history";
                return Err(lines.wrong(reason));
            }
            tell(record.id, record.revision, Outcome::AlreadyThere);
            return pass_over(lines);
        }
    };
    if incoming.record().text_key != head.text_key {
        return Err(lines.wrong("an import of another document with this id was begun"));
    }
    let found = incoming.record().revision;
    let bar = bar(Some(head.revision.get()), "Importing");
    let mut beside = Beside::default();
    loop {
        match lines.next()? {
            Some(Line::Op(logged)) => {
                let revision = logged.revision.get();
                incoming.push(logged).await.map_err(|refused| match refused {
                    Refused::Unfit(reason) => lines.wrong(reason),
                    Refused::Failed(error) => error,
                })?;
                if revision.is_multiple_of(1_024) {
                    bar.set_position(revision);
                }
            }
            Some(Line::Client(client, progress)) => beside.clients.push((client, progress)),
            Some(Line::Person(person)) => beside.people.push(person),
            Some(Line::Version(version)) if version.revision > head.revision => {
                let (named, last) = (version.revision, head.revision);
                return Err(lines.wrong(format!("it names revision {named}, the last is {last}")));
            }
            Some(Line::Version(version)) => beside.versions.push(version),
            Some(Line::Member(person, role)) => beside.members.push((person, role)),
            Some(Line::End { revision, chain }) => {
                check_end(&head, (revision, chain), &incoming, &beside)
                    .map_err(|reason| lines.wrong(reason))?;
                break;
            }
            Some(Line::Document(_)) | None => {
                let at = incoming.head().0;
                let reason = format!("the document ends behind revision {at}, without an end line");
                return Err(lines.wrong(reason));
            }
        }
    }
    put_beside(store, &mut incoming, beside).await?;
    let at = incoming.head().0;
    let document = incoming.finish(head.deleted_ms).await?;
    bar.finish_and_clear();
    tell(document, at, Outcome::of(found));
    Ok(())
}

/// Makes sure that everything is what the document's first and last line say.
fn check_end(
    head: &Head,
    end: (Revision, ChainHash),
    incoming: &Incoming,
    beside: &Beside,
) -> Result<(), String> {
    let stands = (head.revision, head.chain);
    if end != stands || incoming.head() != stands {
        return Err("the operations do not have the hash that they had".to_owned());
    }
    let other = beside.clients.iter().find(|(client, known)| !incoming.is_last(*client, known));
    match other {
        Some((client, _)) => {
            Err(format!("the line of client {client} is not of its last operation"))
        }
        None => Ok(()),
    }
}

async fn put_beside(
    store: &Arc<dyn Store>,
    incoming: &mut Incoming,
    beside: Beside,
) -> Result<(), ToolError> {
    incoming.progress(beside.clients).await?;
    let ids = beside.people.iter().map(|person| person.id.clone()).collect();
    let known = store.people(ids).await?;
    for person in beside.people {
        // Who is known here is called what they are called here.
        if !known.iter().any(|known| known.id == person.id) {
            store.put_person(person).await?;
        }
    }
    incoming.settle().await?;
    for version in beside.versions {
        store.put_version(version).await?;
    }
    let (document, by) = (incoming.record().id, incoming.record().owner.clone());
    for (person, role) in beside.members {
        let change = RightsChange::Give { person, role, by: by.clone() };
        let given = store.change_rights(document, change, SystemClock.now_ms()).await;
        given.map_err(ToolError::of(document))?;
    }
    Ok(())
}

/// Whether a document is what a log gave, perhaps edited since.
async fn goes_on_from(
    store: &Arc<dyn Store>,
    record: &DocumentRecord,
    head: &Head,
) -> Result<bool, ToolError> {
    if record.revision <= head.revision {
        return Ok((record.revision, record.chain) == (head.revision, head.chain));
    }
    let Some(before) = head.revision.get().checked_sub(1) else {
        return Ok(record.text_key == head.text_key);
    };
    let one = PageLimit { operations_max: 1, bytes_max: 1 };
    let page = store.since(record.id, Revision::new(before), one).await;
    let page = page.map_err(ToolError::of(record.id))?;
    Ok(page.operations.first().is_some_and(|last| last.chain == head.chain))
}

/// Reads on to the end of a document that is there already.
fn pass_over(lines: &mut Lines<Box<dyn BufRead>>) -> Result<(), ToolError> {
    loop {
        match lines.next()? {
            Some(Line::End { .. }) => return Ok(()),
            Some(Line::Document(_)) | None => {
                return Err(lines.wrong("the document ends without an end line"));
            }
            Some(_) => {}
        }
    }
}
