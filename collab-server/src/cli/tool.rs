//! The commands that work on a database and end: their arguments, and how they fail.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};
use collab_protocol::{DocumentId, UserId};
use ot_core::Revision;

use super::{backup, export, import, replay};
use crate::config::Config;
use crate::server::{self, StartError};
use crate::store::{Store, StoreError};

/// A command that works on a database and ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Write documents with their whole history.
    Export(ExportArguments),
    /// Take documents in.
    Import(ImportArguments),
    /// Build a text anew from a log.
    Replay(ReplayArguments),
    /// Copy a SQLite database into this file.
    Backup(PathBuf),
    /// Give every document another epoch, after a backup was restored.
    RenewEpochs,
}

/// What to export, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportArguments {
    /// The documents, in this order.
    pub documents: Vec<DocumentId>,
    /// The file; standard output where there is none.
    pub output: Option<PathBuf>,
}

/// What to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportArguments {
    /// The files; `-` is standard input.
    pub files: Vec<PathBuf>,
    /// What they are; found out where it is not said.
    pub format: Option<import::Format>,
    /// Who is to own what is made of texts and traces.
    pub owner: UserId,
    /// The title of what is made of a text or trace; the file's name where it is not said.
    pub title: Option<String>,
}

/// What to replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayArguments {
    /// Where the log is.
    pub source: ReplaySource,
    /// Up to where.
    pub until: Until,
}

/// Where a log is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplaySource {
    /// In the database.
    Document(DocumentId),
    /// In a file that was exported; `-` is standard input.
    File(PathBuf),
}

