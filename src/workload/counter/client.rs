//! A client of the counter, on whatever it is connected to.

use super::{memory, postgres};
use crate::history::{Cause, CounterOp, CounterReply};
use crate::pg::Deadlines;
use crate::topology::{Access, Site};
use crate::workload::{Answer, Client, Live, memory_session, session};

/// One session of the counter.
pub struct CounterClient(Link);

enum Link {
    Postgres(Box<postgres::Counter>),
    Memory(memory::Counter),
}

impl Client for CounterClient {
    type Op = CounterOp;
    type Terms = ();

    async fn connect(site: &Site, (): &(), deadlines: Deadlines) -> Result<CounterClient, Cause> {
        Ok(CounterClient(match &site.access {
            Access::Postgres(conninfo) => Link::Postgres(Box::new(postgres::Counter::new(
                session(conninfo, deadlines).await?,
                site.role,
            ))),
            Access::Memory(handle) => Link::Memory(memory::Counter::new(memory_session(handle)?)),
        }))
    }

    fn live(&self) -> Live<'_> {
        match &self.0 {
            Link::Postgres(counter) => Live::Postgres(counter.session()),
            Link::Memory(counter) => Live::Memory(counter.session()),
        }
    }

    async fn invoke(&mut self, _process: u32, op: &CounterOp) -> Answer<CounterReply> {
        match &mut self.0 {
            Link::Postgres(counter) => counter.invoke(op).await,
            Link::Memory(counter) => counter.invoke(op).await,
        }
    }
}
