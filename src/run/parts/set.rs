//! The set's part of a run.

use std::io;
use std::path::Path;

use futures_util::future::BoxFuture;
use tokio::task::JoinSet;

use super::Part;
use super::crew::{Crew, Size};
use crate::config::{ReadersPlan, SetPlan};
use crate::history::{Clock, Nanos, SetOp, Table};
use crate::run::load::Load;
use crate::run::record::Scribe;
use crate::run::worker::Pause;
use crate::topology::Site;
use crate::workload::set::{Inserts, SetClient};

/// Clients that insert, and readers of the whole set of every node.
pub(in crate::run) struct Set {
    crew: Crew<SetOp>,
    read_interval: Nanos,
}

impl Set {
    /// Starts its history in `path`.
    pub(in crate::run) fn start(
        path: &Path,
        plan: &SetPlan,
        readers: &ReadersPlan,
        places: usize,
    ) -> io::Result<(Set, Scribe)> {
        let size = Size { writers: plan.clients, readers_per_place: readers.per_node, places };
        let (crew, scribe) = Crew::start("set", size, path)?;
        Ok((Set { crew, read_interval: readers.interval }, scribe))
    }
}

impl Part for Set {
    fn begin(&self, clock: Clock) {
        self.crew.recorder.begin(clock);
    }

    fn is_broken(&self) -> bool {
        self.crew.recorder.is_broken()
    }

    fn spawn(&self, load: &Load, workers: &mut JoinSet<()>) {
        self.crew.writers::<SetClient, _>(load, workers, &(), Inserts::new);
        // The more there is, the longer a read takes.
        let pause = Pause::Heavy(self.read_interval.into());
        self.crew.readers::<SetClient, _>(load, workers, &(), pause, |_, _| std::iter::repeat(SetOp::Read));
    }

    /// The whole set, and the table.
    fn last_reads<'a>(&'a self, site: &'a Site) -> BoxFuture<'a, ()> {
        Box::pin(async {
            for op in [SetOp::Last, SetOp::Digest { table: Table::SetElement }] {
                self.crew.read::<SetClient>(site, &(), op).await;
            }
        })
    }
}