/// Up to where a log is replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// To its end.
    End,
    /// Up to a revision.
    Revision(Revision),
    /// Up to the last revision that was committed at a time or before, in ms since 1970.
    TimeMs(i64),
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The database cannot be opened.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A file cannot be read or written.
    #[error("{}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line of a log does not fit.
    #[error("{}: line {line}: {reason}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is not what it should be.
    #[error("{}: {reason}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A document cannot be read or written.
    #[error("document {document}")]
    Document {
        /// The document.
        document: DocumentId,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// The database fails.
    #[error("the database fails")]
    Store(#[from] StoreError),
    /// The document is not that far.
    #[error("document {document} is at revision {head}, {asked} was asked for")]
    Ahead {
        /// The document.
        document: DocumentId,
        /// Its last revision.
        head: Revision,
        /// What was asked for.
        asked: Revision,
    },
    /// A part of the work ended by a bug.
    #[error("the work was cut off")]
    CutOff,
}

impl ToolError {
    pub(super) fn of(document: DocumentId) -> impl Fn(StoreError) -> ToolError {
        move |source| ToolError::Document { document, source }
    }
}

/// Does what a command says on the configured database, which it closes in the end.
///
/// # Errors
/// [`ToolError`], for the person at the terminal.
pub async fn run(config: &Config, tool: Tool) -> Result<(), ToolError> {
    if let Tool::Replay(ReplayArguments { source: ReplaySource::File(file), until }) = &tool {
        return replay::file(file, *until);
    }
    let store = match &tool {
        Tool::Backup(output) => return backup::run(config, output).await,
        Tool::RenewEpochs => return backup::renew_epochs(config).await,
        Tool::Import(_) => server::open_store(config).await?,
        Tool::Export(_) | Tool::Replay(_) => server::open_store_that_is_there(config).await?,
    };
    let done = run_on(&store, config, tool).await;
    store.close().await;
    done
}

async fn run_on(store: &Arc<dyn Store>, config: &Config, tool: Tool) -> Result<(), ToolError> {
    match tool {
        // They work on the database without a store.
        Tool::Backup(_) | Tool::RenewEpochs => Ok(()),
        Tool::Export(arguments) => export::run(store.as_ref(), arguments).await,
        Tool::Import(arguments) => {
            let revisions_min = config.pack_revisions_min.into();
            let pack_from = config.packing.is_on().then_some(revisions_min);
            import::run(store, arguments, pack_from).await
        }
        Tool::Replay(ReplayArguments { source, until }) => match source {
            ReplaySource::Document(document) => replay::document(store, document, until).await,
            ReplaySource::File(file) => replay::file(&file, until),
        },
    }
}

fn document_argument(name: &'static str) -> Arg {
    Arg::new(name).value_name("DOCUMENT").value_parser(|text: &str| text.parse::<DocumentId>())
}

/// The commands, to be added to the program's.
pub(super) fn commands() -> [Command; 5] {
    [export_command(), import_command(), replay_command(), backup_command(), renew_epochs_command()]
}

fn backup_command() -> Command {
    Command::new("backup")
        .about("Copy a SQLite database as it is at one moment, beside a running server")
        .long_about(
            "Copy a SQLite database as it is at one moment, while a server may go on writing to \
             it. The copy is a database of its own, as small as it can be, and gets its name when \
             all of it is on the disk. PostgreSQL has pg_dump for this. docs/operations.md shows \
             how a backup is restored.",
        )
        .arg(
            Arg::new("output")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("File to write, which must not be there yet"),
        )
}

fn renew_epochs_command() -> Command {
    Command::new("renew-epochs")
        .about("Say that the database was restored from a backup")
        .long_about(
            "Give every document another epoch, after the database was restored from a backup and \
         before a server is started on it. Browsers may know revisions that the backup does not \
         have: with another epoch they take the text anew and put on top of it what they have not \
         sent yet. No server may be running on the database.",
        )
}

fn export_command() -> Command {
    Command::new("export")
        .about("Write documents with their whole history, one JSON value a line")
        .long_about(
            "Write documents with their whole history, one JSON value a line, so that `import` \
             can take them into another database: operations with author, time and number, \
             people, clients and named versions. docs/tools.md describes the lines.\n\n\
             The file holds every text that ever was in the documents: keep it as you keep the \
             database. A name that ends in .gz is compressed.",
        )
        .arg(
            document_argument("document")
                .num_args(1..)
                .required(true)
                .help("Documents to export, by their ids"),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .short('o')
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("File to write; standard output without it, and for -"),
        )
}

fn import_command() -> Command {
    Command::new("import")
        .about("Take in documents: exported ones, plain texts, public editing traces")
        .long_about(
            "Take in documents: what `export` wrote, with its whole history; a plain text in \
             UTF-8; or a public editing trace (JSON as in josephg/editing-traces, sequential or \
             concurrent), of which each patch becomes a revision. Each may be compressed by \
             gzip.\n\n\
             An import may be interrupted at any moment. Run again with the same file it goes on \
             where it stopped, and once it is done it changes nothing. A document shows up only \
             when it is whole.",
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .num_args(1..)
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("Files to import; - is standard input"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["log", "trace", "text"])
                .help("What the files are; found out by looking into them without it"),
        )
        .arg(
            Arg::new("owner")
                .long("owner")
                .value_name("PERSON")
                .default_value("import")
                .value_parser(|text: &str| text.parse::<UserId>())
                .help("Id of the person who is to own what is made of texts and traces"),
        )
        .arg(
            Arg::new("title")
                .long("title")
                .value_name("TITLE")
                .help("Title of what is made of a text or trace [default: the file's name]"),
        )
}

fn replay_command() -> Command {
    Command::new("replay")
        .about("Build a text anew from its log, and print it")
        .long_about(
            "Build a text anew from its log, checking the log on the way, and print it: that of a \
             document in the database, or of a file that `export` wrote.",
        )
        .arg(document_argument("document").help("Document in the database, by its id"))
        .arg(
            Arg::new("file")
                .long("file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("File that `export` wrote; - is standard input"),
        )
        .group(ArgGroup::new("source").args(["document", "file"]).required(true))
        .arg(
            Arg::new("revision")
                .long("revision")
                .value_name("NUMBER")
                .value_parser(value_parser!(u64).range(..=Revision::MAX.get()))
                .help("Up to this revision"),
        )
        .arg(
            Arg::new("time-ms")
                .long("time-ms")
                .value_name("MS")
                .allow_hyphen_values(true)
                .action(ArgAction::Set)
                .conflicts_with("revision")
                .value_parser(value_parser!(i64))
                .help("Up to the last revision of this time, in milliseconds since 1970"),
        )
}

/// The tool that a subcommand and its arguments name, if it is one.
pub(super) fn read(name: &str, matches: &ArgMatches) -> Option<Tool> {
    let path = |name| matches.get_one::<PathBuf>(name).cloned();
    Some(match name {
        "export" => Tool::Export(ExportArguments {
            documents: matches.get_many("document").into_iter().flatten().copied().collect(),
            output: path("output"),
        }),
        "import" => Tool::Import(ImportArguments {
            files: matches.get_many("file").into_iter().flatten().cloned().collect(),
            format: matches.get_one("format").and_then(|name: &String| import::Format::named(name)),
            owner: matches.get_one::<UserId>("owner")?.clone(),
            title: matches.get_one::<String>("title").cloned(),
        }),
        "backup" => Tool::Backup(path("output")?),
        "renew-epochs" => Tool::RenewEpochs,
        "replay" => Tool::Replay(ReplayArguments {
            source: match matches.get_one::<DocumentId>("document") {
                Some(document) => ReplaySource::Document(*document),
                None => ReplaySource::File(path("file")?),
            },
            until: match (matches.get_one::<u64>("revision"), matches.get_one::<i64>("time-ms")) {
                (Some(revision), _) => Until::Revision(Revision::new(*revision)),
                (None, Some(time_ms)) => Until::TimeMs(*time_ms),
                (None, None) => Until::End,
            },
        }),
        _ => return None,
    })
}
