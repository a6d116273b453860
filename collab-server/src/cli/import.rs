//! `import`: documents come in, from exported logs, plain texts and editing traces.
//!
//! What is made of a text or trace has an id drawn from the file's content and a secret of the
//! database: the same file is the same document there, so that an import which was interrupted goes
//! on, while nobody can guess the id.

mod incoming;
mod log;
mod merge;
mod time;
mod trace;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use collab_protocol::{ClientId, DocumentId, Epoch, TITLE_CHARS_MAX, TenantId, UserId};
use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;
use ot_core::{ClientSeq, Operation, Revision};
use serde_json::json;
use uuid::Uuid;

use self::incoming::{Begun, Incoming, Refused};
use self::trace::{Step, Trace};
use super::report::{ReportTo, bar, report};
use super::tool::{ImportArguments, ToolError};
use crate::auth::is_guest;
use crate::clock::{Clock, SystemClock};
use crate::config::LinkDefault;
use crate::packing::pack_document;
use crate::people::one_line;
use crate::store::{ChainHash, LoggedOperation, NewDocument, PersonRecord, Store, TextKey};

/// The largest text or trace, in bytes, unpacked: both are read as a whole. Logs are not.
const WHOLE_BYTES_MAX: u64 = 512 << 20;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What `export` wrote.
    Log,
    /// An editing trace.
    Trace,
    /// A text in UTF-8.
    Text,
}

impl Format {
    /// The format with this name on the command line.
    pub(super) fn named(name: &str) -> Option<Format> {
        Some(match name {
            "log" => Format::Log,
            "trace" => Format::Trace,
            "text" => Format::Text,
            _ => return None,
        })
    }

    /// What a file seems to be that begins with `start`.
    fn of(start: &[u8]) -> Format {
        let start = start.trim_ascii_start();
        let has = |part: &str| start.windows(part.len()).any(|here| here == part.as_bytes());
        if start.starts_with(b"{\"type\":") {
            Format::Log
        } else if start.starts_with(b"{") && (has("\"endContent\"") || has("\"txns\"")) {
            Format::Trace
        } else {
            Format::Text
        }
    }
}

/// What came of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Imported,
    Continued,
    AlreadyThere,
}

impl Outcome {
    fn of(found: Revision) -> Outcome {
        if found == Revision::ZERO { Outcome::Imported } else { Outcome::Continued }
    }
}

fn tell(document: DocumentId, revision: Revision, outcome: Outcome) {
    let (word, said) = match outcome {
        Outcome::Imported => ("imported", "imported"),
        Outcome::Continued => ("continued", "the rest imported"),
        Outcome::AlreadyThere => ("already_there", "was there already"),
    };
    let fields =
        json!({"document": document.to_string(), "revision": revision.get(), "outcome": word});
    let sentence = format!("Document {document}, revision {revision}: {said}");
    report(ReportTo::Output, &sentence, &fields);
}

/// Imports each file, and packs what came in where that is `pack_from` revisions or more: nobody may
/// ever write in it, and only a document that is written in is packed by the server.
///
/// # Errors
/// [`ToolError`] of the first that fails; those before it are there.
pub(super) async fn run(
    store: &Arc<dyn Store>,
    arguments: ImportArguments,
    pack_from: Option<u64>,
) -> Result<(), ToolError> {
    for file in &arguments.files {
        let mut there = Vec::new();
        let imported = import(store, &arguments, file, &mut there).await;
        let bar = bar(None, "Packing");
        for document in there {
            if let Some(revisions_min) = pack_from {
                let packed = pack_document(store.as_ref(), document, revisions_min).await;
                packed.map_err(ToolError::of(document))?;
            }
        }
        bar.finish_and_clear();
        imported?;
    }
    Ok(())
}

/// Imports a file. `there` gets the documents of it that are there, also when others are not.
async fn import(
    store: &Arc<dyn Store>,
    arguments: &ImportArguments,
    file: &Path,
    there: &mut Vec<DocumentId>,
) -> Result<(), ToolError> {
    let mut input = open(file)?;
    let failed = |source| ToolError::File { file: file.to_owned(), source };
    let format = match arguments.format {
        Some(format) => format,
        None => Format::of(input.fill_buf().map_err(failed)?),
    };
    if format == Format::Log {
        return log::import(store, file, input, there).await;
    }
    let bytes = read_whole(file, input)?;
    let source = Source { file, arguments, store };
    there.push(match format {
        Format::Trace => source.import_trace(&bytes).await?,
        _ => source.import_text(bytes).await?,
    });
    Ok(())
}

