//! History in memory: looked up in the log itself.

use std::collections::BTreeMap;

use collab_protocol::{UserId, VersionId};
use ot_core::Revision;

use super::Stored;
use crate::store::StoreError;
use crate::store::checks::check_text;
use crate::store::history::{Activity, Seen, VersionRecord, check_reached, stretch_of};
use crate::store::record::Snapshot;

impl Stored {
    pub(super) fn snapshot_at_or_before(&self, revision: Revision) -> Option<Snapshot> {
        self.snapshots.range(..=revision).next_back().map(|(_, snapshot)| snapshot.clone())
    }

    pub(super) fn revision_at(&self, time_ms: i64) -> Result<Revision, StoreError> {
        let count = self.log()?.partition_point(|logged| logged.time_ms <= time_ms);
        Ok(Revision::new(count as u64))
    }

    pub(super) fn activity(&self, width: u64) -> Result<Vec<Activity>, StoreError> {
        let log = self.log()?;
        let mut found: BTreeMap<(u64, &UserId), Activity> = BTreeMap::new();
        for logged in log.iter() {
            let key = (stretch_of(logged.revision, width), &logged.author);
            found
                .entry(key)
                .and_modify(|activity| activity.count(logged.revision, logged.time_ms))
                .or_insert_with(|| {
                    Activity::one(logged.author.clone(), logged.revision, logged.time_ms)
                });
        }
        Ok(found.into_values().collect())
    }

    pub(super) fn put_version(&mut self, version: VersionRecord) -> Result<(), StoreError> {
        check_text(&version.name)?;
        check_reached(version.revision, self.record.revision)?;
        match self.versions.iter_mut().find(|known| known.id == version.id) {
            Some(known) => known.name = version.name,
            None => self.versions.push(version),
        }
        self.versions.sort_by_key(|known| (known.revision, known.time_ms, known.id));
        Ok(())
    }

    pub(super) fn rename_version(
        &mut self,
        version: VersionId,
        name: String,
    ) -> Result<(), StoreError> {
        check_text(&name)?;
        let known = self.versions.iter_mut().find(|known| known.id == version);
        known.ok_or(StoreError::NotFound)?.name = name;
        Ok(())
    }

    pub(super) fn delete_version(&mut self, version: VersionId) -> Result<(), StoreError> {
        let index = self.versions.iter().position(|known| known.id == version);
        self.versions.remove(index.ok_or(StoreError::NotFound)?);
        Ok(())
    }

    pub(super) fn mark_seen(&mut self, person: UserId, seen: Seen) -> Result<(), StoreError> {
        check_reached(seen.revision, self.record.revision)?;
        let known = self.seen.entry(person).or_insert(seen);
        if known.revision <= seen.revision {
            *known = seen;
        }
        Ok(())
    }
}
