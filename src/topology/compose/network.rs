//! Cutting a node off from the others, or from its clients.

use std::time::Duration;

use super::Cluster;
use super::node::Node;
use crate::history::{Condition, Cut, Side, Way};
use crate::pg::{Deadlines, Session};
use crate::topology::TopologyError;
use crate::topology::servers::{self, Server, Servers};

/// How long a client that should not get in tries to.
const KNOCK: Duration = Duration::from_secs(1);

/// A stream that was cut is given up by both its ends after a minute without a word (manual, "wal_receiver_timeout"), if
/// the node has another address by then; and only then made anew.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(120);

/// One of the two networks that a node is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The one that the log streams on.
    Peers,
    /// The one that the ports are published on.
    Clients,
}

impl Link {
    /// As compose.yaml calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Link::Peers => "peers",
            Link::Clients => "clients",
        }
    }

    /// Those that are on `side`.
    fn of(side: Side) -> impl Iterator<Item = Link> {
        let clients = side.has_clients().then_some(Link::Clients);
        clients.into_iter().chain(side.has_peers().then_some(Link::Peers))
    }
}

impl Cluster {
    /// Whether an engine can cut a network like this: a node is on it, or it is not.
    pub(super) fn can_cut(cut: Cut) -> bool {
        cut.way == Way::Both
    }

    /// `docker network disconnect`: takes a node off its networks, and verifies that the engine says so, and that clients
    /// are let in by no other way. What was on its way is lost; connections break when their ends notice.
    pub(super) async fn isolate(&self, node: &Node, cut: Cut) -> Result<String, TopologyError> {
        for link in Link::of(cut.side) {
            if !self.is_linked(node, link).await? {
                return Err(unfit(node, link, "was not on"));
            }
        }
        *node.cut() = Some(cut);
        for link in Link::of(cut.side) {
            self.engine.tell(["network", "disconnect", &self.network(link), &node.container]).await?;
        }
        self.is_off(node, cut).await?;
        Ok(format!("{} is off the {}", node.container(), named(cut)))
    }

    /// `docker network connect`: puts a node back, under the name that the others know it by; an error if it had not been
    /// off all the time. Answers when the replicas concerned have received what the primary has written.
    pub(super) async fn reconnect(&self, node: &Node) -> Result<String, TopologyError> {
        let condition = Condition::Isolated;
        let cut = *node.cut();
        let cut = cut.ok_or(TopologyError::NothingToCure { node: node.name, condition })?;
        self.is_off(node, cut).await?;
        for link in Link::of(cut.side) {
            let alias = match link {
                Link::Peers => format!("{}.peers", node.name),
                Link::Clients => node.name.to_string(),
            };
            let network = self.network(link);
            self.engine.tell(["network", "connect", "--alias", &alias, &network, &node.container]).await?;
            if !self.is_linked(node, link).await? {
                return Err(unfit(node, link, "was put back, and is not on"));
            }
        }
        *node.cut() = None;
        let mut follow = String::new();
        if cut.side.has_peers() {
            // Those that a failover found behind the cut show now whether they can follow.
            servers::settle_all(self).await?;
            let waited = CATCH_UP_LIMIT;
            let late = |_| TopologyError::NotTaken { node: node.name, condition, lifted: true, waited };
            follow = servers::catch_up(self, &self.streams_of(node)?, waited, late).await?;
        }
        Ok(format!("{} had stayed off the {}, and is on again{follow}", node.container(), named(cut)))
    }

    /// The streams that a node is at an end of, as replica and upstream: those that can be expected to run, and be asked for.
    fn streams_of(&self, node: &Node) -> Result<Vec<(&Node, &Node)>, TopologyError> {
        let mut streams = Vec::new();
        if !servers::primary(self)?.is_reachable() {
            return Ok(streams);
        }
        for replica in self.nodes.iter().filter(|replica| self.is_fed(replica)) {
            let upstream = replica.standing().upstream;
            let Some(upstream) = upstream.map(|name| self.server(name)).transpose()? else { continue };
            if [replica.name, upstream.name].contains(&node.name) && upstream.is_reachable() {
                streams.push((replica, upstream));
            }
        }
        Ok(streams)
    }

    /// The error that a node is not cut off, unless it is.
    pub(super) async fn is_off(&self, node: &Node, cut: Cut) -> Result<(), TopologyError> {
        for link in Link::of(cut.side) {
            if self.is_linked(node, link).await? {
                return Err(unfit(node, link, "did not stay off"));
            }
        }
        // The engine may publish the port elsewhere by itself.
        if cut.side.has_clients() && node.can_answer() && self.lets_in(node).await {
            return Err(unfit(node, Link::Clients, "still answers its clients without"));
        }
        Ok(())
    }

    /// Whether one attempt of a client gets through.
    async fn lets_in(&self, node: &Node) -> bool {
        let deadlines = Deadlines { connect: KNOCK, statement: KNOCK };
        Session::connect(&self.conninfo(node), "replab", deadlines).await.is_ok()
    }

    async fn is_linked(&self, node: &Node, link: Link) -> Result<bool, TopologyError> {
        let format = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}\n{{end}}";
        let said = self.engine.tell(["container", "inspect", "--format", format, &node.container]).await?;
        Ok(said.lines().any(|line| line == self.network(link)))
    }

    /// Its name at the engine: compose puts the project before it.
    pub(super) fn network(&self, link: Link) -> String {
        format!("{}_{}", super::make::project(&self.id), link.name())
    }
}

/// `network of its clients`.
fn named(cut: Cut) -> &'static str {
    match cut.side {
        Side::Clients => "network of its clients",
        Side::Peers => "network of the others",
        Side::Both => "networks of its clients and of the others",
    }
}

fn unfit(node: &Node, link: Link, is: &str) -> TopologyError {
    node.did_not_hold(Condition::Isolated, format!("it {is} the {} network", link.name()))
}
