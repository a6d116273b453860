//! `replay`: a text built anew from its log.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use collab_protocol::DocumentId;
use ot_core::{Revision, Text, TextHash};
use serde_json::json;

use super::import::open;
use super::log_file::{Line, Lines};
use super::report::{ReportTo, report};
use super::tool::{ToolError, Until};
use crate::history::{Histories, HistoryConfig, HistoryError};
use crate::revision::later;
use crate::store::{ChainHash, Store};

/// Prints a text, and beside it which one it is.
fn print(document: DocumentId, revision: Revision, text: &str) -> Result<(), ToolError> {
    let mut out = std::io::stdout();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|source| ToolError::File { file: "-".into(), source })?;
    let (len_chars, hash) = (text.chars().count(), TextHash::of(text).to_hex());
    let sentence = format!("Document {document} at revision {revision}: {len_chars} characters");
    let fields = json!({
        "document": document.to_string(), "revision": revision.get(), "len_chars": len_chars,
        "hash": hash,
    });
    report(ReportTo::Error, &sentence, &fields);
    Ok(())
}

/// Replays a document of the database.
pub(super) async fn document(
    store: &Arc<dyn Store>,
    document: DocumentId,
    until: Until,
) -> Result<(), ToolError> {
    let failed = ToolError::of(document);
    let record = store.document(document).await.map_err(&failed)?;
    let histories = Histories::new(store.clone(), HistoryConfig::default());
    let told = |error: HistoryError| match error {
        HistoryError::Store(error) => failed(error),
        HistoryError::Ahead { asked, head } => ToolError::Ahead { document, head, asked },
        HistoryError::Overloaded | HistoryError::Failed => ToolError::CutOff,
    };
    let revision = match until {
        Until::End => record.revision,
        Until::Revision(revision) => revision,
        Until::TimeMs(time_ms) => histories.revision_at(&record, time_ms).await.map_err(told)?,
    };
    let text = histories.text(&record, revision).await.map_err(told)?;
    print(document, revision, &text.text)
}

/// Replays the first document of a file, without a database. The file is read to the document's end,
/// wherever the text is: only there it shows whether all of it is what was written.
pub(super) fn file(file: &Path, until: Until) -> Result<(), ToolError> {
    let mut lines = Lines::new(file, open(file)?);
    let head = match lines.next()? {
        Some(Line::Document(head)) => head,
        _ => return Err(lines.wrong("a document line is expected")),
    };
    let (mut at, mut chain) = (Revision::ZERO, ChainHash::START);
    let (mut shown, mut text) = (Revision::ZERO, Text::new());
    let mut is_there = until == Until::Revision(at);
    loop {
        match lines.next()? {
            Some(Line::Op(logged)) => {
                let expected = later(at, 1);
                if logged.revision != expected {
                    let found = logged.revision;
                    return Err(lines.wrong(format!("revision is {found}, expected {expected}")));
                }
                chain = logged.expected_chain(head.id, &head.text_key, chain);
                at = logged.revision;
                is_there |= matches!(until, Until::TimeMs(time_ms) if logged.time_ms > time_ms);
                if !is_there {
                    text.apply(&logged.operation).map_err(|error| lines.wrong(error))?;
                    shown = at;
                }
                is_there |= until == Until::Revision(at);
            }
            Some(Line::End { .. }) => {
                if (at, chain) != (head.revision, head.chain) {
                    return Err(lines.wrong("the operations do not have the hash that they had"));
                }
                break;
            }
            Some(Line::Document(_)) | None => {
                return Err(lines.wrong("the document ends without an end line"));
            }
            Some(_) => {}
        }
    }
    if let Until::Revision(asked) = until
        && !is_there
    {
        return Err(ToolError::Ahead { document: head.id, head: at, asked });
    }
    print(head.id, shown, &text.to_string())
}
