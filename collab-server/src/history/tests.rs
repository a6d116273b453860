//! Looking back gives the same answers whether the log lies in rows, in pages or partly in each.

use std::sync::Arc;
use std::time::Duration;

use collab_protocol::{ClientId, DocumentId, Epoch, UserId};
use futures_util::FutureExt;
use ot_core::testing::{Choices, EditPlan};
use ot_core::{ClientSeq, Operation, Revision, Text};

use super::{Histories, HistoryConfig, HistoryError, Window};
use crate::document::Submission;
use crate::packing::pack_document;
use crate::store::{
    Append, AppendOutcome, ChainHash, ChainLink, DocumentRecord, MemoryStore, NewDocument,
    NewOperation, Snapshot, Store, TextKey,
};

const DOCUMENT: DocumentId = DocumentId::new(1);
const WHOLE: Window = Window { from: 0, len: usize::MAX, gap_ms: 0 };

/// A document of `count` random edits by two people, and its texts from revision 0 on.
async fn written(store: &dyn Store, count: u64) -> Vec<String> {
    let key = TextKey::from_bytes([7; 32]);
    let authors: [UserId; 2] = ["g_1", "g_2"].map(|id| id.parse().expect("an id"));
    let new = NewDocument {
        id: DOCUMENT,
        title: "Notes".into(),
        owner: authors[0].clone(),
        tenant: collab_protocol::TenantId::default(),
        link: collab_protocol::LinkAccess::Edit,
        epoch: Epoch::new(1),
        text_key: key.clone(),
        created_ms: 1_000,
        text: String::new(),
        client: ClientId::new(9),
    };
    store.create_document(new).await.expect("created");
    let (mut text, mut chain, mut texts) = (Text::new(), ChainHash::START, vec![String::new()]);
    for number in 1..=count {
        let bytes: Vec<u8> = (0..24_u64).map(|at| (number * 31 + at * at * 7) as u8).collect();
        let plan = EditPlan::draw(&mut Choices::new(&bytes), |choices| {
            ['a', 'é', '\n', '😀'][choices.below(4)]
        });
        let operation: Operation = plan.on(text.len_chars());
        text.apply(&operation).expect("made for it");
        let (seq, revision) = (ClientSeq::new(number), Revision::new(number));
        let author = &authors[usize::from(number % 5 == 0)];
        let client = ClientId::new(u128::from(number % 5 == 0));
        let time_ms = 1_000 + number as i64;
        let link = ChainLink {
            document: DOCUMENT,
            revision,
            client,
            seq,
            author,
            time_ms,
            operation: &operation,
        };
        let base_chain = chain;
        chain = link.hash(&key, chain);
        let base = Revision::new(number - 1);
        let submission = Submission::new(seq, base, operation.clone(), None).hash();
        let author = author.clone();
        let operation = Arc::new(operation);
        let append = Append {
            document: DOCUMENT,
            base,
            base_chain,
            rights_version: 0,
            operations: vec![NewOperation { client, seq, author, operation, submission, chain }],
            time_ms,
            len_chars: text.len_chars() as u64,
        };
        let outcome = store.append(append).await;
        assert!(matches!(outcome, AppendOutcome::Done), "{outcome:?}");
        texts.push(text.contents());
    }
    texts
}

async fn pack_up_to(store: &dyn Store, revision: u64, text: &str) {
    let page = crate::store::PageLimit::DEFAULT;
    let before = store.since(DOCUMENT, Revision::new(revision - 1), page).await.expect("reads");
    let chain = before.operations[0].chain;
    let revision = Revision::new(revision);
    let snapshot = Snapshot { revision, text: text.into(), chain, time_ms: 9 };
    store.write_snapshot(DOCUMENT, snapshot).await.expect("kept");
    pack_document(store, DOCUMENT, 1).await.expect("packs");
}

/// Everything that can be asked about every revision, by one who has looked at nothing before.
async fn answers(store: &Arc<MemoryStore>, texts: &[String]) -> Vec<String> {
    let store: Arc<dyn Store> = store.clone();
    let record: DocumentRecord = store.document(DOCUMENT).await.expect("there");
    let mut answers = Vec::new();
    // From the last to the first nothing kept is of use, the other way round everything is.
    let forth = 0..texts.len();
    for order in [forth.clone().rev().collect::<Vec<_>>(), forth.collect()] {
        let histories = Histories::new(store.clone(), HistoryConfig::default());
        for at in order {
            let revision = Revision::new(at as u64);
            let past = histories.text(&record, revision).await.expect("a text");
            assert_eq!(&*past.text, texts[at], "the text at revision {at}");
            let runs = histories.attribution(&record, revision, WHOLE).await.expect("authors").runs;
            let third = Revision::new(at as u64 / 3);
            let diff = histories.diff(&record, third, revision).await.expect("a difference");
            assert_eq!(diff.apply(&texts[at / 3]).expect("fits"), texts[at]);
            answers.push(format!("{} {runs:?} {diff:?}", past.time_ms));
        }
    }
    answers
}

#[tokio::test]
async fn packing_changes_no_answer_about_the_past() {
    let store = Arc::new(MemoryStore::new());
    let texts = written(&*store, 120).await;
    let in_rows = answers(&store, &texts).await;
    pack_up_to(&*store, 50, &texts[50]).await;
    assert_eq!(answers(&store, &texts).await, in_rows, "with one page");
    pack_up_to(&*store, 100, &texts[100]).await;
    assert_eq!(answers(&store, &texts).await, in_rows, "with more");
    assert!(!store.packed_log(DOCUMENT).await.expect("reads").is_empty());
}

#[tokio::test]
async fn who_waits_for_a_document_keeps_no_place_from_others() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let texts = written(&*store, 3).await;
    let record = store.document(DOCUMENT).await.expect("there");
    let config = HistoryConfig { jobs_max: 1, waiting_max: 2, ..HistoryConfig::default() };
    let histories = Histories::new(store, config);
    let at_work = histories.pasts.of(DOCUMENT, record.epoch).lock_owned().await;
    let mut text = Box::pin(histories.text(&record, Revision::new(3)));
    let mut runs = Box::pin(histories.attribution(&record, Revision::new(3), WHOLE));
    assert!((&mut text).now_or_never().is_none() && (&mut runs).now_or_never().is_none());
    let others = tokio::time::timeout(Duration::from_secs(30), histories.work(|| 7)).await;
    assert_eq!(others.expect("has a place").expect("works"), 7);
    let third = histories.text(&record, Revision::new(2)).now_or_never();
    assert!(matches!(third, Some(Err(HistoryError::Overloaded))), "who waits is counted");
    drop(at_work);
    assert_eq!(*text.await.expect("a text").text, texts[3]);
    assert!(!runs.await.expect("authors").runs.is_empty());
}
