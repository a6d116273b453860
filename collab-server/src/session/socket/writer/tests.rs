//! What is written is what the library's client reads.

use std::collections::VecDeque;
use std::io::Cursor;
use std::task::Waker;

use proptest::prelude::*;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketContext};

use super::*;

/// A stream that takes so many bytes at a time, in turn; of 0 it takes none for now.
struct Narrow {
    takes: VecDeque<usize>,
    taken: Vec<u8>,
}

impl AsyncWrite for Narrow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let take = self.takes.pop_front().expect("a turn");
        self.takes.push_back(take);
        if take == 0 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let take = take.min(bytes.len());
        self.taken.extend_from_slice(&bytes[..take]);
        Poll::Ready(Ok(take))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write(context, &slices.concat_bytes())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

trait ConcatBytes {
    fn concat_bytes(&self) -> Vec<u8>;
}

impl ConcatBytes for [IoSlice<'_>] {
    fn concat_bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|slice| slice.iter().copied()).collect()
    }
}

/// Something that is to be sent, and behind how many turns of the stream.
#[derive(Clone, Debug)]
enum Said {
    Text(usize),
    Escaped(usize),
    Ping([u8; 8]),
    Pong(Vec<u8>),
}

fn said() -> impl Strategy<Value = Said> {
    let edges = [0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537];
    let fragments = [FRAGMENT_BYTES - 1, FRAGMENT_BYTES, FRAGMENT_BYTES + 1, 3 * FRAGMENT_BYTES];
    let len = prop_oneof![
        prop::sample::select(edges.to_vec()),
        prop::sample::select(fragments.to_vec()),
        0..300_usize,
    ];
    prop_oneof![
        4 => len.clone().prop_map(Said::Text),
        2 => len.prop_map(Said::Escaped),
        1 => any::<[u8; 8]>().prop_map(Said::Ping),
        1 => prop::collection::vec(any::<u8>(), 0..=125).prop_map(Said::Pong),
    ]
}

fn text(len: usize) -> String {
    "漢a\u{1F980}\n".chars().cycle().take(len).collect()
}

fn poll(writer: &mut Writer, stream: &mut Narrow) -> bool {
    let poll = writer.poll_write(stream, &mut Context::from_waker(Waker::noop()));
    assert!(!matches!(poll, Poll::Ready(Err(_))), "the stream never fails");
    poll.is_ready()
}

/// What the library's client makes of these bytes, up to their end.
fn read(bytes: Vec<u8>) -> Vec<Message> {
    let mut stream = Cursor::new(bytes);
    let mut client = WebSocketContext::new(Role::Client, None);
    std::iter::from_fn(|| client.read(&mut Reading(&mut stream)).ok()).collect()
}

/// What a client says is of no interest.
struct Reading<'c>(&'c mut Cursor<Vec<u8>>);

impl io::Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl io::Write for Reading<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends all of it through a stream that takes `takes`: texts each behind the one before, controls
/// as soon as they are said. Gives the texts and the controls, as sent and as read.
fn check(said: &[Said], takes: &[usize]) {
    let mut stream = Narrow { takes: takes.iter().copied().collect(), taken: Vec::new() };
    let mut writer = Writer::default();
    let (mut texts, mut controls) = (Vec::new(), Vec::new());
    for (index, said) in said.iter().enumerate() {
        match said {
            Said::Text(len) | Said::Escaped(len) => {
                while !poll(&mut writer, &mut stream) {}
                let (frame, text) = match said {
                    Said::Text(_) => (Frame::from("x".repeat(*len)), "x".repeat(*len)),
                    _ => {
                        let json = serde_json::json!({ "text": text(*len) }).to_string();
                        (Frame::with_text(r#"{"text":""}"#.to_owned(), text(*len).into()), json)
                    }
                };
                writer.send(frame);
                texts.push(Message::text(text));
            }
            Said::Ping(payload) if writer.ping.is_none() => {
                writer.ping(*payload);
                controls.push(Message::Ping(Bytes::copy_from_slice(payload)));
            }
            Said::Pong(payload) if writer.pong.is_none() => {
                writer.pong(payload);
                controls.push(Message::Pong(payload.clone().into()));
            }
            Said::Ping(_) | Said::Pong(_) => {}
        }
        // What follows is said while this is on its way, at one place or another.
        (0..index % 3).for_each(|_| {
            poll(&mut writer, &mut stream);
        });
    }
    while !poll(&mut writer, &mut stream) {}
    let close = CloseFrame { code: CloseCode::Restart, reason: "bye".into() };
    writer.close(Some(close.clone()));
    writer.send(Frame::from("too late".to_owned()));
    while !poll(&mut writer, &mut stream) {}

    let mut read = read(stream.taken);
    assert_eq!(read.pop(), Some(Message::Close(Some(close))));
    let (found_texts, mut found_controls): (Vec<_>, Vec<_>) =
        read.into_iter().partition(Message::is_text);
    assert!(found_texts == texts, "{said:?} through {takes:?}");
    let order = |message: &Message| (message.is_ping(), message.clone().into_data());
    found_controls.sort_by_key(order);
    controls.sort_by_key(order);
    assert_eq!(found_controls, controls);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_as_it_was_sent(
        said in prop::collection::vec(said(), 1..8),
        takes in prop::collection::vec(prop_oneof![0..20_usize, 1_000..70_000_usize], 1..8),
    ) {
        let mut takes = takes;
        takes.push(7);
        check(&said, &takes);
    }
}

#[test]
fn every_length_near_the_limits_of_the_header_is_read_as_it_was_sent() {
    for len in (0..=300).chain(65_500..=65_570) {
        check(&[Said::Text(len)], &[usize::MAX]);
        check(&[Said::Pong(vec![7; len.min(125)]), Said::Text(len)], &[1, 0, 100_000]);
    }
    for len in [125, 126, 65_535, 65_536] {
        check(&[Said::Text(len)], &[1]);
    }
}

#[test]
fn a_ping_and_a_pong_pass_between_the_fragments_of_a_long_message() {
    let mut stream = Narrow { takes: VecDeque::from([100, 0]), taken: Vec::new() };
    let mut writer = Writer::default();
    writer.send(Frame::from("x".repeat(3 * FRAGMENT_BYTES)));
    assert!(!poll(&mut writer, &mut stream));
    writer.ping([1; 8]);
    writer.pong(b"asked");
    while !poll(&mut writer, &mut stream) {}
    let read = read(stream.taken);
    assert!(read[0].is_pong() && read[1].is_ping() && read[2].is_text(), "{read:?}");
}

#[test]
fn what_others_share_is_let_go_of_once_it_is_taken() {
    let shared = Bytes::from("x".repeat(FRAGMENT_BYTES + 1));
    let mut stream = Narrow { takes: VecDeque::from([usize::MAX]), taken: Vec::new() };
    let mut writer = Writer::default();
    writer.send(Frame::from(shared.clone()));
    assert!(poll(&mut writer, &mut stream));
    assert!(shared.is_unique(), "nothing of it is held");
}
