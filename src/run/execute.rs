//! One run from nothing to a judged directory: up, set up, load under faults, heal, last reads, down.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::directory::RunDir;
use super::endpoints::{self, EndpointLog};
use super::facts::{self, Disks, FactsError};
use super::finale;
use super::histories::Histories;
use super::injector::Injector;
use super::lab::{LabSampler, LoopDelay};
use super::load::Load;
use super::manifest::{Ended, Manifest};
use super::nemesis::{Nemesis, Recorded};
use super::progress::{Progress, Tally};
use super::sampler::Sampler;
use super::samples::SampleFile;
use super::set_up;
use super::worker::Shared;
use crate::config::Plan;
use crate::history::{Clock, Nanos, NodeName};
use crate::pg::Deadlines;
use crate::topology::memory::Bug;
use crate::topology::{Category, Topology, TopologyError};

/// What is done before the load has nothing to do with how long the load may wait.
pub(super) const SET_UP_DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(10), statement: Duration::from_secs(60) };
/// At least this many samples of lag, however short the load.
const SAMPLES: u32 = 100;
/// And no more often than this, for the primary is asked.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(20);
const TICK: Duration = Duration::from_millis(100);
/// The load goes on for a moment after the last node has come back, so that its first success is seen.
const AFTER_LAST_FAULT: Nanos = Nanos::from_millis(300);

