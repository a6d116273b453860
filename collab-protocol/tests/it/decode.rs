//! How a server reads what clients send: what is a message, what is a bad one, and which faults
//! belong to a submission.

use collab_protocol::{
    ChannelId, ClientMessage, RawOperation, RejectCode, SelectionRange, Undecodable,
};
use ot_core::Limits;

#[track_caller]
fn submit(frame: &str) -> collab_protocol::Submit {
    match ClientMessage::decode(frame) {
        Ok(ClientMessage::Submit(submit)) => submit,
        other => panic!("{frame}: {other:?}"),
    }
}

#[track_caller]
fn is_bad_message(frame: &str) {
    let result = ClientMessage::decode(frame);
    assert!(matches!(result, Err(Undecodable::Message(_))), "{frame}: {result:?}");
}

#[track_caller]
fn is_rejected(frame: &str, expected: RejectCode) {
    match ClientMessage::decode(frame) {
        Err(Undecodable::Submission { ch, seq, code, .. }) => {
            assert_eq!((ch, seq, code), (ChannelId(1), 7, expected), "{frame}");
        }
        other => panic!("{frame}: {other:?}"),
    }
}

#[test]
fn a_submission_keeps_its_operation_as_it_was_written() {
    let submit = submit(
        r#"{"type":"submit","ch":1,"seq":7,"rev":9,"op":[ 3, "a\u0062",-2 ],"ranges":[[4,5]],"new":{}}"#,
    );
    assert_eq!(submit.op.as_str(), r#"[ 3, "a\u0062",-2 ]"#);
    assert_eq!(submit.ranges, Some(vec![SelectionRange { anchor: 4, head: 5 }]));
    assert_eq!((submit.seq, submit.rev), (7, 9));
}

#[test]
fn the_type_may_stand_anywhere_and_be_escaped() {
    assert_eq!(
        ClientMessage::decode(r#"{"t":1.5,"type":"p\u0069ng"}"#).expect("a ping").kind(),
        "ping"
    );
}

#[test]
fn half_a_surrogate_pair_in_an_operation_still_names_its_submission() {
    let submit = submit(r#"{"type":"submit","ch":1,"seq":7,"rev":9,"op":["\ud83d"]}"#);
    assert_eq!(submit.op.as_str(), r#"["\ud83d"]"#);
}

#[test]
fn a_fault_beyond_channel_and_number_is_answered_under_its_number() {
    let of = |rest: &str| format!(r#"{{"type":"submit","ch":1,"seq":7{rest}}}"#);
    for rev in
        ["-1", "-0", "1.5", "1e3", "9007199254740992", "18446744073709551616", r#""3""#, "null"]
    {
        is_rejected(&of(&format!(r#","rev":{rev},"op":[]"#)), RejectCode::BadOp);
    }
    is_rejected(&of(r#","op":["x"]"#), RejectCode::BadOp);
    is_rejected(&of(r#","rev":1"#), RejectCode::BadOp);
    is_rejected(&of(r#","rev":1,"op":null"#), RejectCode::BadOp);
    for ranges in ["[[1]]", "[[1,2,3]]", "[[-1,0]]", "[[4294967296,0]]", "[[1.0,0]]", "{}", r#""""#]
    {
        is_rejected(&of(&format!(r#","rev":1,"op":[],"ranges":{ranges}"#)), RejectCode::BadRanges);
    }
}

#[test]
fn a_submission_without_a_plain_channel_and_number_is_a_bad_message() {
    for number in [
        "-1",
        "-0",
        "1.5",
        "1e3",
        "9007199254740992",
        "-9223372036854775808",
        "18446744073709551615",
        "99999999999999999999999999",
        r#""1""#,
        "null",
        "[]",
        r#"["auth","a token"]"#,
        "true",
    ] {
        is_bad_message(&format!(r#"{{"type":"submit","ch":1,"seq":{number},"rev":0,"op":[]}}"#));
        is_bad_message(&format!(r#"{{"type":"submit","ch":{number},"seq":1,"rev":0,"op":[]}}"#));
    }
    is_bad_message(r#"{"type":"submit","ch":1,"rev":0,"op":[]}"#);
    is_bad_message(r#"{"type":"submit","ch":1,"ch":2,"seq":1,"rev":0,"op":[]}"#);
    is_bad_message(r#"{"type":"submit","ch":1,"seq":1,"seq":1,"rev":0,"op":[]}"#);
    is_bad_message(r#"{"type":"submit","ch":1,"seq":1,"rev":0,"op":[],"op":[]}"#);
}

#[test]
fn the_largest_exact_integers_are_read() {
    let submit = submit(
        r#"{"type":"submit","ch":4294967295,"seq":9007199254740991,"rev":9007199254740991,"op":[]}"#,
    );
    assert_eq!((submit.ch.0, submit.seq), (u32::MAX, (1 << 53) - 1));
}

#[test]
fn what_is_no_message_is_a_bad_message() {
    for frame in [
        "",
        "null",
        "[]",
        "{}",
        "{",
        r#"{"type":"ping","t":1}x"#,
        r#"{"type":1}"#,
        r#"{"type":"nonsense"}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"ping","t":"1"}"#,
        r#"{"type":"ping","t":1e999}"#,
        r#"{"type":"ping","type":"ping","t":1}"#,
        r#"{"type":"join","doc":"x","client":"00ff000000004000800000000000002a"}"#,
        r#"{"type":"join","doc":"../../etc/passwd","client":"00ff000000004000800000000000002a"}"#,
        r#"{"type":"join","doc":"00ff000000004000800000000000002a","client":"00ff000000004000800000000000002a","since":-1}"#,
        r#"{"type":"select","ch":1,"rev":1}"#,
        r#"{"type":"select","ch":1,"rev":9007199254740992,"ranges":[]}"#,
        r#"{"type":"leave"}"#,
        r#"{"type":"auth","token":5}"#,
        "{\"type\":\"auth\",\"token\":\"\u{1}\"}",
        r#"{"type":"auth","token":"\ud83d"}"#,
    ] {
        is_bad_message(frame);
    }
}

#[test]
fn deep_nesting_neither_overflows_nor_hides_the_submission() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let frame = format!(r#"{{"type":"submit","ch":1,"seq":7,"rev":9,"op":{deep}}}"#);
    assert_eq!(submit(&frame).op.as_str().len(), 200_000);
    is_bad_message(&format!(r#"{{"type":"leave","ch":{deep}}}"#));
}

#[test]
fn what_is_wrong_is_told_without_quoting_it() {
    let secret = "a-secret-token";
    for frame in [
        format!(r#"{{"type":"{secret}"}}"#),
        format!(r#"{{"type":"leave","ch":"{secret}"}}"#),
        format!(r#"{{"type":"auth","token":"{secret}"#),
    ] {
        let error = ClientMessage::decode(&frame).expect_err("a bad message");
        assert!(!error.to_string().contains(secret), "{error}");
    }
    assert!(
        !format!(
            "{:?}",
            ClientMessage::decode(&format!(r#"{{"type":"auth","token":"{secret}"}}"#))
        )
        .contains(secret)
    );
}

#[test]
fn each_fault_of_an_operation_has_its_reject_code() {
    let limits = Limits { components_max: 4, inserted_bytes_max: 8, ..Limits::NONE };
    for (op, expected) in [
        (r#"["\ud83d"]"#, RejectCode::BadText),
        (r#"["\udc00\ud83d"]"#, RejectCode::BadText),
        (r#"["a\u0000"]"#, RejectCode::BadText),
        (r#"["a\rb"]"#, RejectCode::BadText),
        (r#"["123456789"]"#, RejectCode::TextTooLarge),
        (r#"["😀😀😀"]"#, RejectCode::TextTooLarge),
        (r#"[1,"a",1,"a",1]"#, RejectCode::TooManyComponents),
        ("{}", RejectCode::BadOp),
        ("[[1]]", RejectCode::BadOp),
        ("[0]", RejectCode::BadOp),
        ("[-0]", RejectCode::BadOp),
        ("[1.5]", RejectCode::BadOp),
        ("[1e3]", RejectCode::BadOp),
        (r#"[""]"#, RejectCode::BadOp),
        ("[9007199254740993]", RejectCode::BadOp),
        ("[-9223372036854775808]", RejectCode::BadOp),
        ("[18446744073709551615]", RejectCode::BadOp),
        ("[1073741823,-1073741823]", RejectCode::BadOp),
        ("[true]", RejectCode::BadOp),
        ("null", RejectCode::BadOp),
    ] {
        let raw = RawOperation::new(op.to_owned()).expect("JSON");
        let error = raw.decode(&limits).expect_err(op);
        assert_eq!(RejectCode::from(&error), expected, "{op}: {error}");
    }
    let fits = RawOperation::new(r#"[1,"12345678",-2]"#.to_owned()).expect("JSON");
    assert_eq!(fits.decode(&limits).expect("an operation").base_len(), 3);
}

#[test]
fn the_data_of_an_event_is_kept_as_it_was_written_on_one_line() {
    let frame = "{\"type\":\"tell\",\"topic\":\"t\",\"n\":1,\"data\":{\r\n \"a\\n\": 1.50 }}";
    let Ok(ClientMessage::Tell(tell)) = ClientMessage::decode(frame) else { panic!("{frame}") };
    assert_eq!(tell.data.as_str(), r#"{   "a\n": 1.50 }"#);
    for topic in ["", "a b", "a/b", &"x".repeat(129)] {
        is_bad_message(&format!(r#"{{"type":"watch","topic":"{topic}"}}"#));
    }
    is_bad_message(r#"{"type":"tell","topic":"t","n":1}"#);
    is_bad_message(r#"{"type":"tell","topic":"t","n":-1,"data":1}"#);
}
