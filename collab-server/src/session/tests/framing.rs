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
