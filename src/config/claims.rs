//! What a plan promises.

use std::collections::BTreeSet;

use crate::check::{Claims, Guarantee};
use crate::history::NodeName;

use super::{Plan, SynchronousCommit};

/// On which nodes a guarantee is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    Everywhere,
    OnPrimary,
    Nowhere,
}

impl Plan {
    /// The guarantees that a violation of makes the run invalid.
    ///
    /// The table is for a primary with replicas and without failover: the only cluster there is so far.
    pub fn claims(&self) -> Claims {
        // Every value but `off` waits at least for the primary's own disk (manual, "synchronous_commit"); the node
        // that crashes is the node that comes back. With `off`, a crash may take acknowledged commits along.
        let durable = self.topology.synchronous_commit != SynchronousCommit::Off;
        let mut claims = Claims { primary: Some(NodeName::primary()), ..Claims::default() };
        for guarantee in Guarantee::ALL {
            let place = match guarantee {
                Guarantee::Durability if durable => Where::Everywhere,
                Guarantee::Durability => Where::Nowhere,
                // A transaction is in the log once and whole, or not at all, whatever was acknowledged.
                Guarantee::ExactlyOnce | Guarantee::Atomicity => Where::Everywhere,
                // A replica is sent only what the primary has flushed, so it is never ahead of what a crash leaves.
                Guarantee::Convergence => Where::Everywhere,
                // Nobody waits for a replica to replay, unless with `remote_apply`; and even then one that restarts
                // lets readers in before it has replayed all that it had.
                Guarantee::ReadYourWrites if durable => Where::OnPrimary,
                Guarantee::ReadYourWrites => Where::Nowhere,
                // A session is one connection, and the log is replayed in one direction. On the primary a commit
                // shows after it is flushed, so no crash hides it again, unless nothing waits for the flush. Then the
                // replicas still keep the guarantee, but replicas alone are not worth a notion of their own.
                Guarantee::MonotonicReads if durable => Where::Everywhere,
                Guarantee::MonotonicReads => Where::Nowhere,
                // Commits become visible on the primary in another order than they stand in the log: long forks are
                // normal, in every mode.
                Guarantee::SnapshotOrder => Where::Nowhere,
            };
            match place {
                Where::Everywhere => claims.everywhere.insert(guarantee),
                Where::OnPrimary => claims.on_primary.insert(guarantee),
                Where::Nowhere => false,
            };
        }
        claims.everywhere.extend(&self.checks.require);
        claims.on_primary =
            claims.on_primary.difference(&claims.everywhere).copied().collect::<BTreeSet<_>>();
        claims
    }
}
