//! What can be asked, and the least role that may ask it.

use collab_protocol::{ClientMessage, Role};

use crate::auth::Kind;
use crate::config::{Operators, TopicsTell};

/// Everything that somebody can ask: one for each kind of message, and one for each REST call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Action {
    Auth,
    Join,
    Submit,
    Select,
    Leave,
    Ping,
    ChatOpen,
    ChatSend,
    ChatEdit,
    ChatDelete,
    ChatBefore,
    ChatTyping,
    ChatRead,
    ChatLocate,
    Watch,
    Unwatch,
    Tell,
    CreateDocument,
    ListDocuments,
    ReadDocument,
    RenameDocument,
    DeleteDocument,
    RestoreDocument,
    ReadText,
    SetText,
    EditText,
    ReadHistory,
    ReadSummary,
    ReadDiff,
    ReadAttribution,
    ListVersions,
    CreateVersion,
    RenameVersion,
    DeleteVersion,
    RestoreRevision,
    ReadSeen,
    MarkSeen,
    ReadSharing,
    SetLink,
    SetPerson,
    RemovePerson,
    ReadMe,
    UpdateMe,
    TellEvent,
    PublishValue,
    ReadNotifications,
    MarkNotificationsRead,
    Notify,
    FiguresOpen,
    FiguresClose,
    ReadFigures,
}

/// The least that somebody must be for an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: it is about no document, or about the connection.
    Nothing,
    /// This role in the document, or one above it.
    Role(Role),
    /// To be a back end.
    Service,
}

impl Action {
    /// What the action needs: the table.
    pub(crate) const fn needs(self) -> Needs {
        match self {
            Action::Auth
            | Action::Leave
            | Action::Ping
            // Within one's tenant; telling has a rule of its own.
            | Action::Watch
            | Action::Unwatch
            | Action::Tell
            // Of one's own documents; those of the server have a rule of their own.
            | Action::FiguresOpen
            | Action::FiguresClose
            | Action::ReadFigures
            | Action::CreateDocument
            | Action::ListDocuments
            | Action::ReadMe
            | Action::UpdateMe
            // One's own.
            | Action::ReadNotifications
            | Action::MarkNotificationsRead => Needs::Nothing,
            Action::Join
            | Action::Select
            | Action::ChatOpen
            | Action::ChatBefore
            | Action::ChatRead
            | Action::ChatLocate
            | Action::ReadDocument
            | Action::ReadText
            | Action::ReadHistory
            | Action::ReadSummary
            | Action::ReadDiff
            | Action::ReadAttribution
            | Action::ListVersions
            | Action::ReadSeen
            | Action::MarkSeen
            | Action::ReadSharing
            // Oneself: leaving. Others are the owner's to remove.
            | Action::RemovePerson => Needs::Role(Role::Viewer),
            Action::ChatSend
            | Action::ChatTyping
            // One's own. As an owner, delete anybody's.
            | Action::ChatEdit
            | Action::ChatDelete => Needs::Role(Role::Commenter),
            Action::Submit
            | Action::SetText
            | Action::EditText
            | Action::RenameDocument
            | Action::CreateVersion
            // One's own. Others' are the owner's to change.
            | Action::RenameVersion
            | Action::DeleteVersion
            | Action::RestoreRevision => Needs::Role(Role::Editor),
            Action::DeleteDocument
            | Action::RestoreDocument
            | Action::SetLink
            | Action::SetPerson => Needs::Role(Role::Owner),
            Action::TellEvent | Action::PublishValue | Action::Notify => Needs::Service,
        }
    }
}

/// A message without a rule does not compile.
impl From<&ClientMessage> for Action {
    fn from(message: &ClientMessage) -> Self {
        match message {
            ClientMessage::Auth(_) => Action::Auth,
            ClientMessage::Join(_) => Action::Join,
            ClientMessage::Submit(_) => Action::Submit,
            ClientMessage::Select(_) => Action::Select,
            ClientMessage::Leave(_) => Action::Leave,
            ClientMessage::Ping(_) => Action::Ping,
            ClientMessage::ChatOpen(_) => Action::ChatOpen,
            ClientMessage::ChatSend(_) => Action::ChatSend,
            ClientMessage::ChatEdit(_) => Action::ChatEdit,
            ClientMessage::ChatDelete(_) => Action::ChatDelete,
            ClientMessage::ChatBefore(_) => Action::ChatBefore,
            ClientMessage::ChatTyping(_) => Action::ChatTyping,
            ClientMessage::ChatRead(_) => Action::ChatRead,
            ClientMessage::ChatLocate(_) => Action::ChatLocate,
            ClientMessage::Watch(_) => Action::Watch,
            ClientMessage::Unwatch(_) => Action::Unwatch,
            ClientMessage::Tell(_) => Action::Tell,
            ClientMessage::FiguresOpen(_) => Action::FiguresOpen,
            ClientMessage::FiguresClose(_) => Action::FiguresClose,
        }
    }
}

/// Whether who has this role may do this.
pub(crate) const fn allows(role: Role, action: Action) -> bool {
    match action.needs() {
        Needs::Nothing => true,
        Needs::Service => false,
        Needs::Role(least) => rank(role) >= rank(least),
    }
}

/// Whether somebody may tell topics of their tenant something over a connection. `has_guests_only`:
/// nobody can come with a token.
pub(crate) const fn may_tell(policy: TopicsTell, who: Kind, has_guests_only: bool) -> bool {
    match (policy, who) {
        (_, Kind::Service) | (TopicsTell::All, _) | (TopicsTell::People, Kind::Person) => true,
        (TopicsTell::People, Kind::Guest) => has_guests_only,
        (TopicsTell::None, Kind::Person | Kind::Guest) => false,
    }
}

/// Whether somebody may see how much goes on on the whole server. `is_private`: it is a server of
/// one's own, which nobody reaches from elsewhere.
pub(crate) const fn may_see_server(policy: Operators, is_operator: bool, is_private: bool) -> bool {
    match policy {
        Operators::All => true,
        Operators::Tokens => is_operator,
        Operators::Auto => is_operator || is_private,
    }
}

const fn rank(role: Role) -> u8 {
    match role {
        Role::Viewer => 0,
        Role::Commenter => 1,
        Role::Editor => 2,
        Role::Owner => 3,
    }
}
