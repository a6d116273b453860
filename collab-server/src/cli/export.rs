//! `export`: documents with their whole history, one JSON value a line.
//!
//! A document is read up to the revision that it has at the beginning, page by page: what is
//! committed meanwhile is for the next export, and no document needs to fit into memory.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, IntoInnerError, Write};
use std::path::PathBuf;

use collab_protocol::{DocumentId, UserId};
use flate2::Compression;
use flate2::write::GzEncoder;
use ot_core::Revision;
use serde_json::json;

use super::log_file;
use super::report::{ReportTo, bar, report};
use super::tool::{ExportArguments, ToolError};
use crate::revision::between;
use crate::store::{PageLimit, Store, StoreError};

/// Operations read at once: as many as a packed page has, since a page is expanded from its
/// beginning for each part of it that is asked for.
const PAGE: PageLimit = PageLimit { operations_max: 1 << 16, ..PageLimit::DEFAULT };

/// Clients asked for at once.
const CLIENTS_MAX: u32 = 500;

/// What the lines are written to.
enum Sink {
    Standard(BufWriter<io::Stdout>),
    Plain(BufWriter<File>),
    Packed(GzEncoder<BufWriter<File>>),
}

impl Sink {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Sink::Standard(writer) => writer.write_all(bytes),
            Sink::Plain(writer) => writer.write_all(bytes),
            Sink::Packed(writer) => writer.write_all(bytes),
        }
    }

    /// Writes all that is left, to the disk where it is a file.
    fn finish(self) -> io::Result<()> {
        let writer = match self {
            Sink::Standard(mut writer) => return writer.flush(),
            Sink::Plain(writer) => writer,
            Sink::Packed(writer) => writer.finish()?,
        };
        writer.into_inner().map_err(IntoInnerError::into_error)?.sync_all()
    }
}

/// A file that does not have its name yet; it goes when it is not to get it.
struct Unnamed(Option<PathBuf>);

impl Drop for Unnamed {
    fn drop(&mut self) {
        if let Some(file) = self.0.take() {
            // What cannot be removed is overwritten by the next export.
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Where the lines go.
struct Output {
    file: PathBuf,
    sink: Sink,
    /// Where a file is written before it has its name.
    unnamed: Unnamed,
}

impl Output {
    fn open(file: Option<PathBuf>) -> Result<Output, ToolError> {
        let Some(file) = file else {
            let sink = Sink::Standard(BufWriter::new(io::stdout()));
            return Ok(Output { file: "-".into(), sink, unnamed: Unnamed(None) });
        };
        let mut unnamed = file.clone().into_os_string();
        unnamed.push(".part");
        let unnamed = PathBuf::from(unnamed);
        let made = File::create(&unnamed)
            .map_err(|source| ToolError::File { file: unnamed.clone(), source })?;
        let made = BufWriter::with_capacity(1 << 16, made);
        let is_packed = file.extension().is_some_and(|end| end == "gz");
        let sink = match is_packed {
            true => Sink::Packed(GzEncoder::new(made, Compression::default())),
            false => Sink::Plain(made),
        };
        Ok(Output { file, sink, unnamed: Unnamed(Some(unnamed)) })
    }

    fn write(&mut self, lines: &str) -> Result<(), ToolError> {
        let written = self.sink.write_all(lines.as_bytes());
        written.map_err(|source| ToolError::File { file: self.file.clone(), source })
    }

    /// Everything is written: a file gets its name, so that a part is never taken for the whole.
    fn finish(mut self) -> Result<(), ToolError> {
        let failed = |source| ToolError::File { file: self.file.clone(), source };
        self.sink.finish().map_err(failed)?;
        if let Some(unnamed) = &self.unnamed.0 {
            std::fs::rename(unnamed, &self.file).map_err(failed)?;
        }
        self.unnamed.0 = None;
        Ok(())
    }
}

/// Exports documents.
///
/// # Errors
/// [`ToolError`]. A file that was to be written does not have its name then.
pub(super) async fn run(store: &dyn Store, arguments: ExportArguments) -> Result<(), ToolError> {
    let file = arguments.output.filter(|file| file.as_os_str() != "-");
    let to = match file {
        Some(_) => ReportTo::Output,
        None => ReportTo::Error,
    };
    let mut output = Output::open(file)?;
    let mut done = Vec::new();
    for document in arguments.documents {
        let revision = export(store, document, &mut output).await?;
        done.push((document, revision));
    }
    output.finish()?;
    for (document, revision) in done {
        let sentence = format!("Document {document}: {revision} revisions exported");
        let fields = json!({"document": document.to_string(), "revision": revision.get()});
        report(to, &sentence, &fields);
    }
    Ok(())
}

async fn export(
    store: &dyn Store,
    document: DocumentId,
    output: &mut Output,
) -> Result<Revision, ToolError> {
    let failed = ToolError::of(document);
    let corrupt = |reason| failed(StoreError::Corrupt { document, reason });
    let record = store.document(document).await.map_err(&failed)?;
    let bar = bar(Some(record.revision.get()), "Exporting");
    let mut lines = String::new();
    log_file::write_document(&mut lines, &record);
    let mut people: BTreeSet<UserId> = BTreeSet::from([record.owner.clone()]);
    let (mut at, mut chain) = (Revision::ZERO, crate::store::ChainHash::START);
    while at < record.revision {
        let wanted = between(at, record.revision).min(PAGE.operations_max);
        let page = PageLimit { operations_max: wanted, ..PAGE };
        let page = store.since(document, at, page).await.map_err(&failed)?;
        for logged in &page.operations {
            chain = logged.check_chain(document, &record.text_key, chain).map_err(corrupt)?;
            log_file::write_op(&mut lines, logged);
            people.insert(logged.author.clone());
            at = logged.revision;
        }
        if page.operations.is_empty() {
            return Err(corrupt(format!("log ends at {at} before {}", record.revision)));
        }
        output.write(&lines)?;
        lines.clear();
        bar.set_position(at.get());
    }
    if chain != record.chain {
        return Err(corrupt(format!("chain at the head {at} is another one")));
    }
    let mut after = None;
    loop {
        let clients = store.clients(document, after, CLIENTS_MAX).await.map_err(&failed)?;
        let Some((last, _)) = clients.last() else { break };
        after = Some(*last);
        // What a client committed since the beginning is for the next export.
        for (client, progress) in clients.iter().filter(|(_, known)| known.revision <= at) {
            log_file::write_client(&mut lines, *client, progress);
        }
    }
    let versions = store.versions(document).await.map_err(&failed)?;
    people.extend(versions.iter().map(|version| version.author.clone()));
    let rights = store.rights(document).await.map_err(&failed)?;
    people.extend(rights.members.keys().cloned());
    for person in store.people(people.into_iter().collect()).await? {
        log_file::write_person(&mut lines, &person);
    }
    for version in versions.iter().filter(|version| version.revision <= record.revision) {
        log_file::write_version(&mut lines, version);
    }
    for (person, role) in &rights.members {
        log_file::write_member(&mut lines, person, *role);
    }
    log_file::write_end(&mut lines, record.revision, chain);
    output.write(&lines)?;
    bar.finish_and_clear();
    Ok(record.revision)
}
