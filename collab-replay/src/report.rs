//! A report as a file: one JSON value a line, a header and then events. docs/reports.md is the
//! description for people.

use serde::Deserialize;
use thiserror::Error;

use crate::event::Event;

/// The version of the form that this program reads.
pub const VERSION: u64 = 1;

/// The largest report, in bytes: a text of the largest size several times over, and its events.
pub const BYTES_MAX: usize = 64 << 20;

/// The most events in a report.
pub const EVENTS_MAX: usize = 1_000_000;

/// The first line of a report.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// What the file is: always `report`.
    pub concord: String,
    /// The version of the form.
    pub version: u64,
    /// The document's id.
    pub doc: String,
    /// The client's id; empty when it had none yet.
    pub client: String,
    /// When recording began, as the browser's clock had it.
    pub started: String,
    /// The browser, in its own words.
    #[serde(default)]
    pub agent: String,
    /// Whether texts are replaced by filler.
    #[serde(default)]
    pub redacted: bool,
    /// Events that were recorded before those in the report, and dropped.
    #[serde(default)]
    pub dropped: u64,
    /// The trouble that the report was kept for, as a stable code; empty for none.
    #[serde(default)]
    pub trouble: String,
}

/// Why a file is no report.
#[derive(Debug, Error)]
pub enum ReportError {
    /// It is larger than [`BYTES_MAX`].
    #[error("it has {found} bytes, more than {BYTES_MAX}")]
    TooLarge {
        /// Its size in bytes.
        found: usize,
    },
    /// It is no UTF-8.
    #[error("it is no text in UTF-8")]
    NoText,
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// Its first line is no header of a report.
    #[error("its first line is no header of a report: {0}")]
    Header(String),
    /// It is written in another version of the form.
    #[error("it has version {found}, this program reads version {VERSION}")]
    Version {
        /// The version it has.
        found: u64,
    },
    /// A line is no event.
    #[error("line {line}: {reason}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Its last line does not end: a part of it is missing.
    #[error("line {line} has no end: the report was cut off")]
    CutOff {
        /// The line, from 1.
        line: usize,
    },
    /// It has more than [`EVENTS_MAX`] events.
    #[error("it has more than {EVENTS_MAX} events")]
    TooManyEvents,
}

/// A report that was read whole. Whether its events make sense shows when it is played.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its first line.
    pub header: Header,
    /// What happened, oldest first. Event n stands in line n + 1 of the file, counted from 1.
    pub events: Vec<Event>,
}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    /// [`ReportError`].
    pub fn read(bytes: &[u8]) -> Result<Report, ReportError> {
        if bytes.len() > BYTES_MAX {
            return Err(ReportError::TooLarge { found: bytes.len() });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ReportError::NoText)?;
        let mut lines = text.split_inclusive('\n');
        let header = read_header(lines.next().ok_or(ReportError::Empty)?)?;
        let mut events = Vec::new();
        for (index, line) in lines.enumerate() {
            if events.len() == EVENTS_MAX {
                return Err(ReportError::TooManyEvents);
            }
            events.push(read_event(line, index + 2)?);
        }
        Ok(Report { header, events })
    }
}

fn read_header(line: &str) -> Result<Header, ReportError> {
    // The version first: another one may have other fields.
    #[derive(Deserialize)]
    struct Kind {
        concord: String,
        version: u64,
    }
    let wrong = |error: serde_json::Error| ReportError::Header(error.to_string());
    let kind: Kind = serde_json::from_str(line).map_err(wrong)?;
    if kind.concord != "report" {
        return Err(ReportError::Header(format!("it is a {:?}", kind.concord)));
    }
    if kind.version != VERSION {
        return Err(ReportError::Version { found: kind.version });
    }
    serde_json::from_str(line).map_err(wrong)
}

fn read_event(line: &str, number: usize) -> Result<Event, ReportError> {
    if !line.ends_with('\n') {
        return Err(ReportError::CutOff { line: number });
    }
    serde_json::from_str(line)
        .map_err(|error| ReportError::Line { line: number, reason: error.to_string() })
}
