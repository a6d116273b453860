//! docs/protocol.md says what the program does: its examples are messages, its tables the lists.

use collab_protocol::*;
use ot_core::{Limits, Operation};
use serde_json::Value;

const PAGE: &str = include_str!("../../../docs/protocol.md");

/// The examples of one kind, one a line.
fn examples(kind: &str) -> Vec<&'static str> {
    let fence = format!("```json {kind}\n");
    let blocks: Vec<&str> = PAGE.split(fence.as_str()).skip(1).collect();
    let lines = blocks.iter().flat_map(|block| block.split("```").next().unwrap_or("").lines());
    let lines: Vec<&str> = lines.collect();
    assert!(!lines.is_empty(), "no example of {kind}");
    lines
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Reads an example as a type and holds what that writes against the example, so that a field that
/// the type does not know is seen.
fn reads_as<T: serde::Serialize + serde::de::DeserializeOwned>(kind: &str) {
    for example in examples(kind) {
        let read: T =
            serde_json::from_str(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        assert_eq!(serde_json::to_value(&read).expect("JSON"), value(example));
    }
}

#[test]
fn every_example_of_a_message_is_one() {
    for example in examples("client") {
        let message =
            ClientMessage::decode(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        assert_eq!(value(&message.to_json()), value(example));
    }
    for example in examples("server") {
        let message =
            ServerMessage::decode(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        assert_eq!(value(&message.to_json()), value(example));
    }
    reads_as::<DocumentInfo>("document");
    reads_as::<DocumentList>("documents");
    reads_as::<Me>("me");
    reads_as::<OpenSession>("open session");
    reads_as::<SessionOpened>("session");
    reads_as::<ErrorBody>("problem");
    reads_as::<Sharing>("sharing");
    reads_as::<UpdateSharing>("update-sharing");
    reads_as::<SetPerson>("set-person");
    reads_as::<NewEvent>("event");
    reads_as::<PublishValue>("value");
    reads_as::<EventTaken>("taken");
    reads_as::<NotificationPage>("notifications");
    reads_as::<ReadNotifications>("read notifications");
    reads_as::<NotificationsRead>("notifications read");
    reads_as::<NewNotification>("new notification");
    reads_as::<NotificationTaken>("notification taken");
}

#[test]
fn every_example_of_a_bad_message_is_one() {
    for example in examples("rejected") {
        let error = ClientMessage::decode(example).expect_err(example);
        assert!(matches!(error, Undecodable::Submission { seq: 4, .. }), "{example}: {error}");
    }
    for example in examples("bad") {
        let error = ClientMessage::decode(example).expect_err(example);
        assert!(matches!(error, Undecodable::Message(_)), "{example}: {error}");
    }
}

#[test]
fn every_type_of_message_has_an_example() {
    let found = |kind: &str, wanted: &str| {
        examples(kind).iter().any(|example| value(example)["type"] == wanted)
    };
    for kind in ClientMessage::KINDS {
        assert!(found("client", kind), "{kind}");
    }
    for kind in ServerMessage::KINDS {
        assert!(found("server", kind), "{kind}");
    }
}

#[test]
fn the_operation_of_the_page_does_what_the_page_says() {
    for example in examples("operation") {
        let operation = Operation::from_json(example, &Limits::NONE).expect("an operation");
        assert_eq!(operation.apply("Hello world").expect("it fits"), "Hello there");
    }
}

fn has_row(row: &str) {
    assert!(PAGE.lines().any(|line| line == row), "docs/protocol.md lacks the row\n{row}");
}

#[test]
fn the_tables_list_every_code_and_limit() {
    let retry = |retryable| if retryable { "retry" } else { "final" };
    for code in RejectCode::ALL {
        has_row(&format!("| `{code}` | {} | {} |", retry(code.retryable()), code.sentence()));
    }
    for code in ErrorCode::ALL {
        has_row(&format!("| `{code}` | {} | {} |", retry(code.retryable()), code.sentence()));
    }
    for code in ChatCode::ALL {
        has_row(&format!("| `{code}` | {} | {} |", retry(code.retryable()), code.sentence()));
    }
    for code in CloseCode::ALL {
        let again = match code.retry() {
            Retry::Yes => "yes",
            Retry::Later => "later",
            Retry::WithNewToken => "with a new token",
            Retry::No => "no",
        };
        has_row(&format!("| {} | {} | {again} |", code.get(), code.reason()));
    }
    let codes = RejectCode::ALL.len() + ErrorCode::ALL.len() + ChatCode::ALL.len();
    let rows =
        PAGE.lines().filter(|line| line.contains("` | final | ") || line.contains("` | retry | "));
    assert_eq!(rows.count(), codes, "a row for a code that is none");
    let limits = serde_json::to_value(WireLimits::default()).expect("JSON");
    for (name, default) in limits.as_object().expect("an object") {
        let start = format!("| `{name}` | {default} | ");
        assert!(PAGE.lines().any(|line| line.starts_with(&start)), "{start}");
    }
}

#[test]
fn the_hashes_of_the_page_are_those_of_its_texts() {
    for text in ["Hello world", "xzaby"] {
        let hash = ot_core::Text::from(text).hash().to_string();
        assert!(PAGE.contains(&format!("\"{hash}\"")), "{text}: {hash}");
    }
}
