//! One method measured once: clients that do their tasks side by side, faults beside them, and what is there at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{Barrier, watch};
use tokio::task::JoinSet;

use super::design::{Amount, Contest, Design, Entry};
use super::meter::{Meter, Quota, Sheet};
use crate::check::{Increments, Promise, Rows};
use crate::history::{Clock, Nanos};
use crate::measure::Distribution;
use crate::pg::{Deadlines, Session};
use crate::report::bench::Lap;
use crate::run::execute::RunError;
use crate::run::finale;
use crate::run::lab::{LabSampler, LoopDelay};
use crate::run::place::{Place, Whereabouts};
use crate::run::progress::Tally;
use crate::run::running::Running;
use crate::run::worker::{Pause, Shared, Worker};
use crate::topology::{Access, Role, Site, Topology};
use crate::workload::bench::{BenchClient, Crowd, Left, Subject, Task, Tasks};

/// What is done before and after the clients' time has nothing to do with how long they may wait.
const LONG: Deadlines = Deadlines { connect: Duration::from_secs(10), statement: Duration::from_secs(120) };
/// How often it is looked whether the clients are done.
const LOOK: Duration = Duration::from_millis(5);
/// With nobody getting anything done for so long, the lab gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which lap it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// From 1.
    pub(super) repetition: u32,
    /// From 1, within the repetition.
    pub(super) turn: u32,
    /// Clients.
    pub(super) clients: u32,
    /// From 1, of the whole bench.
    pub(super) number: u32,
}

/// Makes the tables anew. Each method begins with the same, and right after a checkpoint, where one may be asked for.
/// Answers what a reader of the figures has to know about the tables.
pub(super) async fn set_up(
    topology: &Topology,
    subject: Subject,
    slots: u32,
) -> anyhow::Result<Option<&'static str>> {
    let is_ours = matches!(topology, Topology::Local(_) | Topology::Compose(_) | Topology::Memory(_));
    let session =
        Session::connect(&primary(topology)?, "replab", LONG).await.context("connect to the primary")?;
    let remark = subject.set_up(&session, slots, is_ours).await.context("make the tables")?;
    // Somebody else's server has its own rhythm; and where only a superuser may, that has to do as well.
    if is_ours {
        drop(session.batch("CHECKPOINT").await);
    }
    session.close().await;
    Ok(remark)
}

/// What the tasks have left on the primary, once nobody is at work any more.
pub(super) async fn left(topology: &Topology, subject: Subject) -> anyhow::Result<Left> {
    let conninfo = primary(topology)?;
    finale::settled(&conninfo).await;
    let session = Session::connect(&conninfo, "replab", LONG).await.context("connect to the primary")?;
    subject.left(&session).await.context("read what the tasks have left")
}

/// How the primary is reached now.
pub(super) fn primary(topology: &Topology) -> anyhow::Result<crate::pg::Conninfo> {
    let (writer, _) = topology.writer()?;
    let site = topology.direct_sites().into_iter().find(|site| site.node == writer);
    match site.map(|site| site.access) {
        Some(Access::Postgres(conninfo)) => Ok(conninfo),
        _ => anyhow::bail!("the methods are SQL, and {writer} is no PostgreSQL server"),
    }
}

/// Clients at work.
pub(super) struct Crew {
    running: Running,
    shared: Arc<Shared>,
    meters: Vec<Meter>,
    lab: LabSampler,
    clock: Clock,
    /// Whether they end by themselves, when their tasks are done. Whoever has a time may wait for as long.
    is_counted: bool,
}

