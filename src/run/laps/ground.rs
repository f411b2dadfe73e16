//! The cluster that laps are made on: one for all of them, or, where something is broken, one for each.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::design::{Amount, Contest, Design, Entry};
use super::lap::{self, Crew, Turn};
use super::peer;
use crate::config::Plan;
use crate::report::bench::Lap;
use crate::run::directory::RunDir;
use crate::run::execute::{RunError, SET_UP_DEADLINES, Watcher};
use crate::run::facts::{self, Disks, FactsError};
use crate::run::progress::Progress;
use crate::run::set_up;
use crate::topology::Topology;

/// Where laps are made.
pub(super) struct Ground {
    plan: Plan,
    dir: RunDir,
    watcher: Watcher,
    topology: Option<Arc<Topology>>,
    server: String,
    remark: Option<&'static str>,
}

impl Ground {
    /// Nothing is up yet.
    pub(super) fn new(plan: Plan, dir: RunDir, watcher: Watcher) -> Ground {
        Ground { plan, dir, watcher, topology: None, server: String::new(), remark: None }
    }

    /// The version that the primary named itself.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// What a reader of the figures has to know about the tables that were made last.
    pub(super) fn remark(&self) -> Option<&'static str> {
        self.remark
    }

    /// Tells whoever watches; one that has gone is no reason to stop.
    pub(super) fn tell(&self, progress: Progress) {
        drop(self.watcher.progress.send(progress));
    }

    /// Where it is told how it goes.
    pub(super) fn progress(&self) -> UnboundedSender<Progress> {
        self.watcher.progress.clone()
    }

    /// Becomes true when the user has had enough.
    pub(super) fn interrupt(&self) -> watch::Receiver<bool> {
        self.watcher.interrupt.clone()
    }

    /// The bench's directory.
    pub(super) fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// Takes the cluster down, if there is one.
    pub(super) async fn clear(&mut self) -> Result<(), RunError> {
        let Some(topology) = self.topology.take() else { return Ok(()) };
        match Arc::try_unwrap(topology) {
            Ok(topology) => Ok(topology.down().await?),
            Err(_) => Err(RunError::Lab("the cluster is still in use".to_owned())),
        }
    }

    /// One lap; `None`: it was interrupted.
    pub(super) async fn lap(
        &mut self,
        design: &Design,
        contest: &Contest,
        entry: &Entry,
        turn: Turn,
    ) -> Result<Option<Lap>, RunError> {
        let Some(topology) = self.ready().await? else { return Ok(None) };
        let made = self.on(&topology, design, contest, entry, turn).await;
        drop(topology);
        if !design.plan.faults.is_empty() {
            self.clear().await?;
        }
        made
    }

    /// The cluster, checked and ready; `None`: it was interrupted.
    async fn ready(&mut self) -> Result<Option<Arc<Topology>>, RunError> {
        if let Some(topology) = &self.topology {
            return Ok(Some(Arc::clone(topology)));
        }
        let mut interrupt = self.interrupt();
        let topology = tokio::select! {
            topology = set_up::topology(&self.plan, None, &self.dir) => Arc::new(topology?),
            _ = interrupt.wait_for(|interrupt| *interrupt) => return Ok(None),
        };
        self.topology = Some(Arc::clone(&topology));
        let synchronous_commit = self.plan.topology.synchronous_commit.to_string();
        let foreign = self.plan.topology.is_foreign();
        let disks = Disks::of(self.plan.topology.kind);
        let nodes = facts::assert(&topology.sites(), &synchronous_commit, disks, SET_UP_DEADLINES).await;
        let nodes = nodes.map_err(|error| match error {
            FactsError::Wrong(wrong) if foreign => RunError::Topology(wrong.unfit()),
            error => RunError::Settings(error.into()),
        })?;
        // Without its packager's.
        let version = nodes.into_iter().next().map(|node| node.version).unwrap_or_default();
        self.server = version.split(' ').next().unwrap_or_default().to_owned();
        topology.prepare().await?;
        Ok(Some(topology))
    }

    async fn on(
        &mut self,
        topology: &Arc<Topology>,
        design: &Design,
        contest: &Contest,
        entry: &Entry,
        turn: Turn,
    ) -> Result<Option<Lap>, RunError> {
        let mut interrupt = self.interrupt();
        self.remark = lap::set_up(topology, entry.subject, contest.slots).await.map_err(RunError::SetUp)?;
        if let Some(pgbench) = &entry.peer {
            let raced = peer::race(pgbench, topology, design, contest, entry, turn, &self.dir);
            return tokio::select! {
                lap = raced => Ok(Some(lap.map_err(RunError::Finale)?)),
                _ = interrupt.wait_for(|interrupt| *interrupt) => Ok(None),
            };
        }
        let crew = Crew::start(design, contest, topology, entry, turn)?;
        let (tallied, faults) = match contest.amount {
            Amount::Each(_) => {
                let done = crew.done(topology, &mut interrupt).await;
                let tallied = crew.end().await;
                (done?.then_some(tallied?), Vec::new())
            }
            Amount::For(time) => self.troubled(topology, design, crew, time, turn.number).await?,
        };
        let Some(tallied) = tallied else { return Ok(None) };
        let left = lap::left(topology, entry.subject).await.map_err(RunError::Finale)?;
        Ok(Some(tallied.lap(turn, design.promise(entry), design.rows(entry), left, faults)))
    }
}
