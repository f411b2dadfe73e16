//! The links of a cluster: the ports that its clients and its nodes connect to while its network can be disturbed.
//!
//! A node has one link for its clients, and one for each other node that may receive the log from it. The lab itself
//! connects to the servers' own ports: what it asks and does is no part of the experiment.

use std::fmt;
use std::io;
use std::path::Path;

use futures_util::future::join_all;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::time::{Instant, sleep};

use super::disturbance::End;
use super::node::{Node, PATIENCE};
use super::{Cluster, POLL};
use crate::history::{Condition, NodeName, Side};
use crate::topology::TopologyError;
use crate::topology::link::{Both, Link, LinkClosed, Links, Probe, Shape, State};
use crate::topology::servers::Server;

/// What a PostgreSQL server answers before a login (manual, "Message Formats", `SSLRequest`).
const REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// As many open files as the largest cluster with the most clients needs.
const DESCRIPTORS: u64 = 65_536;

/// A link, and whose connections go through it.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) link: Link,
    /// The replica that connects; `None`: clients.
    pub(super) from: Option<NodeName>,
    /// The node that it leads to.
    pub(super) to: NodeName,
}

/// All links of a cluster.
#[derive(Debug)]
pub(super) struct Network {
    doors: Vec<Door>,
    /// The thread that they run on.
    _links: Links,
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            Some(replica) => write!(f, "from {replica} to {}", self.to),
            None => write!(f, "from clients to {}", self.to),
        }
    }
}

impl Door {
    /// At which end of it a node is, if it is at one.
    pub(super) fn end(&self, node: NodeName) -> Option<End> {
        match self.from {
            Some(replica) if replica == node => Some(End::Replica),
            Some(_) => (self.to == node).then_some(End::Upstream),
            None => (self.to == node).then_some(End::OfClients),
        }
    }
}

impl Network {
    /// Links to the ports of `nodes`, which need not be up; `seed` decides the jitter.
    pub(super) async fn open(nodes: &[Node], seed: u64) -> Result<Network, TopologyError> {
        let failed = |source: io::Error| TopologyError::io("open", Path::new("a link on 127.0.0.1"))(source);
        // A connection through a link takes two descriptors here, beside the client's own.
        if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
            // Whoever may not gets the error when they run out.
            let _ = setrlimit(Resource::RLIMIT_NOFILE, soft.max(hard.min(DESCRIPTORS)), hard);
        }
        let links = Links::start().map_err(failed)?;
        let mut doors = Vec::new();
        // One that took a port which a node has been promised goes when the others have theirs.
        let mut misplaced = Vec::new();
        for to in nodes {
            let others = nodes.iter().filter(|from| from.name != to.name).map(|from| Some(from.name));
            for from in std::iter::once(None).chain(others) {
                let link = loop {
                    let number = doors.len() as u64;
                    let link = links.open(0, to.port(), seed.wrapping_add(number)).await.map_err(failed)?;
                    if nodes.iter().all(|node| node.port() != link.port()) {
                        break link;
                    }
                    misplaced.push(link);
                };
                doors.push(Door { link, from, to: to.name });
            }
        }
        Ok(Network { doors, _links: links })
    }

    /// The port that clients of `node`, or a replica of it, connect to.
    pub(super) fn port(&self, from: Option<NodeName>, node: &Node) -> u16 {
        let door = self.doors.iter().find(|door| door.from == from && door.to == node.name);
        door.map_or(node.port(), |door| door.link.port())
    }

    /// Follows a node to another port.
    pub(super) async fn aim(&self, node: &Node) -> Result<(), TopologyError> {
        for door in self.doors.iter().filter(|door| door.to == node.name) {
            door.link.set_target(node.port()).await.map_err(closed(node))?;
        }
        Ok(())
    }

    /// The links that a node is at an end of, on one side.
    pub(super) fn of(&self, node: NodeName, side: Side) -> Vec<&Door> {
        let is_of = |door: &&Door| door.end(node).is_some_and(|end| end.is_of(side));
        self.doors.iter().filter(is_of).collect()
    }
}

/// The error that a link of `node` is gone.
pub(super) fn closed(node: &Node) -> impl Fn(LinkClosed) -> TopologyError {
    let node = node.name;
    move |_| TopologyError::lab(format!("a link of {node} is closed"))
}

