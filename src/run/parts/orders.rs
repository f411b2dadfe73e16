//! The order system's part of a run.

use std::io;
use std::path::Path;

use futures_util::future::BoxFuture;
use tokio::task::JoinSet;

use super::Part;
use super::crew::{Crew, Size};
use crate::config::{OrdersPlan, ReadersPlan};
use crate::history::{Clock, LEDGER_CHUNK, Nanos, OrdersOp, OrdersReply, Table};
use crate::pg::{PgError, Session};
use crate::run::load::Load;
use crate::run::record::Scribe;
use crate::run::worker::Pause;
use crate::topology::{Site, memory};
use crate::workload::orders::{self, OrdersClient, Stock};

/// Clients that place orders, and readers of the whole stock.
pub(in crate::run) struct Orders {
    crew: Crew<OrdersOp>,
    products: i32,
    stock_interval: Nanos,
}

impl Orders {
    /// Starts its history in `path`.
    pub(in crate::run) fn start(
        path: &Path,
        plan: &OrdersPlan,
        readers: &ReadersPlan,
        places: usize,
    ) -> io::Result<(Orders, Scribe)> {
        let size = Size { writers: plan.clients, readers_per_place: readers.per_node, places };
        let (crew, scribe) = Crew::start("orders", size, path)?;
        let products = stock(plan).products;
        Ok((Orders { crew, products, stock_interval: readers.stock_interval }, scribe))
    }
}

impl Part for Orders {
    fn begin(&self, clock: Clock) {
        self.crew.recorder.begin(clock);
    }

    fn is_broken(&self) -> bool {
        self.crew.recorder.is_broken()
    }

    fn spawn(&self, load: &Load, workers: &mut JoinSet<()>) {
        let orders = |thread| orders::Orders::new(load.seed, thread, self.products);
        self.crew.writers::<OrdersClient, _>(load, workers, &(), orders);
        let pause = Pause::Heavy(self.stock_interval.into());
        self.crew
            .readers::<OrdersClient, _>(load, workers, &(), pause, |_, _| std::iter::repeat(OrdersOp::Stock));
    }

    /// What is in stock before the first order.
    fn baseline<'a>(&'a self, primary: &'a Site) -> BoxFuture<'a, ()> {
        Box::pin(async {
            self.crew.read::<OrdersClient>(primary, &(), OrdersOp::Stock).await;
        })
    }

    /// Stock, ledger and every table.
    fn last_reads<'a>(&'a self, site: &'a Site) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let read = async |op| self.crew.read::<OrdersClient>(site, &(), op).await;
            read(OrdersOp::Stock).await;
            let mut after = 0;
            while let Some(OrdersReply::Ledger(lines)) = read(OrdersOp::Ledger { after }).await {
                match lines.last() {
                    Some(last) if lines.len() == LEDGER_CHUNK => after = last.order,
                    _ => break,
                }
            }
            for table in [Table::Orders, Table::OrderDetails, Table::Inventory] {
                read(OrdersOp::Digest { table }).await;
            }
        })
    }
}

/// Makes the tables anew.
pub(super) async fn set_up(plan: &OrdersPlan, session: &Session) -> Result<(), PgError> {
    orders::set_up(session, stock(plan)).await
}

/// The same in memory.
pub(super) fn set_up_memory(plan: &OrdersPlan, session: &memory::Session) {
    orders::set_up_memory(session, stock(plan));
}

/// What the plan puts in stock.
fn stock(plan: &OrdersPlan) -> Stock {
    let units = plan.stock.map(|units| i32::try_from(units).unwrap_or(i32::MAX));
    Stock { products: i32::try_from(plan.products).unwrap_or(i32::MAX), units }
}
