//! Cutting a node off, slowing its network down, resetting its connections: done to its links, and seen there.

use std::time::Duration;

use tokio::time::timeout;

use super::Cluster;
use super::network::closed;
use super::node::{Node, PATIENCE};
use crate::history::{Action, Condition, Cut, NodeName, Side, Slowness, Way};
use crate::topology::TopologyError;
use crate::topology::link::{Direction, Probe};
use crate::topology::servers::{self, Server, Servers};

/// A replica that has given its stream up makes a new one within seconds; then it receives what was written meanwhile.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(60);

impl Cluster {
    /// Lets nothing pass where `cut` says, and shows that a new request is held back on every link concerned.
    pub(super) async fn isolate(&self, node: &Node, cut: Cut) -> Result<String, TopologyError> {
        self.network()?;
        node.disturbed().cut = Some(cut);
        self.reshape(node).await?;
        let probes = self.probe(node, cut.side, false).await?;
        if let Some((door, probe)) = probes.iter().find(|(_, probe)| *probe != Probe::Held) {
            let why = format!("a request {door} was not held back: {}", told(*probe));
            return Err(node.did_not_hold(Condition::Isolated, why));
        }
        let passed = self.states(node, cut.side).await?.into_iter().map(|(_, state)| state.forwarded);
        node.disturbed().passed = passed.collect();
        let (what, count) = (described(cut), probes.len());
        Ok(format!("nothing passes {what}; a request through each of {count} links was held back"))
    }

    /// Lets everything pass; an error if anything had passed meanwhile. Answers when requests do, and when the replicas
    /// concerned have received what the primary has written.
    pub(super) async fn reconnect(&self, node: &Node) -> Result<String, TopologyError> {
        let condition = Condition::Isolated;
        let cure = || TopologyError::NothingToCure { node: node.name, condition };
        let was = node.disturbed().clone();
        let cut = was.cut.ok_or_else(cure)?;
        self.as_left(node, condition).await?;
        for ((door, state), passed) in self.states(node, cut.side).await?.into_iter().zip(&was.passed) {
            let Some(end) = door.end(node.name) else { continue };
            let leaked =
                |way: &Direction| was.blocks(end, *way) && state.forwarded.get(*way) != passed.get(*way);
            if Direction::ALL.iter().any(leaked) {
                return Err(node.did_not_hold(condition, format!("something passed {door}")));
            }
        }
        node.disturbed().cut = None;
        self.reshape(node).await?;
        let passes = self.passes(node, cut.side, condition).await?;
        if cut.side.has_peers() {
            // Those that a failover found behind the cut show now whether they can follow.
            servers::settle_all(self).await?;
        }
        let late =
            |_| TopologyError::NotTaken { node: node.name, condition, lifted: true, waited: CATCH_UP_LIMIT };
        let follow = self.followed(node, cut.side, late).await?;
        Ok(format!("nothing had passed {}; {passes}{follow}", described(cut)))
    }

    /// Makes the links slow, and measures that a request takes as long as it says at least.
    pub(super) async fn slow(&self, node: &Node, how: Slowness) -> Result<String, TopologyError> {
        self.network()?;
        node.disturbed().slow = Some(how);
        self.reshape(node).await?;
        self.is_slow(node, how.side).await
    }

    /// Makes them as fast as before; an error if they had been before that.
    pub(super) async fn speed_up(&self, node: &Node) -> Result<String, TopologyError> {
        let condition = Condition::Slow;
        let cure = || TopologyError::NothingToCure { node: node.name, condition };
        let how = node.disturbed().slow.ok_or_else(cure)?;
        self.as_left(node, condition).await?;
        let before = self.is_slow(node, how.side).await?;
        node.disturbed().slow = None;
        self.reshape(node).await?;
        self.as_left(node, condition).await?;
        let passes = self.passes(node, how.side, condition).await?;
        Ok(format!("at the end {before}; {passes}"))
    }

