//! A client of the bank, on whatever it is connected to.

use super::{memory, postgres};
use crate::history::{BankOp, BankReply, Cause};
use crate::isolation::Isolation;
use crate::pg::Deadlines;
use crate::topology::{Access, Site};
use crate::workload::{Answer, Client, Live, memory_session, session};

/// One session of the bank.
pub struct BankClient(Link);

enum Link {
    Postgres(Box<postgres::Bank>),
    Memory(memory::Bank),
}

impl Client for BankClient {
    type Op = BankOp;
    /// The level of its transfers.
    type Terms = Isolation;

    async fn connect(site: &Site, level: &Isolation, deadlines: Deadlines) -> Result<BankClient, Cause> {
        Ok(BankClient(match &site.access {
            Access::Postgres(conninfo) => {
                let session = session(conninfo, deadlines).await?;
                Link::Postgres(Box::new(postgres::Bank::new(session, site.role, *level)))
            }
            Access::Memory(handle) => Link::Memory(memory::Bank::new(memory_session(handle)?)),
        }))
    }

    fn live(&self) -> Live<'_> {
        match &self.0 {
            Link::Postgres(bank) => Live::Postgres(bank.session()),
            Link::Memory(bank) => Live::Memory(bank.session()),
        }
    }

    async fn invoke(&mut self, _process: u32, op: &BankOp) -> Answer<BankReply> {
        match &mut self.0 {
            Link::Postgres(bank) => bank.invoke(op).await,
            Link::Memory(bank) => bank.invoke(op).await,
        }
    }
}
