//! A list: appended to, and read as a whole.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::object::Core;
use super::{Decision, Interval, Object};
use crate::history::txn::Value;

/// An operation on a list, which begins empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListOp<'a> {
    /// Appended an element.
    Append(Value),
    /// Read it, and these elements were there.
    Read(Cow<'a, [Value]>),
}

/// A list, by the longest that was read of it.
#[derive(Clone, Debug)]
pub struct List<'a> {
    spine: Cow<'a, [Value]>,
}

/// How many elements of the longest list are there; `None`: others, so that no read is possible any more that has one.
type Length = Option<usize>;

impl<'a> Object for List<'a> {
    type Op = ListOp<'a>;
    type State = Length;

    fn new(intervals: &[Interval<ListOp<'a>>]) -> List<'a> {
        List { spine: longest(intervals).map(|(_, list)| list.clone()).unwrap_or_default() }
    }

    fn init(&self) -> Length {
        Some(0)
    }

    fn step(&self, state: &Length, op: &ListOp<'a>) -> Option<Length> {
        match op {
            ListOp::Append(value) => {
                Some(state.filter(|&length| self.spine.get(length) == Some(value)).map(|length| length + 1))
            }
            ListOp::Read(list) => {
                let is_there =
                    state.is_some_and(|length| length == list.len()) && is_prefix(list, &self.spine);
                is_there.then_some(*state)
            }
        }
    }

    fn unanswered(op: &ListOp<'a>) -> Option<ListOp<'a>> {
        matches!(op, ListOp::Append(_)).then(|| op.clone())
    }

    /// Exact where no element was appended twice: the longest list that was read is the order of all that was seen. Of
    /// two equal elements it is not known which is which, and the search decides.
    fn decide(intervals: &[Interval<ListOp<'a>>]) -> Decision {
        Known::new(intervals).decide()
    }

    /// Without an element, the others follow each other as before.
    fn parts(intervals: &[Interval<ListOp<'a>>]) -> Vec<Value> {
        let appended = intervals.iter().filter_map(|interval| match interval.op {
            ListOp::Append(value) => Some(value),
            ListOp::Read(_) => None,
        });
        let seen = longest(intervals).into_iter().flat_map(|(_, list)| list.iter().copied());
        let mut parts: Vec<Value> = appended.chain(seen).collect();
        parts.sort_unstable();
        parts.dedup();
        parts
    }

    fn restrict(intervals: &[Interval<ListOp<'a>>], kept: &[Value]) -> Vec<Interval<ListOp<'a>>> {
        let is_kept = |value: &Value| kept.binary_search(value).is_ok();
        let restricted = |interval: &Interval<ListOp<'a>>| {
            let op = match &interval.op {
                ListOp::Append(value) => is_kept(value).then_some(ListOp::Append(*value))?,
                ListOp::Read(list) => ListOp::Read(list.iter().copied().filter(is_kept).collect()),
            };
            Some(Interval { op, ..*interval })
        };
        intervals.iter().filter_map(restricted).collect()
    }
}

/// Lists that are parts of the same one need not be compared.
fn is_prefix(list: &[Value], spine: &[Value]) -> bool {
    list.len() <= spine.len() && (std::ptr::eq(list.as_ptr(), spine.as_ptr()) || spine.starts_with(list))
}

fn longest<'i, 'a>(intervals: &'i [Interval<ListOp<'a>>]) -> Option<(usize, &'i Cow<'a, [Value]>)> {
    let reads = intervals.iter().enumerate().filter_map(|(place, interval)| match &interval.op {
        ListOp::Read(list) => Some((place, list)),
        ListOp::Append(_) => None,
    });
    reads.max_by_key(|(_, list)| list.len())
}

/// Intervals, and the order that the longest list says.
struct Known<'i, 'a> {
    intervals: &'i [Interval<ListOp<'a>>],
    longest: Option<usize>,
    spine: &'i [Value],
}

impl<'i, 'a> Known<'i, 'a> {
    fn new(intervals: &'i [Interval<ListOp<'a>>]) -> Known<'i, 'a> {
        let longest = longest(intervals);
        Known {
            intervals,
            longest: longest.map(|(place, _)| place),
            spine: longest.map_or(&[], |(_, list)| list),
        }
    }

    fn decide(&self) -> Decision {
        let mut reads: Vec<(usize, usize)> = Vec::new();
        let mut writers: FxHashMap<Value, usize> = FxHashMap::default();
        let mut is_unique = true;
        for (place, interval) in self.intervals.iter().enumerate() {
            match &interval.op {
                ListOp::Append(value) => is_unique &= writers.insert(*value, place).is_none(),
                ListOp::Read(list) if is_prefix(list, self.spine) => reads.push((list.len(), place)),
                ListOp::Read(list) => {
                    // They differ somewhere, as neither goes on where the other ends.
                    let differ = list.iter().zip(self.spine).find(|(one, other)| one != other);
                    return self
                        .refuted(vec![place], differ.map_or(Vec::new(), |(&one, &other)| vec![one, other]));
                }
            }
        }
        if !is_unique {
            return Decision::Undecided;
        }
        let mut order: Vec<usize> = Vec::new();
        for value in self.spine {
            match writers.remove(value) {
                Some(writer) => order.push(writer),
                None => return self.refuted(Vec::new(), vec![*value]),
            }
        }
        reads.sort_unstable();
        let mut unseen: Vec<usize> =
            writers.into_values().filter(|&place| !self.intervals[place].is_open()).collect();
        unseen.sort_unstable();
        match self.conflict(&reads, &order, &unseen) {
            None => Decision::Linearizable,
            Some((early, late)) => self.refuted(vec![early, late], self.between(early, late)),
        }
    }

    /// What comes before another one in the list's order, and was invoked only after that had completed. The order: reads of
    /// nothing, the first element, reads of one element, and so on; at the end what nobody saw.
    fn conflict(
        &self,
        reads: &[(usize, usize)],
        order: &[usize],
        unseen: &[usize],
    ) -> Option<(usize, usize)> {
        let mut latest: Option<(i64, usize)> = None;
        let mut reads = reads.iter().copied().peekable();
        for length in 0..=order.len() {
            if let Some(&append) = length.checked_sub(1).and_then(|last| order.get(last)) {
                if let Some(early) = self.preceded(latest, append) {
                    return Some((early, append));
                }
                latest = latest.max(Some((self.intervals[append].invoked, append)));
            }
            let before = latest;
            while let Some((_, read)) = reads.next_if(|&(of, _)| of == length) {
                if let Some(early) = self.preceded(before, read) {
                    return Some((early, read));
                }
                latest = latest.max(Some((self.intervals[read].invoked, read)));
            }
        }
        unseen.iter().find_map(|&append| Some((self.preceded(latest, append)?, append)))
    }

    fn preceded(&self, latest: Option<(i64, usize)>, place: usize) -> Option<usize> {
        latest.filter(|&(invoked, _)| self.intervals[place].completed < invoked).map(|(_, early)| early)
    }

    /// The elements by which `early` comes before `late`.
    fn between(&self, early: usize, late: usize) -> Vec<Value> {
        match (&self.intervals[early].op, &self.intervals[late].op) {
            (ListOp::Append(one), ListOp::Append(other)) => vec![*one, *other],
            (ListOp::Append(value), ListOp::Read(_)) | (ListOp::Read(_), ListOp::Append(value)) => {
                vec![*value]
            }
            (ListOp::Read(list), ListOp::Read(_)) => {
                self.spine.get(list.len()).into_iter().copied().collect()
            }
        }
    }

    /// With the longest list, which says the order, and who appended `parts`.
    fn refuted(&self, mut calls: Vec<usize>, parts: Vec<Value>) -> Decision {
        let appends = |interval: &Interval<ListOp<'a>>| match interval.op {
            ListOp::Append(value) => parts.contains(&value),
            ListOp::Read(_) => false,
        };
        calls.extend((0..self.intervals.len()).filter(|&place| appends(&self.intervals[place])));
        calls.extend(self.longest);
        Decision::Refuted(Core::new(calls, parts))
    }
}
