//! The commands that work on a database and end, as operators run them.

mod bench;
mod replay_trace;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use collab_protocol::{DocumentId, VersionId};
use collab_server::{Store, VersionRecord};
use ot_core::{Revision, Text};
use serde_json::{Value, json};

use self::bench::{Bench, trace};

#[tokio::test]
async fn each_patch_of_a_trace_becomes_a_revision() {
    let bench = Bench::new();
    let (content, text) = trace(50);
    let file = bench.file("My notes.json", &content);
    let ran = bench.import(&file);
    assert_eq!(ran.err, "", "quiet where there is no terminal");
    let id = ran.document();
    assert_eq!(ran.reports()[0]["outcome"], "imported");
    let stored = bench.document(id).await;
    assert_eq!((stored.text(), stored.record.revision), (text, Revision::new(50)));
    assert_eq!((stored.record.title.as_str(), stored.record.deleted_ms), ("My notes", None));
    assert_eq!(stored.operations[1].time_ms, 1_618_812_001_500);
    assert_eq!(stored.record.created_ms, stored.operations[0].time_ms, "no younger than its text");

    let again = bench.import(&file);
    assert_eq!((again.document(), &again.reports()[0]["outcome"]), (id, &json!("already_there")));
    assert_eq!(bench.document(id).await, stored);
}

#[tokio::test]
async fn an_imported_history_is_packed_though_nobody_writes_in_it() {
    let bench = Bench::new();
    let (content, text) = trace(600);
    let file = bench.file("trace.json", &content);
    let file = file.to_str().expect("UTF-8");
    let packed = async |settings: &[&str]| {
        let id = bench.run(&[&["import", file], settings].concat()).document();
        let store = bench.store().await;
        let spans = store.packed_log(id).await.expect("reads");
        store.close().await;
        assert_eq!(bench.document(id).await.text(), text);
        spans.last().map(|span| span.last.get())
    };
    assert_eq!(packed(&["--packing", "off"]).await, None);
    assert_eq!(packed(&["--pack-revisions-min", "601"]).await, None);
    // As after an import that was killed before it had packed.
    assert_eq!(packed(&["--pack-revisions-min", "600"]).await, Some(600));
    let verified = bench.run(&["verify"]);
    assert!(verified.is_success && verified.out.contains("0 damaged"), "{}", verified.out);
}

#[tokio::test]
async fn a_concurrent_trace_is_merged_as_its_parents_say() {
    let bench = Bench::new();
    let transaction = |agent: usize, parents: &[usize], patch: Value| json!({"agent": agent, "parents": parents, "numChildren": 1, "time": "x", "patches": [patch]});
    let content = json!({
        "kind": "concurrent", "endContent": "aXc!-?", "numAgents": 2,
        "txns": [
            transaction(0, &[], json!([0, 0, "abc"])),
            transaction(0, &[0], json!([1, 1, "X"])),
            transaction(1, &[0], json!([3, 0, "!"])),
            transaction(1, &[2], json!([4, 0, "?"])),
            transaction(0, &[1, 2], json!([4, 0, "-"])),
        ],
    });
    let file = bench.file("two.json", &content.to_string());
    let stored = bench.document(bench.import(&file).document()).await;
    assert_eq!(stored.text(), "aXc!-?");
    let authors: Vec<_> = stored.operations.iter().map(|logged| &logged.author).collect();
    assert!(authors[0] == authors[1] && authors[2] == authors[3] && authors[0] != authors[2]);

    let wrong = content.to_string().replace("aXc!-?", "something else");
    let refused = bench.import(&bench.file("wrong.json", &wrong));
    assert!(!refused.is_success);
    assert!(refused.err.contains("do not lead to the text"), "{}", refused.err);
}

