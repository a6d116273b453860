//! docs/history.md says what the program does: its examples are the bodies of answers.

use collab_protocol::*;
use serde_json::Value;

const PAGE: &str = include_str!("../../../docs/history.md");

/// Reads each example of a kind as a type and holds what that writes against the example, so that a
/// field that the type does not know is seen.
fn reads_as<T: serde::Serialize + serde::de::DeserializeOwned>(kind: &str) {
    let fence = format!("```json {kind}\n");
    let blocks: Vec<&str> = PAGE.split(fence.as_str()).skip(1).collect();
    assert!(!blocks.is_empty(), "no example of {kind}");
    for block in blocks {
        let example = block.split("```").next().unwrap_or_default().trim();
        let read: T =
            serde_json::from_str(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        let value: Value = serde_json::from_str(example).expect("JSON");
        assert_eq!(serde_json::to_value(&read).expect("JSON"), value);
    }
}

#[test]
fn every_example_of_an_answer_is_one() {
    reads_as::<HistoryPage>("page");
    reads_as::<HistorySummary>("summary");
    reads_as::<RevisionDiff>("diff");
    reads_as::<Attribution>("attribution");
    reads_as::<Version>("version");
    reads_as::<VersionList>("versions");
    reads_as::<RevisionRestored>("restored");
    reads_as::<SeenMark>("seen");
}
