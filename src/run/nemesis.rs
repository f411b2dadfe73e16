//! The nemesis: carries out the schedule, node by node, and writes down what it did.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::progress::Progress;
use super::record::Recorder;
use crate::fault::{Schedule, Step};
use crate::history::{Action, Cause, CauseClass, Clock, Condition, FaultOp, NodeName, Process};
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
    /// Carries out `schedule`, whose times count from the clock's zero. Steps on one node follow each other; nodes do
    /// not wait for each other. The first step that fails ends its node's part, and is the error.
    pub(super) async fn run(&self, schedule: &Schedule) -> Result<(), TopologyError> {
        let mut by_node: BTreeMap<NodeName, Vec<Step>> = BTreeMap::new();
        for step in schedule.steps() {
            by_node.entry(step.node).or_default().push(*step);
        }
        let node = |steps: Vec<Step>| async move {
            let mut stop = self.stop.clone();
            for step in steps {
                let due = tokio::time::sleep_until(self.clock.instant(step.at).into());
                tokio::select! {
                    () = due => self.act(step.node, step.action, false).await?,
                    _ = stop.wait_for(|stop| *stop) => break,
                }
            }
            Ok(())
        };
        futures_util::future::try_join_all(by_node.into_values().map(node)).await.map(drop)
    }

    /// Starts what is down, and ends whatever else lasts.
    pub(super) async fn heal(&self) -> Result<(), TopologyError> {
        let mut by_node: BTreeMap<NodeName, Vec<Condition>> = BTreeMap::new();
        for (node, condition) in self.topology.conditions() {
            by_node.entry(node).or_default().push(condition);
        }
        let node = |(node, conditions): (NodeName, Vec<Condition>)| async move {
            for condition in conditions {
                self.act(node, condition.cure(), true).await?;
            }
            Ok(())
        };
        futures_util::future::try_join_all(by_node.into_iter().map(node)).await.map(drop)
    }

    /// One action, verified, and the wait for the node's answer where the action brings it back.
    async fn act(&self, node: NodeName, action: Action, healing: bool) -> Result<(), TopologyError> {
        let what = format!("{action} {node}");
        self.tell(what.clone());
        self.record(node, FaultOp::Act { action, healing }, self.topology.act(node, action)).await?;
        if action.brings_back() {
            let answer =
                async { self.topology.answer(node, ANSWER_DEADLINE).await.map(|()| "answers".to_owned()) };
            self.record(node, FaultOp::Answer, answer).await?;
            self.tell(format!("{what}: answers again"));
        }
        Ok(())
    }

    async fn record(
        &self,
        node: NodeName,
        op: FaultOp,
        done: impl Future<Output = Result<String, TopologyError>>,
    ) -> Result<(), TopologyError> {
        self.recorder.invoke(Process::Nemesis, node, op);
        match done.await {
            Ok(detail) => {
                self.recorder.complete(Process::Nemesis, node, Answer::ok(detail));
                Ok(())
            }
            Err(error) => {
                let cause = Cause { class: CauseClass::Server, sqlstate: None, message: error.to_string() };
                self.recorder.complete(Process::Nemesis, node, Answer::Info(cause));
                Err(error)
            }
        }
    }

    /// A watcher that has gone is no reason to stop.
    fn tell(&self, what: String) {
        drop(self.progress.send(Progress::Fault(what)));
    }
}
