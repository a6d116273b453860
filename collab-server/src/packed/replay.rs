//! Rebuilds a text straight from the columns: no operation is made, and what is typed and taken
//! back before the caret goes elsewhere never reaches the rope.

use ot_core::{Revision, Text};

use super::columns::Column;
use super::reader::Edits;
use super::runs::{Kind, Run};
use super::{PackedPage, PageError};

impl PackedPage<'_> {
    /// Carries `text`, which must be the one before the page, through its operations up to
    /// revision `up_to`; all of them, if that lies behind the page.
    ///
    /// # Errors
    /// [`PageError`], also when `text` has another length than the page begins with. The text is
    /// of no use then.
    pub fn replay(&self, text: &mut Text, up_to: Revision) -> Result<(), PageError> {
        self.edits()?.replay(text, up_to)
    }
}

impl Edits {
    /// As [`PackedPage::replay`], with the columns expanded already.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn replay(&self, text: &mut Text, up_to: Revision) -> Result<(), PageError> {
        let head = self.head();
        if text.len_chars() != head.base_len {
            return Err(PageError::Malformed { part: "head" });
        }
        let mut left = (up_to.get() + 1).saturating_sub(head.first).min(head.count);
        let is_whole = left == head.count;
        let mut runs = self.runs();
        let mut pending = Pending { text, start: 0, deleted: 0, inserted: String::new(), chars: 0 };
        while left > 0 {
            let Some(run) = runs.next_run()? else { break };
            let count = run.count.min(left);
            left -= count;
            let run = if count < run.count { run.first(count) } else { run };
            pending.run(&run)?;
        }
        pending.flush()?;
        let is_short = is_whole && (runs.next_run()?.is_some() || left > 0);
        if is_short || (is_whole && text.len_chars() != head.target_len) {
            return Err(PageError::Malformed { part: "head" });
        }
        Ok(())
    }
}

/// One change of the text that is still growing: at `start`, `deleted` characters make way for
/// `inserted`.
struct Pending<'t> {
    text: &'t mut Text,
    start: usize,
    deleted: usize,
    inserted: String,
    /// Characters of `inserted`.
    chars: usize,
}

impl Pending<'_> {
    fn run(&mut self, run: &Run<'_>) -> Result<(), PageError> {
        let total = run.len * run.count as usize;
        match run.kind {
            Kind::Insert => self.insert(run.at, run.text, total),
            Kind::Back => self.delete_before(run.at, total),
            Kind::Forward => self.delete_behind(run.at, total),
            Kind::General => {
                self.flush()?;
                let text = &mut *self.text;
                run.splices(|at, deleted, inserted| {
                    text.splice(at, deleted, inserted).map_err(|_| Column::Parts.malformed())
                })
            }
        }
    }

    fn is_at(&self, offset: usize) -> bool {
        offset == self.start + self.chars
    }

    fn move_to(&mut self, offset: usize) -> Result<(), PageError> {
        if !self.is_at(offset) {
            self.flush()?;
            self.start = offset;
        }
        Ok(())
    }

    fn insert(&mut self, at: usize, text: &str, chars: usize) -> Result<(), PageError> {
        self.move_to(at)?;
        self.inserted.push_str(text);
        self.chars += chars;
        Ok(())
    }

    fn delete_before(&mut self, end: usize, chars: usize) -> Result<(), PageError> {
        self.move_to(end)?;
        let own = chars.min(self.chars);
        self.inserted.truncate(end_without(&self.inserted, own));
        self.chars -= own;
        self.start =
            self.start.checked_sub(chars - own).ok_or_else(|| Column::Offsets.malformed())?;
        self.deleted += chars - own;
        Ok(())
    }

    fn delete_behind(&mut self, at: usize, chars: usize) -> Result<(), PageError> {
        self.move_to(at)?;
        self.deleted += chars;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), PageError> {
        if self.deleted > 0 || self.chars > 0 {
            self.text
                .splice(self.start, self.deleted, &self.inserted)
                .map_err(|_| Column::Offsets.malformed())?;
            self.inserted.clear();
            (self.start, self.deleted, self.chars) = (self.start + self.chars, 0, 0);
        }
        Ok(())
    }
}

/// Where `text` ends without its last `chars` characters, of which it has as many.
fn end_without(text: &str, chars: usize) -> usize {
    match chars {
        0 => text.len(),
        chars => text.char_indices().rev().nth(chars - 1).map_or(0, |(at, _)| at),
    }
}
