//! Transactions as their clients saw them, in columns: ten million of them fit into memory.
//!
//! A transaction is a sequence of micro-operations on keys. A key holds a *list*, to which elements are appended, or a
//! *register*, which is overwritten. Every element and every write is unique for its key, so that who reads it knows
//! whose it is (Kingsbury and Alvaro, *Elle: Inferring Isolation Anomalies from Experimental Observations*, VLDB 2020).
//!
//! Lists are kept once: of a list that was read, only its length is kept where it is the beginning of the longest one
//! that was read of its key, the *spine*.

mod builder;
#[cfg(test)]
pub(crate) mod notation;
mod part;
pub mod recorded;
mod txns;
mod value;

pub use builder::{Builder, Refused, Seen};
pub use part::{Part, Parts};
pub use txns::{Key, List, Mop, MopId, Status, Txn, TxnId, Txns};
pub use value::{Value, Values};
