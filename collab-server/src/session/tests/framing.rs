//! What is no WebSocket is told so by the close codes of RFC 6455.

use tokio::io::AsyncWriteExt;

use super::*;

/// The code that these bytes, behind a good upgrade, are closed with.
async fn closed_with(server: &Server, bytes: &[u8]) -> u16 {
    let mut peer = server.dial(1);
    peer.pipe.as_mut().expect("nothing is read yet").write_all(bytes).await.expect("taken");
    loop {
        if let Err(code) = peer.any().await {
            return code;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn text_that_is_not_utf8_is_closed_with_1007() {
    let server = Server::start(&[]).await;
    // A masked text frame of two bytes, under a mask of zeros.
    assert_eq!(closed_with(&server, b"\x81\x82\0\0\0\0\xff\xfe").await, 1007);
    // Half a character at the end of a message.
    assert_eq!(closed_with(&server, b"\x81\x81\0\0\0\0\xc3").await, 1007);
    server.connect(2).await.is_served().await;
}

#[tokio::test(start_paused = true)]
async fn frames_that_break_the_rules_are_closed_with_1002() {
    let server = Server::start(&[]).await;
    let broken: [(&str, &[u8]); 4] = [
        ("without a mask", b"\x81\x01x"),
        ("reserved bits", b"\xf1\x80\0\0\0\0"),
        ("an unknown opcode", b"\x83\x80\0\0\0\0"),
        ("a continuation of nothing", b"\x80\x80\0\0\0\0"),
    ];
    for (what, bytes) in broken {
        assert_eq!(closed_with(&server, bytes).await, 1002, "{what}");
    }
    server.connect(2).await.is_served().await;
}

/// A text message under a mask of zeros: a ping of so many bytes, most of them blanks.
fn ping(len_bytes: u16) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend(len_bytes.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(format!("{:len$}", r#"{"type":"ping","t":7}"#, len = len_bytes.into()).bytes());
    frame
}

#[tokio::test(start_paused = true)]
async fn messages_are_read_whole_whatever_their_length_and_how_they_come() {
    let server = Server::start(&[]).await;
    let lengths = [21, 255, 256, 257, 4_000, 4_095, 4_096, 4_097, 9_000];
    let bytes: Vec<u8> = lengths.into_iter().flat_map(ping).collect();
    for (ahead, person) in [0, 1, 10, 5_000, bytes.len()].into_iter().zip(1..) {
        let (ahead, later) = bytes.split_at(ahead);
        let mut peer = server.dial_with(person, Bytes::copy_from_slice(ahead));
        peer.pipe.as_mut().expect("nothing is read yet").write_all(later).await.expect("taken");
        assert_eq!(peer.next().await["type"], "welcome");
        for _ in lengths {
            assert_eq!(peer.next().await, json!({"type": "pong", "t": 7.0}), "{}", ahead.len());
        }
    }
}
