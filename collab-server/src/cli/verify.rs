//! `collab-server verify`: checks what is stored, and tells by its exit code.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use collab_protocol::DocumentId;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::config::Config;
use crate::server::open_store_that_is_there;
use crate::store::{Store, StoreError};
use crate::verify::{DocumentReport, all_documents, verify_document};

/// What is checked, and how it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyOptions {
    /// The documents; all, and what belongs to none, if empty.
    pub documents: Vec<DocumentId>,
    /// Whether each result is a line of JSON.
    pub json: bool,
}

/// Exit code when something is damaged.
const DAMAGED: u8 = 1;

/// Exit code when something could not be checked.
const UNCHECKED: u8 = 2;

/// Rows without a document that are told, at most.
const ORPHANS_MAX: u32 = 100;

pub(super) fn command() -> Command {
    Command::new("verify")
        .about("Check everything that is stored of documents")
        .long_about(
            "Check everything that is stored of documents: replays each log from its first \
             revision, packed pages included, and compares chain, lengths, snapshots, clients and \
             head. Names the first bad revision. Works beside a running server.\n\n\
             Exit code: 0 all is well, 1 something is damaged, 2 something could not be checked.",
        )
        .arg(
            Arg::new("document")
                .value_name("DOC")
                .num_args(0..)
                .value_parser(|text: &str| text.parse::<DocumentId>())
                .help("Ids of documents; all of them if none is named"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("Tell each result as a line of JSON"),
        )
}

pub(super) fn options(matches: &ArgMatches) -> VerifyOptions {
    let documents = matches.get_many::<DocumentId>("document").into_iter().flatten();
    VerifyOptions { documents: documents.copied().collect(), json: matches.get_flag("json") }
}

/// Checks what `options` name, tells about it on standard output, and gives the exit code.
pub async fn verify(config: &Config, options: &VerifyOptions) -> ExitCode {
    match check_all(config, options).await {
        Ok(tally) => tally.exit_code(),
        Err(error) => {
            eprintln!("collab-server verify: {error:#}");
            ExitCode::from(UNCHECKED)
        }
    }
}

#[derive(Default)]
struct Tally {
    documents: u64,
    revisions: u64,
    damaged: u64,
    unchecked: u64,
    orphans: Vec<String>,
}

impl Tally {
    fn exit_code(&self) -> ExitCode {
        if self.unchecked > 0 {
            ExitCode::from(UNCHECKED)
        } else if self.damaged > 0 || !self.orphans.is_empty() {
            ExitCode::from(DAMAGED)
        } else {
            ExitCode::SUCCESS
        }
    }
}

async fn check_all(config: &Config, options: &VerifyOptions) -> anyhow::Result<Tally> {
    let store = open_store_that_is_there(config).await?;
    let is_all = options.documents.is_empty();
    let documents =
        if is_all { all_documents(store.as_ref()).await? } else { options.documents.clone() };
    let bar = progress(documents.len() as u64, options.json);
    let mut tally = Tally::default();
    for document in documents {
        let told = check_one(store.as_ref(), document, options, &bar, &mut tally).await;
        bar.suspend(|| told.map_or(Ok(()), |line| writeln!(std::io::stdout(), "{line}")))?;
        bar.inc(1);
    }
    if is_all {
        tally.orphans = store.orphans(ORPHANS_MAX).await?;
    }
    bar.finish_and_clear();
    tell_end(&tally, options.json)?;
    store.close().await;
    Ok(tally)
}

/// Checks one document; what is to be told of it, if anything.
async fn check_one(
    store: &dyn Store,
    document: DocumentId,
    options: &VerifyOptions,
    bar: &ProgressBar,
    tally: &mut Tally,
) -> Option<String> {
    let mut revisions = 0;
    let checked = verify_document(store, document, |more| {
        revisions += more;
        if revisions % 4_096 == 0 {
            bar.set_message(format!("{document} revision {revisions}"));
            bar.tick();
        }
    });
    let checked = checked.await;
    tally.documents += 1;
    match &checked {
        Ok(report) => {
            tally.revisions += report.revisions;
            tally.damaged += u64::from(!report.damage.is_empty());
        }
        Err(_) => tally.unchecked += 1,
    }
    if options.json { Some(as_json(document, &checked)) } else { as_text(document, &checked) }
}

fn as_json(document: DocumentId, checked: &Result<DocumentReport, StoreError>) -> String {
    let line = match checked {
        Ok(report) => {
            let damage = report.damage.iter().map(|damage| {
                json!({ "revision": damage.revision.map(|at| at.get()), "reason": damage.reason })
            });
            json!({
                "document": document,
                "revisions": report.revisions,
                "pages": report.pages,
                "snapshots": report.snapshots,
                "clients": report.clients,
                "damage": damage.collect::<Vec<_>>(),
            })
        }
        Err(error) => json!({ "document": document, "unchecked": error.to_string() }),
    };
    line.to_string()
}

fn as_text(document: DocumentId, checked: &Result<DocumentReport, StoreError>) -> Option<String> {
    match checked {
        Ok(report) if report.damage.is_empty() => None,
        Ok(report) => {
            let lines = report.damage.iter().map(|damage| match damage.revision {
                Some(revision) => format!("\n  revision {revision}: {}", damage.reason),
                None => format!("\n  {}", damage.reason),
            });
            Some(format!("{document} is damaged{}", lines.collect::<String>()))
        }
        Err(error) => Some(format!("{document} could not be checked: {error}")),
    }
}

fn tell_end(tally: &Tally, is_json: bool) -> std::io::Result<()> {
    let Tally { documents, revisions, damaged, unchecked, orphans } = tally;
    let mut out = std::io::stdout();
    if is_json {
        let line = json!({
            "documents": documents,
            "revisions": revisions,
            "damaged": damaged,
            "unchecked": unchecked,
            "orphans": orphans,
        });
        return writeln!(out, "{line}");
    }
    for orphan in orphans {
        writeln!(out, "{orphan}")?;
    }
    writeln!(
        out,
        "{documents} documents, {revisions} revisions: {damaged} damaged, {unchecked} unchecked, \
         {} rows without their document",
        orphans.len()
    )
}

/// A bar on a terminal; nothing where nobody looks.
fn progress(documents: u64, is_json: bool) -> ProgressBar {
    if is_json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} documents  {msg}");
    ProgressBar::new(documents).with_style(style.expect("a template that is tested"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_has_a_template_that_is_one() {
        assert!(ProgressStyle::with_template("{bar:30} {pos}/{len} documents  {msg}").is_ok());
    }
}
