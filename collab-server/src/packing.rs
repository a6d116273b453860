//! Packs old history: rows become pages, small pages become large ones.
//!
//! One document at a time, one page per transaction, beside the actors: a page is made of what was
//! read before, and the store puts it in place only if the log still is that. So it can be stopped
//! at any point and begins again where it stopped.

mod job;

use collab_protocol::DocumentId;
use ot_core::Revision;

use crate::packed::{PackError, PageBuilder};
use crate::store::{
    ChainHash, DocumentRecord, LoggedOperation, Pack, PackOutcome, PackedRow, PackedSpan,
    PageLimit, Snapshot, Store, StoreError, Walk, in_background,
};

pub(crate) use self::job::PackingStore;

/// Operations in a full page. Larger ones are little smaller in all and slower to read a part of.
const PAGE_OPERATIONS: u64 = 1 << 16;

/// Rows that go into a page at once. Deleting them holds up the database's one writer.
const ROWS_MAX: usize = 2_048;

/// What a page may take before it is compressed, in bytes; one operation may exceed it. Whoever reads a
/// part of a page expands all of it, and several do so at once.
const PAGE_EXPANDED_BYTES: usize = 2 << 20;

/// How often a page is made anew when somebody else packs the same document.
const ATTEMPTS_MAX: usize = 8;

/// What packing a document came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackReport {
    /// Pages written, those that were merged again included.
    pub pages: u64,
    /// Revisions that were rows and are packed now.
    pub revisions: u64,
    /// Size of the pages written, in bytes.
    pub bytes: u64,
    /// What the pages written take expanded, in bytes.
    pub expanded_bytes: u64,
}

/// Packs everything of a document that is older than its newest snapshot, if that is at least
/// `revisions_min` revisions.
///
/// # Errors
/// [`StoreError`]: what the store says, or [`StoreError::Corrupt`] when the log does not hold.
pub async fn pack_document(
    store: &dyn Store,
    document: DocumentId,
    revisions_min: u64,
) -> Result<PackReport, StoreError> {
    let mut report = PackReport::default();
    let record = store.document(document).await?;
    let newest = store.snapshot_at_or_before(document, record.revision).await?;
    let Some(snapshot) = newest else { return Ok(report) };
    let spans = store.packed_log(document).await?;
    let waiting = snapshot.revision.get().saturating_sub(end_of(&spans).get());
    if waiting < revisions_min.max(1) {
        return Ok(report);
    }
    // Somebody else may pack the same document; then what is left is theirs.
    for _ in 0..ATTEMPTS_MAX {
        while let Next::Page(made) = next_page(store, &record, &snapshot).await? {
            if store.pack(document, made.pack).await? == PackOutcome::Conflict {
                break;
            }
            report.pages += 1;
            report.revisions += made.rows;
            report.bytes += made.bytes;
            report.expanded_bytes += made.expanded_bytes;
        }
        if end_of(&store.packed_log(document).await?) >= snapshot.revision {
            break;
        }
    }
    Ok(report)
}

/// What is to be done next.
enum Next {
    /// Nothing: all up to the snapshot is packed.
    Nothing,
    /// The pages moved while they were read.
    Moved,
    /// To put this page in place.
    Page(Made),
}

/// A page that is ready, and what it weighs.
struct Made {
    pack: Pack,
    rows: u64,
    bytes: u64,
    expanded_bytes: u64,
}

fn end_of(spans: &[PackedSpan]) -> Revision {
    spans.last().map_or(Revision::ZERO, |span| span.last)
}

/// The page that comes next.
async fn next_page(
    store: &dyn Store,
    record: &DocumentRecord,
    snapshot: &Snapshot,
) -> Result<Next, StoreError> {
    let spans = store.packed_log(record.id).await?;
    let at = end_of(&spans);
    if at >= snapshot.revision {
        return Ok(Next::Nothing);
    }
    let rows = read_rows(store, record.id, at, snapshot.revision).await?;
    let first_merged = merged_with(&spans, rows.len() as u64);
    let (kept, merged) = spans.split_at(first_merged);
    let before =
        kept.last().map_or((Revision::ZERO, ChainHash::START), |span| (span.last, span.chain));
    let mut pages = match merged {
        [] => Vec::new(),
        _ => {
            let all = PageLimit { operations_max: usize::MAX, bytes_max: usize::MAX };
            store.packed_pages(record.id, before.0, all).await?
        }
    };
    if !pages.iter().map(|page| page.last).eq(merged.iter().map(|span| span.last)) {
        return Ok(Next::Moved);
    }
    let first_fitting = fitting(record.id, &pages, &rows)?;
    let previous = first_fitting.checked_sub(1).map_or(before.1, |last| pages[last].chain);
    let pages = pages.split_off(first_fitting);
    let merged = pages.iter().map(|page| page.last).collect();
    let sources = Sources { record: record.clone(), previous, merged, pages, rows };
    in_background(move || sources.page()).await.map(Next::Page)
}

