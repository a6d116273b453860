//! A long history through the real store: what it takes packed, and how long it is to check it, to
//! rebuild its text and to open it.
//!
//! `EDITING_TRACES` names a folder with `automerge-paper.json.gz` (josephg/editing-traces, CC BY
//! 4.0); without it a shorter history of the same kind is made up. `cargo xtask soak packed` prints
//! the figures of a release build.

use std::collections::BTreeMap;
use std::time::Instant;

use collab_protocol::{ClientId, DocumentId, Epoch};
use collab_server::{
    ChainHash, ClientProgress, ImportBatch, ImportStep, LoggedOperation, NewDocument, PageLimit,
    Snapshot, SqliteConfig, SqliteStore, Store, SubmissionHash, TextKey, pack_document,
    verify_document,
};
use ot_core::{Revision, Text};

use crate::support::history::{automerge_paper, typing};

const DOCUMENT: DocumentId = DocumentId::new(0x10c);
/// Revisions behind the newest snapshot, as a server has them between two.
const TAIL: usize = 500;

fn key() -> TextKey {
    TextKey::from_bytes([3; 32])
}

async fn import(store: &dyn Store, operations: &mut [LoggedOperation]) {
    let new = NewDocument {
        id: DOCUMENT,
        title: "history".to_owned(),
        owner: operations[0].author.clone(),
        tenant: collab_protocol::TenantId::default(),
        link: collab_protocol::LinkAccess::Edit,
        epoch: Epoch::new(1),
        text_key: key(),
        created_ms: operations[0].time_ms,
        text: String::new(),
        client: ClientId::new(1),
    };
    let begin = ImportStep::Begin { new: Box::new(new), started_ms: 1 };
    store.import(begin).await.expect("begins");
    let mut chain = ChainHash::START;
    for batch in operations.chunks_mut(2_000) {
        let mut progress = BTreeMap::new();
        for logged in batch.iter_mut() {
            chain = logged.expected_chain(DOCUMENT, &key(), chain);
            logged.chain = chain;
            let (author, seq) = (logged.author.clone(), logged.seq);
            let (revision, submission) = (logged.revision, SubmissionHash::new(0));
            let known = ClientProgress { author, seq, revision, submission };
            progress.insert(logged.client, known);
        }
        let last = &batch[batch.len() - 1];
        let step = ImportStep::Operations(ImportBatch {
            document: DOCUMENT,
            base: Revision::new(batch[0].revision.get() - 1),
            len_chars: last.operation.target_len() as u64,
            operations: batch.to_vec(),
            progress: progress.into_iter().collect(),
        });
        store.import(step).await.expect("takes the batch in");
    }
    let finish = ImportStep::Finish { document: DOCUMENT, deleted_ms: None };
    store.import(finish).await.expect("ends");
}

fn text_at(operations: &[LoggedOperation]) -> String {
    let mut text = Text::new();
    operations.iter().for_each(|one| text.apply(&one.operation).expect("each follows the last"));
    text.contents()
}

async fn rebuilt(store: &dyn Store) -> Text {
    let all = PageLimit { operations_max: usize::MAX, bytes_max: usize::MAX };
    let mut text = Text::new();
    for row in store.packed_pages(DOCUMENT, Revision::ZERO, all).await.expect("reads") {
        row.page(DOCUMENT).expect("opens").replay(&mut text, Revision::MAX).expect("replays");
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_is_packed_small_and_opens_without_being_read() {
    let mut recorded = match std::env::var_os("EDITING_TRACES") {
        Some(folder) => automerge_paper(std::path::Path::new(&folder)),
        None => typing(12_000),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.db");
    let store = SqliteStore::open(SqliteConfig::new(&path), 0).await.expect("opens");
    let began = Instant::now();
    let timed = |what: &str, began: Instant| {
        println!("{what:<44} {:>10.1} ms", began.elapsed().as_secs_f64() * 1e3);
    };
    import(&store, &mut recorded.operations).await;
    timed("import as single revisions", began);

    let covered = recorded.operations.len() - TAIL;
    let (before, last) =
        (text_at(&recorded.operations[..covered]), &recorded.operations[covered - 1]);
    let snapshot = Snapshot {
        revision: last.revision,
        text: before.as_str().into(),
        chain: last.chain,
        time_ms: last.time_ms,
    };
    store.write_snapshot(DOCUMENT, snapshot).await.expect("written");
    let began = Instant::now();
    let report = pack_document(&store, DOCUMENT, 2_000).await.expect("packs");
    timed("pack in the background", began);
    assert_eq!(report.revisions, covered as u64);

    let began = Instant::now();
    let checked = verify_document(&store, DOCUMENT, |_| ()).await.expect("checks");
    timed("verify", began);
    assert_eq!((checked.damage.len(), checked.revisions), (0, recorded.operations.len() as u64));

    let began = Instant::now();
    let text = rebuilt(&store).await;
    timed("text from the packed log, read and replayed", began);
    assert_eq!(text.contents(), before);

    let began = Instant::now();
    let loaded = store.load(DOCUMENT).await.expect("loads");
    timed("load for a new client (snapshot and tail)", began);
    assert_eq!(
        (loaded.tail.len(), loaded.record.len_chars as usize),
        (TAIL, recorded.end.chars().count())
    );

    let spans = store.packed_log(DOCUMENT).await.expect("reads");
    let packed: u64 = spans.iter().map(|span| span.bytes).sum();
    store.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut beside = sqlx::ConnectOptions::connect(&options).await.expect("connects");
    sqlx::raw_sql("vacuum").execute(&mut beside).await.expect("executes");
    sqlx::Connection::close(beside).await.expect("closes");
    let file = std::fs::metadata(&path).expect("the file").len();
    let (name, revisions) = (recorded.name, recorded.operations.len());
    println!("{name}: {revisions} revisions, {covered} of them in {} pages", spans.len());
    println!("{:<44} {packed:>10} bytes", "packed pages");
    println!("{:<44} {file:>10} bytes", "database file, with snapshot and tail");
    println!("{:<44} {:>10} bytes", "text at the snapshot", before.len());
    // Made-up words pack worse than prose, and short histories worse than long ones.
    let per_revision = packed as f64 / covered as f64;
    assert!(per_revision < 2.5, "{per_revision} bytes a revision");
    if revisions > 200_000 {
        assert!(packed <= 85_000, "{packed} bytes");
    }
}
