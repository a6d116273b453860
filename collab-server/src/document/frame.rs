//! A message on its way to a client, encoded piece by piece as the connection takes it.
//!
//! A document's text is shared by everyone it is sent to. Encoded as a whole for each of them, a
//! thousand people who open a large document at once would cost as many copies of it, and whoever
//! reads slowly would keep one.

use std::sync::Arc;

use axum::body::Bytes;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// One text message. Pieces that were taken are gone.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// JSON before the text, or all of it.
    head: Bytes,
    /// Boxed: most messages have none, and many may wait.
    rest: Option<Box<Rest>>,
}

/// What follows a message's head.
#[derive(Clone, Debug)]
struct Rest {
    /// What is left of a text that is yet to be escaped, as a byte offset into it.
    text: Option<(Arc<str>, usize)>,
    /// JSON behind the text.
    tail: Bytes,
}

impl From<String> for Frame {
    fn from(json: String) -> Self {
        Frame { head: json.into(), rest: None }
    }
}

impl From<Bytes> for Frame {
    /// Of JSON that several share.
    fn from(json: Bytes) -> Self {
        Frame { head: json, rest: None }
    }
}

impl From<Utf8Bytes> for Frame {
    fn from(json: Utf8Bytes) -> Self {
        Bytes::from(json).into()
    }
}

impl Frame {
    /// A message whose first member that is an empty string called `"text"` is to be this text.
    pub(crate) fn with_text(json: String, text: Arc<str>) -> Self {
        const PLACE: &str = r#""text":""#;
        let place = json.find(PLACE).expect("the message has a text") + PLACE.len();
        let json = Bytes::from(json);
        let rest = Rest { text: Some((text, 0)), tail: json.slice(place..) };
        Frame { head: json.slice(..place), rest: Some(Box::new(rest)) }
    }

    /// About how many bytes are yet to be sent; escapes are not counted.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        let rest = self.rest.as_ref().map_or(0, |rest| {
            let text = rest.text.as_ref().map_or(0, |(text, start)| text.len() - start);
            text + rest.tail.len()
        });
        self.head.len() + rest
    }

    /// Whether everything was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.is_empty() && self.rest.is_none()
    }

    /// Takes the next piece: UTF-8 of about `bytes_max` bytes, and up to six times as many where
    /// the text is all escapes. Pieces may end within a character of JSON that was ready before.
    #[must_use]
    pub fn take(&mut self, bytes_max: usize) -> Bytes {
        if !self.head.is_empty() {
            return self.head.split_to(self.head.len().min(bytes_max));
        }
        let Some(rest) = &mut self.rest else { return Bytes::new() };
        let Some((text, start)) = &mut rest.text else {
            let piece = rest.tail.split_to(rest.tail.len().min(bytes_max));
            if rest.tail.is_empty() {
                self.rest = None;
            }
            return piece;
        };
        let end = text.floor_char_boundary(start.saturating_add(bytes_max.max(4)));
        let quoted = serde_json::to_string(&text[*start..end]).expect("a text is JSON");
        *start = end;
        if end == text.len() {
            rest.text = None;
        }
        let quoted = Bytes::from(quoted);
        quoted.slice(1..quoted.len() - 1)
    }

    /// The message as a whole.
    #[must_use]
    pub fn into_string(mut self) -> String {
        let mut bytes = Vec::with_capacity(self.len_bytes());
        while !self.is_empty() {
            bytes.extend_from_slice(&self.take(usize::MAX));
        }
        String::from_utf8(bytes).expect("JSON is UTF-8")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 5] = ["", "a", "é\n\"漢\\🦀\u{1}\t", "\"text\":\"", "\u{1}\u{2}\u{3}"];

    #[test]
    fn a_message_in_pieces_is_the_message() {
        for text in TEXTS {
            let json = |text: &str| serde_json::json!({ "text": text, "title": "\"text\":\"\"" });
            for bytes_max in [1, 4, 5, 1_000] {
                let mut frame = Frame::with_text(json("").to_string(), text.into());
                assert_eq!(frame.clone().into_string(), json(text).to_string());
                let mut bytes = Vec::new();
                while !frame.is_empty() {
                    let piece = frame.take(bytes_max);
                    assert!(piece.len() <= 6 * bytes_max.max(4), "{piece:?}");
                    bytes.extend_from_slice(&piece);
                }
                assert_eq!(String::from_utf8(bytes).expect("UTF-8"), json(text).to_string());
            }
        }
    }

    #[test]
    fn a_text_is_let_go_of_once_it_is_taken() {
        let text: Arc<str> = "x".repeat(100).into();
        let mut frame = Frame::with_text(r#"{"text":""}"#.to_owned(), text.clone());
        assert_eq!(frame.len_bytes(), 111);
        while !frame.is_empty() {
            let _ = frame.take(30);
        }
        assert_eq!((Arc::strong_count(&text), frame.len_bytes()), (1, 0));
    }
}