/// Rows behind `after`, at most to `until`, as many as one transaction should take.
async fn read_rows(
    store: &dyn Store,
    document: DocumentId,
    after: Revision,
    until: Revision,
) -> Result<Vec<LoggedOperation>, StoreError> {
    let limit = PageLimit { operations_max: ROWS_MAX, bytes_max: PAGE_EXPANDED_BYTES };
    let mut rows = store.since(document, after, limit).await?.operations;
    rows.retain(|logged| logged.revision <= until);
    if rows.is_empty() {
        let reason = format!("log has nothing behind revision {after}, a snapshot is at {until}");
        return Err(StoreError::Corrupt { document, reason });
    }
    Ok(rows)
}

/// From which on the pages go into the next one, to which `rows` operations come, as far as a page holds them: those
/// that become one of at least four times their size, or one that is more than half full. Each operation is so packed
/// anew three times at most, where by doublings alone it would be five.
fn merged_with(spans: &[PackedSpan], rows: u64) -> usize {
    let (mut first, mut sum) = (spans.len(), rows);
    // An estimate of what they expand to: text, the dearest part, shrinks to a third.
    let mut bytes = 0;
    for (index, span) in spans.iter().enumerate().rev() {
        let count = span.operation_count();
        bytes += 4 * span.bytes;
        if count > sum || sum + count > PAGE_OPERATIONS || bytes > PAGE_EXPANDED_BYTES as u64 {
            break;
        }
        sum += count;
        if sum >= 4 * count || sum > PAGE_OPERATIONS / 2 {
            first = index;
        }
    }
    first
}

/// From which on pages fit into one with what is behind them, by what they really expand to: text that
/// repeats itself shrinks to a thousandth.
fn fitting(
    document: DocumentId,
    pages: &[PackedRow],
    rows: &[LoggedOperation],
) -> Result<usize, StoreError> {
    let mut bytes: u64 = rows.iter().map(|logged| logged.operation.inserted_bytes() as u64).sum();
    for (index, page) in pages.iter().enumerate().rev() {
        bytes += page.page(document)?.expanded_bytes();
        if bytes > PAGE_EXPANDED_BYTES as u64 {
            return Ok(index + 1);
        }
    }
    Ok(0)
}

/// What a page is made of.
struct Sources {
    record: DocumentRecord,
    /// The chain hash before the page.
    previous: ChainHash,
    merged: Vec<Revision>,
    pages: Vec<PackedRow>,
    rows: Vec<LoggedOperation>,
}

impl Sources {
    /// Makes the page, and reads it back before anything is deleted for it.
    fn page(self) -> Result<Made, StoreError> {
        let document = self.record.id;
        let corrupt = |reason: String| StoreError::Corrupt { document, reason };
        let mut builder = PageBuilder::new();
        let mut push = |logged: &LoggedOperation| {
            builder.push(logged).map_err(|error: PackError| {
                corrupt(format!("revision {} cannot be packed: {error}", logged.revision))
            })
        };
        // Their rows' hashes hold, and reading the new page back goes along the chain.
        for page in &self.pages {
            page.for_each(document, |logged| push(&logged))?;
        }
        let mut chain = self.pages.last().map_or(self.previous, |page| page.chain);
        for logged in &self.rows {
            chain = logged.check_chain(document, &self.record.text_key, chain).map_err(corrupt)?;
            push(logged)?;
        }
        let last = self.rows.last().ok_or_else(|| corrupt("nothing to pack".to_owned()))?;
        let expanded_bytes = builder.expanded_bytes() as u64;
        let first = self.pages.first().map_or(self.rows[0].revision, |page| page.first);
        let body = builder.finish().map_err(|error| corrupt(error.to_string()))?;
        let bytes = body.len() as u64;
        let row = PackedRow {
            first,
            last: last.revision,
            chain,
            last_ms: last.time_ms,
            body: body.into(),
        };
        row.walk(document, &self.record.text_key, self.previous, |_| Ok(Walk::On))?;
        let clients = row.clients(document)?;
        let pack = Pack { row, previous: self.previous, merged: self.merged, clients };
        Ok(Made { pack, rows: self.rows.len() as u64, bytes, expanded_bytes })
    }
}

