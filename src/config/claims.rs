//! What a plan promises.

use std::collections::BTreeSet;

use crate::check::{Claims, Guarantee};
use crate::history::NodeName;

use super::{Plan, SynchronousCommit, TopologyKind, WorkloadPlan};
use crate::topology::aurora::Consistency;

/// On which nodes a guarantee is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    Everywhere,
    OnPrimary,
    Nowhere,
}

impl Plan {
    /// The guarantees that a violation of makes the run invalid: the one place that derives them, for
    /// `docs/claims.md` to explain.
    ///
    /// Of a cluster that replab did not set up ([`TopologyKind::Urls`]) only what PostgreSQL itself promises is claimed:
    /// that a commit survives a restart of its primary at every level but `off`, as `fsync` and `full_page_writes` are
    /// asserted at the start. What a replica has when its commit is acknowledged depends on
    /// `synchronous_standby_names`, which holds application names that any client may choose, and so names no node for
    /// certain: no durability across a failover by command, and no read-your-writes on a replica.
    ///
    /// On Aurora all instances share one volume, which has a commit before it is acknowledged: it survives restarts and
    /// failovers at every level but `off`. What a reader shows waits for its page cache, and nobody waits for that, unless
    /// local write forwarding is enabled and the mode of consistency is `global`: a query then waits until the reader shows
    /// what was committed when it began (Aurora user guide, "Configuring read consistency for local write forwarding"). With
    /// `off` nobody says that a commit is committed in this sense when it is acknowledged.
    pub fn claims(&self) -> Claims {
        let nodes = self.topology.nodes();
        let stages = self.faults.stages(&nodes);
        let durable = stages.iter().all(|stage| self.fate(stage).keeps());
        let replicas_stay_up = stages.iter().all(|stage| stage.node == Some(NodeName::primary()));
        // Every replica has replayed before a commit is acknowledged.
        let waits_for_all =
            self.topology.standbys().is_some_and(|standbys| standbys.count == self.topology.replicas);
        let applied_everywhere = self.topology.synchronous_commit == SynchronousCommit::RemoteApply
            && waits_for_all
            && replicas_stay_up
            && !self.faults.moves_primary();
        let mode = self.topology.aurora.as_ref().and_then(|aurora| aurora.access.consistency);
        let fresh = mode == Some(Consistency::Global)
            && durable
            && self.topology.synchronous_commit != SynchronousCommit::Off
            && !self.faults.moves_primary();
        let moved_by_command = self.topology.kind == TopologyKind::Urls && self.faults.moves_primary();
        let mut claims = Claims { primary: Some(NodeName::primary()), ..Claims::default() };
        for guarantee in Guarantee::ALL {
            let place = match guarantee {
                // What no workload of the run shows is promised by nobody.
                Guarantee::Atomicity if !self.runs("orders") => Where::Nowhere,
                Guarantee::ReadYourWrites if !self.runs("counter") => Where::Nowhere,
                Guarantee::MonotonicReads
                    if !["counter", "counters", "set"].iter().any(|name| self.runs(name)) =>
                {
                    Where::Nowhere
                }
                // A register keeps its last value only, and whose that should be, nobody knows.
                // A total shows whether a transfer is there in half, not whether it is there.
                Guarantee::Durability
                    if self.workloads.iter().all(|one| is_register(one) || is_bank(one)) =>
                {
                    Where::Nowhere
                }
                Guarantee::Durability if durable => Where::Everywhere,
                Guarantee::Durability => Where::Nowhere,
                Guarantee::ExactlyOnce if self.workloads.iter().all(is_bank) => Where::Nowhere,
                // A transaction is in the log once and whole, or not at all, whatever was acknowledged.
                Guarantee::ExactlyOnce | Guarantee::Atomicity => Where::Everywhere,
                // A replica is sent only what the primary has flushed, so it is never ahead of what a crash leaves.
                Guarantee::Convergence if self.topology.replicas > 0 && !moved_by_command => {
                    Where::Everywhere
                }
                // Whether the others follow a primary that a failover command has made is that command's to see to.
                // A lone primary has nobody to agree with.
                Guarantee::Convergence => Where::Nowhere,
                // With `remote_apply` a commit is acknowledged when every replica shows it (the local topology names
                // them all). A replica that is restarted may open before it has replayed again what it showed.
                Guarantee::ReadYourWrites if applied_everywhere || fresh => Where::Everywhere,
                // Otherwise a replica replays when it replays; nobody waits for it.
                Guarantee::ReadYourWrites if durable => Where::OnPrimary,
                Guarantee::ReadYourWrites => Where::Nowhere,
                // Within a session: a crash ends those of its node, and a replica is sent only what the primary has
                // flushed, so it never has to take back what it showed.
                Guarantee::MonotonicReads => Where::Everywhere,
                // Whoever reads what is lost later has read what another transaction puts in its place.
                Guarantee::Isolation
                    if !durable || self.faults.moves_primary() || !self.shows_isolation() =>
                {
                    Where::Nowhere
                }
                // Transfers at a level that loses updates change the total, and a claim is one of all workloads.
                Guarantee::Isolation if self.workloads.iter().any(loses_updates) => Where::Nowhere,
                Guarantee::Isolation => Where::Everywhere,
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

    /// Whether a workload looks at several keys at once.
    fn shows_isolation(&self) -> bool {
        ["counters", "append", "register", "longfork", "bank"].iter().any(|name| self.runs(name))
    }
}

fn is_register(workload: &WorkloadPlan) -> bool {
    matches!(workload, WorkloadPlan::Register(_))
}

fn is_bank(workload: &WorkloadPlan) -> bool {
    matches!(workload, WorkloadPlan::Bank(_))
}

fn loses_updates(workload: &WorkloadPlan) -> bool {
    matches!(workload, WorkloadPlan::Bank(plan) if plan.isolation.loses_updates())
}
