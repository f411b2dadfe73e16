//! Calls: what clients asked of objects, when, and what became of it.

use super::Object;
use crate::history::txn::Status;

/// One operation of a client on one object.
///
/// Events are numbered over the whole history. A call that completed before another was invoked came before it; calls
/// that share an event's number are concurrent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<Op> {
    /// Who called; a process has one call at a time.
    pub process: u32,
    /// The object.
    pub key: u32,
    /// The event at which it began.
    pub invoked: u32,
    /// The event at which the client heard of its end; `None`: it never did.
    pub completed: Option<u32>,
    /// Whether it happened. A call of unknown outcome may take effect at any time after its invocation, or never.
    pub status: Status,
    /// What it did, and what it answered; the answer counts only if the call was acknowledged.
    pub op: Op,
}

/// Why calls are no history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// More calls than can be numbered.
    #[error("there are {0} calls, more than can be numbered")]
    TooMany(usize),
    /// A call that ends before it begins.
    #[error("call {0} is completed before it is invoked")]
    Backwards(u32),
    /// A call that is said to have ended, and nobody knows when.
    #[error("call {0} has an outcome and no completion")]
    Endless(u32),
    /// A process with two calls at a time.
    #[error("calls {first} and {second} of process {process} overlap")]
    Overlap {
        /// The process.
        process: u32,
        /// Its call that began first.
        first: u32,
        /// The other one.
        second: u32,
    },
}

/// Whether every call is possible by itself, and each process has one at a time.
pub(super) fn verify<Op>(calls: &[Call<Op>]) -> Result<(), Malformed> {
    let count = u32::try_from(calls.len()).map_err(|_| Malformed::TooMany(calls.len()))?;
    for (number, call) in (0..).zip(calls) {
        match call.completed {
            Some(completed) if completed < call.invoked => return Err(Malformed::Backwards(number)),
            None if call.status != Status::Info => return Err(Malformed::Endless(number)),
            _ => {}
        }
    }
    let mut order: Vec<u32> = (0..count).collect();
    order.sort_by_key(|&number| (calls[number as usize].process, calls[number as usize].invoked));
    for pair in order.windows(2) {
        let (first, second) = (&calls[pair[0] as usize], &calls[pair[1] as usize]);
        let is_over = first.completed.is_some_and(|completed| completed < second.invoked);
        if first.process == second.process && !is_over {
            return Err(Malformed::Overlap { process: first.process, first: pair[0], second: pair[1] });
        }
    }
    Ok(())
}

/// Past the last event: the end of an interval whose call may still take effect.
pub const OPEN: i64 = i64::MAX;

/// The time in which a call took effect, if it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval<Op> {
    /// Place of the call among all.
    pub call: u32,
    /// Not before this event.
    pub invoked: i64,
    /// Not after this event; [`OPEN`]: whenever, or never.
    pub completed: i64,
    /// What it did, and what it answered if that is known.
    pub op: Op,
}

impl<Op> Interval<Op> {
    /// Whether the call need not have happened.
    pub fn is_open(&self) -> bool {
        self.completed == OPEN
    }
}

/// The intervals of each key in the order of their beginnings, by key. What certainly did not happen is left out, and so
/// is what has no effect and whose answer nobody knows.
pub(super) fn intervals<O: Object>(calls: &[Call<O::Op>]) -> Vec<(u32, Vec<Interval<O::Op>>)> {
    let mut order: Vec<u32> = (0..).take(calls.len()).collect();
    order.sort_by_key(|&number| (calls[number as usize].key, calls[number as usize].invoked));
    let of_key = |chunk: &[u32]| {
        let intervals = chunk.iter().filter_map(|&number| interval::<O>(number, &calls[number as usize]));
        (calls[chunk[0] as usize].key, intervals.collect())
    };
    order.chunk_by(|&a, &b| calls[a as usize].key == calls[b as usize].key).map(of_key).collect()
}

fn interval<O: Object>(number: u32, call: &Call<O::Op>) -> Option<Interval<O::Op>> {
    let (completed, op) = match call.status {
        Status::Fail => return None,
        Status::Info => (OPEN, O::unanswered(&call.op)?),
        Status::Ok => (call.completed.map_or(OPEN, i64::from), call.op.clone()),
    };
    Some(Interval { call: number, invoked: i64::from(call.invoked), completed, op })
}
