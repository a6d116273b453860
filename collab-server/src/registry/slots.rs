//! Which documents are loaded or being loaded, each once; and what a load comes to.
//!
//! Pure. Each loading has a generation, so that a document that ends late never takes its successor
//! out.

use std::collections::HashMap;

use collab_protocol::DocumentId;

use crate::document::JoinError;
use crate::sabotage::{self, Bug};
use crate::store::{Loaded, StoreError};

#[derive(Clone, Debug)]
struct Slot<T> {
    generation: u64,
    held: T,
}

/// See the module. `T` is what those who ask for a document share.
#[derive(Clone, Debug)]
pub(crate) struct Slots<T> {
    by_document: HashMap<DocumentId, Slot<T>>,
    last_generation: u64,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Slots { by_document: HashMap::new(), last_generation: 0 }
    }
}

impl<T> Slots<T> {
    /// What stands for a document, loaded or being loaded.
    pub(crate) fn get(&self, document: DocumentId) -> Option<&T> {
        self.by_document.get(&document).map(|slot| &slot.held)
    }

    /// Puts in a document that is about to be loaded; the loading's generation.
    pub(crate) fn begin(&mut self, document: DocumentId, held: T) -> u64 {
        self.last_generation += 1;
        let generation = self.last_generation;
        self.by_document.insert(document, Slot { generation, held });
        generation
    }

    /// Takes a document out, if it is still the one of that loading.
    pub(crate) fn retire(&mut self, document: DocumentId, generation: u64) {
        let stands = self.by_document.get(&document).map(|slot| slot.generation);
        let is_late = stands != Some(generation);
        if !is_late || sabotage::is_planted(Bug::LateUnload) {
            self.by_document.remove(&document);
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_document.len()
    }

    /// What stands for each, in no order, with the generation of its loading.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u64, &T)> {
        self.by_document.values().map(|slot| (slot.generation, &slot.held))
    }

    /// What stands for each, with its document, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (DocumentId, &T)> {
        self.by_document.iter().map(|(id, slot)| (*id, &slot.held))
    }

    /// What stands for each, in no order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.by_document.values().map(|slot| &slot.held)
    }
}

/// What a load came to: a document to serve, or why there is none. A document that cannot be read is
/// never an empty one.
pub(crate) fn opened(loaded: Result<Loaded, StoreError>) -> Result<Loaded, JoinError> {
    match loaded {
        Ok(loaded) if loaded.record.deleted_ms.is_some() => Err(JoinError::Deleted),
        Ok(loaded) => Ok(loaded),
        Err(error) => Err(error.into()),
    }
}
