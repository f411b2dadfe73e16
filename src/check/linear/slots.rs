//! Counters whose adds are all of the same amount, exactly and in `O(n log n)`.
//!
//! The reads, by how many adds they have counted, are classes that follow each other. Between two neighbours there are
//! exactly as many adds as the one counts more than the other; what nobody has counted comes after the last. An add cannot come
//! before a class of which a read had completed when it was invoked, nor after one of which a read was invoked when it had
//! completed. So every add has a range of gaps, each gap a number of adds, and who is most urgent is taken first, which finds
//! an assignment if there is one.
//!
//! That adds also precede each other needs no look: if add B comes before add A in time, B's range neither begins nor ends
//! later than A's, so that the two can change places wherever they were assigned the other way round.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::object::Core;
use super::{CounterOp, Decision, Interval};

/// Reads that counted as many.
struct Class {
    count: i128,
    reads: Vec<usize>,
    /// The earliest completion of this class and of all after it.
    first: i64,
    /// The latest invocation of this class and of all before it.
    last: i64,
}

pub(super) fn decide(intervals: &[Interval<CounterOp>]) -> Decision {
    let mut adds: Vec<usize> = Vec::new();
    let mut amount = 0;
    for (place, interval) in intervals.iter().enumerate() {
        match interval.op {
            CounterOp::Read(_) | CounterOp::Add(0) => {}
            CounterOp::Add(other) if amount == 0 || other == amount => {
                amount = other;
                adds.push(place);
            }
            CounterOp::Add(_) => return Decision::Undecided,
        }
    }
    let classes = match classes(intervals, i128::from(amount)) {
        Ok(classes) => classes,
        Err(reads) => return Decision::Refuted(Core::new([adds, reads].concat(), Vec::new())),
    };
    match full(intervals, &classes, &adds) {
        Ok(()) => Decision::Linearizable,
        Err(gap) => {
            let reads = classes[..=gap].iter().flat_map(|class| class.reads.iter().copied());
            Decision::Refuted(Core::new(adds.iter().copied().chain(reads).collect(), Vec::new()))
        }
    }
}

/// The classes, the least first; or reads that are impossible with adds of this amount.
fn classes(intervals: &[Interval<CounterOp>], amount: i128) -> Result<Vec<Class>, Vec<usize>> {
    let mut by_count: BTreeMap<i128, Vec<usize>> = BTreeMap::new();
    for (place, interval) in intervals.iter().enumerate() {
        let CounterOp::Read(value) = interval.op else { continue };
        let count = match (i128::from(value), amount) {
            (0, _) => 0,
            (_, 0) => return Err(vec![place]),
            (value, amount) if value % amount == 0 && value / amount > 0 => value / amount,
            _ => return Err(vec![place]),
        };
        by_count.entry(count).or_default().push(place);
    }
    let ends = |reads: &[usize]| {
        let first = reads.iter().map(|&place| intervals[place].completed).min();
        let last = reads.iter().map(|&place| intervals[place].invoked).max();
        (first.unwrap_or(i64::MAX), last.unwrap_or(i64::MIN))
    };
    let mut classes: Vec<Class> = Vec::new();
    for (count, reads) in by_count {
        let (first, last) = ends(&reads);
        let before = classes.last().map_or(i64::MIN, |class| class.last);
        if first < before {
            // One of them had completed when one that counted less was invoked.
            let lesser = classes.into_iter().flat_map(|class| class.reads);
            return Err(lesser.chain(reads).collect());
        }
        classes.push(Class { count, reads, first, last: last.max(before) });
    }
    let mut after = i64::MAX;
    for class in classes.iter_mut().rev() {
        class.first = class.first.min(after);
        after = class.first;
    }
    Ok(classes)
}

/// Assigns adds to gaps; the gap before each class has its number. The error is the first gap that has too few or too many.
fn full(intervals: &[Interval<CounterOp>], classes: &[Class], adds: &[usize]) -> Result<(), usize> {
    // Each add's first gap and its last one.
    let range = |&place: &usize| {
        let add = &intervals[place];
        let earliest = classes.partition_point(|class| class.first < add.invoked);
        let latest = classes.partition_point(|class| class.last <= add.completed);
        (earliest, latest)
    };
    let mut ranges: Vec<(usize, usize)> = adds.iter().map(range).collect();
    ranges.sort_unstable();
    let mut ranges = ranges.into_iter().peekable();
    let mut urgent: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
    let mut counted = 0;
    for (gap, class) in classes.iter().enumerate() {
        while let Some((_, latest)) = ranges.next_if(|&(earliest, _)| earliest <= gap) {
            urgent.push(Reverse(latest));
        }
        while counted < class.count {
            match urgent.pop() {
                Some(Reverse(latest)) if latest >= gap => counted += 1,
                _ => return Err(gap),
            }
        }
        if urgent.peek().is_some_and(|&Reverse(latest)| latest <= gap) {
            return Err(gap);
        }
    }
    // Whoever can only come after the last class has to be allowed there.
    match ranges.any(|(_, latest)| latest < classes.len()) {
        true => Err(classes.len() - 1),
        false => Ok(()),
    }
}
