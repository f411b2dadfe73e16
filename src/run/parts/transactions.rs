//! The part of transactions on lists or registers in a run.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use tokio::task::JoinSet;

use super::Part;
use super::crew::{Crew, Size};
use crate::config::{ReadersPlan, TransactionsPlan};
use crate::history::{Clock, Micro, Nanos, TxnOp};
use crate::run::load::Load;
use crate::run::record::Scribe;
use crate::run::worker::Pause;
use crate::topology::Site;
use crate::workload::transactions::{Holds, Keys, Mix, ReadOnly, Terms, TxnClient, last_reads};

/// Clients that read and write, and readers of every node.
pub(in crate::run) struct Transactions {
    crew: Crew<TxnOp>,
    terms: Terms,
    keys: Keys,
    length: u32,
    read_interval: Nanos,
    written: Arc<Written>,
}

/// How far the writers are.
#[derive(Debug, Default)]
struct Written {
    writes: AtomicU64,
    /// The highest key that was written; keys are used in order.
    highest: AtomicI64,
}

impl Transactions {
    /// Starts the history of the workload called `name` in `path`.
    pub(in crate::run) fn start(
        path: &Path,
        (name, holds): (&str, Holds),
        plan: &TransactionsPlan,
        readers: &ReadersPlan,
        places: usize,
    ) -> io::Result<(Transactions, Scribe)> {
        let size = Size { writers: plan.clients, readers_per_place: readers.per_node, places };
        let (crew, scribe) = Crew::start(name, size, path)?;
        let keys = Keys { in_use: plan.keys, writes: plan.writes_per_key, clients: plan.clients };
        let part = Transactions {
            crew,
            terms: Terms { holds, level: plan.isolation },
            keys,
            length: plan.length,
            read_interval: readers.interval,
            written: Arc::default(),
        };
        Ok((part, scribe))
    }
}

impl Part for Transactions {
    fn begin(&self, clock: Clock) {
        self.crew.recorder.begin(clock);
    }

    fn is_broken(&self) -> bool {
        self.crew.recorder.is_broken()
    }

    fn spawn(&self, load: &Load, workers: &mut JoinSet<()>) {
        let mix = |thread| {
            let written = Arc::clone(&self.written);
            let mix = Mix::new(load.seed, thread, self.terms.holds, self.keys, self.length);
            mix.inspect(move |op| written.note(op))
        };
        self.crew.writers::<TxnClient, _>(load, workers, &self.terms, mix);
        let reads = |_, thread| {
            let written = Arc::clone(&self.written);
            let progress = move || written.writes.load(Ordering::Relaxed);
            ReadOnly::new(load.seed, thread, self.keys, self.length, progress)
        };
        let pause = Pause::Fixed(self.read_interval.into());
        self.crew.readers::<TxnClient, _>(load, workers, &self.terms, pause, reads);
    }

    /// Every key that was written, and the table.
    fn last_reads<'a>(&'a self, site: &'a Site) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let keys: Vec<i64> = (0..=self.written.highest.load(Ordering::Relaxed)).collect();
            let digest = TxnOp::Digest { table: self.terms.holds.table() };
            for op in last_reads(&keys).into_iter().chain([digest]) {
                self.crew.read::<TxnClient>(site, &self.terms, op).await;
            }
        })
    }
}

impl Written {
    fn note(&self, op: &TxnOp) {
        for micro in op.micros() {
            if let Micro::Append(key, _) | Micro::Write(key, _) = *micro {
                self.writes.fetch_add(1, Ordering::Relaxed);
                self.highest.fetch_max(key, Ordering::Relaxed);
            }
        }
    }
}
