//! The nemesis: carries out the schedule, node by node, and writes down what it did.

use std::collections::BTreeMap;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::injector::{Injector, Witness};
use super::progress::Progress;
use super::record::Recorder;
use crate::fault::{Schedule, Step};
use crate::history::{Action, Cause, CauseClass, Clock, FaultOp, NodeName, Occasion, Process};
use crate::topology::TopologyError;
use crate::workload::Answer;

/// Does things to nodes when they are due, and records them.
#[derive(Clone)]
pub(super) struct Nemesis {
    pub(super) injector: Injector<Recorded>,
    pub(super) clock: Clock,
    /// Becomes true when the load ends: no further step begins, and one that has begun is completed.
    pub(super) stop: watch::Receiver<bool>,
}

impl Nemesis {
    /// Carries out `schedule`, whose times count from the clock's zero. Steps on one node follow each other; nodes do not
    /// wait for each other. A step that concerns the whole cluster waits for all before it, and is waited for.
    pub(super) async fn run(&self, schedule: &Schedule) -> Result<(), TopologyError> {
        for part in schedule.steps().split_inclusive(|step| step.action.concerns_all()) {
            let (steps, alone) = match part.split_last() {
                Some((last, steps)) if last.action.concerns_all() => (steps, Some(last)),
                _ => (part, None),
            };
            self.side_by_side(steps).await?;
            if let Some(step) = alone
                && self.is_due(step).await
            {
                self.injector.inject(step.act()).await?;
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
                None => self.injector.topology.writer()?.0,
            };
            by_node.entry(node).or_default().push(*step);
        }
        let node = |(node, steps): (NodeName, Vec<Step>)| async move {
            for step in steps {
                if !self.is_due(&step).await {
                    break;
                }
                self.injector.act(node, step.action, Occasion::Planned).await?;
            }
            Ok(())
        };
        futures_util::future::try_join_all(by_node.into_iter().map(node)).await.map(drop)
    }

    /// Waits until it is; `false` when the load ends before.
    async fn is_due(&self, step: &Step) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep_until(self.clock.instant(step.at).into()) => true,
            _ = stop.wait_for(|stop| *stop) => false,
        }
    }
}

/// Writes down what is done to nodes, and tells whoever watches the run.
#[derive(Clone)]
pub(super) struct Recorded {
    pub(super) recorder: Recorder<FaultOp>,
    pub(super) progress: UnboundedSender<Progress>,
}

impl Recorded {
    /// A watcher that has gone is no reason to stop.
    fn tell(&self, what: String) {
        drop(self.progress.send(Progress::Fault(what)));
    }
}

impl Witness for Recorded {
    fn begins(&self, node: NodeName, op: &FaultOp) {
        if let FaultOp::Act { action, .. } = op {
            self.tell(format!("{action} {node}"));
        }
        self.recorder.invoke(Process::Nemesis, node, op.clone());
    }

    fn ends(&self, node: NodeName, _op: &FaultOp, how: &Result<String, TopologyError>) {
        let answer = match how {
            Ok(detail) => Answer::ok(detail.clone()),
            Err(error) => {
                let message = error.to_string();
                let cause = Cause { class: CauseClass::Server, sqlstate: None, message };
                if self.tolerates(error) { Answer::Fail(cause) } else { Answer::Info(cause) }
            }
        };
        self.recorder.complete(Process::Nemesis, node, answer);
    }

    fn answers_again(&self, node: NodeName, action: Action) {
        self.tell(format!("{action} {node}: answers again"));
    }

    /// What the node's state did not allow was not done, and that is told; it is no failure of the lab.
    fn tolerates(&self, error: &TopologyError) -> bool {
        error.is_left_alone()
    }
}
