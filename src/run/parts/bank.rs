//! The bank's part of a run.

use std::io;
use std::path::Path;

use futures_util::future::BoxFuture;
use tokio::task::JoinSet;

use super::Part;
use super::crew::{Crew, Size};
use crate::config::{BankPlan, ReadersPlan};
use crate::history::{BankOp, Clock, Nanos, Table};
use crate::isolation::Isolation;
use crate::pg::{PgError, Session};
use crate::run::load::Load;
use crate::run::record::Scribe;
use crate::run::worker::Pause;
use crate::topology::{Site, memory};
use crate::workload::bank::{self, BankClient, Opening, Transfers};

/// Clients that move money, and readers of all accounts of every node.
pub(in crate::run) struct Bank {
    crew: Crew<BankOp>,
    accounts: i64,
    level: Isolation,
    read_interval: Nanos,
}

impl Bank {
    /// Starts its history in `path`.
    pub(in crate::run) fn start(
        path: &Path,
        plan: &BankPlan,
        readers: &ReadersPlan,
        places: usize,
    ) -> io::Result<(Bank, Scribe)> {
        let size = Size { writers: plan.clients, readers_per_place: readers.per_node, places };
        let (crew, scribe) = Crew::start("bank", size, path)?;
        let (accounts, level, read_interval) = (plan.accounts.into(), plan.isolation, readers.interval);
        Ok((Bank { crew, accounts, level, read_interval }, scribe))
    }
}

impl Part for Bank {
    fn begin(&self, clock: Clock) {
        self.crew.recorder.begin(clock);
    }

    fn is_broken(&self) -> bool {
        self.crew.recorder.is_broken()
    }

    fn spawn(&self, load: &Load, workers: &mut JoinSet<()>) {
        let transfers = |thread| Transfers::new(load.seed, thread, self.accounts);
        self.crew.writers::<BankClient, _>(load, workers, &self.level, transfers);
        // There may be many accounts.
        let pause = Pause::Heavy(self.read_interval.into());
        self.crew.readers::<BankClient, _>(load, workers, &self.level, pause, |_, _| {
            std::iter::repeat(BankOp::Read)
        });
    }

    /// What is in the accounts before the first transfer.
    fn baseline<'a>(&'a self, primary: &'a Site) -> BoxFuture<'a, ()> {
        Box::pin(async {
            self.crew.read::<BankClient>(primary, &self.level, BankOp::Audit).await;
        })
    }

    /// Every account, and the table.
    fn last_reads<'a>(&'a self, site: &'a Site) -> BoxFuture<'a, ()> {
        Box::pin(async {
            for op in [BankOp::Audit, BankOp::Digest { table: Table::BankAccount }] {
                self.crew.read::<BankClient>(site, &self.level, op).await;
            }
        })
    }
}

/// Makes the table anew.
pub(super) async fn set_up(plan: &BankPlan, session: &Session) -> Result<(), PgError> {
    bank::set_up(session, opening(plan)).await
}

/// The same in memory.
pub(super) fn set_up_memory(plan: &BankPlan, session: &memory::Session) {
    bank::set_up_memory(session, opening(plan));
}

fn opening(plan: &BankPlan) -> Opening {
    Opening { accounts: plan.accounts.into(), balance: plan.balance.into() }
}
