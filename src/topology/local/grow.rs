//! Replicas that come and go while the cluster runs.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;

use tokio::time::{Instant, sleep};

use super::make::known_node;
use super::node::{Node, PATIENCE};
use super::settings::slot_name;
use super::state::{NodeState, StateDir, give};
use super::{Cluster, POLL, sweep::remove};
use crate::history::NodeName;
use crate::topology::process::Account;
use crate::topology::servers::{Server, Servers, Standing, primary, query_error};
use crate::topology::{Role, TopologyError};

impl Cluster {
    /// Enters one more replica, which holds nothing and is down: [`Action::Rejoin`](crate::history::Action::Rejoin) copies
    /// the primary into it and starts it. There has to be room for it, see [`Config::room`](super::Config::room).
    pub fn add_replica(&mut self, name: NodeName) -> Result<(), TopologyError> {
        if self.network.is_some() || self.nodes.iter().any(|node| node.disk.is_some()) {
            return Err(TopologyError::lab("a cluster of links or small disks does not grow"));
        }
        if self.nodes.iter().any(|node| node.name == name) {
            return Err(TopologyError::lab(format!("there is a node {name} already")));
        }
        let account = Account::for_server()?;
        let state_dir = self.state_dir()?;
        // Held until the port is entered.
        let registry = state_dir.lock()?;
        let port = registry.ports(None, 1)?.first().copied().ok_or(TopologyError::NoPort(1))?;
        let upstream = primary(self)?.name;
        let standing = Standing { diverged: true, ..Standing::follower(upstream) };
        let entry = NodeState::ended(name, standing, port);
        let node = known_node(&self.directory, &self.state(), &entry, account.as_ref());
        let data = &node.data;
        fs::DirBuilder::new().mode(0o700).create(data).map_err(TopologyError::io("create", data))?;
        give(data, account.as_ref())?;
        self.nodes.push(node);
        self.save()
    }

    /// Ends a replica for good: nothing of it runs, and nobody keeps the log for it any more. [`Cluster::forget_replica`] does
    /// the rest.
    ///
    /// # Errors
    /// The primary stays, and so does a replica that another one receives from. What a server that does not run keeps for it
    /// cannot be dropped; the replica is still known then, so that it can be tried again.
    pub async fn retire_replica(&self, name: NodeName) -> Result<(), TopologyError> {
        let node = self.removable(name)?;
        node.end_in_turn().await?;
        self.save()?;
        let upstream = node.standing().upstream;
        // On its way back from a failover it may have got a slot of the new primary's already.
        let keepers = BTreeSet::from([upstream.unwrap_or(primary(self)?.name), primary(self)?.name]);
        for keeper in keepers {
            let keeper = self.server(keeper)?;
            if !keeper.is_running() {
                let why = format!("{} does not run, and keeps the log for {name}", keeper.name);
                return Err(TopologyError::lab(why));
            }
            self.drop_slot(keeper, name).await?;
        }
        Ok(())
    }

    /// Removes what a replica holds that [`Cluster::retire_replica`] has ended.
    ///
    /// # Errors
    /// The same of one that has to stay; and of one that runs.
    pub fn forget_replica(&mut self, name: NodeName) -> Result<(), TopologyError> {
        let node = self.removable(name)?;
        if node.is_running() {
            return Err(TopologyError::lab(format!("{name} runs")));
        }
        let data = node.data.clone();
        self.nodes.retain(|node| node.name != name);
        self.save()?;
        remove(&data).map_err(TopologyError::io("remove", &data))
    }

    fn removable(&self, name: NodeName) -> Result<&Node, TopologyError> {
        let node = self.server(name)?;
        if node.standing().role == Role::Primary {
            return Err(TopologyError::lab(format!("{name} is the primary, and stays")));
        }
        if let Some(other) = self.nodes.iter().find(|other| other.standing().upstream == Some(name)) {
            return Err(TopologyError::lab(format!("{} receives from {name}", other.name)));
        }
        Ok(node)
    }

    /// Drops the slot of a replica that is gone, once its sender has seen that.
    async fn drop_slot(&self, upstream: &Node, replica: NodeName) -> Result<(), TopologyError> {
        let session = self.session(upstream, PATIENCE).await?;
        let slot = slot_name(replica.as_str());
        let drop = format!(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots \
             WHERE slot_name = '{slot}' AND NOT active"
        );
        let look = format!("SELECT slot_name FROM pg_replication_slots WHERE slot_name = '{slot}'");
        let end = Instant::now() + PATIENCE;
        loop {
            session.batch(&drop).await.map_err(query_error(upstream, "drop a replication slot"))?;
            let left = session.simple_query_rows(&look).await;
            if left.map_err(query_error(upstream, "look for a replication slot"))?.is_empty() {
                session.close().await;
                return Ok(());
            }
            if Instant::now() >= end {
                return Err(TopologyError::lab(format!("the slot of {replica} is still in use")));
            }
            sleep(POLL).await;
        }
    }

    fn state_dir(&self) -> Result<StateDir, TopologyError> {
        // <state>/clusters/<id>
        StateDir::open(self.directory.ancestors().nth(2))
    }
}
