//! One workload's part of a run: its tables, its clients, its history while it is written, and its last reads.

mod bank;
mod counter;
mod crew;
mod long_fork;
mod orders;
mod set;
mod transactions;

use std::io;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::task::JoinSet;

use super::directory::RunDir;
use super::load::Load;
use super::record::Scribe;
use crate::config::{Plan, WorkloadPlan};
use crate::history::Clock;
use crate::pg::{PgError, Session};
use crate::topology::{Site, memory};
use crate::workload::{self, transactions::Holds};

use bank::Bank;
pub(super) use counter::{Counter, Style};
use long_fork::LongFork;
pub(super) use orders::Orders;
use set::Set;
use transactions::Transactions;

/// What a run does with a workload, whatever that is.
pub(super) trait Part: Send + Sync {
    /// The load begins: from here on the history's time is that of `clock`.
    fn begin(&self, clock: Clock);

    /// Whether the history can no longer be written.
    fn is_broken(&self) -> bool;

    /// Starts the clients.
    fn spawn(&self, load: &Load, workers: &mut JoinSet<()>);

    /// Reads on the primary before the load what the checks compare with.
    fn baseline<'a>(&'a self, _primary: &'a Site) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    /// Reads on one node what the checks rest on, when the load has ended and the node has caught up.
    fn last_reads<'a>(&'a self, site: &'a Site) -> BoxFuture<'a, ()>;
}

/// A part that may be shared between the run and its load.
pub(super) type SharedPart = Arc<dyn Part>;

/// Starts the history of every workload of `plan` in `dir`, for a cluster of `nodes` nodes and so many `endpoints` that lead
/// readers to any of them.
pub(super) fn start(
    plan: &Plan,
    dir: &RunDir,
    nodes: usize,
    endpoints: usize,
) -> io::Result<Vec<(SharedPart, Scribe)>> {
    let places = nodes + endpoints;
    let start = |workload: &WorkloadPlan| {
        let path = dir.history(workload.name());
        Ok(match workload {
            WorkloadPlan::Orders(orders) => share(Orders::start(&path, orders, &plan.readers, places)?),
            WorkloadPlan::Counter(counter) => {
                let style = Style::Shared(plan.readers.interval);
                share(Counter::start(&path, style, counter, plan.readers.per_node, places)?)
            }
            WorkloadPlan::Counters(counter) => {
                share(Counter::start(&path, Style::Own, counter, plan.readers.per_node, places)?)
            }
            WorkloadPlan::Append(txns) => {
                share(Transactions::start(&path, ("append", Holds::List), txns, &plan.readers, places)?)
            }
            WorkloadPlan::Register(txns) => {
                share(Transactions::start(&path, ("register", Holds::Register), txns, &plan.readers, places)?)
            }
            WorkloadPlan::LongFork => {
                share(LongFork::start(&path, plan.readers.interval, nodes.saturating_sub(1))?)
            }
            WorkloadPlan::Bank(bank) => share(Bank::start(&path, bank, &plan.readers, places)?),
            WorkloadPlan::Set(set) => share(Set::start(&path, set, &plan.readers, places)?),
        })
    };
    plan.workloads.iter().map(start).collect()
}

fn share<P: Part + 'static>((part, scribe): (P, Scribe)) -> (SharedPart, Scribe) {
    (Arc::new(part), scribe)
}

/// Makes a workload's tables anew.
pub(super) async fn set_up(workload: &WorkloadPlan, session: &Session) -> Result<(), PgError> {
    match workload {
        WorkloadPlan::Orders(plan) => orders::set_up(plan, session).await,
        WorkloadPlan::Counter(plan) | WorkloadPlan::Counters(plan) => counter::set_up(plan, session).await,
        // Lists of both are in one table, which is made anew before either begins.
        WorkloadPlan::Append(_) | WorkloadPlan::LongFork => {
            workload::transactions::set_up(session, Holds::List).await
        }
        WorkloadPlan::Register(_) => workload::transactions::set_up(session, Holds::Register).await,
        WorkloadPlan::Bank(plan) => bank::set_up(plan, session).await,
        WorkloadPlan::Set(_) => workload::set::set_up(session).await,
    }
}

/// The same in memory.
pub(super) fn set_up_memory(workload: &WorkloadPlan, session: &memory::Session) {
    match workload {
        WorkloadPlan::Orders(plan) => orders::set_up_memory(plan, session),
        WorkloadPlan::Counter(plan) | WorkloadPlan::Counters(plan) => counter::set_up_memory(plan, session),
        // A key that was never written has no row, and a set is empty at first.
        WorkloadPlan::Append(_)
        | WorkloadPlan::Register(_)
        | WorkloadPlan::LongFork
        | WorkloadPlan::Set(_) => {}
        WorkloadPlan::Bank(plan) => bank::set_up_memory(plan, session),
    }
}