#[tokio::test]
async fn a_plain_text_becomes_a_document_of_one_revision() {
    let bench = Bench::new();
    let file = bench.file("letter.txt", "\u{feff}Dear 😀\r\nbye\r");
    let ran =
        bench.run(&["import", file.to_str().expect("UTF-8"), "--owner", "g_7", "--title", "A"]);
    let stored = bench.document(ran.document()).await;
    assert_eq!((stored.text().as_str(), stored.operations.len()), ("Dear 😀\nbye\n", 1));
    assert_eq!((stored.record.owner.as_str(), stored.record.title.as_str()), ("g_7", "A"));
    let nul = bench.import(&bench.file("nul.txt", "a\0b"));
    assert!(!nul.is_success && nul.err.contains("nul.txt"), "{}", nul.err);
}

/// A document in `bench` with versions and two writers, exported to the file that is given.
async fn exported(bench: &Bench, name: &str) -> (DocumentId, PathBuf) {
    let (content, _) = trace(300);
    let id = bench.import(&bench.file("trace.json", &content)).document();
    let store = bench.store().await;
    for (number, revision) in [(1, 7), (2, 300)] {
        let version = VersionRecord {
            id: VersionId::new(number),
            document: id,
            revision: Revision::new(revision),
            name: format!("Number {number}"),
            author: "g_9".parse().expect("an id"),
            time_ms: 5,
        };
        store.put_version(version).await.expect("named");
    }
    store.close().await;
    let file = bench.path(name);
    let output = file.to_str().expect("UTF-8");
    let ran = bench.run(&["export", &id.to_string(), "--output", output]);
    assert_eq!(ran.document(), id);
    (id, file)
}

#[tokio::test]
async fn an_exported_document_is_the_same_in_another_database() {
    for name in ["log.ndjson", "log.ndjson.gz"] {
        let (from, to) = (Bench::new(), Bench::new());
        let (id, file) = exported(&from, name).await;
        let ran = to.import(&file);
        assert_eq!(ran.document(), id);
        let (mut before, after) = (from.document(id).await, to.document(id).await);
        assert_ne!(before.record.epoch, after.record.epoch, "nobody may go on from old numbers");
        before.record.epoch = after.record.epoch;
        assert_eq!(before, after);
        let (one, other) = (from.store().await, to.store().await);
        for logged in &before.operations[299..] {
            let progress = one.progress(id, logged.client).await.expect("reads");
            assert_eq!(progress, other.progress(id, logged.client).await.expect("reads"));
        }
        one.close().await;
        other.close().await;
        assert_eq!(to.import(&file).reports()[0]["outcome"], "already_there");
    }
}

#[tokio::test]
async fn a_log_goes_on_behind_a_document_that_was_edited_since() {
    let (from, to) = (Bench::new(), Bench::new());
    let (id, file) = exported(&from, "new.ndjson").await;
    to.import(&file).document();
    // The log as it was one revision earlier, with another document behind it.
    let stored = from.document(id).await;
    let chain = |index: usize| blake3::Hash::from(*stored.operations[index].chain.as_bytes());
    let end = |index: usize| {
        format!("\"revision\":{},\"chain\":\"{}\"}}", index + 1, chain(index).to_hex())
    };
    let log = std::fs::read_to_string(&file).expect("the log");
    let is_known = |line: &&str| {
        ["document", "op", "end"].iter().any(|kind| line.contains(&format!("\"type\":\"{kind}\"")))
            && !line.contains("\"revision\":300,\"client\"")
    };
    let earlier: Vec<&str> = log.lines().filter(is_known).collect();
    let earlier = earlier.join("\n").replace(&end(299), &end(298));
    let second = from.import(&from.file("two.txt", "second")).document();
    let second_log = from.run(&["export", &second.to_string()]).out;

    let ran = to.import(&to.file("both.ndjson", &format!("{earlier}\n{second_log}")));
    let outcome = |index: usize| ran.reports()[index]["outcome"].clone();
    assert_eq!((outcome(0), outcome(1)), (json!("already_there"), json!("imported")));
    assert_eq!(to.document(id).await.record.revision, Revision::new(300));
    assert_eq!(to.document(second).await.text(), "second");

    let other = log.replace(&end(299), &end(297).replace("298", "299"));
    let ran = to.import(&to.file("other.ndjson", &other));
    assert!(!ran.is_success && ran.err.contains("another history"), "{}", ran.err);
}

