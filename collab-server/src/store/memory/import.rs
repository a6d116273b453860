//! Imports into memory.

use super::{Stored, Tables};
use crate::store::StoreError;
use crate::store::checks::check_text;
use crate::store::import::{HAS_TEXT, ImportBatch, ImportStep, NOT_AT_END};
use crate::store::record::NewDocument;

impl Tables {
    pub(super) fn import(&mut self, step: ImportStep) -> Result<(), StoreError> {
        match step {
            ImportStep::Begin { new, started_ms } => self.begin_import(*new, started_ms),
            ImportStep::Operations(batch) => self.stored_mut(batch.document)?.take_in(batch),
            ImportStep::Finish { document, deleted_ms } => {
                let stored = self.stored_mut(document)?;
                stored.is_importing.then_some(()).ok_or(StoreError::NotFound)?;
                stored.is_importing = false;
                stored.record.deleted_ms = deleted_ms;
                let (owner, now_ms) = (stored.record.owner.clone(), stored.record.updated_ms);
                self.opened.insert((owner, document), now_ms);
                Ok(())
            }
        }
    }

    fn begin_import(&mut self, new: NewDocument, started_ms: i64) -> Result<(), StoreError> {
        check_text(&new.title)?;
        if !new.text.is_empty() {
            return Err(HAS_TEXT);
        }
        match self.documents.get(&new.id) {
            Some(stored) if stored.is_importing => return Ok(()),
            Some(_) => return Err(StoreError::AlreadyExists),
            None => {}
        }
        let mut record = new.record(None);
        record.deleted_ms = Some(started_ms);
        self.documents.insert(new.id, Stored { is_importing: true, ..Stored::new(record) });
        Ok(())
    }
}

impl Stored {
    fn take_in(&mut self, batch: ImportBatch) -> Result<(), StoreError> {
        if !self.is_importing || self.record.revision != batch.base {
            return Err(NOT_AT_END);
        }
        if let Some(last) = batch.operations.last() {
            self.record.revision = last.revision;
            self.record.chain = last.chain;
            self.record.updated_ms = last.time_ms;
            self.record.len_chars = batch.len_chars;
        }
        self.rows.extend(batch.operations);
        for (client, progress) in batch.progress {
            let known = self.clients.entry(client).or_insert_with(|| progress.clone());
            if known.seq <= progress.seq {
                *known = progress;
            }
        }
        Ok(())
    }
}
