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
    /// The table is for a cluster without failover: the only one there is so far.
    pub fn claims(&self) -> Claims {
        // Without a synchronous standby every value but `off` waits for the primary's own disk and for nothing else
        // (manual, "synchronous_commit"). With `off`, a crash may take acknowledged commits back; a shutdown flushes them.
        let primary_crashes = self
            .faults
            .steps()
            .iter()
            .any(|step| step.node == NodeName::primary() && step.action.is_abrupt());
        let durable = self.topology.synchronous_commit != SynchronousCommit::Off || !primary_crashes;
        let replicas_stay_up = self.faults.steps().iter().all(|step| step.node == NodeName::primary());
        let applied_everywhere =
            self.topology.synchronous_commit == SynchronousCommit::RemoteApply && replicas_stay_up;
        let mut claims = Claims { primary: Some(NodeName::primary()), ..Claims::default() };
        for guarantee in Guarantee::ALL {
            let place = match guarantee {
                // What no workload of the run shows is promised by nobody.
                Guarantee::Atomicity if self.orders.is_none() => Where::Nowhere,
                Guarantee::ReadYourWrites | Guarantee::MonotonicReads if self.counter.is_none() => {
                    Where::Nowhere
                }
                Guarantee::Durability if durable => Where::Everywhere,
                Guarantee::Durability => Where::Nowhere,
                // A transaction is in the log once and whole, or not at all, whatever was acknowledged.
                Guarantee::ExactlyOnce | Guarantee::Atomicity => Where::Everywhere,
                // A replica is sent only what the primary has flushed, so it is never ahead of what a crash leaves.
                Guarantee::Convergence if self.topology.replicas > 0 => Where::Everywhere,
                // A lone primary has nobody to agree with.
                Guarantee::Convergence => Where::Nowhere,
                // With `remote_apply` a commit is acknowledged when every replica shows it (the local topology names
                // them all). A replica that is restarted may open before it has replayed again what it showed.
                Guarantee::ReadYourWrites if applied_everywhere => Where::Everywhere,
                // Otherwise a replica replays when it replays; nobody waits for it.
                Guarantee::ReadYourWrites if durable => Where::OnPrimary,
                Guarantee::ReadYourWrites => Where::Nowhere,
                // Within a session: a crash ends those of its node, and a replica is sent only what the primary has
                // flushed, so it never has to take back what it showed.
                Guarantee::MonotonicReads => Where::Everywhere,
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
