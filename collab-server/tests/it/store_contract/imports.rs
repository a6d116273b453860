//! Documents that come in with their history.

use collab_protocol::ClientId;
use collab_server::{
    ClientProgress, ImportBatch, ImportStep, ListQuery, LoggedOperation, NewOperation, PageLimit,
    Store, StoreError, Submission,
};
use ot_core::Revision;

use super::support::{DOCUMENT, Database, Pen, client, new_document, text_of, user};

/// A pen for a document that exists only on paper.
fn pen() -> Pen {
    Pen {
        document: DOCUMENT,
        head: Revision::ZERO,
        chain: collab_server::ChainHash::START,
        chains: vec![collab_server::ChainHash::START],
        len: 0,
        time_ms: 5_000,
    }
}

fn logged(pen: &mut Pen, client: ClientId, seq: u64, author: usize, text: &str) -> LoggedOperation {
    pen.time_ms += 10;
    let NewOperation { client, seq, author, operation, chain, .. } =
        pen.write(client, seq, author, text);
    let (revision, time_ms) = (pen.head, pen.time_ms);
    let operation = (*operation).clone();
    LoggedOperation { revision, client, seq, author, time_ms, operation, chain }
}

fn progress_of(logged: &LoggedOperation) -> (ClientId, ClientProgress) {
    let base = Revision::new(logged.revision.get() - 1);
    let submission = Submission::new(logged.seq, base, logged.operation.clone(), None).hash();
    let (author, seq, revision) = (logged.author.clone(), logged.seq, logged.revision);
    (logged.client, ClientProgress { author, seq, revision, submission })
}

fn batch(base: u64, operations: Vec<LoggedOperation>, len: usize) -> ImportStep {
    let progress = operations.last().map(progress_of).into_iter().collect();
    let (base, len_chars) = (Revision::new(base), len as u64);
    ImportStep::Operations(ImportBatch {
        document: DOCUMENT,
        base,
        operations,
        progress,
        len_chars,
    })
}

fn begin() -> ImportStep {
    let new = Box::new(new_document(DOCUMENT, "Brought", ""));
    ImportStep::Begin { new, started_ms: 9_000 }
}

const FINISH: ImportStep = ImportStep::Finish { document: DOCUMENT, deleted_ms: None };

async fn listed(store: &dyn Store, deleted: bool) -> usize {
    let (person, search) = (user(1), String::new());
    let query = ListQuery {
        person,
        tenant: collab_protocol::TenantId::default(),
        search,
        deleted,
        limit: 10,
        after: None,
    };
    store.list_documents(query).await.expect("lists").documents.len()
}

pub(crate) async fn imported_document_is_whole_or_unseen(database: &impl Database) {
    let store = database.store();
    store.import(begin()).await.expect("begun");
    let mut pen = pen();
    let operations =
        vec![logged(&mut pen, client(1), 1, 1, "ab"), logged(&mut pen, client(1), 2, 1, "c")];
    store.import(batch(0, operations.clone(), 3)).await.expect("taken in");
    assert_eq!((listed(store, false).await, listed(store, true).await), (0, 0));
    assert!(store.document(DOCUMENT).await.expect("reads").deleted_ms.is_some());
    let restored = store.set_deleted(DOCUMENT, None).await;
    assert!(matches!(restored, Err(StoreError::NotFound)), "{restored:?}");

    store.import(FINISH).await.expect("finished");
    assert_eq!(listed(store, false).await, 1);
    let loaded = store.load(DOCUMENT).await.expect("loads");
    assert_eq!((text_of(&loaded).as_str(), loaded.record.deleted_ms), ("abc", None));
    assert_eq!((loaded.record.updated_ms, loaded.record.len_chars), (5_020, 3));
    assert_eq!(loaded.tail, operations, "with their times, numbers and chain");
    let progress = store.progress(DOCUMENT, client(1)).await.expect("reads").expect("known");
    assert_eq!(progress, progress_of(&operations[1]).1);
    let again = store.import(FINISH).await;
    assert!(matches!(again, Err(StoreError::NotFound)), "{again:?}");
    pen.commit(store, client(1), 3, "d").await;
}

pub(crate) async fn import_goes_on_where_it_stopped(database: &impl Database) {
    let store = database.store();
    store.import(begin()).await.expect("begun");
    let mut pen = pen();
    for seq in 1..=3 {
        let one = logged(&mut pen, client(1), seq, 1, "x");
        store.import(batch(seq - 1, vec![one], pen.len)).await.expect("taken in");
        // Whoever comes again finds the marks and the head.
        store.import(begin()).await.expect("begun already");
        assert_eq!(store.document(DOCUMENT).await.expect("reads").revision, Revision::new(seq));
    }
    let empty = ImportStep::Operations(ImportBatch {
        document: DOCUMENT,
        base: Revision::new(3),
        operations: Vec::new(),
        progress: vec![progress_of(&logged(&mut pen, client(8), 1, 1, "y"))],
        len_chars: 0,
    });
    store.import(empty).await.expect("progress alone");
    assert_eq!(store.document(DOCUMENT).await.expect("reads").len_chars, 3);
    assert!(store.progress(DOCUMENT, client(8)).await.expect("reads").is_some());
}

pub(crate) async fn import_takes_nothing_out_of_order(database: &impl Database) {
    let store = database.store();
    let mut pen = pen();
    let first = logged(&mut pen, client(1), 1, 1, "x");
    let early = store.import(batch(0, vec![first.clone()], 1)).await;
    assert!(matches!(early, Err(StoreError::Invalid { .. } | StoreError::NotFound)), "{early:?}");
    store.import(begin()).await.expect("begun");
    store.import(batch(0, vec![first.clone()], 1)).await.expect("taken in");
    for base in [0, 2] {
        let refused = store.import(batch(base, vec![first.clone()], 1)).await;
        assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
    }
    let page = store.since(DOCUMENT, Revision::ZERO, PageLimit::DEFAULT).await.expect("reads");
    assert_eq!(page.operations, [first]);
    let new = new_document(DOCUMENT, "Brought", "text");
    let with_text = ImportStep::Begin { new: Box::new(new), started_ms: 1 };
    let refused = store.import(with_text).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
}

pub(crate) async fn import_never_touches_a_document_that_is_there(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    let refused = store.import(begin()).await;
    assert!(matches!(refused, Err(StoreError::AlreadyExists)), "{refused:?}");
    let one = logged(&mut pen, client(1), 1, 1, "x");
    let refused = store.import(batch(0, vec![one], 1)).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
    let refused = store.import(FINISH).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    let record = store.document(DOCUMENT).await.expect("reads");
    assert_eq!((record.revision, record.deleted_ms), (Revision::ZERO, None));
}
