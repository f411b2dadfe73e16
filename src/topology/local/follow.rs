//! How a server of this machine is told whom to follow, and how it is brought back.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::files::remove;
use super::node::{Node, PATIENCE};
use super::settings::{self, SUPERUSER};
use super::state::give;
use super::{Cluster, POLL, connect, quoted};
use crate::lsn::Lsn;
use crate::pg::Session;
use crate::topology::TopologyError;
use crate::topology::process::Program;
use crate::topology::servers::{Fork, Servers, last_checkpoint};

/// The settings that say whom a replica follows.
const OURS: [&str; 2] = ["primary_conninfo", "primary_slot_name"];

/// A rewind reads the whole control and configuration and the changed blocks; a new copy, everything.
const REWIND_LIMIT: Duration = Duration::from_secs(120);

impl Servers for Cluster {
    type Server = Node;

    const POLL: Duration = POLL;

    fn servers(&self) -> &[Node] {
        &self.nodes
    }

    async fn session(&self, node: &Node, deadline: Duration) -> Result<Session, TopologyError> {
        connect(node, &self.endpoint(node, node.port()).conninfo, deadline).await
    }

    fn forks(&self) -> Vec<Fork> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).forks.clone()
    }

    fn add_fork(&self, fork: Fork) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).forks.push(fork);
    }

    async fn write_upstream(&self, node: &Node, upstream: &Node) -> Result<(), TopologyError> {
        let path = node.data.join("postgresql.auto.conf");
        let old = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read.map_err(TopologyError::io("read", &path))?,
        };
        let kept = old.lines().filter(|line| !OURS.iter().any(|name| line.trim_start().starts_with(name)));
        let mut text: String = kept.map(|line| format!("{line}\n")).collect();
        let slot = settings::slot_name(node.name.as_str());
        for (name, value) in OURS.iter().zip([self.stream_conninfo(node, upstream), slot]) {
            text += &format!("{name} = '{}'\n", value.replace('\'', "''"));
        }
        for (path, text) in [(&path, text.as_str()), (&node.standby_signal(), "")] {
            fs::write(path, text).map_err(TopologyError::io("write", path))?;
            give(path, node.account.as_ref())?;
        }
        if let Ok(process) = node.running("reload") {
            process.identity.signal(Signal::SIGHUP);
        }
        Ok(())
    }

    async fn starts_as_replica(&self, node: &Node) -> Result<bool, TopologyError> {
        Ok(node.standby_signal().exists())
    }

    async fn rewind(&self, node: &Node, primary: &Node) -> Result<(), TopologyError> {
        let program = self.state().binaries.join("pg_rewind");
        let source = format!("{} dbname={SUPERUSER}", self.upstream_conninfo(primary));
        Program::new(program, &self.directory, node.account.as_ref())
            .args(["--source-server", &source, "--target-pgdata"])
            .args([&node.data])
            .run(REWIND_LIMIT)
            .await
            .map(drop)
    }

    async fn clone_again(&self, node: &Node, primary: &Node) -> Result<(), TopologyError> {
        empty(&node.data).map_err(TopologyError::io("empty", &node.data))?;
        self.clone_primary(primary, node).await
    }

    async fn shutdown_checkpoint(&self, node: &Node) -> Result<Lsn, TopologyError> {
        let program = self.state().binaries.join("pg_controldata");
        let said = Program::new(program, &self.directory, node.account.as_ref())
            .envs(vec![("LC_ALL", "C".to_owned())])
            .args([Path::new("-D"), &node.data])
            .run(PATIENCE)
            .await?;
        last_checkpoint(node.name, &said)
    }
}

impl Cluster {
    /// The connection string through which a program of the lab copies from a node: no password.
    pub(super) fn upstream_conninfo(&self, upstream: &Node) -> String {
        self.conninfo_of(upstream.port())
    }

    /// The same for a replica that receives, through a link where there are links; without an `application_name`, which is
    /// then the replica's own `cluster_name`.
    fn stream_conninfo(&self, replica: &Node, upstream: &Node) -> String {
        self.conninfo_of(self.stream_port(replica, upstream))
    }

    fn conninfo_of(&self, port: u16) -> String {
        let passfile = quoted(&self.passfile());
        format!("host=127.0.0.1 port={port} user={SUPERUSER} passfile={passfile}")
    }
}

/// Removes what is in a directory, and leaves the directory.
fn empty(directory: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        remove(&entry?.path())?;
    }
    Ok(())
}
