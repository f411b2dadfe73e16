//! What an object is to the search: its sequential specification.

use std::fmt;
use std::hash::Hash;

use super::Interval;
use crate::history::txn::Value;

/// An object by what a single client would see of it.
///
/// The first four items are its specification, and enough. The others make a verdict faster or its evidence smaller.
pub trait Object: Sized {
    /// An operation with its answer.
    type Op: Clone + fmt::Debug + Eq + Hash;
    /// All that later answers depend on.
    type State: Clone + Eq + Hash;

    /// The object that `intervals` are about. They may be looked at to find a small form of its states.
    fn new(intervals: &[Interval<Self::Op>]) -> Self;

    /// How it begins.
    fn init(&self) -> Self::State;

    /// The state after `op`; `None`: here it would have answered something else.
    fn step(&self, state: &Self::State, op: &Self::Op) -> Option<Self::State>;

    /// `op` when nobody knows its answer; `None`: then it does not matter whether it happened.
    fn unanswered(op: &Self::Op) -> Option<Self::Op>;

    /// Whether `op`, with this answer, leaves every state as it is.
    fn observes(op: &Self::Op) -> bool {
        Self::unanswered(op).is_none()
    }

    /// Whether operations that change the state can change places with each other, and nobody sees it.
    const COMMUTES: bool = false;

    /// A verdict without a search, where theory allows one.
    fn decide(_intervals: &[Interval<Self::Op>]) -> Decision {
        Decision::Undecided
    }

    /// Values of which all traces can be removed: if the rest cannot be linearized, neither can the whole.
    fn parts(_intervals: &[Interval<Self::Op>]) -> Vec<Value> {
        Vec::new()
    }

    /// What is left of `intervals` if of all [`parts`](Object::parts) only `kept`, which is sorted, remain.
    fn restrict(intervals: &[Interval<Self::Op>], _kept: &[Value]) -> Vec<Interval<Self::Op>> {
        intervals.to_vec()
    }
}

/// What is known without a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// There is an order.
    Linearizable,
    /// There is none.
    Refuted(Core),
    /// The search has to say.
    Undecided,
}

/// A part of a history that has no order by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Core {
    /// Places of its intervals.
    pub calls: Vec<usize>,
    /// The values that matter; empty: all.
    pub parts: Vec<Value>,
}

impl Core {
    /// These intervals, as far as `parts` go.
    pub fn new(mut calls: Vec<usize>, mut parts: Vec<Value>) -> Core {
        calls.sort_unstable();
        calls.dedup();
        parts.sort_unstable();
        parts.dedup();
        Core { calls, parts }
    }
}
