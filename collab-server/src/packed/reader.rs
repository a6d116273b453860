//! Reads operations back, from any revision on, without expanding those before it.

use ot_core::{Operation, Revision};

use super::columns::Column;
use super::runs::{Run, RunReader};
use super::stamps::{StampIter, Stamps};
use super::{Head, PackedPage, PageError};
use crate::store::{ChainHash, LoggedOperation};

/// The edits of a page, expanded to its columns: what a text is rebuilt from.
#[derive(Debug, Clone)]
pub struct Edits {
    head: Head,
    columns: [Vec<u8>; 5],
    text: String,
    is_ascii: bool,
}

impl PackedPage<'_> {
    /// Expands the columns of the edits.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn edits(&self) -> Result<Edits, PageError> {
        let text = String::from_utf8(self.columns.expand(Column::Text)?)
            .map_err(|_| Column::Text.malformed())?;
        // No operation may insert these; see `Operation::check_text`.
        if text.bytes().any(|byte| byte == 0 || byte == b'\r') {
            return Err(Column::Text.malformed());
        }
        let columns = [
            self.columns.expand(Column::Kinds)?,
            self.columns.expand(Column::Counts)?,
            self.columns.expand(Column::Offsets)?,
            self.columns.expand(Column::Sizes)?,
            self.columns.expand(Column::Parts)?,
        ];
        Ok(Edits { head: self.head, columns, is_ascii: text.is_ascii(), text })
    }

    /// Expands the columns that say who and when.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn stamps(&self) -> Result<Stamps, PageError> {
        let people = self.columns.expand(Column::People)?;
        let columns = [
            self.columns.expand(Column::Turns)?,
            self.columns.expand(Column::Seqs)?,
            self.columns.expand(Column::Times)?,
        ];
        Stamps::read(&people, columns, self.head.first, self.head.count)
    }

    /// Every operation, with its stamp. The chain hashes are left at [`ChainHash::START`]: they
    /// follow from the hash before the page.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn decode(&self) -> Result<Vec<LoggedOperation>, PageError> {
        let (edits, stamps) = (self.edits()?, self.stamps()?);
        edits.logged(&stamps).collect()
    }
}

impl Edits {
    pub(super) fn runs(&self) -> RunReader<'_> {
        let columns = [0, 1, 2, 3, 4].map(|index: usize| &*self.columns[index]);
        let (base_len, count) = (self.head.base_len, self.head.count);
        RunReader::new(columns, &self.text, self.is_ascii, base_len, count)
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    /// The operations behind revision `after`, in order. Runs before it are stepped over.
    #[must_use]
    pub fn operations(&self, after: Revision) -> Operations<'_> {
        let skip = (after.get() + 1).saturating_sub(self.head.first).min(self.head.count);
        Operations { edits: self, runs: self.runs(), run: None, skip, done: 0, is_over: false }
    }

    /// The operations with their stamps, from the page's first.
    pub fn logged<'a>(
        &'a self,
        stamps: &'a Stamps,
    ) -> impl Iterator<Item = Result<LoggedOperation, PageError>> + 'a {
        let start = Revision::new(self.head.first - 1);
        Logged { operations: self.operations(start), stamps: stamps.iter() }
    }
}

/// Iterator over the operations of a page; ends behind the first error.
#[derive(Debug, Clone)]
pub struct Operations<'a> {
    edits: &'a Edits,
    runs: RunReader<'a>,
    /// What is left of the run that is being read.
    run: Option<Run<'a>>,
    skip: u64,
    done: u64,
    is_over: bool,
}

impl Operations<'_> {
    fn read(&mut self) -> Result<Option<(Revision, Operation)>, PageError> {
        let run = loop {
            let run = match self.run.take() {
                Some(run) => run,
                None => match self.runs.next_run()? {
                    Some(run) => run,
                    None => return self.end(),
                },
            };
            if self.skip == 0 {
                break run;
            }
            let skipped = self.skip.min(run.count);
            self.skip -= skipped;
            self.done += skipped;
            self.run = (skipped < run.count).then(|| run.behind(skipped));
        };
        let operation = run.operation()?;
        let revision = Revision::new(self.edits.head.first + self.done);
        self.done += 1;
        self.run = (run.count > 1).then(|| run.behind(1));
        Ok(Some((revision, operation)))
    }

    /// The text must be as long as the page says.
    fn end(&self) -> Result<Option<(Revision, Operation)>, PageError> {
        if self.runs.text_len() == self.edits.head.target_len {
            Ok(None)
        } else {
            Err(PageError::Malformed { part: "head" })
        }
    }
}

impl Iterator for Operations<'_> {
    type Item = Result<(Revision, Operation), PageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let read = self.read().transpose();
        self.is_over = !matches!(read, Some(Ok(_)));
        read
    }
}

struct Logged<'a> {
    operations: Operations<'a>,
    stamps: StampIter<'a>,
}

impl Logged<'_> {
    fn read(&mut self) -> Result<Option<LoggedOperation>, PageError> {
        let Some(stamp) = self.stamps.next().transpose()? else {
            // Reads the end, which is checked.
            return match self.operations.next().transpose()? {
                None => Ok(None),
                Some(_) => Err(Column::Counts.malformed()),
            };
        };
        let Some((revision, operation)) = self.operations.next().transpose()? else {
            return Err(Column::Counts.malformed());
        };
        Ok(Some(LoggedOperation {
            revision,
            client: stamp.client,
            seq: stamp.seq,
            author: stamp.author.clone(),
            time_ms: stamp.time_ms,
            operation,
            chain: ChainHash::START,
        }))
    }
}

impl Iterator for Logged<'_> {
    type Item = Result<LoggedOperation, PageError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
