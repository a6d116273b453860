//! What a message is about: a stretch of the text that is found again, or gone.

use serde_json::{Value, json};

use super::Talker;
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;

async fn locate(
    talker: &mut Talker,
    from: u64,
    (start, end): (u32, u32),
    to: Option<u64>,
) -> Value {
    let mut asked = json!({"ref": {"rev": from, "start": start, "end": end}});
    if let Some(to) = to {
        asked["to"] = to.into();
    }
    talker.say("chat_locate", asked).await;
    talker.socket.next_of("chat_located").await
}

#[tokio::test]
async fn a_stretch_is_found_behind_every_edit_or_the_revision_that_deleted_it() {
    let server = TestServer::start().await;
    let document = server.create_with_text("one two three").await;
    let (mut writer, _) = RawSocket::join(&server, &document, 1).await;
    // "two" is pushed away, grows within, is typed at from both sides, shrinks, and goes.
    for (seq, op) in [
        (1, r#"["😀 ",13]"#),
        (2, r#"[7,"--",8]"#),
        (3, r#"[6,"<",5,">",6]"#),
        (4, "[7,-2,10]"),
        (5, "[7,-3,7]"),
        (6, r#"[7,"two",7]"#),
    ] {
        let answer = writer.submit(seq, seq, op).await;
        assert_eq!(answer["ack"], seq, "{answer}");
    }
    let mut reader = Talker::open(&server, server.cookie(), &document).await;
    let about = (4, 7);
    for (to, start, end) in [(1, 4, 7), (2, 6, 9), (3, 6, 11), (4, 7, 12), (5, 7, 10)] {
        let located = locate(&mut reader, 1, about, Some(to)).await;
        let expected = json!({"rev": to, "start": start, "end": end});
        assert_eq!(located["at"], expected, "at revision {to}: {located}");
    }
    for to in [Some(6), Some(7), None] {
        let located = locate(&mut reader, 1, about, to).await;
        assert_eq!((&located["gone"], located.get("at")), (&json!(6), None), "{located}");
    }
    // Carried in steps it comes to the same.
    let located = locate(&mut reader, 3, (6, 11), Some(5)).await;
    assert_eq!(located["at"], json!({"rev": 5, "start": 7, "end": 10}));
    for bad in [json!({"rev": 99, "start": 0, "end": 1}), json!({"rev": 1, "start": 2, "end": 2})] {
        reader.say("chat_locate", json!({"ref": bad})).await;
        assert_eq!(reader.socket.next_of("chat_reject").await["code"], "bad_ref");
    }
    server.stop().await;
}
