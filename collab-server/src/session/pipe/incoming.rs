//! Numbered messages on their way up: a body at a time, each message once.

use std::collections::VecDeque;

use axum::body::Bytes;
use collab_protocol::CloseCode;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::session::link::LinkEvent;

/// See the module. The first message is number 1.
#[derive(Debug)]
pub(super) struct Incoming {
    /// Bodies with messages that were not read yet, a message a line.
    bodies: VecDeque<Bytes>,
    bytes: usize,
    /// The number of the message that is to come next.
    next: u64,
    /// What one message may have, in bytes.
    message_max: usize,
    /// A body came that is more than messages may be.
    is_flooded: bool,
}

/// How messages were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// They are here, those that had come before once only.
    All,
    /// They have to wait until others were read.
    Full,
    /// Others must come before them.
    Gap,
}

impl Incoming {
    pub(super) fn new(message_max: usize) -> Self {
        Incoming { bodies: VecDeque::new(), bytes: 0, next: 1, message_max, is_flooded: false }
    }

    /// What one body may have, in bytes: the longest message, or several that are shorter.
    pub(super) fn body_max(&self) -> usize {
        self.message_max
    }

    /// Binds what comes from now on.
    pub(super) fn limit(&mut self, message_max: usize) {
        self.message_max = message_max;
    }

    /// Takes messages, a line each, of which the first has number `first`.
    pub(super) fn take(&mut self, first: u64, body: &Bytes) -> Taken {
        if body.is_empty() {
            return Taken::All;
        }
        if first > self.next {
            return Taken::Gap;
        }
        let mut body = body.clone();
        let mut known = self.next - first;
        while known > 0 {
            match split_line(&mut body) {
                (_, true) => known -= 1,
                (_, false) => return Taken::All,
            }
        }
        if !self.bodies.is_empty() && self.bytes + body.len() > self.message_max {
            return Taken::Full;
        }
        self.next += 1 + body.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.bytes += body.len();
        self.bodies.push_back(body);
        Taken::All
    }

    /// Notes that somebody sent more than a body may have.
    pub(super) fn flood(&mut self) {
        self.is_flooded = true;
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.bodies.is_empty()
    }

    /// Reads the next message.
    pub(super) fn read(&mut self) -> Option<LinkEvent> {
        if self.is_flooded {
            return Some(LinkEvent::TooLarge);
        }
        let body = self.bodies.front_mut()?;
        let before = body.len();
        let (line, has_more) = split_line(body);
        self.bytes -= before - body.len();
        if !has_more {
            self.bodies.pop_front();
        }
        Some(match Utf8Bytes::try_from(line) {
            Ok(text) if text.len() > self.message_max => LinkEvent::TooLarge,
            Ok(text) => LinkEvent::Text(text),
            Err(_) => LinkEvent::Unreadable(CloseCode::InvalidText),
        })
    }
}

/// Takes the first line, and says whether there is another one behind it.
fn split_line(body: &mut Bytes) -> (Bytes, bool) {
    match body.iter().position(|byte| *byte == b'\n') {
        Some(end) => {
            let line = body.split_to(end);
            let _ = body.split_to(1);
            (line, true)
        }
        None => (body.split_off(0), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(incoming: &mut Incoming, first: u64, body: &str) -> Taken {
        incoming.take(first, &Bytes::copy_from_slice(body.as_bytes()))
    }

    fn read_all(incoming: &mut Incoming) -> Vec<String> {
        let texts = std::iter::from_fn(|| incoming.read()).map(|event| match event {
            LinkEvent::Text(text) => text.to_string(),
            other => panic!("{other:?}"),
        });
        texts.collect()
    }

    #[test]
    fn a_message_that_comes_again_is_taken_once() {
        let mut incoming = Incoming::new(100);
        assert_eq!(take(&mut incoming, 1, "a\nb"), Taken::All);
        assert_eq!(take(&mut incoming, 1, "a\nb"), Taken::All);
        assert_eq!(take(&mut incoming, 2, "b\nc\nd"), Taken::All);
        assert_eq!(take(&mut incoming, 1, "a"), Taken::All);
        assert_eq!(read_all(&mut incoming), ["a", "b", "c", "d"]);
        assert_eq!(take(&mut incoming, 4, "d\ne"), Taken::All);
        assert_eq!(read_all(&mut incoming), ["e"]);
        assert_eq!(incoming.bytes, 0);
    }

    #[test]
    fn nothing_is_taken_behind_a_gap() {
        let mut incoming = Incoming::new(100);
        assert_eq!(take(&mut incoming, 2, "b"), Taken::Gap);
        assert_eq!(take(&mut incoming, 1, "a"), Taken::All);
        assert_eq!(take(&mut incoming, 3, "c"), Taken::Gap);
        assert_eq!(read_all(&mut incoming), ["a"]);
    }

    #[test]
    fn what_does_not_fit_waits_and_one_message_always_fits() {
        let mut incoming = Incoming::new(4);
        assert_eq!(take(&mut incoming, 1, "abc"), Taken::All);
        assert_eq!(take(&mut incoming, 2, "de"), Taken::Full);
        assert_eq!(read_all(&mut incoming), ["abc"]);
        assert_eq!(take(&mut incoming, 2, "defg"), Taken::All);
    }

    #[test]
    fn what_is_no_text_or_too_long_is_said_to_be() {
        let mut incoming = Incoming::new(4);
        incoming.take(1, &Bytes::from_static(b"\xff"));
        assert!(matches!(incoming.read(), Some(LinkEvent::Unreadable(CloseCode::InvalidText))));
        take(&mut incoming, 2, "abcd");
        incoming.limit(3);
        assert!(matches!(incoming.read(), Some(LinkEvent::TooLarge)));
        take(&mut incoming, 3, "a");
        incoming.flood();
        assert!(matches!(incoming.read(), Some(LinkEvent::TooLarge)));
    }

    #[test]
    fn an_empty_line_is_a_message_and_an_empty_body_is_none() {
        let mut incoming = Incoming::new(100);
        assert_eq!(take(&mut incoming, 7, ""), Taken::All);
        assert_eq!(take(&mut incoming, 1, "a\n\n"), Taken::All);
        assert_eq!(read_all(&mut incoming), ["a", "", ""]);
        assert!(incoming.is_empty());
    }
}