#[cfg(test)]
mod tests {
    use collab_protocol::ClientId;
    use ot_core::{ClientSeq, Operation};

    use super::*;
    use crate::packed::PackedPage;

    fn spans(counts: &[u64]) -> Vec<PackedSpan> {
        let mut next = 1;
        counts
            .iter()
            .map(|count| {
                let first = Revision::new(next);
                next += count;
                let last = Revision::new(next - 1);
                PackedSpan { first, last, chain: ChainHash::START, bytes: 100 }
            })
            .collect()
    }

    #[test]
    fn four_pages_become_one_until_it_is_full() {
        assert_eq!(merged_with(&spans(&[]), 2_048), 0);
        assert_eq!(merged_with(&spans(&[2_048, 2_048]), 2_048), 2);
        assert_eq!(merged_with(&spans(&[2_048, 2_048, 2_048]), 2_048), 0);
        assert_eq!(merged_with(&spans(&[8_192, 2_048, 2_048, 2_048]), 2_048), 1);
        assert_eq!(merged_with(&spans(&[8_192, 8_192, 8_192, 2_048, 2_048, 2_048]), 2_048), 0);
        assert_eq!(merged_with(&spans(&[32_768, 32_000]), 2_048), 2, "larger than what comes");
        assert_eq!(merged_with(&spans(&[32_768, 16_384, 8_192, 6_144]), 6_144), 1);
        assert_eq!(merged_with(&spans(&[28_000, 16_384, 8_192, 6_144]), 6_144), 0);
        assert_eq!(merged_with(&spans(&[65_536, 32_768, 32_768]), 2_048), 3);
        assert_eq!(merged_with(&spans(&[65_536, 100]), 2_048), 1, "a full page stays");
    }

    #[test]
    fn an_operation_is_packed_anew_three_times_at_most() {
        let (mut counts, mut written) = (Vec::<u64>::new(), 0);
        for _ in 0..4 * PAGE_OPERATIONS / 2_048 {
            let first = merged_with(&spans(&counts), 2_048);
            let page = counts.drain(first..).sum::<u64>() + 2_048;
            counts.push(page);
            written += page;
        }
        assert_eq!(counts, [PAGE_OPERATIONS; 4]);
        assert!(written <= 4 * counts.iter().sum::<u64>(), "{written} operations were packed");
    }

    /// Long pastes of one letter, from this revision on.
    fn pastes(first: usize, count: usize) -> Vec<LoggedOperation> {
        let paste = |index: usize| LoggedOperation {
            revision: Revision::new((first + index) as u64),
            client: ClientId::new(1),
            seq: ClientSeq::new((first + index) as u64),
            author: "g_1".parse().expect("an id"),
            time_ms: 1_000,
            operation: Operation::splice(2_000 * (first + index - 1), 0, 0, &"x".repeat(2_000))
                .expect("fits"),
            chain: ChainHash::START,
        };
        (0..count).map(paste).collect()
    }

    #[test]
    fn pages_that_expand_to_much_are_not_merged_though_they_are_small() {
        let page = |number: usize| {
            let operations = pastes(1 + 500 * number, 500);
            let body = PackedPage::encode(&operations).expect("they follow each other");
            assert!(body.len() < 10_000, "{} bytes", body.len());
            let (first, last) = (operations[0].revision, operations[499].revision);
            PackedRow { first, last, chain: ChainHash::START, last_ms: 1_000, body: body.into() }
        };
        let pages: Vec<PackedRow> = (0..4).map(page).collect();
        let fitting = |rows| fitting(DocumentId::new(1), &pages, &pastes(2_001, rows));
        assert_eq!(fitting(100).expect("pages"), 3, "1.2 MB fit, 2.2 do not");
        assert_eq!(fitting(600).expect("pages"), 4, "it is full by itself");
    }

    #[test]
    fn a_long_history_ends_in_few_pages() {
        let mut counts: Vec<u64> = Vec::new();
        let mut repacked = 0;
        for _ in 0..1_000 {
            let first = merged_with(&spans(&counts), 1_000);
            let merged: u64 = counts.drain(first..).sum();
            repacked += merged;
            counts.push(merged + 1_000);
        }
        assert_eq!(counts.iter().sum::<u64>(), 1_000_000);
        assert!(counts.len() <= 26, "{counts:?}");
        assert!(repacked <= 7 * 1_000_000, "{repacked} operations were packed anew");
    }
}
