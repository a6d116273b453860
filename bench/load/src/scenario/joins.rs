//! Opening a document that has a past.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Result;

use super::Size;
use crate::connection::Connection;
use crate::crowd::{Crowd, Edit, Pace, Plan};
use crate::figures::{Figures, percentile};
use crate::subject::{Places, Running, Setup, Subject, TEXT_LEN};

/// Joins of which the median is taken.
const JOINS: usize = 40;

/// How long a past may take to be made.
const PAST_MAX: Duration = Duration::from_secs(150);

/// The documents of [`after_a_million`].
const SHORT: usize = 0;
const LONG: usize = 1;
const OTHER: usize = 2;

/// Makes a past of so many edits.
fn past(people: usize, document: usize, pace: Pace, edit: Edit, edits: u64) -> Plan {
    Plan {
        people,
        first_document: document,
        documents: 1,
        writers: people,
        pace,
        edit,
        warm: Duration::ZERO,
        measured: PAST_MAX,
        answers_max: edits,
    }
}

/// Joins one after the other: milliseconds of each, and the bytes of the last.
async fn join(setup: &Setup, document: usize, times: usize) -> Result<(Vec<f64>, usize)> {
    let (mut joins, mut bytes) = (Vec::new(), 0);
    for index in 0..times {
        let driver = setup.driver(index, document);
        let connection = Connection::open(setup.address(), Ipv4Addr::LOCALHOST, driver).await?;
        joins.push(connection.joined_in.as_secs_f64() * 1e3);
        bytes = connection.joined_bytes;
    }
    joins.sort_by(f64::total_cmp);
    Ok((joins, bytes))
}

/// S5: insertions at random places, then joins.
pub(super) async fn after_many_edits(
    subject: Subject,
    places: &Places,
    size: Size,
    figures: &mut Figures,
) -> Result<()> {
    let running = Running::start(subject, places, 1)?;
    let setup = Setup::new(&running, 1, 64).await?;
    // Who writes makes no difference to the text; this is what each server takes quickest.
    let (people, pace) = match subject {
        Subject::Hocuspocus => (1, Pace::Answered(64)),
        Subject::ShareDb => (4, Pace::Answered(1)),
        _ => (64, Pace::Answered(1)),
    };
    let edits = size.count(100_000, 10_000) as u64;
    let crowd = Crowd::gather(&setup, past(people, 0, pace, Edit::Letter, edits)).await?;
    let outcome = crowd.run(&running).await?;
    drop(crowd);
    let text = TEXT_LEN + outcome.answers;
    let (joins, bytes) = join(&setup, 0, JOINS).await?;
    figures.add("s5", subject, "edits", outcome.answers as f64);
    figures.add("s5", subject, "join ms", percentile(&joins, 0.5));
    figures.add("s5", subject, "join p95 ms", percentile(&joins, 0.95));
    figures.add("s5", subject, "bytes", bytes as f64);
    figures.add("s5", subject, "bytes/text", bytes as f64 / text as f64);
    Ok(())
}

/// A document of a million revisions beside one of about ten, their texts as long.
pub(super) async fn after_a_million(
    subject: Subject,
    places: &Places,
    size: Size,
    figures: &mut Figures,
) -> Result<()> {
    let running = Running::start(subject, places, 0)?;
    let mut setup = Setup::new(&running, 0, 64).await?;
    for _ in [SHORT, LONG, OTHER] {
        setup.create(&"x".repeat(100_000)).await?;
    }
    let mut few = past(1, SHORT, Pace::PerSecond(20.0), Edit::Exchange, 10);
    few.measured = Duration::from_millis(500);
    Crowd::gather(&setup, few).await?.run(&running).await?;
    let revisions = size.count(1_000_000, 50_000) as u64;
    let many = past(64, LONG, Pace::Answered(1), Edit::Exchange, revisions);
    let outcome = Crowd::gather(&setup, many).await?.run(&running).await?;
    let mut add = |figure, value| figures.add("s5-million", subject, figure, value);
    add("revisions", outcome.answers as f64);
    add("acked/s", outcome.acked_per_s());
    let short = percentile(&join(&setup, SHORT, JOINS).await?.0, 0.5);
    let long = percentile(&join(&setup, LONG, JOINS).await?.0, 0.5);
    add("join ms", long);
    add("join ms of 10", short);
    add("join, times that of 10", long / short);
    let running = running.restart(places)?;
    let setup = setup.moved_to(&running);
    join(&setup, OTHER, 1).await?;
    let short = join(&setup, SHORT, 1).await?.0[0];
    let long = join(&setup, LONG, 1).await?.0[0];
    add("first join ms", long);
    add("first join ms of 10", short);
    add("first join, times that of 10", long / short);
    Ok(())
}
