//! A client of the set, on whatever it is connected to.

use super::{memory, postgres};
use crate::history::{Cause, SetOp, SetReply};
use crate::pg::Deadlines;
use crate::topology::{Access, Site};
use crate::workload::{Answer, Client, Live, memory_session, session};

/// One session of the set.
pub struct SetClient(Link);

enum Link {
    Postgres(Box<postgres::Set>),
    Memory(memory::Set),
}

impl Client for SetClient {
    type Op = SetOp;
    type Terms = ();

    async fn connect(site: &Site, (): &(), deadlines: Deadlines) -> Result<SetClient, Cause> {
        Ok(SetClient(match &site.access {
            Access::Postgres(conninfo) => {
                Link::Postgres(Box::new(postgres::Set::new(session(conninfo, deadlines).await?, site.role)))
            }
            Access::Memory(handle) => Link::Memory(memory::Set::new(memory_session(handle)?)),
        }))
    }

    fn live(&self) -> Live<'_> {
        match &self.0 {
            Link::Postgres(set) => Live::Postgres(set.session()),
            Link::Memory(set) => Live::Memory(set.session()),
        }
    }

    async fn invoke(&mut self, _process: u32, op: &SetOp) -> Answer<SetReply> {
        match &mut self.0 {
            Link::Postgres(set) => set.invoke(op).await,
            Link::Memory(set) => set.invoke(op).await,
        }
    }
}
