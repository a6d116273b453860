//! What becomes of the figures as people come into one document, and as documents become more.

use std::time::Duration;

use anyhow::Result;

use super::Size;
use crate::crowd::{Crowd, Edit, Outcome, Pace, Plan};
use crate::figures::{Figures, percentile};
use crate::process;
use crate::subject::{Places, Running, Setup, Subject};

/// The tables; their columns are how many there are.
pub(super) const PEOPLE: [&str; 4] = [
    "people in one document: ack p50 ms",
    "people in one document: received p50 ms",
    "people in one document: received p99 ms",
    "people in one document: server CPU µs/op",
];
pub(super) const DOCUMENTS: [&str; 4] = [
    "documents: ack p50 ms",
    "documents: ack p99 ms",
    "documents: server CPU µs/op",
    "documents: resident KB/document",
];

/// Characters that each types a second at least, where all are in one document,
const EACH_PER_S: f64 = 2.0;

/// and all together, so that a few people make enough to count.
const ROOM_PER_S: f64 = 40.0;

/// Characters that all type a second together, one in each document.
const TOGETHER_PER_S: f64 = 200.0;

fn plan(people: usize, documents: usize, per_second: f64, size: Size) -> Plan {
    Plan {
        people,
        first_document: 0,
        documents,
        writers: people,
        pace: Pace::PerSecond(per_second),
        edit: Edit::Tag,
        warm: size.seconds(1.0, 0.5),
        measured: size.seconds(5.0, 2.0),
        answers_max: u64::MAX,
    }
}

fn cpu_us(outcome: &Outcome) -> f64 {
    outcome.server_cpu_us as f64 / outcome.acked.max(1) as f64
}

/// 2 to 400 people in one document.
pub(super) async fn people(
    subject: Subject,
    places: &Places,
    size: Size,
    figures: &mut Figures,
) -> Result<()> {
    for (people, column) in
        [(2, "2"), (10, "10"), (50, "50"), (100, "100"), (200, "200"), (400, "400")]
    {
        let running = Running::start(subject, places, 1)?;
        let setup = Setup::new(&running, 1, people).await?;
        let each = EACH_PER_S.max(ROOM_PER_S / people as f64);
        let crowd = Crowd::gather(&setup, plan(people, 1, each, size)).await?;
        let outcome = crowd.run(&running).await?;
        let values = [
            percentile(&outcome.acks_ms, 0.5),
            percentile(&outcome.deliveries_ms, 0.5),
            percentile(&outcome.deliveries_ms, 0.99),
            cpu_us(&outcome),
        ];
        for (table, value) in PEOPLE.into_iter().zip(values) {
            figures.add(table, subject, column, value);
        }
    }
    Ok(())
}

/// 1 to 10,000 open documents, while as much is typed in all of them together.
pub(super) async fn documents(
    subject: Subject,
    places: &Places,
    size: Size,
    figures: &mut Figures,
) -> Result<()> {
    let counts = [(1, "1"), (10, "10"), (100, "100"), (1_000, "1,000"), (10_000, "10,000")];
    let kept = if size.is_quick { 4 } else { counts.len() };
    for (documents, column) in counts.into_iter().take(kept) {
        let running = Running::start(subject, places, 0)?;
        let setup = Setup::new(&running, documents, documents.min(100)).await?;
        let before = process::resident_bytes(running.process())?;
        let each = TOGETHER_PER_S / documents as f64;
        let crowd = Crowd::gather(&setup, plan(documents, documents, each, size)).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let bytes = process::resident_bytes(running.process())?.saturating_sub(before);
        let outcome = crowd.run(&running).await?;
        let values = [
            percentile(&outcome.acks_ms, 0.5),
            percentile(&outcome.acks_ms, 0.99),
            cpu_us(&outcome),
            bytes as f64 / 1024.0 / documents as f64,
        ];
        for (table, value) in DOCUMENTS.into_iter().zip(values) {
            figures.add(table, subject, column, value);
        }
    }
    Ok(())
}