/// Why a run could not be made, or did not end as planned. The cluster is down by then.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The cluster could not be made, or failed.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// The run's directory cannot be written.
    #[error("write the run's files")]
    Files(#[from] io::Error),
    /// A node is not set as the plan says.
    #[error("check the servers' settings")]
    Settings(#[source] anyhow::Error),
    /// The schema could not be made.
    #[error("set up the workloads' tables")]
    SetUp(#[source] anyhow::Error),
    /// The last reads could not begin.
    #[error("read what is there at the end")]
    Finale(#[source] anyhow::Error),
    /// The load's own thread failed.
    #[error("{0}")]
    Lab(String),
}

impl RunError {
    /// Whose failure it is: decides the exit code.
    pub fn category(&self) -> Category {
        match self {
            RunError::Topology(error) => error.category(),
            RunError::Files(_) => Category::Environment,
            RunError::Settings(_) | RunError::SetUp(_) | RunError::Finale(_) | RunError::Lab(_) => {
                Category::Lab
            }
        }
    }
}

/// Who watches a run, and may end it.
#[derive(Debug)]
pub struct Watcher {
    /// Where the run tells how it goes.
    pub progress: UnboundedSender<Progress>,
    /// Becomes true when the user has had enough.
    pub interrupt: watch::Receiver<bool>,
}

/// Runs `plan` in `dir`, whose `manifest` is complete but for the nodes; an in-memory cluster can have a `bug`
/// planted. Whatever happens, the cluster is down when
/// this returns, and the directory can be judged once the nodes are known.
pub async fn execute(
    plan: &Plan,
    bug: Option<Bug>,
    dir: &RunDir,
    mut manifest: Manifest,
    watcher: Watcher,
) -> Result<Ended, RunError> {
    // Boxed, as it holds whatever a run needs from its beginning to its end.
    let ended = Box::pin(up_and_down(plan, bug, dir, &mut manifest, watcher)).await;
    manifest.ended = Some(match &ended {
        Ok(ended) => ended.clone(),
        Err(error) => Ended::Failed { why: chain(error), category: error.category() },
    });
    let written = manifest.write(dir);
    let ended = ended?;
    written?;
    Ok(ended)
}

/// The cluster's whole life.
async fn up_and_down(
    plan: &Plan,
    bug: Option<Bug>,
    dir: &RunDir,
    manifest: &mut Manifest,
    watcher: Watcher,
) -> Result<Ended, RunError> {
    let Watcher { progress, mut interrupt } = watcher;
    stage(&progress, format!("starting {}", manifest.run.topology));
    let topology = tokio::select! {
        topology = set_up::topology(plan, bug, dir) => Arc::new(topology?),
        _ = interrupt.wait_for(|interrupt| *interrupt) => return Ok(Ended::Interrupted),
    };
    let unread = Vec::new();
    let mut run = Run { plan, dir, topology: Arc::clone(&topology), progress, interrupt, unread };
    let done = run.on_cluster(manifest).await;
    stage(&run.progress, "stopping the cluster");
    drop(run);
    let down = match Arc::try_unwrap(topology) {
        Ok(topology) => topology.down().await,
        Err(_) => Err(TopologyError::Lab("the cluster is still in use".to_owned())),
    };
    match (done, down) {
        (Ok(ended), Ok(())) => Ok(ended),
        (Err(error), _) => Err(error),
        (Ok(_), Err(error)) => Err(error.into()),
    }
}

struct Run<'a> {
    plan: &'a Plan,
    dir: &'a RunDir,
    topology: Arc<Topology>,
    progress: UnboundedSender<Progress>,
    interrupt: watch::Receiver<bool>,
    /// Nodes that were too late for the last reads.
    unread: Vec<NodeName>,
}

impl Run<'_> {
    async fn on_cluster(&mut self, manifest: &mut Manifest) -> Result<Ended, RunError> {
        let sites = self.topology.sites();
        let synchronous_commit = self.plan.topology.synchronous_commit.to_string();
        let foreign = self.plan.topology.is_foreign();
        let disks = Disks::of(manifest.kind);
        let asserted = facts::assert(&sites, &synchronous_commit, disks, SET_UP_DEADLINES).await;
        manifest.nodes = asserted.map_err(|error| match error {
            // A server that somebody else has set up so is no failure of the lab.
            FactsError::Wrong(wrong) if foreign => RunError::Topology(wrong.unfit()),
            error => RunError::Settings(error.into()),
        })?;
        endpoints::describe(&self.topology, &mut manifest.nodes).await;
        self.topology.prepare().await?;
        manifest.write(self.dir)?;
        set_up::tables(self.plan, &sites, SET_UP_DEADLINES).await.map_err(RunError::SetUp)?;
        let endpoints = usize::from(self.topology.reader_endpoint().is_some());
        let histories = Histories::start(self.plan, self.dir, sites.len(), endpoints)?;
        let ended = self.load_and_read(&histories).await;
        manifest.unread = std::mem::take(&mut self.unread);
        endpoints::events(&self.topology, manifest, &mut self.interrupt).await;
        let written = histories.finish();
        // A disk that is full is why the rest failed, so it comes first.
        written?;
        ended
    }

    async fn load_and_read(&mut self, histories: &Histories) -> Result<Ended, RunError> {
        histories.baseline(&self.topology.sites()).await;
        let ended = self.load(histories).await?;
        if ended != Ended::Complete {
            return Ok(ended);
        }
        stage(&self.progress, "reading every node's tables");
        tokio::select! {
            read = finale::read_all(&self.topology, self.plan.topology.kind, &histories.parts) => {
                self.unread = read.map_err(|error| RunError::Finale(error.into()))?;
                for node in &self.unread {
                    stage(&self.progress, finale::late(*node));
                }
                Ok(Ended::Complete)
            }
            _ = self.interrupt.wait_for(|interrupt| *interrupt) => Ok(Ended::Interrupted),
        }
    }

    /// The load, with the nemesis and the samplers beside it.
    async fn load(&mut self, histories: &Histories) -> Result<Ended, RunError> {
        // One clock for the schedule, the histories and the samples: its zero is where the load begins.
        let clock = Clock::start();
        histories.begin(clock);
        let sites = self.topology.sites();
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            budget: AtomicI64::new(
                self.plan.load.operations.and_then(|n| i64::try_from(n).ok()).unwrap_or(i64::MAX),
            ),
            tally: Tally::default(),
            deadlines: self.deadlines(),
        });
        let delay = LoopDelay::new(clock);
        let (stop, stopped) = watch::channel(false);
        let nemesis = Nemesis {
            injector: Injector::new(
                Arc::clone(&self.topology),
                Recorded { recorder: histories.nemesis.clone(), progress: self.progress.clone() },
            ),
            clock,
            stop: stopped,
        };
        let log = EndpointLog::create(&self.topology, clock, self.dir)?;
        let sampler = Sampler {
            clock,
            topology: Arc::clone(&self.topology),
            interval: sampling_interval(self.plan.load.duration),
            endpoints: endpoints::Watch { topology: Arc::clone(&self.topology), log: log.clone() },
            lag_file: SampleFile::create(&self.dir.file("lag.jsonl"))?,
            lab_file: SampleFile::create(&self.dir.file("lab.jsonl"))?,
            lab: LabSampler::new(clock, Arc::clone(&delay)),
        };
        let load = Load {
            sites,
            reader_endpoint: self.topology.reader_endpoint().zip(log.clone()),
            primary_moves: self.plan.faults.moves_primary(),
            seed: self.plan.load.seed,
            parts: histories.parts.clone(),
            shared: Arc::clone(&shared),
            delay,
        };
        let running = load.start()?;
        let waited = self.wait(&nemesis, sampler, histories, &shared, &stop).await;
        stage(&self.progress, "ending the load");
        // Clients that wait for a node which is paused are answered by the healing.
        let interrupt = &mut self.interrupt;
        let heal = async {
            if !matches!(waited, Ok(Ended::Complete)) {
                return waited;
            }
            tokio::select! {
                healed = nemesis.injector.heal() => {
                    healed?;
                    Ok(Ended::Complete)
                }
                // It may take a quarter of an hour; as after any other interrupt, nothing is healed any more.
                _ = interrupt.wait_for(|interrupt| *interrupt) => Ok(Ended::Interrupted),
            }
        };
        let (stopped, healed) = tokio::join!(running.stop(), heal);
        stopped.map_err(RunError::Lab)?;
        log.map_or(Ok(()), |log| log.check())?;
        healed
    }

    /// Until the load has lasted as long as planned and the schedule is done, or something ends it early.
    async fn wait(
        &mut self,
        nemesis: &Nemesis,
        sampler: Sampler,
        histories: &Histories,
        shared: &Shared,
        stop: &watch::Sender<bool>,
    ) -> Result<Ended, RunError> {
        let (total, clock) = (self.plan.load.duration, nemesis.clock);
        let mut sampling = std::pin::pin!(sampler.run());
        let mut faults = std::pin::pin!(nemesis.run(&self.plan.faults));
        let mut faults_done = None;
        let mut ticks = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                done = &mut faults, if faults_done.is_none() => {
                    done?;
                    faults_done = Some(clock.now());
                }
                failed = &mut sampling => failed?,
                _ = self.interrupt.wait_for(|interrupt| *interrupt) => return Ok(Ended::Interrupted),
                _ = ticks.tick() => {}
            }
            if let Some(why) = self.topology.died_unasked() {
                return Err(RunError::Lab(why));
            }
            if histories.is_broken() {
                return Err(RunError::Lab("a history can no longer be written".to_owned()));
            }
            let elapsed = clock.now();
            let outcomes = shared.tally.outcomes();
            drop(self.progress.send(Progress::Load { elapsed, total, outcomes }));
            let enough = faults_done.is_some_and(|done| elapsed >= total.max(done + AFTER_LAST_FAULT));
            let enough = enough || (elapsed >= total && self.plan.faults.is_empty());
            if enough {
                return Ok(Ended::Complete);
            }
            if shared.budget.load(Ordering::Relaxed) <= 0 {
                // No further step begins; one that has begun is completed, and its node answers again.
                stop.send_replace(true);
                if faults_done.is_some() || self.plan.faults.is_empty() {
                    return Ok(Ended::Complete);
                }
            }
        }
    }

    fn deadlines(&self) -> Deadlines {
        let load = &self.plan.load;
        Deadlines { connect: load.connect_deadline.into(), statement: load.statement_deadline.into() }
    }
}

/// Between two samples of lag, in a load of that length.
pub fn sampling_interval(load: Nanos) -> Duration {
    (Duration::from(load) / SAMPLES).clamp(SHORTEST_INTERVAL, TICK)
}

fn stage(progress: &UnboundedSender<Progress>, what: impl Into<String>) {
    drop(progress.send(Progress::Stage(what.into())));
}

/// An error with its causes in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