    /// Resets the established connections on one side, once there are some; answers when none of them is left, and the
    /// replicas concerned stream again.
    pub(super) async fn reset(&self, node: &Node, side: Side) -> Result<String, TopologyError> {
        self.network()?;
        let nobody = |_| node.no_effect("no connection was there to be reset");
        let before = timeout(PATIENCE, self.connected(node, side)).await.map_err(nobody)??;
        let mut count = 0;
        for (door, _) in &before {
            count += door.link.reset().await.map_err(closed(node))?;
        }
        for ((door, old), (_, new)) in before.iter().zip(self.states(node, side).await?) {
            // Whatever is open now has come since.
            if (new.established + new.waiting) as u64 > new.accepted - old.accepted {
                return Err(TopologyError::lab(format!("connections {door} outlived their reset")));
            }
        }
        let late = |replica| TopologyError::lab(format!("{replica} does not stream again after a reset"));
        let follow = self.followed(node, side, late).await?;
        Ok(format!("reset {count} connections; none of them is left{follow}"))
    }

    /// Shows that a request through each link takes at least as long as the link's latency says.
    async fn is_slow(&self, node: &Node, side: Side) -> Result<String, TopologyError> {
        let mut fastest: Option<Duration> = None;
        for (door, probe) in self.probe(node, side, true).await? {
            let shapes = self.shapes(door);
            let least = shapes.to_server.latency + shapes.to_client.latency;
            match probe {
                Probe::Answered { after } if after >= least => {
                    fastest = Some(fastest.map_or(after, |fastest| fastest.min(after)));
                }
                other => {
                    let why = format!("a request {door} was not answered after {least:?}: {}", told(other));
                    return Err(node.did_not_hold(Condition::Slow, why));
                }
            }
        }
        Ok(match fastest {
            Some(fastest) => format!("a request took {:.1} ms at least", fastest.as_secs_f64() * 1e3),
            None => "no request could be made, as no node is there to answer".to_owned(),
        })
    }

    /// Shows that a request through each link is answered, but for those that something else blocks.
    async fn passes(&self, node: &Node, side: Side, condition: Condition) -> Result<String, TopologyError> {
        let probes = self.probe(node, side, true).await?;
        let answered = |probe: &Probe| matches!(probe, Probe::Answered { .. });
        if probes.iter().any(|(_, probe)| !answered(probe)) {
            return Err(TopologyError::NotTaken {
                node: node.name,
                condition,
                lifted: true,
                waited: PATIENCE,
            });
        }
        let all = self.network()?.of(node.name, side).len();
        Ok(format!("requests through {} of {all} links are answered", probes.len()))
    }

    /// Waits until the replicas at the other end of a node's links, and the node itself, have flushed what the primary
    /// writes now, and their upstreams know. Those that something else holds up are not waited for.
    async fn followed(
        &self,
        node: &Node,
        side: Side,
        late: impl Fn(NodeName) -> TopologyError,
    ) -> Result<String, TopologyError> {
        let mut pairs: Vec<(&Node, &Node)> = Vec::new();
        for door in self.network()?.of(node.name, side) {
            let Some(replica) = door.from.map(|name| self.node(name)).transpose()? else { continue };
            if replica.standing().upstream == Some(door.to) && self.is_fed(replica) {
                pairs.push((replica, self.node(door.to)?));
            }
        }
        servers::catch_up(self, &pairs, CATCH_UP_LIMIT, late).await
    }

    /// Whether `action` on `node` is done to connections of more nodes than that.
    pub(super) fn concerns_peers(&self, node: &Node, action: Action) -> bool {
        let disturbed = node.disturbed();
        let side = match action {
            Action::Reconnect => disturbed.cut.map(|cut| cut.side),
            Action::SpeedUp => disturbed.slow.map(|slow| slow.side),
            other => other.side(),
        };
        side.is_some_and(Side::has_peers)
    }
}

/// What is cut, for the report.
fn described(cut: Cut) -> String {
    let whom = match cut.side {
        Side::Clients => "clients",
        Side::Peers => "peers",
        Side::Both => "clients or peers",
    };
    match cut.way {
        Way::In => format!("from {whom} to the node"),
        Way::Out => format!("from the node to {whom}"),
        Way::Both => format!("between the node and {whom}"),
    }
}

fn told(probe: Probe) -> String {
    match probe {
        Probe::Answered { after } => format!("it was answered after {:.1} ms", after.as_secs_f64() * 1e3),
        Probe::Held => "it was held back".to_owned(),
        Probe::Closed => "its connection was closed".to_owned(),
        Probe::Silent => "nothing came back".to_owned(),
    }
}
