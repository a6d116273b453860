//! The bodies of the fuzz targets, each a plain function of bytes that panics on a violated rule.
//!
//! A fuzzer drives them for hours; the smoke tests below drive them on stable with the checked-in
//! corpus, mutations of it and seeded random bytes; a program per target runs files, to see a
//! finding again.
#![forbid(unsafe_code)]

#[cfg(feature = "server")]
mod packed;
#[cfg(feature = "server")]
mod world;

use collab_protocol::{ClientMessage, MAX_SAFE_INTEGER, ServerMessage, Undecodable};
use ot_core::testing::{Choices, EditPlan, Gap, Gaps, run_schedule};
use ot_core::{Invertible, Limits, MAX_LEN, Operation, Text, diff, transform};

const TIGHT: Limits = Limits { components_max: 8, inserted_bytes_max: 32, len_max: 1_000 };
/// Longer inputs find nothing that shorter ones do not.
const SCHEDULE_BYTES_MAX: usize = 4_096;

#[cfg(feature = "server")]
pub use collab_server::simulation::{session, stored_rows};
#[cfg(feature = "server")]
pub use packed::packed_page;
#[cfg(feature = "server")]
pub use world::simulation;

/// JSON from anywhere: no panic, limits kept, and what is read is written and read back the same.
pub fn wire_decode(data: &[u8]) {
    let Ok(json) = std::str::from_utf8(data) else {
        return;
    };
    let loose = Operation::from_json(json, &Limits::NONE);
    if let Ok(operation) = &loose {
        operation.check_invariants();
        operation.check_text().expect("decoders let no forbidden text in");
        let again = Operation::from_json(&operation.to_json(), &Limits::NONE);
        assert_eq!(again.as_ref(), Ok(operation));
    }
    match Operation::from_json(json, &TIGHT) {
        Ok(operation) => {
            assert_eq!(loose.as_ref(), Ok(&operation), "limits do not change what is read");
            assert!(operation.fits(&TIGHT));
            assert!(operation.base_len().max(operation.target_len()) <= TIGHT.len_max);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Bytes from storage: no panic, and what is read is written as exactly these bytes.
pub fn binary_decode(data: &[u8]) {
    let loose = Operation::from_bytes(data, &Limits::NONE);
    if let Ok(operation) = &loose {
        operation.check_invariants();
        assert_eq!(operation.to_bytes(), data, "one operation has one form");
    }
    if let Ok(operation) = Operation::from_bytes(data, &TIGHT) {
        assert_eq!(loose.as_ref(), Ok(&operation));
        assert!(operation.fits(&TIGHT));
    }
}

/// A frame from anywhere: no panic, what is read is written and read back the same, and a refusal
/// that names a submission names the one that stands there.
pub fn message_decode(data: &[u8]) {
    let Ok(frame) = std::str::from_utf8(data) else {
        return;
    };
    match ClientMessage::decode(frame) {
        Ok(message) => {
            assert_eq!(ClientMessage::decode(&message.to_json()).as_ref(), Ok(&message));
            if let ClientMessage::Submit(submit) = &message {
                assert!(submit.seq.max(submit.rev) <= MAX_SAFE_INTEGER);
                let _ = submit.op.decode(&TIGHT);
            }
        }
        Err(Undecodable::Submission { ch, seq, .. }) => {
            let named = format!(r#"{{"type":"submit","ch":{ch},"seq":{seq},"rev":0,"op":[]}}"#);
            let named = ClientMessage::decode(&named).expect("what names it names it again");
            assert!(matches!(named, ClientMessage::Submit(submit) if submit.seq == seq));
        }
        Err(Undecodable::Message(reason)) => assert!(!reason.is_empty()),
    }
    if let Ok(message) = ServerMessage::decode(frame) {
        let again = ServerMessage::decode(&message.to_json()).expect("what was written is read");
        assert_eq!(again, message);
    }
}

/// Two committed edits and a pending one: the engine does what the naive model does, and the laws
/// hold.
pub fn laws(data: &[u8]) {
    let mut choices = Choices::new(data);
    let letter = |choices: &mut Choices<'_>| ['a', 'b', '\n', 'é', '中', '😀'][choices.below(6)];
    let text: String = (0..choices.below(12)).map(|_| letter(&mut choices)).collect();
    let len = text.chars().count();
    let a = EditPlan::draw(&mut choices, letter).on(len);
    let b = EditPlan::draw(&mut choices, letter).on(a.target_len());
    let c = EditPlan::draw(&mut choices, letter).on(len);
    let model = [&a, &b, &c].map(Gaps::of);

    let after_a = a.apply(&text).expect("fits");
    assert_eq!(after_a, model[0].apply(&text));
    let both = a.compose(&b).expect("they meet");
    both.check_invariants();
    assert_eq!(both, model[0].compose(&model[1], Gap::Leftmost).to_operation());
    let (c_next, a_next) = transform(&c, &a).expect("one base");
    c_next.check_invariants();
    a_next.check_invariants();
    assert_eq!(c_next, model[2].follow_committed(&model[0]).to_operation());
    assert_eq!(a_next, model[0].follow_pending(&model[2]).to_operation());
    let (stepwise, b_next) = transform(&c_next, &b).expect("one base");
    let (at_once, both_next) = transform(&c, &both).expect("one base");
    assert_eq!(stepwise, at_once, "the history law");

    let local = c.apply(&text).expect("fits");
    let converged = at_once.apply(&both.apply(&text).expect("fits")).expect("fits");
    assert_eq!(both_next.apply(&local).as_ref(), Ok(&converged), "TP1");
    let mut rope = Text::from(local.as_str());
    rope.apply(&a_next).expect("fits");
    rope.apply(&b_next).expect("fits");
    assert_eq!(rope.to_string(), converged);

    let edit = Invertible::from(c, &Text::from(text.as_str())).expect("fits");
    assert_eq!(edit.inverse().apply(&local).as_ref(), Ok(&text));
    let follows = edit.transform_over(&both).expect("one base");
    follows.check_invariants();
    let before = both.apply(&text).expect("fits");
    assert_eq!(follows.inverse().apply(&converged).as_ref(), Ok(&before));
    let limits = Limits { components_max: 4, inserted_bytes_max: 4, len_max: MAX_LEN };
    let (prefix, rest) = follows.split(&limits);
    if let Some(rest) = rest {
        assert_eq!(prefix.compose(&rest).as_ref(), Ok(&follows));
    }
    let found = diff(&text, &converged, Some(choices.below(16)));
    found.check_invariants();
    assert_eq!(found.apply(&text), Ok(converged));
}

/// Clients and a server under a schedule: see [`ot_core::testing::run_schedule`].
pub fn client_schedule(data: &[u8]) {
    run_schedule(&data[..data.len().min(SCHEDULE_BYTES_MAX)]);
}

/// Runs a target over the files named on the command line.
pub fn run_files(target: fn(&[u8])) {
    for path in std::env::args().skip(1) {
        let data = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        target(&data);
        println!("{path}: no violation");
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A small generator, so that a run can be repeated from its seed.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 >> 16
        }

        fn below(&mut self, bound: usize) -> usize {
            (self.next() % bound as u64) as usize
        }

        fn bytes(&mut self, len_max: usize) -> Vec<u8> {
            (0..self.below(len_max + 1)).map(|_| self.next() as u8).collect()
        }
    }

    /// Prints the input when the target panics on it.
    struct Shown<'a>(&'a [u8]);

    impl Drop for Shown<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("input: {:?}", self.0);
            }
        }
    }

    fn run(target: fn(&[u8]), data: &[u8]) {
        let _shown = Shown(data);
        target(data);
    }

    /// How many times as many inputs are tried: `CONCORD_ROUNDS`, for a long run without nightly.
    fn factor() -> usize {
        let said = std::env::var("CONCORD_ROUNDS").ok();
        said.map_or(1, |text| text.parse().expect("CONCORD_ROUNDS is a number"))
    }

    /// The corpus as it is, then mutated, then random bytes.
    fn smoke(name: &str, target: fn(&[u8]), rounds: usize, len_max: usize) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut corpus: Vec<Vec<u8>> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| std::fs::read(entry.expect("listed").path()).expect("readable"))
            .collect();
        assert!(!corpus.is_empty(), "{name} has a corpus");
        corpus.sort();
        for data in &corpus {
            run(target, data);
        }
        let mut random = Random(0x5EED_0F00 + name.len() as u64);
        let began = std::time::Instant::now();
        for round in 0..rounds * factor() {
            let data =
                if round % 2 == 0 { random.bytes(len_max) } else { mutated(&mut random, &corpus) };
            run(target, &data);
        }
        let seconds = began.elapsed().as_secs_f64();
        println!("{name}: {} inputs in {seconds:.0} s", rounds * factor());
    }

    fn mutated(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut data = corpus[random.below(corpus.len())].clone();
        for _ in 0..=random.below(3) {
            let at = random.below(data.len() + 1);
            match random.below(4) {
                0 if at < data.len() => data[at] = random.next() as u8,
                1 if at < data.len() => drop(data.remove(at)),
                2 => data.truncate(at),
                _ => data.insert(at, b"[],\"\\-019 ux\x80\xFF"[random.below(14)]),
            }
        }
        data
    }

    #[test]
    fn wire_decode_stands_the_smoke_run() {
        smoke("wire_decode", wire_decode, 300_000, 40);
    }

    #[test]
    fn binary_decode_stands_the_smoke_run() {
        smoke("binary_decode", binary_decode, 300_000, 40);
    }

    #[test]
    fn message_decode_stands_the_smoke_run() {
        smoke("message_decode", message_decode, 200_000, 60);
    }

    #[test]
    fn laws_stand_the_smoke_run() {
        smoke("laws", laws, 100_000, 120);
    }

    #[test]
    fn client_schedule_stands_the_smoke_run() {
        smoke("client_schedule", client_schedule, 5_000, 1_000);
    }

    #[cfg(feature = "server")]
    #[test]
    fn packed_page_stands_the_smoke_run() {
        smoke("packed_page", packed_page, 10_000, 200);
    }

    #[cfg(feature = "server")]
    #[test]
    fn stored_rows_stand_the_smoke_run() {
        smoke("stored_rows", stored_rows, 30_000, 300);
    }

    #[cfg(feature = "server")]
    #[test]
    fn session_stands_the_smoke_run() {
        smoke("session", session, 1_500, 300);
    }

    #[cfg(feature = "server")]
    #[test]
    fn simulation_stands_the_smoke_run() {
        smoke("simulation", simulation, 150, 3_000);
    }
}