#[tokio::test]
async fn a_text_is_replayed_from_the_database_and_from_a_file() {
    let bench = Bench::new();
    let (id, file) = exported(&bench, "log.ndjson").await;
    let stored = bench.document(id).await;
    let mut text = Text::new();
    let mut expected = vec![String::new()];
    for logged in &stored.operations {
        text.apply(&logged.operation).expect("each follows the last");
        expected.push(text.to_string());
    }
    let file = file.to_str().expect("UTF-8");
    for revision in [0, 1, 150, 300] {
        for source in [&[&*id.to_string()][..], &["--file", file]] {
            let number = revision.to_string();
            let ran = bench.run(&[&["replay"], source, &["--revision", &number]].concat());
            assert_eq!(ran.out, expected[revision], "{}", ran.err);
            let report: Value = serde_json::from_str(&ran.err).expect("JSON");
            assert_eq!(report["revision"], revision);
        }
    }
    let time = stored.operations[99].time_ms.to_string();
    for source in [&[&*id.to_string()][..], &["--file", file]] {
        let ran = bench.run(&[&["replay"], source, &["--time-ms", &time]].concat());
        assert_eq!(ran.out, expected[100]);
        let ahead = bench.run(&[&["replay"], source, &["--revision", "301"]].concat());
        assert!(!ahead.is_success && ahead.err.contains("300"), "{}", ahead.err);
    }
    let log = std::fs::read_to_string(file).expect("the log");
    let cut: Vec<&str> = log.lines().take(200).collect();
    let changed = log.replacen("\"time_ms\":1", "\"time_ms\":2", 1);
    for (content, reason) in [(cut.join("\n"), "without an end line"), (changed, "the hash")] {
        let file = bench.file("other.ndjson", &content);
        let ran =
            bench.run(&["replay", "--file", file.to_str().expect("UTF-8"), "--revision", "9"]);
        assert!(!ran.is_success && ran.err.contains(reason), "{}", ran.err);
        assert_eq!(ran.out, "", "nothing that may be wrong is shown");
    }
}

#[tokio::test]
async fn what_only_reads_makes_no_database_and_leaves_no_part_of_a_file() {
    let (bench, id) = (Bench::new(), "00000000000000000000000000000001");
    let file = bench.path("log.ndjson");
    let output = file.to_str().expect("UTF-8");
    let commands =
        [&["export", id][..], &["export", id, "-o", output], &["replay", id], &["verify"]];
    for command in commands {
        let ran = bench.run(command);
        assert!(!ran.is_success && ran.err.contains("there is no database"), "{}", ran.err);
        assert!(!bench.path("concord.db").exists(), "{command:?} made a database");
    }
    bench.import(&bench.file("text.txt", "text")).document();
    let ran = bench.run(&["export", id, "-o", output]);
    assert!(!ran.is_success && ran.err.contains("not found"), "{}", ran.err);
    assert!(!bench.path("log.ndjson").exists() && !bench.path("log.ndjson.part").exists());
}

#[tokio::test]
async fn a_database_that_cannot_be_verified_is_named_with_the_reason() {
    let bench = Bench::new();
    bench.file("concord.db", "this is no database, only a text of some length");
    let ran = bench.run(&["verify"]);
    assert!(!ran.is_success && ran.err.contains("not a database"), "{}", ran.err);
}

#[tokio::test]
async fn a_trace_with_too_many_agents_is_refused() {
    let bench = Bench::new();
    let patches = json!([[0, 0, "x"]]);
    for agent in [64, u64::MAX] {
        let trace = json!({"endContent": "x", "txns": [{"agent": agent, "patches": patches}]});
        let ran = bench.import(&bench.file("trace.json", &trace.to_string()));
        assert!(!ran.is_success && ran.err.contains("agents"), "{}", ran.err);
    }
}

