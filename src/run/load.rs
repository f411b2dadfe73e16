//! The load: every client of every workload, on a thread and an event loop of their own, so that nothing else the lab
//! does delays them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::lab::LoopDelay;
use super::place::{Place, Whereabouts};
use super::record::Recorder;
use super::running::Running;
use super::worker::{Pause, Shared, Worker};
use crate::history::{CounterOp, OrdersOp};
use crate::topology::{Role, Site};
use crate::workload::counter::{CounterClient, Increments, Reads};
use crate::workload::orders::{Orders, OrdersClient};

/// The order system's part.
pub(super) struct OrdersLoad {
    pub(super) recorder: Recorder<OrdersOp>,
    pub(super) clients: u32,
    pub(super) products: i32,
    pub(super) readers_per_node: u32,
    pub(super) stock_interval: Duration,
}

/// The counter's part.
pub(super) struct CounterLoad {
    pub(super) recorder: Recorder<CounterOp>,
    pub(super) clients: u32,
    pub(super) keys: i32,
    pub(super) readers_per_node: u32,
    pub(super) read_interval: Duration,
}

/// Everything that runs at the same time.
pub(super) struct Load {
    pub(super) sites: Vec<Site>,
    /// Whether clients that have lost the primary look for it at every node.
    pub(super) primary_moves: bool,
    pub(super) seed: u64,
    pub(super) orders: Option<OrdersLoad>,
    pub(super) counter: Option<CounterLoad>,
    pub(super) shared: Arc<Shared>,
    pub(super) delay: Arc<LoopDelay>,
}

/// Client threads of a workload: the writers, the readers of every node, and one for what is read before and after.
pub(super) fn concurrency(clients: u32, readers_per_node: u32, nodes: usize) -> u32 {
    clients + readers_per_node * nodes as u32 + 1
}

impl Load {
    /// Starts every client.
    pub(super) fn start(self) -> std::io::Result<Running> {
        let (shared, delay) = (Arc::clone(&self.shared), Arc::clone(&self.delay));
        Running::start(shared, delay, move || self.workers())
    }

    fn workers(self) -> JoinSet<()> {
        let mut workers = JoinSet::new();
        if let Some(orders) = &self.orders {
            self.spawn_orders(orders, &mut workers);
        }
        if let Some(counter) = &self.counter {
            self.spawn_counter(counter, &mut workers);
        }
        workers
    }

    /// Where a primary may be.
    fn writers(&self) -> impl Iterator<Item = &Site> + Clone {
        self.sites.iter().filter(|site| self.primary_moves || site.role == Role::Primary)
    }

    /// The readers of every node, numbered within their node.
    fn readers(&self, per_node: u32) -> impl Iterator<Item = (&Site, u32)> {
        self.sites.iter().flat_map(move |site| (0..per_node).map(move |reader| (site, reader)))
    }

    fn spawn_orders(&self, load: &OrdersLoad, workers: &mut JoinSet<()>) {
        let concurrency = concurrency(load.clients, load.readers_per_node, self.sites.len());
        let primary = Whereabouts::default();
        for thread in 0..load.clients {
            let generator = Orders::new(self.seed, thread, load.products);
            let worker = Worker {
                place: Place::writer(self.writers(), thread, load.clients, &primary),
                is_scout: (thread as usize) < self.writers().count(),
                thread,
                concurrency,
                generator,
                pause: Pause::None,
                journal: load.recorder.clone(),
                shared: Arc::clone(&self.shared),
                gate: Arc::new(Barrier::new(1)),
            };
            workers.spawn(worker.run::<OrdersClient>());
        }
        for (thread, (site, reader)) in (load.clients..).zip(self.readers(load.readers_per_node)) {
            let worker = Worker {
                place: Place::node(site),
                is_scout: reader == 0,
                thread,
                concurrency,
                generator: std::iter::repeat(OrdersOp::Stock),
                pause: Pause::Heavy(load.stock_interval),
                journal: load.recorder.clone(),
                shared: Arc::clone(&self.shared),
                gate: Arc::new(Barrier::new(1)),
            };
            workers.spawn(worker.run::<OrdersClient>());
        }
    }

    fn spawn_counter(&self, load: &CounterLoad, workers: &mut JoinSet<()>) {
        let concurrency = concurrency(load.clients, load.readers_per_node, self.sites.len());
        let primary = Whereabouts::default();
        for thread in 0..load.clients {
            let worker = Worker {
                place: Place::writer(self.writers(), thread, load.clients, &primary),
                is_scout: (thread as usize) < self.writers().count(),
                thread,
                concurrency,
                generator: Increments::new(thread, load.keys),
                pause: Pause::None,
                journal: load.recorder.clone(),
                shared: Arc::clone(&self.shared),
                gate: Arc::new(Barrier::new(1)),
            };
            workers.spawn(worker.run::<CounterClient>());
        }
        for (thread, (site, reader)) in (load.clients..).zip(self.readers(load.readers_per_node)) {
            let worker = Worker {
                place: Place::node(site),
                is_scout: reader == 0,
                thread,
                concurrency,
                generator: Reads::new(reader % load.clients, load.keys),
                pause: Pause::Fixed(load.read_interval),
                journal: load.recorder.clone(),
                shared: Arc::clone(&self.shared),
                gate: Arc::new(Barrier::new(1)),
            };
            workers.spawn(worker.run::<CounterClient>());
        }
    }
}
