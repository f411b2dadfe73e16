//! A set that only grows: added to, read as a whole, and asked for an element.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{Decision, Interval, Object, inclusion};
use crate::history::txn::Value;

/// An operation on a set, which begins empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetOp<'a> {
    /// Added an element, which may have been there already.
    Add(Value),
    /// Read it, and these elements were there, in whatever order.
    Read(Cow<'a, [Value]>),
    /// Asked for an element.
    Contains(Value, Membership),
}

/// Whether an element was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Membership {
    /// It was.
    Present,
    /// It was not.
    Absent,
}

/// A set that only grows.
#[derive(Clone, Copy, Debug)]
pub struct Set<'a> {
    ops: std::marker::PhantomData<SetOp<'a>>,
}

impl<'a> Object for Set<'a> {
    type Op = SetOp<'a>;
    type State = BTreeSet<Value>;

    fn new(_: &[Interval<SetOp<'a>>]) -> Set<'a> {
        Set { ops: std::marker::PhantomData }
    }

    fn init(&self) -> BTreeSet<Value> {
        BTreeSet::new()
    }

    fn step(&self, state: &BTreeSet<Value>, op: &SetOp<'a>) -> Option<BTreeSet<Value>> {
        let is_possible = match op {
            SetOp::Add(_) => true,
            SetOp::Read(elements) => *state == elements.iter().copied().collect(),
            SetOp::Contains(value, membership) => {
                state.contains(value) == (*membership == Membership::Present)
            }
        };
        let mut next = state.clone();
        if let SetOp::Add(value) = op {
            next.insert(*value);
        }
        is_possible.then_some(next)
    }

    fn unanswered(op: &SetOp<'a>) -> Option<SetOp<'a>> {
        matches!(op, SetOp::Add(_)).then(|| op.clone())
    }

    const COMMUTES: bool = true;

    /// Always exact: see `inclusion`.
    fn decide(intervals: &[Interval<SetOp<'a>>]) -> Decision {
        inclusion::decide(intervals)
    }

    /// Without an element, the others come in the same order.
    fn parts(intervals: &[Interval<SetOp<'a>>]) -> Vec<Value> {
        let elements = |interval: &Interval<SetOp<'a>>| match &interval.op {
            SetOp::Add(value) | SetOp::Contains(value, _) => vec![*value],
            SetOp::Read(elements) => elements.to_vec(),
        };
        let parts: BTreeSet<Value> = intervals.iter().flat_map(elements).collect();
        parts.into_iter().collect()
    }

    fn restrict(intervals: &[Interval<SetOp<'a>>], kept: &[Value]) -> Vec<Interval<SetOp<'a>>> {
        let is_kept = |value: &Value| kept.binary_search(value).is_ok();
        let restricted = |interval: &Interval<SetOp<'a>>| {
            let op = match &interval.op {
                SetOp::Add(value) | SetOp::Contains(value, _) if !is_kept(value) => return None,
                SetOp::Read(elements) => SetOp::Read(elements.iter().copied().filter(is_kept).collect()),
                op => op.clone(),
            };
            Some(Interval { op, ..*interval })
        };
        intervals.iter().filter_map(restricted).collect()
    }
}