#[tokio::test]
async fn a_bad_line_is_named_and_leaves_nothing_that_shows() {
    let from = Bench::new();
    let (id, file) = exported(&from, "log.ndjson").await;
    let lines: Vec<String> =
        std::fs::read_to_string(file).expect("the log").lines().map(str::to_owned).collect();
    let changed = |index: usize, change: &dyn Fn(&str) -> String| {
        let mut lines = lines.clone();
        lines[index] = change(&lines[index]);
        lines.join("\n")
    };
    let cut: String = lines[..200].join("\n");
    let last = lines.len();
    let cases = [
        (changed(99, &|_| "{".to_owned()), 100, "EOF"),
        (changed(99, &|line| line.replace("\"op\":[", "\"op\":[0,")), 100, "op: "),
        (changed(99, &|line| line.replace("\"seq\":99", "\"seq\":0")), 100, "seq"),
        (
            changed(99, &|line| line.replace("\"revision\":99", "\"revision\":98")),
            100,
            "expected 99",
        ),
        (changed(99, &|line| line.replace("\"time_ms\":1", "\"time_ms\":2")), last, "hash"),
        (changed(99, &|_| String::new()), 101, "expected 99"),
        (changed(99, &|line| line.replace("\"seq\":99", "\"seq\":98")), 100, "has come to 98"),
        (
            changed(99, &|line| line.replace("\"author\":\"import", "\"author\":\"b")),
            100,
            "is the one of",
        ),
        (
            changed(301, &|line| line.replace("\"seq\":300", "\"seq\":301")),
            last,
            "is not of its last operation",
        ),
        (
            changed(last - 2, &|line| line.replace("\"revision\":", "\"revision\":9")),
            last - 1,
            "the last is 300",
        ),
        (changed(0, &|line| line.replace("\"format\":1", "\"format\":2")), 1, "format is 2"),
        (changed(last - 1, &|_| String::new()), last, "without an end line"),
        (cut, 201, "without an end line"),
    ];
    for (content, line, reason) in cases {
        let bench = Bench::new();
        let bad = bench.file("bad.ndjson", &content);
        let ran = bench.import(&bad);
        assert!(!ran.is_success, "{reason}");
        assert!(ran.err.contains(&format!("line {line}:")), "{}", ran.err);
        assert!(ran.err.contains(reason), "{}", ran.err);
        let store = bench.store().await;
        if let Ok(record) = store.document(id).await {
            assert!(record.deleted_ms.is_some(), "a part is not shown");
            assert!(store.set_deleted(id, None).await.is_err(), "and cannot be");
        }
        store.close().await;
    }
}

#[tokio::test]
async fn an_import_killed_at_any_moment_goes_on_and_ends_the_same() {
    let from = Bench::new();
    let (content, text) = trace(12_000);
    let id = from.import(&from.file("trace.json", &content)).document();
    let file = from.path("log.ndjson");
    let file = file.to_str().expect("UTF-8");
    from.run(&["export", &id.to_string(), "-o", file]).reports();

    let to = Bench::new();
    let mut kills = 0;
    for attempt in 1..=10_u64 {
        let mut child = to
            .command(&["import", file])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        tokio::time::sleep(Duration::from_millis(attempt * 37 % 150 + attempt * 30)).await;
        if let Some(status) = child.try_wait().expect("its state") {
            assert!(status.success());
            break;
        }
        child.kill().expect("SIGKILL");
        child.wait().expect("it ends");
        kills += 1;
        let store = to.store().await;
        if let Ok(record) = store.document(id).await {
            let loaded = store.load(id).await;
            assert!(loaded.is_ok(), "after kill {kills}: {loaded:?}");
            let is_whole = record.revision == Revision::new(12_000);
            assert!(is_whole || record.deleted_ms.is_some(), "a part is not shown");
        }
        store.close().await;
    }
    assert!(kills > 0, "it was interrupted");
    to.run(&["import", file]).reports();
    let (before, after) = (from.document(id).await, to.document(id).await);
    assert_eq!(before.operations, after.operations);
    assert_eq!((before.record.chain, after.text()), (after.record.chain, text));
    assert_eq!(after.record.deleted_ms, None);
}