impl Cluster {
    /// The links; a cluster has them only where a fault was planned that needs them.
    pub(super) fn network(&self) -> Result<&Network, TopologyError> {
        let without = "this cluster was made without links, so its network cannot be disturbed";
        self.network.as_ref().ok_or_else(|| TopologyError::lab(without))
    }

    /// The link that the clients of a node connect to, where there are links.
    pub fn link_of_clients(&self, node: NodeName) -> Option<&Link> {
        let door = self.network.as_ref()?.doors.iter().find(|door| door.from.is_none() && door.to == node);
        door.map(|door| &door.link)
    }

    /// The port through which `replica` receives from `upstream`.
    pub(super) fn stream_port(&self, replica: &Node, upstream: &Node) -> u16 {
        self.network.as_ref().map_or(upstream.port(), |network| network.port(Some(replica.name), upstream))
    }

    /// What the conditions of the nodes at its ends make of a link.
    pub(super) fn shapes(&self, door: &Door) -> Both<Shape> {
        Both::new(|direction| {
            let ends = self.nodes.iter().filter_map(|node| Some((node, door.end(node.name)?)));
            ends.fold(Shape::default(), |shape, (node, end)| node.disturbed().disturb(shape, end, direction))
        })
    }

    /// Makes the links of a node what its conditions say.
    pub(super) async fn reshape(&self, node: &Node) -> Result<(), TopologyError> {
        for door in self.network()?.of(node.name, Side::Both) {
            let (old, new) = (door.link.state().await.map_err(closed(node))?.shapes, self.shapes(door));
            for direction in crate::topology::link::Direction::ALL {
                if old.get(direction) != new.get(direction) {
                    let shaped = door.link.shape(direction, *new.get(direction)).await;
                    shaped.map_err(closed(node))?;
                }
            }
        }
        Ok(())
    }

    /// What the links of a node are now, on one side.
    pub(super) async fn states(&self, node: &Node, side: Side) -> Result<Vec<(&Door, State)>, TopologyError> {
        let mut states = Vec::new();
        for door in self.network()?.of(node.name, side) {
            states.push((door, door.link.state().await.map_err(closed(node))?));
        }
        Ok(states)
    }

    /// An error if a link of a node is not what the lab has made it: then nobody knows since when.
    pub(super) async fn as_left(&self, node: &Node, condition: Condition) -> Result<(), TopologyError> {
        for (door, state) in self.states(node, Side::Both).await? {
            if state.shapes != self.shapes(door) {
                let why = format!("somebody else has changed the link {door}");
                return Err(node.did_not_hold(condition, why));
            }
        }
        Ok(())
    }

    /// What becomes of a request through each link of a node on one side. With `answers_only`, through those that let
    /// requests pass, to nodes that can answer; one that was only just started does not yet, and is asked again.
    pub(super) async fn probe(
        &self,
        node: &Node,
        side: Side,
        answers_only: bool,
    ) -> Result<Vec<(&Door, Probe)>, TopologyError> {
        let mut doors = self.network()?.of(node.name, side);
        if answers_only {
            doors.retain(|door| {
                let shapes = self.shapes(door);
                let blocked = shapes.to_server.blocked || shapes.to_client.blocked;
                let answers = |node: &Node| node.can_answer() && !node.is_out_of_space();
                !blocked && self.node(door.to).is_ok_and(answers)
            });
        }
        let probes = doors.into_iter().map(async |door| {
            let shapes = self.shapes(door);
            // On a thin line it waits for its turn among whatever else is on its way.
            let slow = shapes.to_server != Shape::default() || shapes.to_client != Shape::default();
            let delays = [shapes.to_server, shapes.to_client].map(|shape| shape.latency + shape.jitter);
            let patience = if slow { 6 * PATIENCE } else { PATIENCE } + delays[0] + delays[1];
            let end = Instant::now() + PATIENCE;
            loop {
                let probe = door.link.probe(&REQUEST, patience).await.map_err(closed(node))?;
                if !answers_only || probe != Probe::Closed || Instant::now() >= end {
                    return Ok((door, probe));
                }
                sleep(POLL).await;
            }
        });
        join_all(probes).await.into_iter().collect()
    }

    /// Waits until some connection of a node on `side` is established; answers the links' states then.
    pub(super) async fn connected(
        &self,
        node: &Node,
        side: Side,
    ) -> Result<Vec<(&Door, State)>, TopologyError> {
        loop {
            let states = self.states(node, side).await?;
            if states.iter().any(|(_, state)| state.established > 0) {
                return Ok(states);
            }
            sleep(POLL).await;
        }
    }
}
