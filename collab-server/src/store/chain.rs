//! The chain that makes a changed log visible: each operation's hash covers the one before.
//!
//! `hash = BLAKE3(previous ‖ header ‖ shape ‖ keyed hash of the inserted text)`. Text enters only
//! through its keyed hash, so that a text can one day be replaced by filler of the same length and
//! the chain still verify. It shows damage and edits by hand; it does not stop someone who can
//! rewrite every row.

use std::fmt;

use collab_protocol::{ClientId, DocumentId, UserId};
use ot_core::{ClientSeq, Component, Operation, Revision};
use uuid::Uuid;

/// The hash of one operation and, through it, of all before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChainHash([u8; 32]);

impl ChainHash {
    /// What the first operation follows.
    pub const START: ChainHash = ChainHash([0; 32]);

    /// The hash with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        ChainHash(bytes)
    }

    /// The hash's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainHash({}…)", &blake3::Hash::from_bytes(self.0).to_hex()[..8])
    }
}

/// The key under which a document's chain hashes inserted text; random, one per document.
#[derive(Clone, PartialEq, Eq)]
pub struct TextKey([u8; 32]);

impl TextKey {
    /// A key that nobody can guess.
    pub(crate) fn random() -> Self {
        let drawn = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()];
        TextKey(*blake3::hash(drawn.as_flattened()).as_bytes())
    }

    /// The key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        TextKey(bytes)
    }

    /// The key's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TextKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextKey(…)")
    }
}

/// What one link of the chain covers.
#[derive(Clone, Copy, Debug)]
pub struct ChainLink<'a> {
    /// The document.
    pub document: DocumentId,
    /// The revision that the operation leads to.
    pub revision: Revision,
    /// Who submitted it.
    pub client: ClientId,
    /// Under which number.
    pub seq: ClientSeq,
    /// Whose it is.
    pub author: &'a UserId,
    /// When it was committed.
    pub time_ms: i64,
    /// The operation.
    pub operation: &'a Operation,
}

impl ChainLink<'_> {
    /// The hash of this link behind `previous`. Every part has a fixed or a stated length, so that
    /// no two links share their bytes.
    #[must_use]
    pub fn hash(&self, key: &TextKey, previous: ChainHash) -> ChainHash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(previous.as_bytes());
        hasher.update(&self.document.get().to_le_bytes());
        hasher.update(&self.revision.get().to_le_bytes());
        hasher.update(&self.client.get().to_le_bytes());
        hasher.update(&self.seq.get().to_le_bytes());
        hasher.update(&self.time_ms.to_le_bytes());
        hasher.update(&(self.author.as_str().len() as u64).to_le_bytes());
        hasher.update(self.author.as_str().as_bytes());
        hasher.update(&(self.operation.component_count() as u64).to_le_bytes());
        for component in self.operation.components() {
            hasher.update(&shape(component));
        }
        let text = self.operation.inserted_text().as_bytes();
        hasher.update(blake3::keyed_hash(key.as_bytes(), text).as_bytes());
        ChainHash(*hasher.finalize().as_bytes())
    }
}

/// A component without its text: its kind in the top byte, its length in characters below.
fn shape(component: Component<'_>) -> [u8; 8] {
    let (kind, len_chars) = match component {
        Component::Retain(len) => (0_u64, len),
        Component::Insert(text) => (1, text.chars().count()),
        Component::Delete(len) => (2, len),
    };
    (kind << 56 | len_chars as u64).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(author: &str, operation: &Operation, change: impl Fn(&mut ChainLink<'_>)) -> ChainHash {
        let author: UserId = author.parse().expect("an id");
        let mut link = ChainLink {
            document: DocumentId::new(1),
            revision: Revision::new(2),
            client: ClientId::new(3),
            seq: ClientSeq::new(4),
            author: &author,
            time_ms: 5,
            operation,
        };
        change(&mut link);
        link.hash(&TextKey::from_bytes([7; 32]), ChainHash::START)
    }

    #[test]
    fn every_part_of_a_link_is_covered() {
        let operation = Operation::splice(3, 1, 1, "é").expect("fits");
        let other_text = Operation::splice(3, 1, 1, "e").expect("fits");
        let other_shape = Operation::splice(3, 2, 1, "é").expect("fits");
        let hashes = [
            hash("g_1", &operation, |_| ()),
            hash("g_2", &operation, |_| ()),
            hash("g_1", &other_text, |_| ()),
            hash("g_1", &other_shape, |_| ()),
            hash("g_1", &operation, |link| link.document = DocumentId::new(9)),
            hash("g_1", &operation, |link| link.revision = Revision::new(9)),
            hash("g_1", &operation, |link| link.client = ClientId::new(9)),
            hash("g_1", &operation, |link| link.seq = ClientSeq::new(9)),
            hash("g_1", &operation, |link| link.time_ms = 9),
        ];
        for (index, one) in hashes.iter().enumerate() {
            assert!(!hashes[..index].contains(one), "part {index} changes the hash");
        }
    }
}
