//! People at a server, who type by a plan, and what came of it.

mod member;

use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::member::Member;
use crate::connection::Connection;
use crate::process;
use crate::subject::{Running, Setup};
use crate::tags::Typing;

/// How long what was typed may take to arrive once nobody types any more.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// How people type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// So many characters a second, whatever is answered. Where a protocol has one submission in flight, what is
    /// typed meanwhile goes with the next.
    PerSecond(f64),
    /// The next as soon as one is answered, with so many in flight where the protocol allows more than one.
    Answered(usize),
}

/// What is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// One character inserted, which says who typed it and when.
    Tag,
    /// A letter inserted.
    Letter,
    /// A letter exchanged for another.
    Exchange,
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) people: usize,
    /// People are spread over the documents from this one on.
    pub(crate) first_document: usize,
    pub(crate) documents: usize,
    /// The first so many of the people type.
    pub(crate) writers: usize,
    pub(crate) pace: Pace,
    pub(crate) edit: Edit,
    pub(crate) warm: Duration,
    pub(crate) measured: Duration,
    /// Stop after so many answers, if that comes first.
    pub(crate) answers_max: u64,
}

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Joining,
    Typing,
    Draining,
}

/// What all people of a crowd share: one thread.
pub(super) struct World {
    plan: Plan,
    phase: watch::Sender<Phase>,
    is_measured: Cell<bool>,
    typing: RefCell<Typing>,
    counts: RefCell<Counts>,
    errors: RefCell<Vec<String>>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Characters typed and answered while measured.
    typed: u64,
    acked: u64,
    /// Answers since the beginning.
    answers: u64,
    /// Of what was typed while measured: from the key to the answer and to each other person, in units of 100 ns.
    acks: Vec<u32>,
    deliveries: Vec<u32>,
    refusals: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) seconds: f64,
    /// Characters answered in that time, and answers since the beginning.
    pub(crate) acked: u64,
    pub(crate) answers: u64,
    pub(crate) typed: u64,
    /// Milliseconds, sorted.
    pub(crate) acks_ms: Vec<f64>,
    pub(crate) deliveries_ms: Vec<f64>,
    /// Characters that should have come to somebody and did not.
    pub(crate) lost: u64,
    pub(crate) refusals: u64,
    pub(crate) server_cpu_us: u64,
    pub(crate) database_cpu_us: u64,
    /// The share of its processor that the load took.
    pub(crate) load_share: f64,
}

impl Outcome {
    pub(crate) fn acked_per_s(&self) -> f64 {
        self.acked as f64 / self.seconds
    }
}

/// A crowd that has come in.
pub(crate) struct Crowd {
    world: Rc<World>,
    members: Vec<JoinHandle<()>>,
}

impl Crowd {
    /// Lets everybody in; nobody types yet.
    pub(crate) async fn gather(setup: &Setup, plan: Plan) -> Result<Crowd> {
        let document = |index: usize| plan.first_document + index % plan.documents;
        let drivers = (0..plan.people).map(|index| setup.driver(index, document(index))).collect();
        let connections =
            Connection::open_all(setup.address(), Ipv4Addr::LOCALHOST, drivers).await?;
        let world = Rc::new(World {
            plan,
            phase: watch::Sender::new(Phase::Joining),
            is_measured: Cell::new(false),
            typing: RefCell::new(Typing::new()),
            counts: RefCell::default(),
            errors: RefCell::default(),
        });
        let members = connections.into_iter().enumerate().map(|(index, connection)| {
            let world = Rc::clone(&world);
            tokio::task::spawn_local(async move {
                if let Err(error) = Member::new(index, connection, &world).run().await {
                    world.errors.borrow_mut().push(format!("{error:#}"));
                }
            })
        });
        Ok(Crowd { members: members.collect(), world })
    }

    /// Lets people type by the plan, then waits until everything has arrived. May be called again where they type by
    /// the clock.
    ///
    /// # Errors
    /// When somebody was thrown out, or the server said that something is wrong.
    pub(crate) async fn run(&self, running: &Running) -> Result<Outcome> {
        let Plan { warm, measured, .. } = self.world.plan;
        *self.world.counts.borrow_mut() = Counts::default();
        self.world.phase.send_replace(Phase::Typing);
        self.wait(warm).await?;
        self.world.is_measured.set(true);
        let before = Usage::now(running)?;
        self.wait(measured).await?;
        let after = Usage::now(running)?;
        self.world.is_measured.set(false);
        let acked = self.world.counts.borrow().acked;
        self.world.phase.send_replace(Phase::Draining);
        self.drain().await?;
        Ok(self.outcome(acked, &before, &after))
    }

    async fn wait(&self, limit: Duration) -> Result<()> {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            self.check()?;
            if self.world.counts.borrow().answers >= self.world.plan.answers_max {
                break;
            }
            let rest = end.saturating_duration_since(Instant::now());
            tokio::time::sleep(rest.min(Duration::from_millis(50))).await;
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        match self.world.errors.borrow().first() {
            Some(error) => bail!("somebody was thrown out: {error}"),
            None => Ok(()),
        }
    }

    /// Until every typed character has come to everybody, or for [`DRAIN_MAX`].
    async fn drain(&self) -> Result<()> {
        let end = Instant::now() + DRAIN_MAX;
        while self.lost() > 0 && Instant::now() < end {
            self.check()?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Characters that are still to come to somebody, of those typed while measured.
    fn lost(&self) -> u64 {
        let (plan, counts) = (&self.world.plan, self.world.counts.borrow());
        if plan.edit != Edit::Tag {
            return 0;
        }
        let others = (plan.people / plan.documents).saturating_sub(1) as u64;
        (counts.typed * others).saturating_sub(counts.deliveries.len() as u64)
            + counts.typed.saturating_sub(counts.acks.len() as u64)
    }

    fn outcome(&self, acked: u64, before: &Usage, after: &Usage) -> Outcome {
        let lost = self.lost();
        let mut counts = self.world.counts.borrow_mut();
        let seconds = (after.at - before.at).as_secs_f64();
        let sorted = |samples: &mut Vec<u32>| {
            samples.sort_unstable();
            samples.iter().map(|units| f64::from(*units) / 10_000.0).collect()
        };
        Outcome {
            seconds,
            acked,
            answers: counts.answers,
            typed: counts.typed,
            acks_ms: sorted(&mut counts.acks),
            deliveries_ms: sorted(&mut counts.deliveries),
            lost,
            refusals: counts.refusals,
            server_cpu_us: after.server.0 - before.server.0,
            database_cpu_us: after.server.1.saturating_sub(before.server.1),
            load_share: (after.load - before.load) as f64 / (seconds * 1e6),
        }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.members.iter().for_each(JoinHandle::abort);
    }
}

/// Time on processors at a moment.
struct Usage {
    at: Instant,
    server: (u64, u64),
    load: u64,
}

impl Usage {
    fn now(running: &Running) -> Result<Usage> {
        let load = process::cpu_us(std::process::id())?;
        Ok(Usage { at: Instant::now(), server: running.cpu_us()?, load })
    }
}
