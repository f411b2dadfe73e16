//! A client of the order system, on whatever it is connected to.

use super::{memory, postgres};
use crate::history::{Cause, OrdersOp, OrdersReply};
use crate::pg::Deadlines;
use crate::topology::{Access, Site};
use crate::workload::{Answer, Client, Live, memory_session, session};

/// One session of the order system.
pub struct OrdersClient(Link);

enum Link {
    Postgres(Box<postgres::Orders>),
    Memory(memory::Orders),
}

impl Client for OrdersClient {
    type Op = OrdersOp;
    type Terms = ();

    async fn connect(site: &Site, (): &(), deadlines: Deadlines) -> Result<OrdersClient, Cause> {
        Ok(OrdersClient(match &site.access {
            Access::Postgres(conninfo) => {
                let orders = postgres::Orders::new(session(conninfo, deadlines).await?, site.role).await?;
                Link::Postgres(Box::new(orders))
            }
            Access::Memory(handle) => Link::Memory(memory::Orders::new(memory_session(handle)?)),
        }))
    }

    fn live(&self) -> Live<'_> {
        match &self.0 {
            Link::Postgres(orders) => Live::Postgres(orders.session()),
            Link::Memory(orders) => Live::Memory(orders.session()),
        }
    }

    async fn invoke(&mut self, process: u32, op: &OrdersOp) -> Answer<OrdersReply> {
        match &mut self.0 {
            Link::Postgres(orders) => orders.invoke(process, op).await,
            Link::Memory(orders) => orders.invoke(process, op).await,
        }
    }
}
