//! A register: read, written, and swapped if it holds what is expected.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::{Decision, Interval, Object, zones};
use crate::history::txn::Value;

/// An operation on a register. A register that was never written holds `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegisterOp {
    /// Read it, and this was there.
    Read(Option<Value>),
    /// Wrote it.
    Write(Value),
    /// Wrote `to` if `from` was there.
    Cas {
        /// What was expected.
        from: Option<Value>,
        /// What was to be written.
        to: Value,
        /// Whether it was.
        swap: Swap,
    },
}

/// How a compare-and-set ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Swap {
    /// What was expected was there.
    Swapped,
    /// Something else was.
    Refused,
    /// Nobody knows which.
    Unknown,
}

/// A register.
#[derive(Clone, Copy, Debug)]
pub struct Register;

impl Object for Register {
    type Op = RegisterOp;
    type State = Option<Value>;

    fn new(_: &[Interval<RegisterOp>]) -> Register {
        Register
    }

    fn init(&self) -> Option<Value> {
        None
    }

    fn step(&self, state: &Option<Value>, op: &RegisterOp) -> Option<Option<Value>> {
        match *op {
            RegisterOp::Read(value) => (*state == value).then_some(value),
            RegisterOp::Write(value) => Some(Some(value)),
            RegisterOp::Cas { from, to, swap } => match (swap, *state == from) {
                (Swap::Swapped | Swap::Unknown, true) => Some(Some(to)),
                (Swap::Refused | Swap::Unknown, false) => Some(*state),
                (Swap::Swapped, false) | (Swap::Refused, true) => None,
            },
        }
    }

    fn unanswered(op: &RegisterOp) -> Option<RegisterOp> {
        match *op {
            RegisterOp::Read(_) => None,
            RegisterOp::Write(_) => Some(*op),
            RegisterOp::Cas { from, to, .. } => Some(RegisterOp::Cas { from, to, swap: Swap::Unknown }),
        }
    }

    fn observes(op: &RegisterOp) -> bool {
        matches!(op, RegisterOp::Read(_) | RegisterOp::Cas { swap: Swap::Refused, .. })
    }

    fn decide(intervals: &[Interval<RegisterOp>]) -> Decision {
        zones::decide(intervals)
    }

    /// Without a value, and all that a swap joins to it, what was there before remains there longer: nobody notices, unless
    /// there is a swap that depends on something not being there.
    fn parts(intervals: &[Interval<RegisterOp>]) -> Vec<Value> {
        let notices = |interval: &Interval<RegisterOp>| match interval.op {
            RegisterOp::Cas { swap, .. } => swap != Swap::Swapped && !interval.is_open(),
            RegisterOp::Read(_) | RegisterOp::Write(_) => false,
        };
        if intervals.iter().any(notices) {
            return Vec::new();
        }
        let mut joined = Joined::new(intervals);
        let parts: BTreeSet<Value> = intervals.iter().filter_map(|one| joined.part(&one.op)).collect();
        parts.into_iter().collect()
    }

    fn restrict(intervals: &[Interval<RegisterOp>], kept: &[Value]) -> Vec<Interval<RegisterOp>> {
        let mut joined = Joined::new(intervals);
        let mut is_kept = |op| joined.part(op).is_none_or(|part| kept.binary_search(&part).is_ok());
        intervals.iter().filter(|interval| is_kept(&interval.op)).cloned().collect()
    }
}

/// Values that swaps join to each other, each with the least of its part; what is joined to the beginning is with `None`.
struct Joined {
    least: FxHashMap<Value, Option<Value>>,
}

impl Joined {
    fn new(intervals: &[Interval<RegisterOp>]) -> Joined {
        let mut joined = Joined { least: FxHashMap::default() };
        for interval in intervals {
            if let RegisterOp::Cas { from, to, .. } = interval.op {
                let (one, other) = (from.and_then(|from| joined.find(from)), joined.find(to));
                // `None` is the least.
                let (least, most) = (one.min(other), one.max(other));
                if let Some(most) = most {
                    joined.least.insert(most, least);
                }
            }
        }
        joined
    }

    fn find(&mut self, value: Value) -> Option<Value> {
        let mut top = Some(value);
        while let Some(&above) = top.and_then(|value| self.least.get(&value)).filter(|&&above| above != top) {
            top = above;
        }
        // The next one finds it at once.
        let mut at = Some(value);
        while let Some(value) = at.filter(|_| at != top) {
            at = self.least.insert(value, top).flatten();
        }
        top
    }

    fn part(&mut self, op: &RegisterOp) -> Option<Value> {
        match *op {
            RegisterOp::Read(value) => value.and_then(|value| self.find(value)),
            RegisterOp::Write(value) | RegisterOp::Cas { to: value, .. } => self.find(value),
        }
    }
}
