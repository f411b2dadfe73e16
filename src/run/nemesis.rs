//! The nemesis: carries out the schedule, node by node, and writes down what it did.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::progress::Progress;
use super::record::Recorder;
use crate::fault::{Schedule, Step};
use crate::history::{Action, Cause, CauseClass, Clock, Condition, FaultOp, NodeName, Occasion, Process};
use crate::topology::{Topology, TopologyError};
use crate::workload::Answer;

/// How long a node may take to answer again before the lab gives up on it.
pub(super) const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

/// Does things to nodes, and records them.
#[derive(Clone)]
pub(super) struct Nemesis {
    pub(super) topology: Arc<Topology>,
    pub(super) recorder: Recorder<FaultOp>,
    pub(super) clock: Clock,
    pub(super) progress: UnboundedSender<Progress>,
    /// Becomes true when the load ends: no further step begins, and one that has begun is completed.
    pub(super) stop: watch::Receiver<bool>,
}

impl Nemesis {
    /// Carries out `schedule`, whose times count from the clock's zero. Steps on one node follow each other; nodes do not
    /// wait for each other. A step that makes another node the primary waits for all before it, and is waited for.
    pub(super) async fn run(&self, schedule: &Schedule) -> Result<(), TopologyError> {
        for part in schedule.steps().split_inclusive(|step| step.action.moves_primary()) {
            let (steps, moves) = match part.split_last() {
                Some((last, steps)) if last.action.moves_primary() => (steps, Some(last)),
                _ => (part, None),
            };
            self.side_by_side(steps).await?;
            if let Some(step) = moves
                && self.is_due(step).await
            {
                self.move_primary(step).await?;
            }
        }
        Ok(())
    }

    /// Steps during which the primary stays the same. The first that fails ends its node's part, and is the error.
    async fn side_by_side(&self, steps: &[Step]) -> Result<(), TopologyError> {
        let mut by_node: BTreeMap<NodeName, Vec<Step>> = BTreeMap::new();
        for step in steps {
            let node = match step.target.node() {
                Some(node) => node,
                None => self.topology.writer()?.0,
            };
            by_node.entry(node).or_default().push(*step);
        }
        let node = |(node, steps): (NodeName, Vec<Step>)| async move {
            for step in steps {
                if !self.is_due(&step).await {
                    break;
                }
                self.act(node, step.action, Occasion::Planned).await?;
            }
            Ok(())
        };
        futures_util::future::try_join_all(by_node.into_iter().map(node)).await.map(drop)
    }

    /// A failover ends the old primary first, if it still runs: two of them would each acknowledge what the other one
    /// does not have. Only then is it known who has received most.
    async fn move_primary(&self, step: &Step) -> Result<(), TopologyError> {
        if let Err(error) = self.topology.check_promotable(step.target.node()) {
            let node = step.target.node().unwrap_or(self.topology.writer()?.0);
            let op = FaultOp::Act { action: step.action, occasion: Occasion::Planned };
            return self.record(node, op, async { Err(error) }).await.map(drop);
        }
        if step.action.leaves_behind().is_some()
            && let (writer, true) = self.topology.writer()?
        {
            self.act(writer, Action::Kill, Occasion::Fencing).await?;
        }
        let node = match step.target.node() {
            Some(node) => node,
            None => self.topology.candidate().await?,
        };
        self.act(node, step.action, Occasion::Planned).await
    }

    /// Waits until it is; `false` when the load ends before.
    async fn is_due(&self, step: &Step) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep_until(self.clock.instant(step.at).into()) => true,
            _ = stop.wait_for(|stop| *stop) => false,
        }
    }

    /// Starts what is down, and ends whatever else lasts. Who cannot follow the primary is seen, and mended, when
    /// everybody is up again.
    pub(super) async fn heal(&self) -> Result<(), TopologyError> {
        for diverged in [false, true] {
            let mut by_node: BTreeMap<NodeName, Vec<Condition>> = BTreeMap::new();
            for (node, condition) in self.topology.conditions() {
                if (condition == Condition::Diverged) == diverged {
                    by_node.entry(node).or_default().push(condition);
                }
            }
            let node = |(node, conditions): (NodeName, Vec<Condition>)| async move {
                for condition in conditions {
                    self.act(node, condition.cure(), Occasion::Healing).await?;
                }
                Ok::<_, TopologyError>(())
            };
            futures_util::future::try_join_all(by_node.into_iter().map(node)).await?;
        }
        self.topology.all_follow().await
    }

    /// One action, verified, and the wait for the node's answer where the action brings it back.
    async fn act(&self, node: NodeName, action: Action, occasion: Occasion) -> Result<(), TopologyError> {
        let what = format!("{action} {node}");
        self.tell(what.clone());
        let done =
            self.record(node, FaultOp::Act { action, occasion }, self.topology.act(node, action)).await?;
        if done && action.brings_back() {
            let answer =
                async { self.topology.answer(node, ANSWER_DEADLINE).await.map(|()| "answers".to_owned()) };
            self.record(node, FaultOp::Answer, answer).await?;
            self.tell(format!("{what}: answers again"));
        }
        Ok(())
    }

    /// Whether it was done: what the node's state did not allow was not, and that is no failure of the lab.
    async fn record(
        &self,
        node: NodeName,
        op: FaultOp,
        done: impl Future<Output = Result<String, TopologyError>>,
    ) -> Result<bool, TopologyError> {
        self.recorder.invoke(Process::Nemesis, node, op);
        let cause = |error: &TopologyError| Cause {
            class: CauseClass::Server,
            sqlstate: None,
            message: error.to_string(),
        };
        match done.await {
            Ok(detail) => {
                self.recorder.complete(Process::Nemesis, node, Answer::ok(detail));
                Ok(true)
            }
            Err(error @ TopologyError::Impossible { .. }) => {
                self.recorder.complete(Process::Nemesis, node, Answer::Fail(cause(&error)));
                Ok(false)
            }
            Err(error) => {
                self.recorder.complete(Process::Nemesis, node, Answer::Info(cause(&error)));
                Err(error)
            }
        }
    }

    /// A watcher that has gone is no reason to stop.
    fn tell(&self, what: String) {
        drop(self.progress.send(Progress::Fault(what)));
    }
}