/// A file, or standard input, unpacked if it is packed.
pub(super) fn open(file: &Path) -> Result<Box<dyn BufRead>, ToolError> {
    let failed = |source| ToolError::File { file: file.to_owned(), source };
    let mut input: Box<dyn BufRead> = match file.as_os_str() == "-" {
        true => Box::new(BufReader::new(io::stdin())),
        false => Box::new(BufReader::with_capacity(1 << 16, File::open(file).map_err(failed)?)),
    };
    let is_packed = input.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
    if is_packed {
        input = Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(input)));
    }
    Ok(input)
}

fn read_whole(file: &Path, input: Box<dyn BufRead>) -> Result<Vec<u8>, ToolError> {
    let mut bytes = Vec::new();
    let read = input.take(WHOLE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|source| ToolError::File { file: file.to_owned(), source })?;
    if bytes.len() as u64 > WHOLE_BYTES_MAX {
        let reason = format!("it has more than {WHOLE_BYTES_MAX} bytes");
        return Err(ToolError::Content { file: file.to_owned(), reason });
    }
    Ok(bytes)
}

/// A text or trace to make a document of.
struct Source<'a> {
    file: &'a Path,
    arguments: &'a ImportArguments,
    store: &'a Arc<dyn Store>,
}

impl Source<'_> {
    fn wrong(&self, reason: impl ToString) -> ToolError {
        ToolError::Content { file: self.file.to_owned(), reason: reason.to_string() }
    }

    async fn import_text(&self, bytes: Vec<u8>) -> Result<DocumentId, ToolError> {
        let origin = Origin::of(self.store, &self.arguments.owner, &bytes).await?;
        let text = String::from_utf8(bytes).map_err(|error| self.wrong(error))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let operation = Operation::splice(0, 0, 0, &text).map_err(|error| self.wrong(error))?;
        let step = Step { agent: 0, time_ms: None, operation };
        let steps = (!text.is_empty()).then_some(Ok(step));
        self.import_steps(origin, None, steps.into_iter(), (1, 1)).await
    }

    async fn import_trace(&self, bytes: &[u8]) -> Result<DocumentId, ToolError> {
        let origin = Origin::of(self.store, &self.arguments.owner, bytes).await?;
        let trace = Trace::read(bytes).map_err(|reason| self.wrong(reason))?;
        let counts = (trace.len(), trace.agents());
        self.import_steps(origin, trace.began_ms(), trace.steps(), counts).await
    }

    async fn import_steps(
        &self,
        origin: Origin,
        began_ms: Option<i64>,
        steps: impl Iterator<Item = Result<Step, String>>,
        (total, agents): (u64, usize),
    ) -> Result<DocumentId, ToolError> {
        let now_ms = SystemClock.now_ms();
        // A document is no younger than what was written in it.
        let created_ms = began_ms.map_or(now_ms, |began_ms| began_ms.min(now_ms));
        let new = self.new_document(&origin, created_ms);
        let begun = Incoming::begin(self.store, new, now_ms).await?;
        let mut incoming = match begun {
            Begun::Whole(record) => {
                tell(record.id, record.revision, Outcome::AlreadyThere);
                return Ok(record.id);
            }
            Begun::Open(incoming) => incoming,
        };
        let writers = origin.writers(&self.arguments.owner, agents);
        let found = incoming.record().revision;
        let bar = bar(Some(total), "Importing");
        self.push_steps(&mut incoming, steps, &writers, &bar).await?;
        if incoming.head().0 < found {
            return Err(self.wrong(format!("the database holds {found} revisions of it")));
        }
        for writer in &writers {
            writer.introduce(self.store, incoming.record().created_ms).await?;
        }
        let head = incoming.head().0;
        let document = incoming.finish(None).await?;
        bar.finish_and_clear();
        tell(document, head, Outcome::of(found));
        Ok(document)
    }

    async fn push_steps(
        &self,
        incoming: &mut Incoming,
        steps: impl Iterator<Item = Result<Step, String>>,
        writers: &[Writer],
        bar: &ProgressBar,
    ) -> Result<(), ToolError> {
        let created_ms = incoming.record().created_ms;
        let mut seqs = vec![0; writers.len()];
        for (step, number) in steps.zip(1_u64..) {
            let Step { agent, time_ms, operation } = step.map_err(|reason| self.wrong(reason))?;
            let at = |reason: String| self.wrong(format!("change {number}: {reason}"));
            operation.check_text().map_err(|error| at(error.to_string()))?;
            seqs[agent] += 1;
            let pushed = incoming.push(LoggedOperation {
                revision: Revision::new(number),
                client: writers[agent].client,
                seq: ClientSeq::new(seqs[agent]),
                author: writers[agent].user.clone(),
                time_ms: time_ms.unwrap_or(created_ms),
                operation,
                chain: ChainHash::START,
            });
            pushed.await.map_err(|refused| match refused {
                Refused::Unfit(reason) => at(reason),
                Refused::Failed(error) => error,
            })?;
            if number.is_multiple_of(1_024) {
                bar.set_position(number);
            }
        }
        Ok(())
    }

    fn new_document(&self, origin: &Origin, created_ms: i64) -> NewDocument {
        let name = self.file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = [".gz", ".json", ".txt", ".md"]
            .iter()
            .fold(name, |name, end| name.strip_suffix(end).unwrap_or(name));
        let title = self.arguments.title.as_deref().unwrap_or(name);
        NewDocument {
            id: DocumentId::new(origin.derived("document")),
            title: one_line(title).chars().take(TITLE_CHARS_MAX).collect(),
            owner: self.arguments.owner.clone(),
            tenant: TenantId::default(),
            // As a document that its owner creates here: a guest has no other way to share it.
            link: LinkDefault::Auto.of(is_guest(&self.arguments.owner)),
            epoch: Epoch::new(Uuid::new_v4().as_u128()),
            text_key: TextKey::random(),
            created_ms,
            text: String::new(),
            client: ClientId::new(origin.derived("client")),
        }
    }
}

