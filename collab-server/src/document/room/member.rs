//! One live session of a document.

use std::collections::VecDeque;
use std::sync::Arc;

use collab_protocol::Role;
use ot_core::Revision;
use tokio::sync::Notify;

use super::Answer;
use super::figure::Figure;
use crate::document::feed::Ended;
use crate::rights::Visitor;

/// A live session.
#[derive(Clone, Debug)]
pub(in crate::document) struct Member {
    /// How others see it.
    pub(super) figure: Figure,
    pub(super) visitor: Visitor,
    /// What they may do.
    pub(in crate::document) role: Role,
    /// Where their stream ends, once they may not read any more.
    pub(in crate::document) cut: Option<Revision>,
    /// Where its stream began: own submissions up to here are acknowledged apart.
    pub(super) start: Revision,
    /// Up to where its writer has taken the stream.
    pub(in crate::document) sent: Revision,
    pub(super) wake: Arc<Notify>,
    /// The version of the presence that it entered with.
    pub(super) entered: u64,
    /// The version of the presence that its writer has sent.
    pub(in crate::document) seen: u64,
    pub(in crate::document) answers: VecDeque<Answer>,
    pub(in crate::document) ended: Option<Ended>,
}

impl Member {
    /// A session that enters as its figure came, and has been told of all before `seen`.
    pub(super) fn new(
        figure: Figure,
        (visitor, role): (Visitor, Role),
        start: Revision,
        wake: Arc<Notify>,
        seen: u64,
    ) -> Member {
        Member {
            entered: figure.changed,
            figure,
            visitor,
            role,
            cut: None,
            start,
            sent: start,
            wake,
            seen,
            answers: VecDeque::new(),
            ended: None,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.ended.is_none()
    }
}
