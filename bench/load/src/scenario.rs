//! The scenarios: what people do, at which servers, and which figures come of it.

mod growth;
mod idle;
mod joins;

use std::time::Duration;

use anyhow::Result;

use crate::crowd::{Crowd, Edit, Outcome, Pace, Plan};
use crate::figures::{Figures, percentile};
use crate::subject::{Places, Running, Setup, Subject};

/// A scenario by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// One types, one reads
    S1,
    /// 100 people in one document, 5 characters a second each
    S2,
    /// 400 people in one document, 2 characters a second each
    #[value(name = "s2-400")]
    S2Crowd,
    /// One document, 8 people, each with one submission in flight
    S3a,
    /// 64 documents, 2 people in each, each with one submission in flight
    S3b,
    /// Connections that do nothing
    S4,
    /// Opening a document after 100,000 edits
    S5,
    /// Opening a document of 1,000,000 revisions, beside one of 10
    #[value(name = "s5-million")]
    S5Million,
    /// 64 people, each with one submission in flight, in one document of 100 KB
    S5b,
    /// 2 to 400 people in one document
    People,
    /// 1 to 10,000 documents
    Documents,
}

/// How long and how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) is_quick: bool,
}

impl Size {
    fn seconds(self, full: f64, quick: f64) -> Duration {
        Duration::from_secs_f64(if self.is_quick { quick } else { full })
    }

    fn count(self, full: usize, quick: usize) -> usize {
        if self.is_quick { quick } else { full }
    }
}

impl Scenario {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scenario::S1 => "s1",
            Scenario::S2 => "s2",
            Scenario::S2Crowd => "s2-400",
            Scenario::S3a => "s3a",
            Scenario::S3b => "s3b",
            Scenario::S4 => "s4",
            Scenario::S5 => "s5",
            Scenario::S5Million => "s5-million",
            Scenario::S5b => "s5b",
            Scenario::People => "people",
            Scenario::Documents => "documents",
        }
    }

    /// The names of its tables.
    pub(crate) fn tables(self) -> Vec<&'static str> {
        match self {
            Scenario::People => growth::PEOPLE.to_vec(),
            Scenario::Documents => growth::DOCUMENTS.to_vec(),
            _ => vec![self.name()],
        }
    }

    /// The servers that it says something about.
    pub(crate) fn subjects(self) -> Vec<Subject> {
        use Subject::{
            Concord, DurableRelay, Hocuspocus, Relay, Relay4k, ShareDb, WsRelay, YWebsocket,
        };
        match self {
            Scenario::S1 | Scenario::S2 | Scenario::S3a | Scenario::S3b => Subject::ALL.to_vec(),
            Scenario::S2Crowd => {
                vec![Concord, Relay, DurableRelay, WsRelay, YWebsocket, Hocuspocus]
            }
            Scenario::S4 => {
                vec![Concord, Relay, Relay4k, WsRelay, YWebsocket, Hocuspocus, ShareDb]
            }
            Scenario::S5 => vec![Concord, Hocuspocus, ShareDb],
            Scenario::S5Million | Scenario::People | Scenario::Documents => vec![Concord],
            Scenario::S5b => vec![Concord, Relay, DurableRelay, YWebsocket],
        }
    }

    /// Runs it once with one server, started afresh.
    pub(crate) async fn run(
        self,
        subject: Subject,
        places: &Places,
        size: Size,
        figures: &mut Figures,
    ) -> Result<()> {
        match self {
            Scenario::S4 => idle::run(subject, places, size, figures).await,
            Scenario::S5 => joins::after_many_edits(subject, places, size, figures).await,
            Scenario::S5Million => joins::after_a_million(subject, places, size, figures).await,
            Scenario::People => growth::people(subject, places, size, figures).await,
            Scenario::Documents => growth::documents(subject, places, size, figures).await,
            _ => self.type_along(subject, places, size, figures).await,
        }
    }

    fn plan(self, size: Size) -> Plan {
        let (people, documents, writers, pace) = match self {
            Scenario::S1 => (2, 1, 1, Pace::PerSecond(100.0)),
            Scenario::S2 => (100, 1, 100, Pace::PerSecond(5.0)),
            Scenario::S2Crowd => (400, 1, 400, Pace::PerSecond(2.0)),
            Scenario::S3b => (128, 64, 128, Pace::Answered(1)),
            Scenario::S5b => (64, 1, 64, Pace::Answered(1)),
            _ => (8, 1, 8, Pace::Answered(1)),
        };
        Plan {
            people,
            first_document: 0,
            documents,
            writers,
            pace,
            edit: Edit::Tag,
            warm: size.seconds(1.0, 0.5),
            measured: size.seconds(5.0, 2.0),
            answers_max: u64::MAX,
        }
    }

    async fn type_along(
        self,
        subject: Subject,
        places: &Places,
        size: Size,
        figures: &mut Figures,
    ) -> Result<()> {
        let mut plan = self.plan(size);
        let running = Running::start(subject, places, plan.documents)?;
        let mut setup = Setup::new(&running, plan.documents, plan.people).await?;
        if self == Scenario::S5b && subject.is_concord() {
            plan.first_document = plan.documents;
            setup.create(&"x".repeat(100_000)).await?;
        }
        let crowd = Crowd::gather(&setup, plan).await?;
        let outcome = crowd.run(&running).await?;
        let scenario = self.name();
        let mut add = |figure, value| figures.add(scenario, subject, figure, value);
        if let Pace::PerSecond(_) = plan.pace {
            add("ack p50 ms", percentile(&outcome.acks_ms, 0.5));
            add("ack p99 ms", percentile(&outcome.acks_ms, 0.99));
            add("received p50 ms", percentile(&outcome.deliveries_ms, 0.5));
            add("received p99 ms", percentile(&outcome.deliveries_ms, 0.99));
            add("answered/typed", outcome.acked as f64 / outcome.typed.max(1) as f64);
            add("lost", outcome.lost as f64);
        } else {
            add("acked/s", outcome.acked_per_s());
            add("ack p99 ms", percentile(&outcome.acks_ms, 0.99));
        }
        note_cost(&outcome, add);
        Ok(())
    }
}

/// What the processors did.
fn note_cost(outcome: &Outcome, mut add: impl FnMut(&'static str, f64)) {
    let operations = outcome.acked.max(1) as f64;
    add("server CPU µs/op", outcome.server_cpu_us as f64 / operations);
    add("server CPU %", outcome.server_cpu_us as f64 / outcome.seconds / 1e4);
    add("database CPU %", outcome.database_cpu_us as f64 / outcome.seconds / 1e4);
    add("load CPU %", outcome.load_share * 100.0);
    add("refused", outcome.refusals as f64);
}
