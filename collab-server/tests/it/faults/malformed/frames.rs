//! Frames that break the rules of WebSocket, or are what is left of one.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream;

use super::{Target, besiege, joining};
use crate::faults::{seed, sized};
use crate::support::choices::Choices;

/// One frame of a client, byte by byte: masked by a key of zeros unless `bits` says otherwise.
fn frame(first: u8, declared: u64, is_masked: bool, payload: &[u8]) -> Vec<u8> {
    let mask = if is_masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match declared {
        0..=125 => bytes.push(mask | declared as u8),
        126..=0xFFFF => {
            bytes.push(mask | 126);
            bytes.extend((declared as u16).to_be_bytes());
        }
        _ => {
            bytes.push(mask | 127);
            bytes.extend(declared.to_be_bytes());
        }
    }
    if is_masked {
        bytes.extend([0; 4]);
    }
    bytes.extend(payload);
    bytes
}

fn whole(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, payload.len() as u64, true, payload)
}

const TEXT: u8 = 0x81;
const PIECE: u8 = 0x01;
const REST: u8 = 0x80;
const PING: u8 = 0x89;
const CLOSE: u8 = 0x88;

/// The kinds of nonsense, by name, and the codes that each may be closed with; 1006 is to hang up
/// on who has hung up.
const KINDS: [(&str, &[u16]); 15] = [
    ("reserved bits", &[1002]),
    ("no mask", &[1002]),
    ("reserved opcode", &[1002]),
    ("long control frame", &[1002]),
    ("ping in pieces", &[1002]),
    ("text that is not UTF-8", &[1007]),
    ("a rest of nothing", &[1002]),
    ("a frame within another", &[1002]),
    ("a length of 2^63", &[1009]),
    ("a message over the limit", &[1009]),
    ("a bad close", &[1002, 1007]),
    ("noise", &[1002, 1006, 1007, 1009]),
    ("cut short", &[1006]),
    ("a flipped bit", &[1002, 1006, 1007, 1009]),
    ("a thousand pieces", &[1006]),
];

fn nonsense(kind: usize, good: &[u8], choices: &mut Choices) -> Vec<u8> {
    let mut noise = |len: usize| (0..len).map(|_| choices.next() as u8).collect::<Vec<_>>();
    match kind {
        0 => whole(TEXT | 0x10 << (noise(1)[0] % 3), good),
        1 => frame(TEXT, good.len() as u64, false, good),
        2 => whole(0x80 | [3, 4, 7, 11, 12, 15][usize::from(noise(1)[0]) % 6], good),
        3 => whole(PING, &noise(200)),
        4 => whole(0x09, &noise(4)),
        5 => whole(TEXT, &[good, &[0xC3, 0x28, 0xFF]].concat()),
        6 => whole(REST, good),
        7 => [whole(PIECE, good), whole(TEXT, good)].concat(),
        8 => frame(TEXT, 1 << 63 | 5, true, good),
        9 => frame(TEXT, 262_145 + u64::from(noise(1)[0]), true, &noise(500)),
        10 => whole(
            CLOSE,
            [&[3][..], &[0, 0], &[0x03, 0xED], &[3, 232, 0xFF]][usize::from(noise(1)[0]) % 4],
        ),
        11 => noise(64),
        12 => {
            let bytes = whole(TEXT, good);
            bytes[..1 + choices.below(bytes.len() - 1)].to_vec()
        }
        13 => {
            let mut bytes = whole(TEXT, good);
            let bit = choices.below(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        }
        _ => {
            let piece = |index: usize| whole(if index == 0 { PIECE } else { 0 }, b" ");
            (0..1_000).flat_map(piece).chain(whole(REST, good)).collect()
        }
    }
}

/// Sends nonsense of a kind, in or before a session, hangs up, and waits for the end: with which
/// code the server closed, or 1006 when it hung up without a word.
async fn send(target: &Target<'_>, number: u32, kind: usize, mut choices: Choices) -> u16 {
    let mut socket = match number % 2 {
        0 => target.connect().await,
        _ => target.join(1_000 + number).await,
    };
    let good = [joining(&target.stage.document, 1_000 + number), r#"{"type":"ping","t":1}"#.into()];
    let bytes = nonsense(kind, good[choices.below(2)].as_bytes(), &mut choices);
    let is_last = choices.below(4) > 0 || [11, 12, 13, 14].contains(&kind);
    // It may hang up before it has read all.
    let _ = socket.raw(&bytes, is_last).await;
    socket.closed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_frames_end_their_connection_and_no_other() {
    let count = sized(600, 10_000);
    let (outcomes, verdict) = besiege(seed(81), async |mut target| {
        let plans: Vec<Choices> = (0..count).map(|_| target.choices.fork()).collect();
        let target = &target;
        let sending = plans.into_iter().enumerate().map(|(number, choices)| async move {
            let kind = number % KINDS.len();
            (kind, send(target, number as u32, kind, choices).await)
        });
        let mut outcomes = BTreeMap::new();
        let mut sent = stream::iter(sending).buffer_unordered(16);
        while let Some(outcome) = sent.next().await {
            *outcomes.entry(outcome).or_insert(0) += 1;
        }
        outcomes
    })
    .await;
    for ((kind, code), times) in &outcomes {
        let (name, codes) = KINDS[*kind];
        println!("{name:24} {code} {times} times");
        assert!(codes.contains(code), "{name}: {code}");
    }
    assert_eq!(verdict.revisions, verdict.acknowledged, "the document holds what people wrote");
    println!(
        "{count} malformed frames; {} submissions of others acknowledged, 0 lost, 0 doubled",
        verdict.acknowledged
    );
}
