//! Every message type with bad input: each has its answer, the document stays as it was, and the
//! server goes on to serve a clean session.

use collab_protocol::ClientMessage;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::server::TestServer;
use crate::support::socket::{RawSocket, client_id};

/// The text of the document under test: 1- to 4-byte characters.
const TEXT: &str = "aé日😀";

/// What a bad input must lead to.
#[derive(Debug)]
enum Expected {
    /// `reject` of submission 1 with this code.
    Reject(&'static str),
    /// `error` with this code, the connection going on.
    Error(&'static str),
    /// The connection is closed with this code, after an `error`.
    Closed(&'static str, u16),
}

use Expected::{Closed, Error, Reject};

struct Case {
    kind: &'static str,
    what: &'static str,
    frame: String,
    expected: Expected,
}

fn case(kind: &'static str, what: &'static str, frame: String, expected: Expected) -> Case {
    Case { kind, what, frame, expected }
}

/// Integers that are none, or none that JavaScript holds.
const BAD_INTEGERS: [&str; 11] = [
    "-1",
    "-0",
    "1.5",
    "1e3",
    "9007199254740992",
    "9007199254740993",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "\"1\"",
    "null",
];

fn submit(op: &str) -> String {
    format!(r#"{{"type":"submit","ch":1,"seq":1,"rev":1,"op":{op}}}"#)
}

fn submit_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut op = |what, op: String, code| {
        cases.push(case("submit", what, submit(&op), Reject(code)));
    };
    op("an operation that is an object", "{}".into(), "bad_op");
    op("an operation that is null", "null".into(), "bad_op");
    op("a nested operation", "[[4]]".into(), "bad_op");
    op("deep nesting", format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)), "bad_op");
    op("too short a base", "[3]".into(), "bad_op");
    op("too long a base", "[5]".into(), "bad_op");
    op("no base at all", r#"["x"]"#.into(), "bad_op");
    op("an empty insert", r#"[4,""]"#.into(), "bad_op");
    op("a component of another type", "[4,true]".into(), "bad_op");
    for number in BAD_INTEGERS.iter().chain(&["0", "1073741824", "-1073741824", "4294967300"]) {
        op("a bad integer as component", format!("[{number}]"), "bad_op");
    }
    op("lengths whose sum is too large", "[1073741823,\"x\",-1073741823]".into(), "bad_op");
    op("half a surrogate pair", r#"[4,"\ud83d"]"#.into(), "bad_text");
    op("a surrogate pair the wrong way round", r#"[4,"\ude00\ud83d"]"#.into(), "bad_text");
    op("a NUL", r#"[4,"\u0000"]"#.into(), "bad_text");
    op("a carriage return", r#"[4,"a\r\nb"]"#.into(), "bad_text");
    op("too much text", format!("[4,{:?}]", "x".repeat(1_025)), "text_too_large");
    op(
        "too much text in multi-byte characters",
        format!("[4,{:?}]", "é".repeat(513)),
        "text_too_large",
    );
    op("too many components", format!("[4{}]", r#","x",-1"#.repeat(6)), "too_many_components");

    let mut rest = |what, rest: &str, expected| {
        let frame = format!(r#"{{"type":"submit",{rest}}}"#);
        cases.push(case("submit", what, frame, expected));
    };
    rest("a future revision", r#""ch":1,"seq":1,"rev":2,"op":[4]"#, Reject("future_base"));
    rest(
        "a very future revision",
        r#""ch":1,"seq":1,"rev":9007199254740991,"op":[4]"#,
        Reject("future_base"),
    );
    for number in BAD_INTEGERS {
        let with = |field: &str| {
            let value = |name: &str| if name == field { number } else { "1" };
            format!(
                r#""ch":{},"seq":{},"rev":{},"op":[4]"#,
                value("ch"),
                value("seq"),
                value("rev")
            )
        };
        rest("a bad integer as revision", &with("rev"), Reject("bad_op"));
        rest("a bad integer as number", &with("seq"), Error("bad_message"));
        rest("a bad integer as channel", &with("ch"), Error("bad_message"));
    }
    rest("no operation", r#""ch":1,"seq":1,"rev":1"#, Reject("bad_op"));
    rest("no revision", r#""ch":1,"seq":1,"op":[4]"#, Reject("bad_op"));
    rest("no number", r#""ch":1,"rev":1,"op":[4]"#, Error("bad_message"));
    rest("two numbers", r#""ch":1,"seq":1,"seq":2,"rev":1,"op":[4]"#, Error("bad_message"));
    rest("two operations", r#""ch":1,"seq":1,"rev":1,"op":[4],"op":[4]"#, Error("bad_message"));
    rest("number zero", r#""ch":1,"seq":0,"rev":1,"op":[4]"#, Reject("stale_seq"));
    rest("a channel never given", r#""ch":9,"seq":1,"rev":1,"op":[4]"#, Error("bad_channel"));
    rest("channel zero", r#""ch":0,"seq":1,"rev":1,"op":[4]"#, Error("bad_channel"));
    for ranges in
        ["[[1]]", "[[1,2,3]]", "[[-1,0]]", "[[0.5,0]]", "[[4294967296,0]]", "{}", "[[5,0]]"]
    {
        let with = format!(r#""ch":1,"seq":1,"rev":1,"op":[4],"ranges":{ranges}"#);
        rest("bad ranges", &with, Reject("bad_ranges"));
    }
    let many =
        format!(r#""ch":1,"seq":1,"rev":1,"op":[4],"ranges":[[0,0]{}]"#, ",[0,0]".repeat(16));
    rest("too many ranges", &many, Reject("bad_ranges"));
    cases
}

fn auth_and_join_cases() -> Vec<Case> {
    let client = client_id(1);
    let missing = "0".repeat(32);
    let mut cases = Vec::new();
    let mut add = |kind, what, frame: &str, expected| {
        cases.push(case(kind, what, frame.to_owned(), expected));
    };
    add("auth", "no fresh token", r#"{"type":"auth","token":"x"}"#, Error("unauthenticated"));
    add("auth", "no token", r#"{"type":"auth"}"#, Error("bad_message"));
    add(
        "auth",
        "a token with half a pair",
        r#"{"type":"auth","token":"\ud83d"}"#,
        Error("bad_message"),
    );

    let join = |doc: &str, client: &str, more: &str| {
        format!(r#"{{"type":"join","doc":"{doc}","client":"{client}"{more}}}"#)
    };
    add("join", "a missing document", &join(&missing, &client, ""), Error("not_found"));
    for id in
        ["", "x", "../../etc/passwd", "%00", "' or 1=1 --", &"A".repeat(32), &"0".repeat(10_000)]
    {
        add("join", "no document's id", &join(id, &client, ""), Error("bad_message"));
        add("join", "no client's id", &join(&missing, id, ""), Error("bad_message"));
    }
    for number in BAD_INTEGERS.iter().filter(|number| **number != "null") {
        let more = format!(r#","since":{number},"epoch":"{missing}""#);
        add(
            "join",
            "a bad integer as since",
            &join(&missing, &client, &more),
            Error("bad_message"),
        );
    }
    add(
        "join",
        "since without epoch",
        &join(&missing, &client, r#","since":1"#),
        Error("bad_message"),
    );
    add(
        "join",
        "no client",
        &format!(r#"{{"type":"join","doc":"{missing}"}}"#),
        Error("bad_message"),
    );
    cases
}

fn select_leave_and_ping_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |kind, what, frame: &str, expected| {
        cases.push(case(kind, what, frame.to_owned(), expected));
    };
    let select = |rest: &str| format!(r#"{{"type":"select",{rest}}}"#);
    add(
        "select",
        "an offset beyond the text",
        &select(r#""ch":1,"rev":1,"ranges":[[5,5]]"#),
        Error("bad_ranges"),
    );
    add(
        "select",
        "a future revision",
        &select(r#""ch":1,"rev":2,"ranges":[[0,0]]"#),
        Error("bad_ranges"),
    );
    let many = select(&format!(r#""ch":1,"rev":1,"ranges":[[0,0]{}]"#, ",[0,0]".repeat(16)));
    add("select", "too many ranges", &many, Error("bad_ranges"));
    add(
        "select",
        "a channel never given",
        &select(r#""ch":2,"rev":1,"ranges":[]"#),
        Error("bad_channel"),
    );
    add("select", "no ranges", &select(r#""ch":1,"rev":1"#), Error("bad_message"));
    for range in ["[1]", "[-1,0]", "[1.5,0]", "[4294967296,0]", "[\"0\",0]", "1"] {
        let frame = select(&format!(r#""ch":1,"rev":1,"ranges":[{range}]"#));
        add("select", "a range that is none", &frame, Error("bad_message"));
    }
    for number in BAD_INTEGERS {
        let frame = select(&format!(r#""ch":1,"rev":{number},"ranges":[]"#));
        add("select", "a bad integer as revision", &frame, Error("bad_message"));
        let frame = format!(r#"{{"type":"leave","ch":{number}}}"#);
        add("leave", "a bad integer as channel", &frame, Error("bad_message"));
    }
    add("leave", "a channel never given", r#"{"type":"leave","ch":7}"#, Error("bad_channel"));
    add("leave", "no channel", r#"{"type":"leave"}"#, Error("bad_message"));
    add("ping", "no time", r#"{"type":"ping"}"#, Error("bad_message"));
    add("ping", "a text for a time", r#"{"type":"ping","t":"now"}"#, Error("bad_message"));
    add("ping", "a number beyond all", r#"{"type":"ping","t":1e999}"#, Error("bad_message"));
    cases
}

/// What is wrong whatever the type of message is meant to be.
fn cases_of_every_kind() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in ClientMessage::KINDS {
        let mut add = |what, frame: String, expected| cases.push(case(kind, what, frame, expected));
        let alone = format!(r#"{{"type":"{kind}"}}"#);
        match *kind {
            // All that they need.
            "figures_close" => {}
            "figures_open" => {
                let of = r#"{"type":"figures_open","of":"all"}"#.to_owned();
                add("figures of what there is not", of, Error("bad_message"));
            }
            _ => add("nothing but its type", alone, Error("bad_message")),
        }
        add("an unfinished message", format!(r#"{{"type":"{kind}","#), Error("bad_message"));
        add("two types", format!(r#"{{"type":"{kind}","type":"{kind}"}}"#), Error("bad_message"));
        add("a list", format!(r#"["{kind}"]"#), Error("bad_message"));
        add(
            "another case of letters",
            format!(r#"{{"type":"{}"}}"#, kind.to_uppercase()),
            Error("bad_message"),
        );
        let filler = "x".repeat(20_000);
        let frame = format!(r#"{{"type":"{kind}","filler":"{filler}"}}"#);
        add("a message too large", frame, Closed("message_too_large", 1009));
    }
    cases
}

async fn small_server() -> TestServer {
    TestServer::start_with(&[
        "--text-bytes-max",
        "1024",
        "--components-max",
        "10",
        "--message-bytes-max",
        "16384",
        "--preauth-message-bytes-max",
        "1024",
        "--connections-per-user-max",
        "1000",
    ])
    .await
}

#[track_caller]
fn is_answered(case: &Case, answer: &Value) {
    let (kind, code) = match case.expected {
        Reject(code) => ("reject", code),
        Error(code) | Closed(code, _) => ("error", code),
    };
    assert_eq!(
        (answer["type"].as_str(), answer["code"].as_str()),
        (Some(kind), Some(code)),
        "{}, {}: {} → {answer}",
        case.kind,
        case.what,
        &case.frame[..case.frame.len().min(120)],
    );
}

/// A person comes, writes, and takes it back: the server is well.
async fn serves_a_clean_session(server: &TestServer, document: &str, number: u32) {
    let (mut socket, joined) = RawSocket::join(server, document, number).await;
    let rev = joined["rev"].as_u64().expect("a revision");
    assert_eq!(joined["text"], TEXT);
    let ack = socket.submit(1, rev, r#"[2,"x",2]"#).await;
    assert_eq!(ack["ack"], 1);
    let ack = socket.submit(2, rev + 1, "[2,-1,2]").await;
    assert_eq!(ack["ack"], 2);
}

#[tokio::test]
async fn bad_input_of_every_message_type_is_answered_with_its_code() {
    let server = small_server().await;
    let document = server.create_with_text(TEXT).await;
    let all: Vec<Case> = submit_cases()
        .into_iter()
        .chain(auth_and_join_cases())
        .chain(select_leave_and_ping_cases())
        .chain(cases_of_every_kind())
        .collect();
    for kind in ClientMessage::KINDS {
        let count = all.iter().filter(|case| case.kind == *kind).count();
        assert!(count >= 5, "{kind} has only {count} bad inputs");
    }
    for (number, case) in (1_000..).zip(&all) {
        let (mut socket, _) = RawSocket::join(&server, &document, number).await;
        socket.text(&case.frame).await;
        let answer = socket.next().await;
        is_answered(case, &answer);
        if let Closed(_, code) = case.expected {
            assert_eq!(answer["fatal"], true);
            assert_eq!(socket.closed().await, code, "{}, {}", case.kind, case.what);
        } else {
            // The connection goes on: a good submission under the next number is committed.
            socket.say(json!({"type": "ping", "t": 0.25})).await;
            assert_eq!(socket.next_of("pong").await["t"], 0.25, "{}, {}", case.kind, case.what);
        }
        assert_eq!(server.head(&document).await, (TEXT.to_owned(), 1), "{}", case.what);
    }
    serves_a_clean_session(&server, &document, 1).await;
    server.stop().await;
}

#[tokio::test]
async fn the_third_message_without_sense_ends_the_connection() {
    let server = small_server().await;
    let document = server.create_with_text(TEXT).await;
    let (mut socket, _) = RawSocket::join(&server, &document, 1).await;
    socket.text("{").await;
    assert_eq!(socket.next().await["fatal"], false);
    socket.send(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(socket.next().await["fatal"], false);
    // What can be told to be a submission does not count.
    assert_eq!(socket.submit(1, 1, "[9]").await["code"], "bad_op");
    socket.text(r#"{"type":"nonsense"}"#).await;
    assert_eq!(socket.next().await["fatal"], true);
    assert_eq!(socket.closed().await, 4400);
    serves_a_clean_session(&server, &document, 2).await;
    server.stop().await;
}

#[tokio::test]
async fn a_full_document_still_takes_deletions() {
    let server = TestServer::start_with(&[
        "--text-bytes-max",
        "8",
        "--document-bytes-max",
        "16",
        "--message-bytes-max",
        "16384",
    ])
    .await;
    let document = server.create_with_text("0123456789").await;
    let (mut socket, _) = RawSocket::join(&server, &document, 1).await;
    assert_eq!(socket.submit(1, 1, r#"[10,"éééé"]"#).await["code"], "document_full");
    assert_eq!(socket.submit(2, 1, r#"[10,"ééé"]"#).await["ack"], 2);
    assert_eq!(socket.submit(3, 2, r#"[13,"x"]"#).await["code"], "document_full");
    assert_eq!(socket.submit(4, 2, "[8,-5]").await["ack"], 4);
    assert_eq!(server.text(&document).await, "01234567");
    server.stop().await;
}
