//! Cutting a node off from the others, or from its clients.

use std::time::Duration;

use super::Cluster;
use super::node::Node;
use crate::history::NodeName;
use crate::pg::{Deadlines, Session};
use crate::topology::TopologyError;

/// How long a client that should not get in tries to.
const KNOCK: Duration = Duration::from_secs(1);

/// One of the two networks that a node is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The one that the log streams on.
    Peers,
    /// The one that the ports are published on.
    Clients,
}

impl Link {
    /// As compose.yaml calls it.
    pub fn name(self) -> &'static str {
        match self {
            Link::Peers => "peers",
            Link::Clients => "clients",
        }
    }
}

impl Cluster {
    /// `docker network disconnect`: takes a node off a network, and verifies that the engine says so. What was on its way
    /// is lost; connections break when their ends notice.
    ///
    /// # Errors
    /// A node that is not on the network, and an engine that refuses.
    pub async fn disconnect(&self, node: NodeName, link: Link) -> Result<String, TopologyError> {
        let node = self.node(node)?;
        let _turn = node.turn.lock().await;
        node.running("disconnect")?;
        if !self.is_linked(node, link).await? {
            return Err(unfit(node, link, "is not on"));
        }
        self.engine.tell(["network", "disconnect", &self.network(link), &node.container]).await?;
        if self.is_linked(node, link).await? {
            return Err(unfit(node, link, "was taken off, and still is on"));
        }
        if link == Link::Clients && self.lets_in(node).await {
            return Err(unfit(node, link, "still answers its clients without"));
        }
        Ok(format!("{} is off the {} network", node.container(), link.name()))
    }

    /// `docker network connect`: puts a node back on a network, under the name that the others know it by there.
    ///
    /// # Errors
    /// A node that has been on the network all the time, so that nobody knows how long it was cut off.
    pub async fn reconnect(&self, node: NodeName, link: Link) -> Result<String, TopologyError> {
        let node = self.node(node)?;
        let _turn = node.turn.lock().await;
        node.running("reconnect")?;
        if self.is_linked(node, link).await? {
            return Err(unfit(node, link, "did not stay off"));
        }
        let network = self.network(link);
        let alias = match link {
            Link::Peers => format!("{}.peers", node.name),
            Link::Clients => node.name.to_string(),
        };
        self.engine.tell(["network", "connect", "--alias", &alias, &network, &node.container]).await?;
        match self.is_linked(node, link).await? {
            true => Ok(format!("{} is on the {} network again", node.container(), link.name())),
            false => Err(unfit(node, link, "was put back, and is not on")),
        }
    }

    /// Whether one attempt of a client gets through: the engine may publish the port elsewhere by itself.
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

fn unfit(node: &Node, link: Link, is: &str) -> TopologyError {
    TopologyError::lab(format!("{} {is} the {} network", node.name, link.name()))
}