/// Where ids of what is made of a file come from.
struct Origin(blake3::Hash);

impl Origin {
    async fn of(
        store: &Arc<dyn Store>,
        owner: &UserId,
        content: &[u8],
    ) -> Result<Origin, ToolError> {
        let drawn = *TextKey::random().as_bytes();
        let secret = store.setting_or_insert("import_secret", drawn.to_vec()).await?;
        let key = *blake3::hash(&secret).as_bytes();
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(&(owner.as_str().len() as u64).to_le_bytes());
        hasher.update(owner.as_str().as_bytes());
        hasher.update(content);
        Ok(Origin(hasher.finalize()))
    }

    /// An id for something about the file.
    fn derived(&self, what: &str) -> u128 {
        let hash = blake3::keyed_hash(self.0.as_bytes(), what.as_bytes());
        u128::from_be_bytes(*hash.as_bytes().first_chunk().expect("a hash is longer"))
    }

    /// Who wrote it: the owner, or of several agents one person each.
    fn writers(&self, owner: &UserId, agents: usize) -> Vec<Writer> {
        let writer = |agent: usize| {
            let client = ClientId::new(self.derived(&format!("client {agent}")));
            let person = self.derived(&format!("person {agent}"));
            let (user, name) = match agents {
                1 => (owner.clone(), None),
                _ => {
                    let id = format!("t_{person:032x}").parse().expect("letters and digits");
                    (id, Some(format!("Writer {}", agent + 1)))
                }
            };
            let color = (agent % usize::from(collab_protocol::COLOR_COUNT)) as u8;
            Writer { user, client, name, color }
        };
        (0..agents).map(writer).collect()
    }
}

/// Somebody who wrote a trace.
struct Writer {
    user: UserId,
    client: ClientId,
    /// `None` for the owner, who has a name of their own.
    name: Option<String>,
    color: u8,
}

impl Writer {
    async fn introduce(&self, store: &Arc<dyn Store>, created_ms: i64) -> Result<(), ToolError> {
        let Some(name) = self.name.clone() else { return Ok(()) };
        let (id, color) = (self.user.clone(), self.color);
        Ok(store.put_person(PersonRecord { id, name, color, created_ms }).await?)
    }
}
