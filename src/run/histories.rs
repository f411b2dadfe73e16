//! The histories of one run while they are written.

use std::io;

use super::directory::RunDir;
use super::finale::Reader;
use super::load::{CounterLoad, OrdersLoad, concurrency};
use super::record::{Recorder, Scribe};
use crate::config::Plan;
use crate::history::{Clock, CounterOp, FaultOp, Header, Operation, OrdersOp};
use crate::topology::{Role, Site};
use crate::workload::orders::OrdersClient;

/// One workload's history, and who may write into it.
pub(super) struct Part<O: Operation> {
    recorder: Recorder<O>,
    concurrency: u32,
}

/// All of them.
pub(super) struct Histories {
    pub(super) nemesis: Recorder<FaultOp>,
    orders: Option<Part<OrdersOp>>,
    counter: Option<Part<CounterOp>>,
    scribes: Vec<Scribe>,
}

impl<O: Operation> Part<O> {
    fn start(name: &str, concurrency: u32, dir: &RunDir) -> io::Result<(Part<O>, Scribe)> {
        let header = Header { workload: name.to_owned(), concurrency };
        let (recorder, scribe) = Recorder::start(&dir.history(name), &header)?;
        Ok((Part { recorder, concurrency }, scribe))
    }

    /// The last client thread reads before and after the load.
    fn reader(&self) -> Reader<O> {
        Reader { recorder: self.recorder.clone(), process: self.concurrency - 1 }
    }
}

impl Histories {
    pub(super) fn start(plan: &Plan, dir: &RunDir, nodes: usize) -> io::Result<Histories> {
        let (nemesis, scribe) = Part::start("nemesis", 1, dir)?;
        let mut scribes = vec![scribe];
        let concurrency = |clients| concurrency(clients, plan.readers.per_node, nodes);
        let mut orders = None;
        if let Some(plan) = &plan.orders {
            let (part, scribe) = Part::start("orders", concurrency(plan.clients), dir)?;
            orders = Some(part);
            scribes.push(scribe);
        }
        let mut counter = None;
        if let Some(plan) = &plan.counter {
            let (part, scribe) = Part::start("counter", concurrency(plan.clients), dir)?;
            counter = Some(part);
            scribes.push(scribe);
        }
        Ok(Histories { nemesis: nemesis.recorder, orders, counter, scribes })
    }

    /// The load begins: from here on their time is that of `clock`.
    pub(super) fn begin(&self, clock: Clock) {
        self.nemesis.begin(clock);
        if let Some(orders) = &self.orders {
            orders.recorder.begin(clock);
        }
        if let Some(counter) = &self.counter {
            counter.recorder.begin(clock);
        }
    }

    pub(super) fn orders_reader(&self) -> Option<Reader<OrdersOp>> {
        self.orders.as_ref().map(Part::reader)
    }

    pub(super) fn counter_reader(&self) -> Option<Reader<CounterOp>> {
        self.counter.as_ref().map(Part::reader)
    }

    pub(super) fn orders_load(&self, plan: &Plan) -> Option<OrdersLoad> {
        let (part, orders) = (self.orders.as_ref()?, plan.orders.as_ref()?);
        Some(OrdersLoad {
            recorder: part.recorder.clone(),
            clients: orders.clients,
            products: i32::try_from(orders.products).unwrap_or(i32::MAX),
            readers_per_node: plan.readers.per_node,
            stock_interval: plan.readers.stock_interval.into(),
        })
    }

    pub(super) fn counter_load(&self, plan: &Plan) -> Option<CounterLoad> {
        let (part, counter) = (self.counter.as_ref()?, plan.counter.as_ref()?);
        Some(CounterLoad {
            recorder: part.recorder.clone(),
            clients: counter.clients,
            keys: i32::try_from(counter.keys).unwrap_or(i32::MAX),
            readers_per_node: plan.readers.per_node,
            read_interval: plan.readers.interval.into(),
        })
    }

    /// What is in stock before the first order.
    pub(super) async fn baseline(&self, sites: &[Site]) {
        if let Some(reader) = self.orders_reader() {
            for site in sites.iter().filter(|site| site.role == Role::Primary) {
                reader.read::<OrdersClient>(site, OrdersOp::Stock).await;
            }
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.nemesis.is_broken()
            || self.orders.as_ref().is_some_and(|part| part.recorder.is_broken())
            || self.counter.as_ref().is_some_and(|part| part.recorder.is_broken())
    }

    /// Writes what is left; the first error of any history is the error.
    pub(super) fn finish(self) -> io::Result<()> {
        let results: Vec<io::Result<()>> = self.scribes.into_iter().map(Scribe::finish).collect();
        results.into_iter().collect()
    }
}
