//! The closed lists of codes: what a server answers when it cannot do what was asked, and why it
//! closes a connection. A code's text never changes its meaning; its sentence may.

use std::fmt;
use std::str::FromStr;

/// A text that is none of a list's codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a known code")]
pub struct UnknownCode(String);

impl UnknownCode {
    /// This text is none.
    #[cfg(feature = "serde")]
    pub(crate) fn new(text: &str) -> Self {
        UnknownCode(text.to_owned())
    }
}

macro_rules! text_codes {
    (
        $(#[$doc:meta])* pub enum $name:ident {
            $( #[doc = $sentence:literal] $variant:ident = $text:literal, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(test, derive(ts_rs::TS))]
        pub enum $name {
            $( #[doc = $sentence] #[cfg_attr(feature = "serde", serde(rename = $text))] $variant, )*
        }

        impl $name {
            /// Every code of the list, in the order of its documentation.
            pub const ALL: &'static [$name] = &[$( $name::$variant ),*];

            /// The code as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $( $name::$variant => $text ),* }
            }

            /// One sentence that explains the code to a person.
            pub fn sentence(self) -> &'static str {
                match self { $( $name::$variant => $sentence.trim_ascii() ),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownCode;

            fn from_str(text: &str) -> Result<Self, UnknownCode> {
                $name::ALL
                    .iter()
                    .copied()
                    .find(|code| code.as_str() == text)
                    .ok_or_else(|| UnknownCode(text.to_owned()))
            }
        }
    };
}

text_codes! {
    /// Why a submission was not committed. [`RejectCode::retryable`] says what to do next.
    pub enum RejectCode {
        /// The operation does not parse, is not in normal form, or does not span the text at its base revision.
        BadOp = "bad_op",
        /// The inserted text holds a NUL, a carriage return or half a surrogate pair.
        BadText = "bad_text",
        /// The ranges are malformed, too many, or lie outside the text that the operation leaves.
        BadRanges = "bad_ranges",
        /// The base revision is one the document has not reached.
        FutureBase = "future_base",
        /// The submission number is below the client's last one and no commit is known under it.
        StaleSeq = "stale_seq",
        /// The submission number was used before for another operation.
        SeqReuse = "seq_reuse",
        /// The operation inserts more text than one operation may; split it.
        TextTooLarge = "text_too_large",
        /// The operation has more components than one operation may; split it.
        TooManyComponents = "too_many_components",
        /// The document would grow beyond its limit; deletions are still accepted.
        DocumentFull = "document_full",
        /// The document was deleted; it takes edits again once it is restored.
        DocumentDeleted = "document_deleted",
        /// The person may read the document but not edit it.
        Forbidden = "forbidden",
        /// The stored document is damaged and takes no edits until an operator has repaired it.
        DocCorrupt = "doc_corrupt",
        /// Too many submissions: send the same one again after `retry_ms`.
        SlowDown = "slow_down",
        /// The database does not answer: send the same submission again.
        StorageUnavailable = "storage_unavailable",
        /// The document's queue is full: send the same submission again.
        Overloaded = "overloaded",
    }
}

impl RejectCode {
    /// Whether the very same submission (same number, base and operation) is to be sent again.
    ///
    /// Every other code is final: its submission number is used up, and the next submission takes a
    /// higher one.
    pub const fn retryable(self) -> bool {
        matches!(
            self,
            RejectCode::SlowDown | RejectCode::StorageUnavailable | RejectCode::Overloaded
        )
    }
}

impl From<&ot_core::DecodeError> for RejectCode {
    /// How an operation that cannot be read is answered.
    fn from(error: &ot_core::DecodeError) -> Self {
        use ot_core::DecodeError::*;
        match error {
            ForbiddenCharacter { .. } | LoneSurrogate { .. } => RejectCode::BadText,
            TooManyComponents { .. } => RejectCode::TooManyComponents,
            TextTooLarge { .. } => RejectCode::TextTooLarge,
            Malformed { .. } | EmptyComponent { .. } | Length(_) => RejectCode::BadOp,
        }
    }
}

text_codes! {
    /// Why something other than a submission could not be done.
    pub enum ErrorCode {
        /// The message is not JSON, has an unknown type, or lacks a field; the third one closes the connection.
        BadMessage = "bad_message",
        /// The channel number was never given on this connection.
        BadChannel = "bad_channel",
        /// The channel was left, or its document closed it.
        NotJoined = "not_joined",
        /// There is no such document, or this person may not know of it.
        NotFound = "not_found",
        /// The document was deleted by its owner and can be restored by them.
        DocumentDeleted = "document_deleted",
        /// The person may see the document but not do this.
        Forbidden = "forbidden",
        /// This person may not open the document any more; what is not sent stays theirs to copy.
        AccessRevoked = "access_revoked",
        /// The client id belongs to another person; take a new one.
        ClientTaken = "client_taken",
        /// The connection has joined as many documents as one may.
        TooManyDocuments = "too_many_documents",
        /// The connection watches as many topics as one may.
        TooManyTopics = "too_many_topics",
        /// The event's data is larger than an event's may be.
        EventTooLarge = "event_too_large",
        /// A selection names a revision or offsets that the document does not have.
        BadRanges = "bad_ranges",
        /// The message is larger than a message may be.
        MessageTooLarge = "message_too_large",
        /// There is no valid identity with this request.
        Unauthenticated = "unauthenticated",
        /// The request comes from a page of another site.
        ForeignOrigin = "foreign_origin",
        /// The request's body or parameters do not have the documented form.
        BadRequest = "bad_request",
        /// The document has not reached this revision.
        RevisionAhead = "revision_ahead",
        /// The document has as many named versions as one may.
        TooManyVersions = "too_many_versions",
        /// The document is shared with as many people as one may be.
        TooManyPeople = "too_many_people",
        /// The document would grow beyond its limit.
        DocumentFull = "document_full",
        /// Too many requests of this kind; try again after a pause.
        SlowDown = "slow_down",
        /// The database does not answer; try again.
        StorageUnavailable = "storage_unavailable",
        /// The server has more to do than it can; try again later.
        Overloaded = "overloaded",
        /// The stored document is damaged; an operator has to repair it.
        DocCorrupt = "doc_corrupt",
        /// Something failed that should not; the server's log says what.
        Internal = "internal",
    }
}

impl ErrorCode {
    /// Whether asking again later, unchanged, may succeed.
    pub const fn retryable(self) -> bool {
        matches!(
            self,
            ErrorCode::SlowDown
                | ErrorCode::StorageUnavailable
                | ErrorCode::Overloaded
                | ErrorCode::Internal
        )
    }
}

text_codes! {
    /// Why something asked of a chat is not done.
    pub enum ChatCode {
        /// The message id was used before for something else, or by somebody else.
        IdReuse = "id_reuse",
        /// The message is longer than a message may be.
        TextTooLong = "text_too_long",
        /// The message says nothing, or holds a NUL or a carriage return.
        BadText = "bad_text",
        /// The mentions are too many, overlap, or lie outside the text.
        BadMentions = "bad_mentions",
        /// The stretch of the text is empty, or its revision is one the document has not reached.
        BadRef = "bad_ref",
        /// There is no such message.
        NoMessage = "no_message",
        /// The message is somebody else's.
        NotYours = "not_yours",
        /// The message was deleted.
        MessageDeleted = "message_deleted",
        /// The person may read the chat but not do this.
        Forbidden = "forbidden",
        /// There is no such document, or this person may not know of it.
        NotFound = "not_found",
        /// The document was deleted; its chat comes back with it.
        DocumentDeleted = "document_deleted",
        /// The connection has as many documents and chats open as one may.
        TooManyOpen = "too_many_open",
        /// Too many messages: send the same one again after `retry_ms`.
        SlowDown = "slow_down",
        /// The database does not answer: ask the same again.
        StorageUnavailable = "storage_unavailable",
        /// The server has more to do than it can: ask the same again.
        Overloaded = "overloaded",
    }
}

impl ChatCode {
    /// Whether the very same is to be asked again.
    pub const fn retryable(self) -> bool {
        matches!(self, ChatCode::SlowDown | ChatCode::StorageUnavailable | ChatCode::Overloaded)
    }
}

/// What a client does after its connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Connect again, after a random pause.
    Yes,
    /// Connect again, after a longer random pause.
    Later,
    /// Connect again once a new token is at hand.
    WithNewToken,
    /// Do not connect again by itself.
    No,
}

/// Why a server closes a WebSocket connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// The other end goes away: a page is left, a server stops.
    GoingAway = 1001,
    /// What came breaks the rules of WebSocket.
    ProtocolError = 1002,
    /// A text message was not UTF-8.
    InvalidText = 1007,
    /// A frame was larger than a message may be.
    TooLarge = 1009,
    /// The server failed; its log says how.
    Internal = 1011,
    /// The server restarts.
    Restart = 1012,
    /// The server has more connections than it can serve.
    Overloaded = 1013,
    /// Three messages that could not be understood.
    BadMessage = 4400,
    /// The identity was refused or has expired.
    Unauthenticated = 4401,
    /// This person may not be here.
    Forbidden = 4403,
    /// No identity within the deadline.
    AuthDeadline = 4408,
    /// A newer session with the same client id took this one's place.
    Replaced = 4409,
    /// This person has too many connections.
    TooManyConnections = 4429,
    /// The connection took no data for too long.
    TooSlow = 4430,
}

impl CloseCode {
    /// Every code, in numeric order.
    pub const ALL: &'static [CloseCode] = &[
        CloseCode::GoingAway,
        CloseCode::ProtocolError,
        CloseCode::InvalidText,
        CloseCode::TooLarge,
        CloseCode::Internal,
        CloseCode::Restart,
        CloseCode::Overloaded,
        CloseCode::BadMessage,
        CloseCode::Unauthenticated,
        CloseCode::Forbidden,
        CloseCode::AuthDeadline,
        CloseCode::Replaced,
        CloseCode::TooManyConnections,
        CloseCode::TooSlow,
    ];

    /// The number in the close frame.
    pub const fn get(self) -> u16 {
        self as u16
    }

    /// The short reason in the close frame.
    pub const fn reason(self) -> &'static str {
        match self {
            CloseCode::GoingAway => "going away",
            CloseCode::ProtocolError => "protocol error",
            CloseCode::InvalidText => "text is not UTF-8",
            CloseCode::TooLarge => "message too large",
            CloseCode::Internal => "internal error",
            CloseCode::Restart => "restarting",
            CloseCode::Overloaded => "overloaded",
            CloseCode::BadMessage => "bad messages",
            CloseCode::Unauthenticated => "not authenticated",
            CloseCode::Forbidden => "forbidden",
            CloseCode::AuthDeadline => "not authenticated in time",
            CloseCode::Replaced => "replaced by a newer session",
            CloseCode::TooManyConnections => "too many connections",
            CloseCode::TooSlow => "too slow",
        }
    }

    /// Whether and how a client connects again.
    pub const fn retry(self) -> Retry {
        match self {
            // A browser sends neither a broken frame nor broken text: something between did.
            CloseCode::GoingAway
            | CloseCode::ProtocolError
            | CloseCode::InvalidText
            | CloseCode::Internal
            | CloseCode::Restart
            | CloseCode::AuthDeadline
            | CloseCode::TooSlow => Retry::Yes,
            CloseCode::Overloaded | CloseCode::TooManyConnections => Retry::Later,
            CloseCode::Unauthenticated => Retry::WithNewToken,
            CloseCode::TooLarge
            | CloseCode::BadMessage
            | CloseCode::Forbidden
            | CloseCode::Replaced => Retry::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back_from_its_text_and_has_a_sentence() {
        for code in RejectCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert!(code.sentence().ends_with('.'), "{code}");
        }
        for code in ErrorCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert!(code.sentence().ends_with('.'), "{code}");
        }
        for code in ChatCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert!(code.sentence().ends_with('.'), "{code}");
        }
        assert!("nonsense".parse::<ErrorCode>().is_err());
    }

    #[test]
    fn a_close_reason_fits_its_frame() {
        for code in CloseCode::ALL {
            assert!(code.reason().len() <= 123, "{code:?}");
        }
    }
}
