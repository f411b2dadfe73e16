//! Linearizability of single objects: registers, counters, lists, and sets that only grow.
//!
//! A history is linearizable if each operation can be given one moment between its invocation and its completion at which it
//! takes effect, so that every answer is the one that a single client would have got (Herlihy and Wing, TOPLAS 12(3), 1990).
//! Each object is judged by itself, in near-linear time where theory allows it, and else by a search whose budget is counted
//! in configurations, so that the same history always gets the same verdict.
//!
//! | object | without a search |
//! |---|---|
//! | register | reads, and writes of unique values (`zones`) |
//! | counter | adds of one amount (`slots`); others only where bounds refute them |
//! | list | appends of unique elements |
//! | set | always (`inclusion`) |
//!
//! What certainly did not happen is left out; what may have happened need not be linearized, and its interval is open to the
//! end. A history that has no order comes with the few calls that show it.

mod call;
mod counter;
mod inclusion;
mod list;
mod object;
mod register;
mod search;
mod set;
mod shrink;
mod slots;
mod txns;
mod verdict;
mod window;
mod zones;

pub use call::{Call, Interval, Malformed, OPEN};
pub use counter::{Counter, CounterOp};
pub use list::{List, ListOp};
pub use object::{Core, Decision, Object};
pub use register::{Register, RegisterOp, Swap};
pub use set::{Membership, Set, SetOp};
pub use txns::{TxnLinear, of_txns};
pub use verdict::{Doubt, Evidence, Linear, Linearity, check};

/// Judges registers; see [`check`].
pub fn registers(calls: &[Call<RegisterOp>], budget: u64) -> Result<Linear, Malformed> {
    check::<Register>(calls, budget)
}

/// Judges counters; see [`check`].
pub fn counters(calls: &[Call<CounterOp>], budget: u64) -> Result<Linear, Malformed> {
    check::<Counter>(calls, budget)
}

/// Judges sets that only grow; see [`check`].
pub fn sets(calls: &[Call<SetOp<'_>>], budget: u64) -> Result<Linear, Malformed> {
    check::<Set<'_>>(calls, budget)
}

/// Judges lists; see [`check`].
pub fn lists(calls: &[Call<ListOp<'_>>], budget: u64) -> Result<Linear, Malformed> {
    check::<List<'_>>(calls, budget)
}

#[cfg(test)]
mod notation;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;
