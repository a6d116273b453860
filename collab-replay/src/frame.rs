//! Frames of the socket, as far as a report holds them: neither people nor titles are in it.

use serde::Deserialize;
use serde_json::Value;

/// A frame from the server.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Frame {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) rev: Option<u64>,
    #[serde(default)]
    pub(crate) seq: Option<u64>,
    #[serde(default)]
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) ops: Vec<Entry>,
}

/// One entry of an `ops` frame.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Entry {
    #[serde(default)]
    pub(crate) op: Option<Value>,
    #[serde(default)]
    pub(crate) to: Option<u64>,
    #[serde(default)]
    pub(crate) ack: Option<u64>,
    #[serde(default)]
    pub(crate) check: Option<String>,
}

impl Frame {
    pub(crate) fn title(&self) -> String {
        let mut title = self.kind.clone();
        if let Some(rev) = self.rev {
            title.push_str(&format!(" at revision {rev}"));
        }
        if !self.ops.is_empty() {
            title.push_str(&format!(", {} entries", self.ops.len()));
        }
        if let Some(code) = &self.code {
            title.push_str(&format!(" ({code})"));
        }
        title
    }
}

/// An operation of the protocol as the engine takes it: components apart by NUL, texts behind a
/// quotation mark. What is no operation becomes something that the engine refuses.
pub(crate) fn fields(operation: &Value) -> String {
    let part = |part: &Value| match part {
        Value::String(text) => format!("\"{text}"),
        other => other.to_string(),
    };
    match operation {
        Value::Array(parts) => parts.iter().map(part).collect::<Vec<_>>().join("\0"),
        other => part(other),
    }
}

/// The fields of a submission, as the engine gives them, as the client writes them into a frame.
pub(crate) fn submission_json(fields: &str) -> String {
    let mut parts = fields.split('\0');
    let mut next = || parts.next().unwrap_or_default();
    let (seq, rev, ranges) = (next(), next(), next());
    let op: Vec<Value> = parts
        .map(|part| match part.strip_prefix('"') {
            Some(text) => Value::from(text),
            None => part.parse::<i64>().map_or(Value::Null, Value::from),
        })
        .collect();
    let op = Value::from(op);
    let ranges = if ranges.is_empty() { String::new() } else { format!(",\"ranges\":{ranges}") };
    format!("\"seq\":{seq},\"rev\":{rev},\"op\":{op}{ranges}")
}

/// What a sent frame is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent<'a> {
    /// A submission: what stands between its channel and its last brace.
    Submit(&'a str),
    /// A selection, likewise.
    Select(&'a str),
    /// The client leaves or joins: whatever else the last frame held is of no account.
    Turns,
    /// Anything else.
    Other,
}

pub(crate) fn sent(frame: &str) -> Sent<'_> {
    let of = |kind: &str| {
        let rest = frame.strip_prefix("{\"type\":\"")?.strip_prefix(kind)?;
        let rest = rest.strip_prefix("\",\"ch\":")?;
        let rest = rest.trim_start_matches(|character: char| character.is_ascii_digit());
        rest.strip_prefix(',')?.strip_suffix('}')
    };
    if let Some(body) = of("submit") {
        return Sent::Submit(body);
    }
    if let Some(body) = of("select") {
        return Sent::Select(body);
    }
    let turns = ["{\"type\":\"leave\"", "{\"type\":\"join\""];
    if turns.iter().any(|start| frame.starts_with(start)) { Sent::Turns } else { Sent::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_is_written_as_the_client_writes_it() {
        let fields = "3\u{0}7\u{0}[[2,2]]\u{0}2\u{0}\"a\"b\\\n\u{1}😀\u{2028}\u{0}-1";
        let json = "\"seq\":3,\"rev\":7,\"op\":[2,\"a\\\"b\\\\\\n\\u0001😀\u{2028}\",-1],\"ranges\":[[2,2]]";
        assert_eq!(submission_json(fields), json);
        assert_eq!(submission_json("1\u{0}0\u{0}\u{0}\"x"), "\"seq\":1,\"rev\":0,\"op\":[\"x\"]");
    }

    #[test]
    fn a_sent_frame_is_known_by_its_beginning() {
        assert_eq!(sent("{\"type\":\"submit\",\"ch\":12,\"seq\":1}"), Sent::Submit("\"seq\":1"));
        assert_eq!(sent("{\"type\":\"select\",\"ch\":1,\"rev\":0}"), Sent::Select("\"rev\":0"));
        assert_eq!(sent("{\"type\":\"leave\",\"ch\":1}"), Sent::Turns);
        assert_eq!(sent("{\"type\":\"submit\""), Sent::Other);
    }
}
