//! The entries of an `ops` frame, as text.
//!
//! A document encodes each committed operation once, with [`write_op_entry`], and keeps that text;
//! [`OpsFrame`] splices such texts into the frame of each receiver, so that sending an operation to
//! four hundred people copies bytes and encodes nothing.

use std::fmt::Write;

use crate::id::{AuthorNumber, ChannelId, TextHash};

/// Appends `{"op":…,"by":…}`: one committed operation, one revision. `op_json` is the operation's
/// JSON form, as `ot_core::Operation::to_json` writes it.
pub fn write_op_entry(out: &mut String, op_json: &str, by: AuthorNumber) {
    infallible(write!(out, r#"{{"op":{op_json},"by":{by}}}"#));
}

/// Appends `{"op":…,"to":…}`: several committed operations composed into one, up to revision `to`.
pub fn write_composed_entry(out: &mut String, op_json: &str, to: u64) {
    infallible(write!(out, r#"{{"op":{op_json},"to":{to}}}"#));
}

/// Appends `{"ack":…}`: the receiver's own submission stands here, one revision.
pub fn write_ack_entry(out: &mut String, seq: u64) {
    infallible(write!(out, r#"{{"ack":{seq}}}"#));
}

/// Appends `{"check":"…"}`: the hash of the text at this point; no revision.
pub fn write_check_entry(out: &mut String, hash: TextHash) {
    infallible(write!(out, r#"{{"check":"{hash}"}}"#));
}

fn infallible(result: std::fmt::Result) {
    result.expect("writing to a string does not fail");
}

/// Builds one `ops` frame out of entries that are text already.
#[derive(Debug)]
pub struct OpsFrame {
    text: String,
    is_empty: bool,
}

impl OpsFrame {
    /// Starts a frame for channel `ch` whose first entry follows revision `rev`. `capacity_bytes`
    /// is what the entries are expected to take.
    pub fn new(ch: ChannelId, rev: u64, capacity_bytes: usize) -> Self {
        let mut text = String::with_capacity(64 + capacity_bytes);
        infallible(write!(text, r#"{{"type":"ops","ch":{ch},"rev":{rev},"ops":["#));
        OpsFrame { text, is_empty: true }
    }

    /// Adds one entry, as one of this module's functions wrote it.
    pub fn push(&mut self, entry: &str) {
        self.push_with(|out| out.push_str(entry));
    }

    /// Adds the one entry that `write` appends.
    pub fn push_with(&mut self, write: impl FnOnce(&mut String)) {
        if !self.is_empty {
            self.text.push(',');
        }
        self.is_empty = false;
        write(&mut self.text);
    }

    /// Whether no entry was added yet.
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// The frame's length so far, in bytes.
    pub fn len_bytes(&self) -> usize {
        self.text.len()
    }

    /// Ends the frame.
    pub fn finish(mut self) -> String {
        self.text.push_str("]}");
        self.text
    }

    /// Ends the frame with the authors that it is the first to use; `people` may be empty.
    #[cfg(feature = "serde")]
    pub fn finish_with_people(mut self, people: &[crate::Author]) -> String {
        if people.is_empty() {
            return self.finish();
        }
        let people = serde_json::to_string(people).expect("authors have no unencodable part");
        infallible(write!(self.text, r#"],"people":{people}}}"#));
        self.text
    }
}

#[cfg(feature = "serde")]
pub use with_serde::{Entry, RawOperation};

#[cfg(feature = "serde")]
mod with_serde {
    use ot_core::{DecodeError, Limits, Operation};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::value::RawValue;

    use crate::id::{AuthorNumber, TextHash};

    /// An operation in its JSON form, kept as the text it arrived as: what was sent can be sent
    /// again byte for byte, and checking it is a step of its own with its own answers.
    ///
    /// Invariant: the text of one JSON value. Whether that value is an operation is for
    /// `ot_core::Operation::from_json` to say.
    #[derive(Clone, Debug)]
    pub struct RawOperation(Box<RawValue>);

    impl RawOperation {
        /// The operation with this JSON form.
        ///
        /// # Errors
        /// When `json` is not one JSON value.
        pub fn new(json: String) -> Result<Self, serde_json::Error> {
            RawValue::from_string(json).map(RawOperation)
        }

        /// The JSON form.
        pub fn as_str(&self) -> &str {
            self.0.get()
        }

        /// The operation itself.
        ///
        /// # Errors
        /// When it is malformed or beyond `limits`; `RejectCode::from` says how that is answered.
        pub fn decode(&self, limits: &Limits) -> Result<Operation, DecodeError> {
            Operation::from_json(self.as_str(), limits)
        }
    }

    impl From<&Operation> for RawOperation {
        fn from(operation: &Operation) -> Self {
            RawOperation::new(operation.to_json()).expect("an operation's JSON form is JSON")
        }
    }

    impl From<Box<RawValue>> for RawOperation {
        fn from(value: Box<RawValue>) -> Self {
            RawOperation(value)
        }
    }

    impl PartialEq for RawOperation {
        fn eq(&self, other: &Self) -> bool {
            self.as_str() == other.as_str()
        }
    }

    impl Serialize for RawOperation {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for RawOperation {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Box::<RawValue>::deserialize(deserializer).map(RawOperation)
        }
    }

    /// One entry of an `ops` frame. Each stands after the one before it.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(try_from = "Fields", into = "Fields")]
    #[cfg_attr(test, derive(ts_rs::TS))]
    #[cfg_attr(
        test,
        ts(
            type = "{ op: OperationJson, by: AuthorNumber } | { op: OperationJson, to: number } | { ack: number } | { check: TextHash }"
        )
    )]
    pub enum Entry {
        /// One committed operation and its author; the next revision.
        Op {
            /// The operation.
            op: RawOperation,
            /// Who made it.
            by: AuthorNumber,
        },
        /// Several committed operations composed into one.
        Composed {
            /// The operation.
            op: RawOperation,
            /// The revision it leads to.
            to: u64,
        },
        /// The receiver's own submission of this number; the next revision.
        Ack {
            /// The submission's number.
            ack: u64,
        },
        /// The hash of the text here; no revision.
        Check {
            /// The hash.
            check: TextHash,
        },
    }

    /// An entry as its optional fields: serde reads an untagged enum through a buffer that loses
    /// the operation's text.
    #[derive(Default, Serialize, Deserialize)]
    struct Fields {
        #[serde(skip_serializing_if = "Option::is_none")]
        op: Option<RawOperation>,
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<AuthorNumber>,
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        ack: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        check: Option<TextHash>,
    }

    impl TryFrom<Fields> for Entry {
        type Error = &'static str;

        fn try_from(fields: Fields) -> Result<Self, &'static str> {
            match fields {
                Fields { op: Some(op), by: Some(by), to: None, ack: None, check: None } => {
                    Ok(Entry::Op { op, by })
                }
                Fields { op: Some(op), by: None, to: Some(to), ack: None, check: None } => {
                    Ok(Entry::Composed { op, to })
                }
                Fields { op: None, by: None, to: None, ack: Some(ack), check: None } => {
                    Ok(Entry::Ack { ack })
                }
                Fields { op: None, by: None, to: None, ack: None, check: Some(check) } => {
                    Ok(Entry::Check { check })
                }
                _ => Err("an entry has op and by, op and to, ack, or check"),
            }
        }
    }

    impl From<Entry> for Fields {
        fn from(entry: Entry) -> Self {
            let mut fields = Fields::default();
            match entry {
                Entry::Op { op, by } => (fields.op, fields.by) = (Some(op), Some(by)),
                Entry::Composed { op, to } => (fields.op, fields.to) = (Some(op), Some(to)),
                Entry::Ack { ack } => fields.ack = Some(ack),
                Entry::Check { check } => fields.check = Some(check),
            }
            fields
        }
    }
}
