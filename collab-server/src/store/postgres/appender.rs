//! The one task that appends: it puts the first waiting append of every document into one statement
//! and answers once that is committed.
//!
//! What the database answered with an error is undone. Then each append of the round is tried by
//! itself, so that a bad one fails alone. Where the answer itself is missing, because the
//! connection broke or nothing came in time, nobody knows: the connection is given up, and whoever
//! waits has to look.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgSeverity};
use sqlx::{Connection, PgConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::append::append;
use super::server::Session;
use crate::store::StoreError;
use crate::store::error::is_constraint;
use crate::store::record::{Append, AppendOutcome};

/// What the task is asked for.
pub(super) enum Request {
    Append(Append, oneshot::Sender<AppendOutcome>),
    Close,
}

/// An append, with the way to answer it.
struct Waiting {
    append: Append,
    reply: oneshot::Sender<AppendOutcome>,
}

impl Waiting {
    fn answer(self, outcome: AppendOutcome) {
        // Who asked may have gone; then nobody is to be told.
        drop(self.reply.send(outcome));
    }
}

pub(super) struct Appender {
    /// `None` once it broke, until the next round.
    connection: Option<PgConnection>,
    options: PgConnectOptions,
    session: Session,
    limit: Duration,
    group_max: usize,
}

/// Why a statement did not do its work.
pub(super) enum Fault {
    /// A constraint refused it; nothing is written.
    Constraint,
    /// The database refused it; nothing is written.
    Refused(StoreError),
    /// The database took too long over it and undid it; nothing is written.
    Overdue(StoreError),
    /// It was never sent.
    NotSent(StoreError),
    /// It may have been carried out.
    Unknown(StoreError),
}

impl Fault {
    pub(super) fn of(error: sqlx::Error) -> Fault {
        let answered =
            error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
        match answered {
            // The session ends with it, and that may be after the commit.
            Some(answered)
                if matches!(answered.severity(), PgSeverity::Fatal | PgSeverity::Panic) =>
            {
                Fault::Unknown(error.into())
            }
            // "Statement completion unknown".
            Some(answered) if answered.code() == "40003" => Fault::Unknown(error.into()),
            // "Query canceled", by `statement_timeout`.
            Some(answered) if answered.code() == "57014" => Fault::Overdue(error.into()),
            Some(_) if is_constraint(&error) => Fault::Constraint,
            Some(_) => Fault::Refused(error.into()),
            None => Fault::Unknown(error.into()),
        }
    }

    /// What an append comes to that met this fault by itself.
    pub(super) fn outcome(self) -> AppendOutcome {
        match self {
            Fault::Constraint => AppendOutcome::Conflict,
            Fault::Refused(error) | Fault::Overdue(error) | Fault::NotSent(error) => {
                AppendOutcome::Failed(error)
            }
            Fault::Unknown(error) => AppendOutcome::Unknown(error),
        }
    }
}

impl Appender {
    pub(super) fn new(
        connection: PgConnection,
        options: PgConnectOptions,
        session: Session,
        limit: Duration,
        group_max: usize,
    ) -> Self {
        Appender { connection: Some(connection), options, session, limit, group_max }
    }

    /// Runs until the store is closed or dropped.
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut waiting = VecDeque::new();
        let mut taken = Vec::new();
        loop {
            if waiting.is_empty() && requests.recv_many(&mut taken, self.group_max).await == 0 {
                break;
            }
            while waiting.len() + taken.len() < self.group_max {
                let Ok(request) = requests.try_recv() else { break };
                taken.push(request);
            }
            for request in taken.drain(..) {
                match request {
                    Request::Append(append, reply) => waiting.push_back(Waiting { append, reply }),
                    Request::Close => requests.close(),
                }
            }
            let round = take_round(&mut waiting);
            self.commit(round).await;
        }
        if let Some(connection) = self.connection {
            // Whether the server hears the goodbye or not, everything is answered.
            let _ = timeout(self.limit, connection.close()).await;
        }
    }

    async fn commit(&mut self, round: Vec<Waiting>) {
        let (empty, round): (Vec<_>, Vec<_>) =
            round.into_iter().partition(|waiting| waiting.append.operations.is_empty());
        empty.into_iter().for_each(|waiting| waiting.answer(AppendOutcome::Done));
        if round.is_empty() {
            return;
        }
        let round = match self.try_round(round).await {
            Ok(()) => return,
            Err((round, Fault::Constraint | Fault::Refused(_))) if round.len() > 1 => round,
            Err((round, Fault::Overdue(error) | Fault::NotSent(error))) => {
                return fail(round, &error);
            }
            Err((round, fault)) => {
                let outcome = fault.outcome();
                return round.into_iter().for_each(|waiting| waiting.answer(outcome.clone()));
            }
        };
        let mut left = round.into_iter();
        while let Some(waiting) = left.next() {
            let Err((alone, fault)) = self.try_round(vec![waiting]).await else { continue };
            let hopeless = match &fault {
                Fault::Overdue(error) | Fault::NotSent(error) => Some(error.clone()),
                _ => None,
            };
            let outcome = fault.outcome();
            alone.into_iter().for_each(|waiting| waiting.answer(outcome.clone()));
            if let Some(error) = hopeless {
                return fail(left.collect(), &error);
            }
        }
    }

    /// One statement. `Ok` when all were answered.
    async fn try_round(&mut self, round: Vec<Waiting>) -> Result<(), (Vec<Waiting>, Fault)> {
        let mut connection = match self.connected().await {
            Ok(connection) => connection,
            Err(error) => return Err((round, Fault::NotSent(error))),
        };
        let sent = append(&mut connection, round.iter().map(|waiting| &waiting.append));
        let moved = match timeout(self.limit, sent).await {
            Ok(Ok(moved)) => moved,
            Ok(Err(error)) => {
                let appends = round.len();
                tracing::warn!(%error, appends, "an append was given up");
                let fault = Fault::of(error);
                if !matches!(fault, Fault::Unknown(_)) {
                    self.connection = Some(connection);
                }
                return Err((round, fault));
            }
            Err(_) => {
                tracing::error!(appends = round.len(), "the database does not answer an append");
                let error = StoreError::unavailable("the database does not answer");
                return Err((round, Fault::Unknown(error)));
            }
        };
        self.connection = Some(connection);
        for waiting in round {
            let outcome = match moved.contains(&waiting.append.document) {
                true => AppendOutcome::Done,
                false => AppendOutcome::Conflict,
            };
            waiting.answer(outcome);
        }
        Ok(())
    }

    /// The connection, taken; another one if it broke. A server that comes back with other settings
    /// is checked like the first.
    async fn connected(&mut self) -> Result<PgConnection, StoreError> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        match timeout(self.limit, self.session.connect(&self.options)).await {
            Ok(Ok(connection)) => {
                tracing::info!("connected to the database again");
                Ok(connection)
            }
            Ok(Err(error)) => Err(StoreError::unavailable(error)),
            Err(_) => Err(StoreError::unavailable("the database takes no connection")),
        }
    }
}

fn fail(round: Vec<Waiting>, error: &StoreError) {
    round.into_iter().for_each(|waiting| waiting.answer(AppendOutcome::Failed(error.clone())));
}

/// The first append of every document. Those behind it stay, in order: they are made on its head.
fn take_round(waiting: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let mut documents = HashSet::new();
    let (round, behind): (Vec<_>, Vec<_>) =
        waiting.drain(..).partition(|waiting| documents.insert(waiting.append.document));
    waiting.extend(behind);
    round
}
