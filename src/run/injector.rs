//! Doing things to nodes: each verified, a failover such that there is one primary, healing in the order that works.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::fault::{Act, Target};
use crate::history::{Action, Condition, FaultOp, NodeName, Occasion};
use crate::topology::{self, Topology, TopologyError};

/// How long a node may take to answer again before the lab gives up on it.
pub(super) const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

/// How long a replica may take to answer that has nobody to receive from: far longer than it needs, if it needs nobody.
const ALONE: Duration = Duration::from_secs(5);

const LOOK: Duration = Duration::from_millis(50);

/// Sees what is done to nodes. One thing at a time on each node, several nodes at the same time.
pub trait Witness {
    /// It begins.
    fn begins(&self, node: NodeName, op: &FaultOp);
    /// What began last on this node has ended: with a line that says what was seen, or it did not take hold.
    fn ends(&self, node: NodeName, op: &FaultOp, how: &Result<String, TopologyError>);
    /// `action` has taken hold, and the node answers clients again.
    fn answers_again(&self, node: NodeName, action: Action);
    /// Whether it goes on as if nothing had been asked for, and not with this error. Nothing was done.
    fn tolerates(&self, error: &TopologyError) -> bool;
}

/// Does things to the nodes of a cluster in front of a witness.
#[derive(Clone, Debug)]
pub struct Injector<W> {
    pub(super) topology: Arc<Topology>,
    pub(super) witness: W,
}

impl<W: Witness> Injector<W> {
    /// On `topology`.
    pub fn new(topology: Arc<Topology>, witness: W) -> Injector<W> {
        Injector { topology, witness }
    }

    /// The cluster.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Who sees it.
    pub fn witness(&self) -> &W {
        &self.witness
    }

    /// Carries out `act`, whoever is meant by it now.
    ///
    /// # Errors
    /// What did not take hold. The witness has seen it, too.
    pub async fn inject(&self, act: Act) -> Result<(), TopologyError> {
        if act.action.moves_primary() {
            return self.move_primary(act).await;
        }
        self.act(self.node(act.target).await?, act.action, Occasion::Planned).await
    }

    /// A failover ends the old primary first, if it still runs: two of them would each acknowledge what the other one
    /// does not have. Only then is it known who has received most.
    async fn move_primary(&self, act: Act) -> Result<(), TopologyError> {
        if let Err(error) = self.topology.check_promotable(act.target.node()) {
            let node = act.target.node().unwrap_or(self.topology.writer()?.0);
            let op = FaultOp::Act { action: act.action, occasion: Occasion::Planned };
            return self.witnessed(node, op, async { Err(error) }).await.map(drop);
        }
        // Where it is not replab's to end it, the command that promotes sees to that, and it is verified.
        if act.action.leaves_behind().is_some()
            && self.topology.can(Action::Kill)
            && let (writer, true) = self.topology.writer()?
        {
            self.act(writer, Action::Kill, Occasion::Fencing).await?;
        }
        self.act(self.node(act.target).await?, act.action, Occasion::Planned).await
    }

    /// Who is meant just now.
    async fn node(&self, target: Target) -> Result<NodeName, TopologyError> {
        match target {
            Target::Node(node) => Ok(node),
            Target::Writer => self.topology.writer().map(|(node, _)| node),
            Target::Best => self.topology.candidate().await,
        }
    }

    /// Starts what is down, and ends whatever else lasts, see [`topology::heal()`]. At last every replica is seen to follow.
    ///
    /// # Errors
    /// The first that did not heal; what else was begun is completed.
    pub async fn heal(&self) -> Result<(), TopologyError> {
        let cure = |node, action| self.act(node, action, Occasion::Healing);
        topology::heal(|| self.topology.conditions(), cure).await?;
        self.topology.all_follow().await
    }

    /// One action, verified, and the wait for the node's answer where the action brings it back.
    pub(super) async fn act(
        &self,
        node: NodeName,
        action: Action,
        occasion: Occasion,
    ) -> Result<(), TopologyError> {
        let op = FaultOp::Act { action, occasion };
        let done = self.witnessed(node, op, self.topology.act(node, action)).await?;
        // The network and the disk of a node can be put right while it is down; then it is waited for when it comes back.
        let silent = |(of, condition): &(NodeName, Condition)| *of == node && condition.silences();
        let regardless = matches!(action, Action::Reconnect | Action::FreeDisk);
        let silent = regardless && self.topology.conditions().iter().any(silent);
        if done && action.brings_back() && !silent {
            let answer = async {
                tokio::select! {
                    answer = self.topology.answer(node, ANSWER_DEADLINE) => answer.map(|()| "answers".to_owned()),
                    missing = self.left_alone(node) => Err(missing),
                }
            };
            if self.witnessed(node, FaultOp::Answer, answer).await? {
                self.witness.answers_again(node, action);
            }
        }
        Ok(())
    }

    /// Comes to its end when the primary of a replica has been out for a while, with why: a replica that was rewound, or
    /// copied anew, answers nobody before it has what its primary has yet to send it.
    async fn left_alone(&self, node: NodeName) -> TopologyError {
        let mut since = Instant::now();
        loop {
            let conditions = self.topology.conditions();
            let of_primary = |name: NodeName| {
                conditions.iter().find(move |(of, condition)| *of == name && condition.silences())
            };
            let writer = self.topology.writer().ok().map(|(writer, _)| writer);
            match writer.filter(|&writer| writer != node).and_then(of_primary) {
                Some(&(node, condition)) if since.elapsed() >= ALONE => {
                    return TopologyError::Impossible { node, condition };
                }
                Some(_) => {}
                None => since = Instant::now(),
            }
            sleep(LOOK).await;
        }
    }

    /// Whether it was done.
    async fn witnessed(
        &self,
        node: NodeName,
        op: FaultOp,
        done: impl Future<Output = Result<String, TopologyError>>,
    ) -> Result<bool, TopologyError> {
        self.witness.begins(node, &op);
        let how = done.await;
        self.witness.ends(node, &op, &how);
        match how {
            Ok(_) => Ok(true),
            Err(error) if self.witness.tolerates(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
