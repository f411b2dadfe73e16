//! What happened: operations, events, samples, and the files they are kept in.
//!
//! Everything here is a plain value. A history is immutable once [`History::new`] has accepted it; a malformed one
//! is an error, never a failed check. Nothing in this module opens a connection or judges anything.

mod action;
mod bank;
mod clock;
mod counter;
mod digest;
mod event;
mod fault;
pub mod file;
mod impairment;
mod network;
mod node;
#[cfg(test)]
pub(crate) mod notation;
mod orders;
mod record;
mod sample;
mod set;
pub mod simulation;
mod tenure;
mod transaction;
pub mod txn;

pub use action::{Action, Condition, StopMode};
pub use bank::{BankOp, BankReply};
pub use clock::{Clock, Nanos};
pub use counter::{CounterOp, CounterReply};
pub use digest::{BUCKET_ROWS, Bucket, Table, TableDigest};
pub use event::{Cause, CauseClass, Event, Operation, Phase, Process, Reply};
pub use fault::{FaultOp, Occasion};
pub use impairment::{Congestion, DiskFailure, ReplicaFailure};
pub use network::{Cut, Side, Slowness, Way};
pub use node::NodeName;
pub use orders::{Cents, LEDGER_CHUNK, LedgerLine, OrdersOp, OrdersReply, StockLine, StockSnapshot};
pub use record::{Call, Header, History, MalformedHistory, Outcome};
pub use sample::{EndpointSample, LabSample, LagSample, LinkState};
pub use set::{SetOp, SetReply};
pub use tenure::{Tenure, Tenures};
pub use transaction::{Committed, Micro, Observed, TxnOp, TxnReply};
