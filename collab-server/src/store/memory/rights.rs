//! Who may do what, in memory.

use std::cmp::Reverse;

use collab_protocol::{DocumentId, UserId};

use super::{Stored, Tables};
use crate::rights::{Rights, RightsChange};
use crate::store::StoreError;
use crate::store::record::CHANGE_UNFIT;

impl Stored {
    pub(super) fn rights(&self) -> Rights {
        Rights {
            version: self.record.rights_version,
            tenant: self.record.tenant.clone(),
            owner: self.record.owner.clone(),
            link: self.record.link,
            members: self.members.clone(),
            fences: self.fences.clone(),
        }
    }
}

impl Tables {
    pub(super) fn change_rights(
        &mut self,
        document: DocumentId,
        change: &RightsChange,
    ) -> Result<u64, StoreError> {
        let stored = self.stored_mut(document)?;
        let changed = stored.rights().changed(change).ok_or(CHANGE_UNFIT)?;
        stored.record.rights_version = changed.version;
        stored.record.owner = changed.owner;
        stored.record.link = changed.link;
        stored.members = changed.members;
        stored.fences = changed.fences;
        match change {
            RightsChange::Give { person, .. } | RightsChange::HandOver { from: person, .. } => {
                stored.left.remove(person);
            }
            RightsChange::Forget { person } | RightsChange::Leave { person } => {
                if stored.members.contains_key(person) {
                    stored.left.insert(person.clone());
                }
                self.opened.remove(&(person.clone(), document));
            }
            RightsChange::Link(_) | RightsChange::Fence { .. } => {}
        }
        Ok(changed.version)
    }

    pub(super) fn visitors(&self, document: DocumentId, limit: u32) -> Vec<UserId> {
        let here = self.opened.iter().filter(|((_, opened), _)| *opened == document);
        let mut found: Vec<(Reverse<i64>, &UserId)> =
            here.map(|((person, _), opened_ms)| (Reverse(*opened_ms), person)).collect();
        found.sort_unstable();
        found.into_iter().take(limit as usize).map(|(_, person)| person.clone()).collect()
    }
}
