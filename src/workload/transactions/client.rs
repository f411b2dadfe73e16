//! A client of lists or registers, on whatever it is connected to.

use super::{Holds, memory, postgres};
use crate::history::{Cause, TxnOp, TxnReply};
use crate::isolation::Isolation;
use crate::pg::Deadlines;
use crate::topology::{Access, Site};
use crate::workload::{Answer, Client, Live, memory_session, session};

/// What a client's keys hold, and at which level its transactions run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What its keys hold.
    pub holds: Holds,
    /// On a replica repeatable read in place of serializable, which there is none of there.
    pub level: Isolation,
}

/// One session of transactions.
pub struct TxnClient(Link);

enum Link {
    Postgres(Box<postgres::Transactions>),
    Memory(memory::Transactions),
}

impl Client for TxnClient {
    type Op = TxnOp;
    type Terms = Terms;

    async fn connect(site: &Site, terms: &Terms, deadlines: Deadlines) -> Result<TxnClient, Cause> {
        Ok(TxnClient(match &site.access {
            Access::Postgres(conninfo) => {
                let session = session(conninfo, deadlines).await?;
                Link::Postgres(Box::new(postgres::Transactions::new(session, site.role, *terms)))
            }
            Access::Memory(handle) => {
                Link::Memory(memory::Transactions::new(memory_session(handle)?, terms.holds))
            }
        }))
    }

    fn live(&self) -> Live<'_> {
        match &self.0 {
            Link::Postgres(transactions) => Live::Postgres(transactions.session()),
            Link::Memory(transactions) => Live::Memory(transactions.session()),
        }
    }

    async fn invoke(&mut self, _process: u32, op: &TxnOp) -> Answer<TxnReply> {
        match &mut self.0 {
            Link::Postgres(transactions) => transactions.invoke(op).await,
            Link::Memory(transactions) => transactions.invoke(op).await,
        }
    }
}
