//! Servers that replicate, whatever they run in: another one becomes the primary, the others follow it, and one whose log has
//! diverged comes back.
//!
//! What differs between processes and containers is in [`Server`] and [`Servers`]; everything else is written once over
//! these.

mod follow;
mod life;
mod promotion;
mod rejoin;
mod replay;
mod server;
mod sessions;
mod standing;

use std::time::Duration;

use super::{Role, TopologyError};
use crate::history::{Condition, NodeName};
use crate::lsn::Lsn;
use crate::pg::{PgError, Session};

pub(super) use follow::{
    all_follow, catch_up, drop_stale_slots, ensure_slot, follows, point, settle, settle_all,
};
pub(super) use life::Life;
pub(super) use promotion::{candidate, check_promotable, primary, promote, switch_over, writer};
pub(super) use rejoin::{last_checkpoint, rejoin};
pub(super) use replay::{pause_replay, resume_replay, wal_receiver};
pub(super) use server::Server;
pub(super) use sessions::{cancel_sync_wait, terminate};
pub(super) use standing::Fork;
pub use standing::Standing;

/// The servers of one cluster.
pub(super) trait Servers: Sync {
    type Server: Server;

    /// Between two looks at a server.
    const POLL: Duration;

    /// All of them, the first primary first.
    fn servers(&self) -> &[Self::Server];

    /// A session of the lab's own, past whatever is done to the clients' network: tried until it works, or the server ends, or `deadline` is over.
    async fn session(&self, node: &Self::Server, deadline: Duration) -> Result<Session, TopologyError>;

    /// Where the failovers made the log go on, the last one last.
    fn forks(&self) -> Vec<Fork>;

    fn add_fork(&self, fork: Fork);

    /// Writes down whom `node` follows, whether it runs or not; one that runs reads it at once. Its standing is the
    /// caller's.
    async fn write_upstream(&self, node: &Self::Server, upstream: &Self::Server)
    -> Result<(), TopologyError>;

    /// Whether `node`, which is down, would be a replica if it were started.
    async fn starts_as_replica(&self, node: &Self::Server) -> Result<bool, TopologyError>;

    /// Undoes what `node`, which is down, has and `primary` has not (manual, "pg_rewind"). A server that was killed is
    /// recovered first, by the same program.
    async fn rewind(&self, node: &Self::Server, primary: &Self::Server) -> Result<(), TopologyError>;

    /// Throws away what `node`, which is down, has, and copies the primary.
    async fn clone_again(&self, node: &Self::Server, primary: &Self::Server) -> Result<(), TopologyError>;

    /// Where the last checkpoint of a server that has shut down begins.
    async fn shutdown_checkpoint(&self, node: &Self::Server) -> Result<Lsn, TopologyError>;

    /// Where the last failover made the log go on.
    fn fork(&self) -> Option<Fork> {
        self.forks().pop()
    }

    /// Where the first failover after `timeline` made the log go on.
    fn fork_after(&self, timeline: u32) -> Option<Fork> {
        self.forks().into_iter().find(|fork| fork.timeline > timeline)
    }

    /// Whether what the primary writes can get to `node`, over whoever is between them.
    fn is_fed(&self, node: &Self::Server) -> bool {
        self.obstacle(node).is_none()
    }

    /// Who, on the way of the log from the primary to `node`, lets nothing pass, and why.
    fn obstacle(&self, node: &Self::Server) -> Option<(NodeName, Condition)> {
        let mut node = node;
        for _ in self.servers() {
            let (name, standing) = (node.name(), *node.standing());
            let down = (!node.is_running()).then_some(Condition::Down);
            let diverged = standing.diverged.then_some(Condition::Diverged);
            if let Some(condition) = down.or_else(|| node.hindrance()).or(diverged) {
                return Some((name, condition));
            }
            match standing.upstream.map(|name| self.server(name)) {
                None if standing.role == Role::Primary => return None,
                Some(Ok(upstream)) => node = upstream,
                None | Some(Err(_)) => return Some((name, Condition::Diverged)),
            }
        }
        Some((node.name(), Condition::Diverged))
    }

    /// The node with this name.
    fn server(&self, name: NodeName) -> Result<&Self::Server, TopologyError> {
        let nodes = self.servers();
        nodes.iter().find(|node| node.name() == name).ok_or_else(|| TopologyError::UnknownNode {
            node: name,
            known: nodes.iter().map(|node| node.name().to_string()).collect(),
        })
    }
}

/// The error of a query of the lab itself.
pub(super) fn query_error<S: Server>(
    node: &S,
    what: &'static str,
) -> impl FnOnce(PgError) -> TopologyError + use<S> {
    let node = node.name();
    move |error| TopologyError::Query { node, what, why: error.to_string() }
}