impl Crew {
    /// Connects them all, and lets them begin together.
    pub(super) fn start(
        design: &Design,
        contest: &Contest,
        topology: &Topology,
        entry: &Entry,
        turn: Turn,
    ) -> Result<Crew, RunError> {
        let clock = Clock::start();
        let each = match contest.amount {
            Amount::Each(each) => Some(each),
            Amount::For(_) => None,
        };
        let load = &design.plan.load;
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            budget: AtomicI64::new(i64::MAX),
            tally: Tally::default(),
            deadlines: Deadlines {
                connect: load.connect_deadline.into(),
                statement: load.statement_deadline.into(),
            },
        });
        let meters: Vec<Meter> = (0..turn.clients).map(|_| Meter::new(clock, each)).collect();
        let moves = design.plan.faults.moves_primary();
        let sites: Vec<Site> =
            topology.sites().into_iter().filter(|site| moves || site.role == Role::Primary).collect();
        let task = Task {
            subject: entry.subject,
            mistake: design.mistake,
            policy: contest.policy,
            slots: contest.slots,
            user: 0,
            dies: false,
            client: 0,
            number: 0,
            draw: 0,
        };
        let crowd = Crowd { clients: turn.clients, users: contest.slots, deaths: contest.deaths };
        let seed = load.seed.wrapping_add(u64::from(turn.repetition));
        let crew = (meters.clone(), Arc::clone(&shared));
        let workers = move || {
            let (meters, shared) = crew;
            let (whereabouts, gate) = (Whereabouts::default(), Arc::new(Barrier::new(meters.len())));
            let mut workers = JoinSet::new();
            for (client, meter) in (0..).zip(meters) {
                let worker = Worker {
                    place: Place::writer(sites.iter(), client, turn.clients, &whereabouts),
                    through: None,
                    is_scout: (client as usize) < sites.len(),
                    thread: client,
                    concurrency: turn.clients,
                    source: Quota { tasks: Tasks::new(task, client, seed), crowd, meter: meter.clone() },
                    pause: Pause::None,
                    journal: meter,
                    shared: Arc::clone(&shared),
                    gate: Arc::clone(&gate),
                };
                workers.spawn(worker.run::<BenchClient>(()));
            }
            workers
        };
        let delay = LoopDelay::new(clock);
        let lab = LabSampler::new(clock, Arc::clone(&delay));
        let running = Running::start(Arc::clone(&shared), delay, workers)?;
        Ok(Crew { running, shared, meters, lab, clock, is_counted: each.is_some() })
    }

    /// The clock that they are timed with.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Waits until all have done theirs. `false`: it was interrupted.
    pub(super) async fn done(
        &self,
        topology: &Topology,
        interrupt: &mut watch::Receiver<bool>,
    ) -> Result<bool, RunError> {
        let mut progress = (0, Nanos(0));
        loop {
            tokio::select! {
                _ = interrupt.wait_for(|interrupt| *interrupt) => return Ok(false),
                () = tokio::time::sleep(LOOK) => {}
            }
            if self.running.is_done() {
                return Ok(true);
            }
            if let Some(why) = topology.died_unasked() {
                return Err(RunError::Lab(why));
            }
            let (now, done) = (self.clock.now(), self.shared.tally.outcomes().write_ok);
            if done != progress.0 {
                progress = (done, now);
            }
            if self.is_counted && now.since(progress.1) > PATIENCE.into() {
                let why = self.meters.iter().find_map(|meter| meter.sheet().failure);
                let why = why.map_or("nobody was answered".to_owned(), |cause| cause.message);
                return Err(RunError::Lab(format!("nobody got anything done for {PATIENCE:?}: {why}")));
            }
        }
    }

    /// Lets each finish what it is at, and sums up.
    pub(super) async fn end(mut self) -> Result<Tallied, RunError> {
        let sample = self.lab.sample(None);
        self.running.stop().await.map_err(RunError::Lab)?;
        let sheets: Vec<Sheet> = self.meters.iter().map(Meter::sheet).collect();
        Ok(Tallied { sheets, busy: sample.cpu, late: sample.loop_delay })
    }
}

/// What a lap's clients did, before anybody has looked at the database.
pub(super) struct Tallied {
    sheets: Vec<Sheet>,
    busy: f64,
    late: Nanos,
}

impl Tallied {
    /// The lap, given what was found. It is timed from the first task's beginning to the last one's end.
    pub(super) fn lap(
        self,
        turn: Turn,
        promise: Promise,
        promised: Rows,
        found: Left,
        faults: Vec<String>,
    ) -> Lap {
        let sum = |pick: fn(&Sheet) -> u64| self.sheets.iter().map(pick).sum::<u64>();
        let begun = self.sheets.iter().filter_map(|sheet| sheet.first).min().unwrap_or_default();
        let ended = self.sheets.iter().map(|sheet| sheet.last).max().unwrap_or_default();
        let seconds = ended.since(begun).as_secs_f64();
        let mut latency = Distribution::new();
        self.sheets.iter().for_each(|sheet| latency.merge(&sheet.latency));
        let increments = Increments {
            acknowledged: sum(|sheet| sheet.acknowledged),
            warned: sum(|sheet| sheet.warned),
            unknown: sum(|sheet| sheet.unknown),
            found: Some(found.value),
            rows: found.rows,
        };
        let rows = found.rows.map(|rows| (rows, found.value));
        Lap {
            repetition: turn.repetition,
            turn: turn.turn,
            seconds,
            increments,
            balance: increments.judge(promise, promised),
            rate: increments.acknowledged as f64 / seconds.max(1e-9),
            latency: (increments.acknowledged > 0).then(|| latency.percentiles()),
            retries: sum(|sheet| sheet.retries),
            given_up: sum(|sheet| sheet.given_up),
            failed: sum(|sheet| sheet.failed),
            inserted: rows.map(|(rows, _)| rows.unsigned_abs()),
            orphaned: rows.map(|(rows, value)| u64::try_from(rows - value).unwrap_or(0)),
            busy: self.busy,
            late: self.late,
            faults,
        }
    }
}
