//! Messages that are nearly right: valid ones, changed at random.

use std::collections::BTreeMap;
use std::time::Duration;

use collab_protocol::{ClientMessage, ErrorCode, RejectCode, Undecodable};
use serde_json::Value;

use super::{Target, besiege, joining};
use crate::faults::{seed, sized};
use crate::support::choices::Choices;
use crate::support::socket::RawSocket;

/// A server on a busy machine answers within this.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Values of the wrong kind, size or form.
const NASTY: [&str; 24] = [
    "-1",
    "0",
    "-0",
    "1.5",
    "1e3",
    "9007199254740993",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "1e999",
    "null",
    "true",
    "\"1\"",
    "[]",
    "{}",
    "[[[[[[[[]]]]]]]]",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"\\r\"",
    "\"\u{202e}\"",
    "[0]",
    "[\"\"]",
    "[-0]",
    "[1,1]",
];

/// Letters that matter in JSON, and some that do not.
const LETTERS: &[u8] = b"{}[]\":,0123456789-+.eE\\u tfn\x01\x7f";

/// A valid message. An operation never fits: it spans a text that the document does not have.
fn valid(document: &str, choices: &mut Choices) -> String {
    let seq = 1 + choices.below(9);
    match choices.below(8) {
        0 => joining(document, 1 + choices.below(3) as u32),
        1 => r#"{"type":"leave","ch":1}"#.to_owned(),
        2 => r#"{"type":"select","ch":1,"rev":0,"ranges":[[0,0]]}"#.to_owned(),
        3 => r#"{"type":"auth","token":"a.b.c"}"#.to_owned(),
        4 => format!(
            r#"{{"type":"join","doc":"{document}","client":"{:032x}","since":0,"epoch":"{:032x}"}}"#,
            7, 8
        ),
        5 => format!(r#"{{"type":"submit","ch":1,"seq":{seq},"rev":99999999,"op":["x",1]}}"#),
        _ => format!(
            r#"{{"type":"submit","ch":1,"seq":{seq},"rev":0,"op":[7777777,"é\n",-3],"ranges":[[1,2]]}}"#
        ),
    }
}

/// Where a value begins and ends, for some value of a message.
fn value_in(message: &str, choices: &mut Choices) -> Option<std::ops::Range<usize>> {
    let colons: Vec<usize> = message.match_indices(':').map(|(at, _)| at + 1).collect();
    let start = *colons.get(choices.below(colons.len().max(1)))?;
    let len = message[start..].find([',', '}']).unwrap_or(message.len() - start);
    Some(start..start + len)
}

fn change(message: &mut String, choices: &mut Choices) {
    let boundary = |message: &str, choices: &mut Choices| {
        message.floor_char_boundary(choices.below(message.len() + 1))
    };
    match choices.below(6) {
        0 | 1 => {
            if let Some(value) = value_in(message, choices) {
                message.replace_range(value, NASTY[choices.below(NASTY.len())]);
            }
        }
        2 => message.truncate(boundary(message, choices)),
        3 => {
            let at = boundary(message, choices);
            message.insert(at, char::from(LETTERS[choices.below(LETTERS.len())]));
        }
        4 => {
            let at = boundary(message, choices);
            if at < message.len() {
                message.remove(at);
            }
        }
        _ => {
            // A part twice: a field, a bracket, half a message.
            let (from, to) = (boundary(message, choices), boundary(message, choices));
            let part = message[from.min(to)..from.max(to)].to_owned();
            message.insert_str(from.max(to), &part);
        }
    }
}

/// What must be said to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// `error {bad_message}`; the third ends the connection.
    BadMessage,
    /// `error {unauthenticated}`: no such token is good, and nothing else changes.
    Auth,
    /// A reject that names this number, or an error about the channel.
    Reject { seq: u64 },
    /// `joined`, or an error that names a document.
    Join,
    /// Whatever is said, it comes at once.
    AtOnce,
}

fn due(message: &str) -> Due {
    match ClientMessage::decode(message) {
        Err(Undecodable::Message(_)) => Due::BadMessage,
        Ok(ClientMessage::Auth(_)) => Due::Auth,
        Err(Undecodable::Submission { seq, .. }) => Due::Reject { seq },
        Ok(ClientMessage::Submit(submit)) => Due::Reject { seq: submit.seq },
        Ok(ClientMessage::Join(join)) if join.since.is_some() != join.epoch.is_some() => {
            Due::BadMessage
        }
        Ok(ClientMessage::Join(_)) => Due::Join,
        Ok(_) => Due::AtOnce,
    }
}

