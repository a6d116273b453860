//! The schemas of the REST interface's bodies, as JSON Schema, for an OpenAPI 3.1 document.

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::*;

type Referred = utoipa::openapi::RefOr<Schema>;

/// Texts of a fixed form.
macro_rules! texts {
    ($($name:ty: $about:literal, $pattern:literal, $example:literal;)+) => { $(
        impl PartialSchema for $name {
            fn schema() -> Referred {
                let text = ObjectBuilder::new().schema_type(Type::String);
                let text = text.description(Some($about)).pattern(Some($pattern));
                text.examples([json!($example)]).into()
            }
        }

        impl ToSchema for $name {}
    )+ };
}

texts! {
    DocumentId: "A document: 32 lower-case hexadecimal digits.", "^[0-9a-f]{32}$",
        "00112233445566778899aabbccddeeff";
    MessageId: "A message of a chat: 32 lower-case hexadecimal digits.", "^[0-9a-f]{32}$",
        "00112233445566778899aabbccddeeff";
    NotificationId: "A notification: 32 lower-case hexadecimal digits.", "^[0-9a-f]{32}$",
        "00112233445566778899aabbccddeeff";
    VersionId: "A named version: 32 lower-case hexadecimal digits.", "^[0-9a-f]{32}$",
        "00112233445566778899aabbccddeeff";
    TopicName: "A topic: letters, digits, dots, underscores, colons and hyphens.",
        "^[A-Za-z0-9._:-]{1,128}$", "board:7";
    EventName: "A kind of event: letters, digits, dots, underscores, colons and hyphens.",
        "^[A-Za-z0-9._:-]{1,64}$", "deploy.finished";
    EventId: "What tells an event from others.", "^[!-~]{1,128}$", "deploy-4711";
    UserId: "A person.", "^[!-~]{1,64}$", "g_0123456789abcdef0123456789abcdef";
}

impl PartialSchema for ErrorCode {
    fn schema() -> Referred {
        let codes = ErrorCode::ALL.iter().map(|code| code.as_str());
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.description(Some("What went wrong, from a closed list."))
            .enum_values(Some(codes))
            .into()
    }
}

impl ToSchema for ErrorCode {}

impl PartialSchema for RawOperation {
    fn schema() -> Referred {
        let component = OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::Integer))
            .item(ObjectBuilder::new().schema_type(Type::String));
        ArrayBuilder::new()
            .description(Some(
                "An operation over a whole document: n > 0 keeps n characters, n < 0 deletes -n, a \
                 text inserts.",
            ))
            .items(Referred::T(component.build().into()))
            .into()
    }
}

impl ToSchema for RawOperation {
    fn name() -> Cow<'static, str> {
        "Operation".into()
    }
}

/// Every type of the REST interface, by name, with its schema.
///
/// # Panics
/// Never: a schema is JSON.
pub fn schemas() -> Vec<(String, Value)> {
    fn schema<T: ToSchema>() -> (String, Value) {
        let schema = serde_json::to_value(T::schema()).expect("a schema is JSON");
        (T::name().into_owned(), schema)
    }
    macro_rules! all {
        ($($name:ident)+) => { vec![$( schema::<$name>(), )+] };
    }
    all! {
        AccessBy AttributedRun Attribution ChatPerson CreateDocument CreateVersion DocumentFigures
        DocumentId DocumentInfo DocumentList EditText EditedWhileAway ErrorBody ErrorCode ErrorDetail
        EventId EventName EventTaken EventTarget Figures FiguresOf GivenRole HistoryAuthor
        HistoryBucket HistoryEntry HistoryPage HistorySummary LinkAccess MarkSeen Me
        MentionedInChat MessageId NewEvent NewNotification Notification NotificationAbout
        NotificationId NotificationPage NotificationTaken NotificationsRead OpenSession
        PublishValue RawOperation ReadNotifications RenameDocument RenameVersion RestoreRevision
        RevisionDiff RevisionRestored Role SecondFigures SeenMark ServerFigures SessionOpened
        SetPerson SetText SharedWithYou Sharing SharingPerson Spread TextEdit TextEdited ToldByApp TopicName UpdateMe
        UpdateSharing UserId Version VersionId VersionList
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_that_is_referred_to_is_there() {
        let schemas = schemas();
        let names: Vec<&str> = schemas.iter().map(|(name, _)| name.as_str()).collect();
        let text = json!(schemas.iter().map(|(_, schema)| schema).collect::<Vec<_>>()).to_string();
        let prefix = "\"#/components/schemas/";
        let referred = text.split(prefix).skip(1).filter_map(|rest| rest.split('"').next());
        let missing: Vec<&str> = referred.filter(|name| !names.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(text.contains(prefix));
    }
}
