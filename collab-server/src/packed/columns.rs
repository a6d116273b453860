//! The columns of a page, each compressed by itself where that makes it smaller.

use zstd::zstd_safe::CParameter;

use super::PageError;
use super::number::{Reader, write_varint};

/// A column by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// One byte per run: what it does.
    Kinds,
    /// How many operations each run has.
    Counts,
    /// Where each run begins, from where the last edit ended.
    Offsets,
    /// Characters per operation, where it is not one.
    Sizes,
    /// Components of operations that are more than one insert or delete.
    Parts,
    /// All inserted text.
    Text,
    /// Authors, and clients with their authors.
    People,
    /// Whose operations follow each other.
    Turns,
    /// The clients' numbers.
    Seqs,
    /// The times.
    Times,
}

const NAMES: [&str; 10] =
    ["kinds", "counts", "offsets", "sizes", "parts", "text", "people", "turns", "seqs", "times"];

/// The columns by name, to be filled.
pub(super) type Filled = [Vec<u8>; NAMES.len()];

/// How hard zstd tries. Measured on automerge-paper in pages of 65,536 revisions: level 3 gives
/// 80,396 bytes, 9 gives 75,374, 15 gives 73,222, 19 gives 72,842 and 22 no less. All take about as
/// long as gathering the columns does, and a page is packed off everybody's way.
const LEVEL: i32 = 19;

/// The same for a page of fewer than [`LARGE_PAGE`] operations, which will mostly be packed again with others. Where
/// many write in one document, level 19 for each of them was a tenth of all that an edit costs.
const LEVEL_OF_SMALL: i32 = 9;

/// From so many operations on a page is mostly there to stay.
const LARGE_PAGE: u64 = 1 << 15;

/// How far back zstd looks for what it has seen before, as a power of two: 1 MiB. Its tables grow with
/// it: a column of 16 MiB would take 85 MB while it is packed, and takes 18 MB so (the test prints it).
const WINDOW_LOG: u32 = 20;

/// A zstd block of a few bytes can stand for this many; whoever claims more lies.
const EXPANSION_MAX: u64 = 1 << 16;

/// For a page of so many operations.
fn compressor(operation_count: u64) -> zstd::bulk::Compressor<'static> {
    let level = if operation_count < LARGE_PAGE { LEVEL_OF_SMALL } else { LEVEL };
    let mut compressor = zstd::bulk::Compressor::new(level).expect("a level that zstd has");
    for parameter in [
        CParameter::ContentSizeFlag(false),
        CParameter::ChecksumFlag(false),
        CParameter::DictIdFlag(false),
        CParameter::WindowLog(WINDOW_LOG),
    ] {
        compressor.set_parameter(parameter).expect("a parameter that zstd has");
    }
    compressor
}

/// Writes the columns of a page of so many operations: first all sizes, then the bodies.
pub(super) fn write(columns: &Filled, operation_count: u64, out: &mut Vec<u8>) {
    let mut compressor = compressor(operation_count);
    let mut bodies = Vec::new();
    for column in columns {
        let before = bodies.len();
        match compressor.compress(column) {
            Ok(compressed) if compressed.len() < column.len() => bodies.extend(compressed),
            _ => bodies.extend_from_slice(column),
        }
        write_varint(column.len() as u64, out);
        write_varint((bodies.len() - before) as u64, out);
    }
    out.extend(bodies);
}

/// A column as it is stored.
#[derive(Debug, Clone, Copy)]
struct Stored<'a> {
    bytes: &'a [u8],
    expanded_len: u64,
}

/// The columns of a page, as they are stored.
#[derive(Debug, Clone)]
pub(super) struct Columns<'a>([Stored<'a>; NAMES.len()]);

impl<'a> Columns<'a> {
    /// Finds the columns in what follows a page's head; they must end where it ends.
    pub(super) fn read(mut reader: Reader<'a>, expanded_max: u64) -> Result<Self, PageError> {
        let mut sizes = [(0, 0); NAMES.len()];
        let mut found = 0_u64;
        for size in &mut sizes {
            *size = (reader.varint()?, reader.varint()?);
            let (expanded, stored) = *size;
            if stored > expanded || expanded > stored.saturating_mul(EXPANSION_MAX) {
                return Err(reader.malformed());
            }
            found = found.saturating_add(expanded);
        }
        if found > expanded_max {
            return Err(PageError::TooLarge { found, max: expanded_max });
        }
        let mut columns = [Stored { bytes: &[], expanded_len: 0 }; NAMES.len()];
        for (column, (expanded_len, stored)) in columns.iter_mut().zip(sizes) {
            let len = usize::try_from(stored).map_err(|_| reader.malformed())?;
            *column = Stored { bytes: reader.take(len)?, expanded_len };
        }
        if reader.is_empty() { Ok(Columns(columns)) } else { Err(reader.malformed()) }
    }

    /// A column's bytes.
    pub(super) fn expand(&self, column: Column) -> Result<Vec<u8>, PageError> {
        let stored = self.0[column as usize];
        if stored.expanded_len == stored.bytes.len() as u64 {
            return Ok(stored.bytes.to_vec());
        }
        let malformed = || PageError::Malformed { part: NAMES[column as usize] };
        let capacity = usize::try_from(stored.expanded_len).map_err(|_| malformed())?;
        let expanded = zstd::bulk::decompress(stored.bytes, capacity).map_err(|_| malformed())?;
        if expanded.len() == capacity { Ok(expanded) } else { Err(malformed()) }
    }

    pub(super) fn sizes(&self) -> impl Iterator<Item = (&'static str, usize, u64)> + '_ {
        NAMES
            .iter()
            .zip(&self.0)
            .map(|(name, column)| (*name, column.bytes.len(), column.expanded_len))
    }
}

impl Column {
    pub(super) fn reader(self, bytes: &[u8]) -> Reader<'_> {
        Reader::new(bytes, NAMES[self as usize])
    }

    pub(super) fn malformed(self) -> PageError {
        PageError::Malformed { part: NAMES[self as usize] }
    }
}

#[cfg(test)]
mod tests {
    use super::{LARGE_PAGE, compressor};

    #[test]
    fn a_large_column_takes_little_memory_to_pack() {
        let mut compressor = compressor(LARGE_PAGE);
        let column = b"what somebody pasted, ".repeat(800_000);
        assert!(column.len() > 15 << 20);
        compressor.compress(&column).expect("it compresses");
        let bytes = compressor.context_mut().sizeof();
        println!("{bytes} bytes");
        assert!(bytes < 24 << 20, "{bytes} bytes");
    }
}
