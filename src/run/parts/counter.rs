//! The counters' part of a run: of the workload `counter`, whose readers belong to a writer each, and of `counters`, where
//! each writer has a counter of its own and every read is of all of them.

use std::io;
use std::path::Path;

use futures_util::future::BoxFuture;
use tokio::task::JoinSet;

use super::Part;
use super::crew::{Crew, Size};
use crate::config::CounterPlan;
use crate::history::{Clock, CounterOp, Nanos, Table};
use crate::pg::{PgError, Session};
use crate::run::load::Load;
use crate::run::record::Scribe;
use crate::run::worker::Pause;
use crate::topology::{Site, memory};
use crate::workload::counter::{self, CounterClient, Increments, Reads};

/// Who increments and reads what.
#[derive(Clone, Copy, Debug)]
pub(in crate::run) enum Style {
    /// Clients share counters. Readers read their writer's and all of them in turn, and pause this long in between.
    Shared(Nanos),
    /// Each client has its own, and readers read all of them, as fast as they can: the more snapshots, the more of those
    /// that contradict each other.
    Own,
}

/// Clients that increment, and readers.
pub(in crate::run) struct Counter {
    crew: Crew<CounterOp>,
    style: Style,
    writers: u32,
    keys: i32,
}

impl Counter {
    /// Starts its history in `path`.
    pub(in crate::run) fn start(
        path: &Path,
        style: Style,
        plan: &CounterPlan,
        readers_per_place: u32,
        places: usize,
    ) -> io::Result<(Counter, Scribe)> {
        let size = Size { writers: plan.clients, readers_per_place, places };
        let name = match style {
            Style::Shared(_) => "counter",
            Style::Own => "counters",
        };
        let (crew, scribe) = Crew::start(name, size, path)?;
        Ok((Counter { crew, style, writers: plan.clients, keys: keys(plan) }, scribe))
    }
}

impl Part for Counter {
    fn begin(&self, clock: Clock) {
        self.crew.recorder.begin(clock);
    }

    fn is_broken(&self) -> bool {
        self.crew.recorder.is_broken()
    }

    fn spawn(&self, load: &Load, workers: &mut JoinSet<()>) {
        let increments = |thread| Increments::new(thread, self.keys);
        self.crew.writers::<CounterClient, _>(load, workers, &(), increments);
        match self.style {
            Style::Shared(interval) => {
                let reads = |reader: u32, _| Reads::new(reader % self.writers, self.keys);
                let pause = Pause::Fixed(interval.into());
                self.crew.readers::<CounterClient, _>(load, workers, &(), pause, reads);
            }
            Style::Own => {
                let reads = |_, _| std::iter::repeat(CounterOp::ReadAll);
                self.crew.readers::<CounterClient, _>(load, workers, &(), Pause::None, reads);
            }
        }
    }

    /// Every counter, and the table.
    fn last_reads<'a>(&'a self, site: &'a Site) -> BoxFuture<'a, ()> {
        Box::pin(async {
            for op in [CounterOp::ReadAll, CounterOp::Digest { table: Table::UserCounter }] {
                self.crew.read::<CounterClient>(site, &(), op).await;
            }
        })
    }
}

/// Makes the table anew.
pub(super) async fn set_up(plan: &CounterPlan, session: &Session) -> Result<(), PgError> {
    counter::set_up(session, keys(plan)).await
}

/// The same in memory.
pub(super) fn set_up_memory(plan: &CounterPlan, session: &memory::Session) {
    counter::set_up_memory(session, keys(plan));
}

fn keys(plan: &CounterPlan) -> i32 {
    i32::try_from(plan.keys).unwrap_or(i32::MAX)
}