fn is_answer(due: Due, answer: &Value) -> bool {
    let kind = answer["type"].as_str().expect("every message has a type");
    let is_about_channel = kind == "error" && answer.get("ch").is_some();
    match due {
        Due::BadMessage => kind == "error" && answer["code"] == "bad_message",
        Due::Auth => kind == "error" && answer["code"] == "unauthenticated",
        Due::Reject { seq } => (kind == "reject" && answer["seq"] == seq) || is_about_channel,
        Due::Join => kind == "joined" || (kind == "error" && answer.get("doc").is_some()),
        Due::AtOnce => true,
    }
}

/// Every code is one of the closed lists.
fn check_code(answer: &Value) {
    let Some(code) = answer["code"].as_str() else { return };
    let is_known = match answer["type"].as_str() {
        Some("reject") => code.parse::<RejectCode>().is_ok(),
        _ => code.parse::<ErrorCode>().is_ok(),
    };
    assert!(is_known, "{answer}");
}

/// As [`ask`], and says which message has no answer.
async fn converse(socket: &mut RawSocket, message: &str, mark: u64) -> Result<Value, u16> {
    let answered = tokio::time::timeout(ANSWER_TIMEOUT, ask(socket, message, mark)).await;
    answered.unwrap_or_else(|_| panic!("{message} is not answered as {:?} is due", due(message)))
}

/// Sends a message, then a ping, and reads until both are answered; `Err` is the close code.
async fn ask(socket: &mut RawSocket, message: &str, mark: u64) -> Result<Value, u16> {
    let due = due(message);
    socket.text(message).await;
    socket.text(&format!(r#"{{"type":"ping","t":-{mark}}}"#)).await;
    let mut answer = (due == Due::AtOnce).then_some(Value::Null);
    let mut is_marked = false;
    while answer.is_none() || !is_marked {
        let heard = match socket.any().await {
            Ok(heard) => heard,
            Err(code) if answer.is_some() => return Err(code),
            Err(code) => panic!("{message} was answered by {code} and nothing else"),
        };
        check_code(&heard);
        if heard["type"] == "pong" && heard["t"].as_f64() == Some(-(mark as f64)) {
            is_marked = true;
        } else if due != Due::AtOnce && is_answer(due, &heard) {
            assert!(answer.is_none(), "{message} was answered twice: {answer:?} and {heard}");
            answer = Some(heard);
        }
    }
    Ok(answer.expect("the loop waits for it"))
}

/// One connection after another, each until it is closed for its third senseless message.
async fn nag(mut target: Target<'_>, count: usize) -> BTreeMap<String, usize> {
    let mut socket = target.join(1).await;
    let mut answers = BTreeMap::new();
    let mut senseless = 0;
    for mark in 1..=count as u64 {
        let mut message = valid(&target.stage.document, &mut target.choices);
        for _ in 0..target.choices.below(4) {
            change(&mut message, &mut target.choices);
        }
        senseless += usize::from(due(&message) == Due::BadMessage);
        let said = match converse(&mut socket, &message, mark).await {
            Ok(answer) => {
                assert!(senseless < 3, "the third senseless message ends the connection");
                let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
                format!("{} {}", text("type"), text("code"))
            }
            Err(code) => {
                assert_eq!((code, senseless), (4400, 3), "{message}");
                senseless = 0;
                socket = target.join(1).await;
                "error bad_message, closed with 4400".to_owned()
            }
        };
        *answers.entry(said).or_insert(0) += 1;
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_messages_have_their_answer_and_change_nothing() {
    let count = sized(1_500, 10_000);
    let (answers, verdict) = besiege(seed(82), async |target| nag(target, count).await).await;
    for (answer, times) in &answers {
        println!("{times:6} {answer}");
    }
    assert!(answers.len() >= 6, "all kinds of answers: {answers:?}");
    assert_eq!(verdict.revisions, verdict.acknowledged, "the document holds what people wrote");
    println!(
        "{count} malformed messages; {} submissions of others acknowledged, 0 lost, 0 doubled",
        verdict.acknowledged
    );
}
